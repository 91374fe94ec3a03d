//! The map from topics to databases: a file that everybody who opens the queue shares.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// What the address of a map begins with.
const SCHEME: &str = "shards://";
/// So many databases have tags of their own, which are 2,048, and are found quickly.
const DATABASES_MAX: usize = 1_000;

/// The path of the map, if this is the address of one.
pub(crate) fn path_of(address: &Path) -> Option<&Path> {
    address.to_str()?.strip_prefix(SCHEME).map(Path::new)
}

/// Databases by name, and topics whose place was chosen by hand.
#[derive(Debug)]
pub(super) struct Map {
    pub databases: Vec<Database>,
    /// The place of the database in the list.
    topics: HashMap<String, usize>,
}

pub(super) struct Database {
    pub name: String,
    pub address: PathBuf,
}

/// Its address may have a secret in it.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    databases: BTreeMap<String, String>,
    #[serde(default)]
    topics: BTreeMap<String, String>,
}

impl Map {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|error| wrong(path, error))?;
        // Its own words may quote an address, and that a password.
        let written: Written = serde_json::from_str(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            wrong(path, format_args!("not a map of shards at line {line}, column {column}"))
        })?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let databases: Vec<_> = written
            .databases
            .into_iter()
            .map(|(name, address)| {
                place(folder, &address).map(|address| Database { name, address })
            })
            .collect::<Option<_>>()
            .ok_or_else(|| wrong(path, "a database must be a file or on a server"))?;
        if !(1..=DATABASES_MAX).contains(&databases.len()) {
            return Err(wrong(path, format_args!("there must be 1 to {DATABASES_MAX} databases")));
        }
        let topics = written.topics.into_iter().map(|(topic, name)| {
            let at = databases.iter().position(|database| database.name == name);
            at.map(|at| (topic, at))
                .ok_or_else(|| wrong(path, format_args!("there is no database {name:?}")))
        });
        let topics = topics.collect::<Result<_>>()?;
        Ok(Self { databases, topics })
    }

    /// Where a topic goes if it is nowhere yet. Another database takes topics from all others alike, and moves
    /// none between them: each goes where a number made of both names is largest.
    pub(super) fn home(&self, topic: &str) -> usize {
        if let Some(&at) = self.topics.get(topic) {
            return at;
        }
        let weights = self.databases.iter().map(|database| weight(&database.name, topic));
        weights.enumerate().max_by_key(|(_, weight)| *weight).map_or(0, |(at, _)| at)
    }
}

/// Files are beside the map.
fn place(folder: &Path, address: &str) -> Option<PathBuf> {
    match address.split_once("://") {
        Some(("shards", _)) => None,
        Some(_) => Some(address.into()),
        None if address.is_empty() || address == ":memory:" => None,
        None => Some(folder.join(address)),
    }
}

/// The same everywhere and for ever: topics are found by it.
fn weight(database: &str, topic: &str) -> [u8; 32] {
    Sha256::new().chain_update(database).chain_update([0]).chain_update(topic).finalize().into()
}

fn wrong(path: &Path, detail: impl fmt::Display) -> Error {
    Error::CannotOpen { detail: format!("{}: {detail}", path.display()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> Result<Map> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.json");
        fs::write(&path, text).unwrap();
        Map::read(&path)
    }

    #[test]
    fn another_database_takes_its_share_and_moves_nothing_else() {
        let three = map(r#"{"databases": {"a": "a.db", "b": "b.db", "c": "c.db"}}"#).unwrap();
        let four = map(r#"{"databases": {"a": "a.db", "aa": "d.db", "b": "b.db", "c": "c.db"}}"#);
        let four = four.unwrap();
        let name = |map: &Map, topic: &str| map.databases[map.home(topic)].name.clone();
        let mut taken = 0;
        for number in 0..1_000 {
            let topic = format!("topic {number}");
            let (before, after) = (name(&three, &topic), name(&four, &topic));
            if after == "aa" {
                taken += 1;
            } else {
                assert_eq!(after, before, "{topic}");
            }
        }
        assert!((150..350).contains(&taken), "{taken} of 1000");
    }

    #[test]
    fn a_place_chosen_by_hand_is_the_place_and_the_rest_stays() {
        let map =
            map(r#"{"databases": {"a": "a.db", "b": "/b.db", "c": "postgres://u:secret@h/c"},
                "topics": {"orders": "b"}}"#)
            .unwrap();
        assert_eq!(map.home("orders"), 1);
        assert_eq!(map.databases[0].address.file_name().unwrap(), "a.db");
        assert!(map.databases[0].address.is_absolute(), "beside the map");
        assert_eq!(map.databases[1].address, Path::new("/b.db"));
        assert_eq!(map.databases[2].address, Path::new("postgres://u:secret@h/c"));
        assert!(!format!("{map:?}").contains("secret"));
        // Whatever is changed here moves topics of those who have the queue already.
        assert_eq!(weight("a", "orders")[..4], [0x3f, 0xdc, 0x0e, 0x44]);
    }

    #[test]
    fn what_is_no_map_is_refused_and_no_secret_is_told() {
        for text in [
            "",
            "{}",
            r#"{"databases": {}}"#,
            r#"{"databases": {"a": ":memory:"}}"#,
            r#"{"databases": {"a": "shards:///other"}}"#,
            r#"{"databases": {"a": "a.db"}, "topics": {"t": "b"}}"#,
            r#"{"databases": {"a": "a.db"}, "colour": 1}"#,
            r#"{"databases": "postgres://user:secret@host"}"#,
        ] {
            let error = map(text).unwrap_err();
            assert_eq!(error.code(), "cannot_open", "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let many: Vec<_> = (0..=DATABASES_MAX).map(|at| format!(r#""{at}": "{at}.db""#)).collect();
        let too_many = map(&format!(r#"{{"databases": {{{}}}}}"#, many.join(", ")));
        assert_eq!(too_many.unwrap_err().code(), "cannot_open");
    }
}
