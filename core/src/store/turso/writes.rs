//! Changes as statements for another database, and cut into parts.

use rusqlite::types::ValueRef;

use super::hrana::Arg;
use crate::error::Result;
use crate::store::sqlite::changes::{Change, Verb, read};
use crate::store::sqlite::tables::Table;

/// Values of one statement: SQLite allows 32,766.
const VALUES_MAX: usize = 8_000;
/// What one statement carries, so that none is refused for its size.
const STATEMENT_BYTES_MAX: usize = 2 << 20;

/// From this size on.
const LARGE_BYTES: usize = 64 << 10;

/// A statement with its values.
pub(super) type Write = (String, Vec<Arg>);

/// The statements that do the same to the tables of another database, in whose journal the changes stand under
/// this version. Each row is in one of them: their order does not matter.
pub(super) fn writes(changes: &[u8], tables: &[Table], version: i64) -> Result<Vec<Write>> {
    let mut writes = Vec::new();
    let mut gathering: Option<Rows<'_>> = None;
    for change in read(changes, tables) {
        let change = change?;
        if change.values.iter().any(is_large) {
            writes.push(put_large(changes, &change, version));
            continue;
        }
        if let Some(full) = gathering.take_if(|rows| !rows.take(&change)) {
            writes.push(full.write());
        }
        gathering.get_or_insert_with(|| Rows::new(&change)).add(&change);
    }
    writes.extend(gathering.map(Rows::write));
    Ok(writes)
}

/// A value that is worth a statement of its own rather than being sent twice.
fn is_large(value: &ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Blob(bytes) if bytes.len() >= LARGE_BYTES)
}

/// Puts a row whose large values are taken from the journal.
fn put_large(changes: &[u8], change: &Change<'_>, version: i64) -> Write {
    let (mut values, mut args) = (Vec::new(), Vec::new());
    for value in &change.values {
        match value {
            ValueRef::Blob(bytes) if is_large(value) => {
                // They are a part of the changes.
                let place = bytes.as_ptr().addr() - changes.as_ptr().addr() + 1;
                values.push("substr(changes, ?, ?)");
                args.extend([place, bytes.len()].map(|n| i64::try_from(n).unwrap_or(0).into()));
            }
            value => {
                values.push("?");
                args.push(Arg::from(*value));
            }
        }
    }
    args.push(version.into());
    let (name, values) = (&change.table.name, values.join(", "));
    let from = "FROM blockqueue_journal WHERE version = ?";
    (format!("INSERT OR REPLACE INTO {name} SELECT {values} {from}"), args)
}

/// Rows of one table that are put, or deleted, by one statement.
struct Rows<'a> {
    table: &'a Table,
    verb: Verb,
    count: usize,
    bytes: usize,
    args: Vec<Arg>,
}

impl<'a> Rows<'a> {
    fn new(first: &Change<'a>) -> Self {
        let (table, verb) = (first.table, first.verb);
        Self { table, verb, count: 0, bytes: 0, args: Vec::new() }
    }

    /// Whether it belongs to these, and there is room.
    fn take(&self, change: &Change<'_>) -> bool {
        self.table.name == change.table.name
            && self.verb == change.verb
            && self.args.len() + change.values.len() <= VALUES_MAX
            && self.bytes + size(change) <= STATEMENT_BYTES_MAX
    }

    fn add(&mut self, change: &Change<'_>) {
        self.count += 1;
        self.bytes += size(change);
        self.args.extend(change.values.iter().map(|value| Arg::from(*value)));
    }

    fn write(self) -> Write {
        let width = self.args.len() / self.count.max(1);
        let one = vec!["?"; width].join(", ");
        let rows = vec![format!("({one})"); self.count].join(", ");
        let (name, key) = (&self.table.name, self.table.key().join(", "));
        let sql = match self.verb {
            Verb::Put => format!("INSERT OR REPLACE INTO {name} VALUES {rows}"),
            Verb::Delete if width == 1 => {
                let keys = vec!["?"; self.count].join(", ");
                format!("DELETE FROM {name} WHERE {key} IN ({keys})")
            }
            Verb::Delete => format!("DELETE FROM {name} WHERE ({key}) IN (VALUES {rows})"),
        };
        (sql, self.args)
    }
}

fn size(change: &Change<'_>) -> usize {
    let sizes = change.values.iter().map(|value| match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
        _ => size_of::<i64>(),
    });
    sizes.sum()
}

/// Cuts changes between rows, into parts of no more than so many bytes, or of one row. Put together again they
/// are what they were.
pub(super) fn parts<'a>(
    changes: &'a [u8],
    tables: &'a [Table],
    bytes_max: usize,
) -> Result<Vec<&'a [u8]>> {
    let (mut parts, mut from, mut to) = (Vec::new(), 0, 0);
    for change in read(changes, tables) {
        let end = change?.end;
        if end - from > bytes_max && to > from {
            parts.extend(changes.get(from..to));
            from = to;
        }
        to = end;
    }
    parts.extend(changes.get(from..).filter(|rest| !rest.is_empty()));
    Ok(parts)
}
