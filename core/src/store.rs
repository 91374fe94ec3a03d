//! The seam between the engine and a database: groups of operations in, one outcome each out.
//!
//! A store owns its SQL, its transactions and its caches, and a thread only where a server must be listened to or asked
//! for news. It holds no waiting callers.
//! Invariant: a group is applied as a whole or not at all; a failing operation in it changes nothing
//! and does not disturb its neighbours.

mod fingerprint;
#[cfg(any(feature = "postgres", feature = "turso"))]
mod percent;
#[cfg(feature = "postgres")]
mod postgres;
mod recent;
pub(crate) mod rows;
pub(crate) mod sqlite;
#[cfg(feature = "turso")]
mod turso;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::clock::{Clock, Millis};
use crate::entropy;
use crate::error::{Error, Result};
use crate::op::{Answer, Claim, Op, Outcome, Query, Source, TxStep};
use crate::options::OpenOptions;
use crate::process::watch::{Sign, Watch};
use rows::{Filling, Rows};

/// Opens the store at an address: `postgres://…`, `libsql://…`, or else a path.
pub(crate) fn open(address: &Path, options: &OpenOptions) -> Result<Box<dyn Store>> {
    match address.to_str().and_then(scheme) {
        None => Ok(Box::new(sqlite::SqliteStore::open(address, options)?)),
        #[cfg(feature = "postgres")]
        Some("postgres" | "postgresql") => {
            let address = address.to_str().unwrap_or_default();
            Ok(Box::new(postgres::PostgresStore::open(address, options)?))
        }
        #[cfg(feature = "turso")]
        Some("libsql" | "https" | "http") => {
            let address = address.to_str().unwrap_or_default();
            Ok(Box::new(turso::TursoStore::open(address, options)?))
        }
        Some(scheme) => Err(no_store(scheme)),
    }
}

/// Begins to fill the place at an address, where there is no queue yet, from elsewhere.
pub(crate) fn fill(address: &Path) -> Result<Box<dyn Filling>> {
    match address.to_str().and_then(scheme) {
        None => Ok(Box::new(sqlite::fill(address)?)),
        #[cfg(feature = "postgres")]
        Some("postgres" | "postgresql") => {
            Ok(Box::new(postgres::fill(address.to_str().unwrap_or_default())?))
        }
        #[cfg(feature = "turso")]
        Some("libsql" | "https" | "http") => {
            Ok(Box::new(turso::fill(address.to_str().unwrap_or_default())?))
        }
        Some(scheme) => Err(no_store(scheme)),
    }
}

/// The tag of a new database.
fn fresh_tag(taken: &[u16]) -> u16 {
    loop {
        let tag = u16::from_ne_bytes(entropy::bytes()) & 0x7ff;
        if !taken.contains(&tag) {
            return tag;
        }
    }
}

fn no_store(scheme: &str) -> Error {
    let detail = format!("this build has no store for addresses that begin with {scheme}://");
    Error::CannotOpen { detail }
}

/// What stands before `://` in an address that is no path.
fn scheme(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then_some(scheme)
}

/// What a group has done so far that may concern waiting claims.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Topics that got this many messages.
    pub appended: Vec<(Arc<str>, usize)>,
    /// Subscribers for which something is claimable from this time on.
    pub ready: Vec<(Source, Millis)>,
    /// Topics and subscribers that are gone or may be claimed from again: look at their claims anew.
    pub changed: Vec<(Arc<str>, Option<Arc<str>>)>,
    /// First and last keys of messages of which deliveries have ended, or perhaps have.
    pub ended: Vec<(i64, i64)>,
    /// Another process has committed since the group before this one.
    pub foreign: bool,
}

/// The keys of all messages.
pub(crate) const EVERYTHING: (i64, i64) = (i64::MIN, i64::MAX);

/// Asked, inside the transaction, for what should be done next in it.
pub(crate) trait Follow {
    /// `last` are the outcomes of what was asked for before. No more operations end the group.
    fn follow(
        &mut self,
        effects: &mut Effects,
        now: Millis,
        last: Vec<Result<Outcome>>,
    ) -> Vec<Claim>;

    /// The transaction was rolled back, and is carried out once more from its beginning.
    #[cfg_attr(not(feature = "turso"), expect(dead_code, reason = "files are locked"))]
    fn again(&mut self);
}

/// What became of a group.
#[derive(Debug)]
pub(crate) struct Applied {
    /// One outcome per operation of the group; those of operations that followed went to [`Follow`].
    pub outcomes: Vec<Result<Outcome>>,
    /// When a delayed message or a lease falls due next, in any topic.
    pub next_due: Option<Millis>,
    /// First and last keys of messages of which deliveries have ended, or perhaps have.
    pub ended: Vec<(i64, i64)>,
    /// Something fell due or was removed beyond what one group may touch: apply an empty group soon.
    pub more: bool,
}

/// The owner of an interactive transaction, who says step by step what is done in it.
pub(crate) trait Owner {
    /// The next step; to roll back ends the transaction, and so does the deadline.
    fn next(&mut self) -> TxStep;

    /// What became of that step; a commit is answered by what the whole transaction came to.
    fn answer(&mut self, outcome: Result<Outcome>);

    /// When the transaction is rolled back whatever it is doing.
    fn deadline(&self) -> Instant;
}

/// Why a whole group was not applied.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nothing was done.
    NotApplied(Error),
    /// Nothing was done because of one operation: apply the operations one by one.
    Divide(Error),
    /// Nobody knows.
    Unknown(Error),
}

impl Fault {
    pub(crate) fn error(&self) -> &Error {
        match self {
            Self::NotApplied(error) | Self::Divide(error) | Self::Unknown(error) => error,
        }
    }
}

/// How long nobody has asked for anything: the longer, the more may be done that would delay callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quiet {
    /// Somebody may be waiting.
    No,
    /// A pause between two bursts.
    Pause,
    /// Long enough to give back what the next burst would use again.
    Rest,
}

/// What there is for waiting claims, found without the right to write.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Subscribers for which something is claimable from this time on, or that are gone.
    pub ready: Vec<(Source, Millis)>,
    /// As in [`Applied`].
    pub next_due: Option<Millis>,
}

/// How the engine comes to know of commits by others.
#[derive(Debug)]
pub(crate) enum Others {
    /// There are none.
    Nobody,
    /// Looks now and then.
    Unheard,
    /// Is told, once it is armed.
    Heard(Watch),
    /// Is told by somebody who asks a server, once that is armed.
    #[cfg_attr(not(feature = "turso"), expect(dead_code, reason = "files are watched"))]
    Asked(Box<dyn Ask>),
    /// Is told, whatever it does.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "files are watched"))]
    Told,
}

/// Called from another thread when others may have committed.
pub(crate) type Heard = Box<dyn Fn(Sign) + Send>;

/// Somebody who asks a server for news.
pub(crate) trait Ask: std::fmt::Debug + Send {
    /// Goes on asking for a while.
    fn arm(&self);
}

/// The writing side; lives on the writer thread.
pub(crate) trait Store: Send {
    /// The clock that its times are of.
    fn clock(&self) -> Clock;

    /// Carries out a group in one transaction.
    fn apply(&mut self, ops: &[Op], follow: &mut dyn Follow) -> Result<Applied, Fault>;

    /// Carries out one transaction as its owner says; `None` if it was rolled back.
    fn converse(
        &mut self,
        owner: &mut dyn Owner,
        follow: &mut dyn Follow,
    ) -> Result<Option<Applied>, Fault>;

    /// Whether another process has committed since the last call.
    fn changed(&mut self) -> Result<bool>;

    /// What others have brought for the waiting claims of these subscribers.
    fn look(&mut self, waiting: &[Source]) -> Result<Look>;

    /// Begins to listen for commits of others.
    fn listen(&self, heard: Heard) -> Others;

    /// After a group was answered: keeps the log short, and gives space back. The answer is whether there
    /// is more of it to do.
    fn tidy(&mut self, quiet: Quiet) -> Result<bool>;

    /// A reading side of its own, or `None` if reads must run on the writer thread.
    fn reader(&self) -> Result<Option<Box<dyn Read>>>;

    /// Answers a query on the writer's connection.
    fn read(&mut self, query: &Query) -> Result<Answer>;

    /// What ids of messages have in them, so that those of another database are told from them.
    fn tag(&self) -> u16;

    /// Everything that it holds as of now, on a connection of its own.
    fn rows(&self) -> Result<Box<dyn Rows>>;
}

/// The reading side; never waits for the writer.
pub(crate) trait Read: Send {
    /// Answers a query from one consistent view of the queue.
    fn read(&mut self, query: &Query) -> Result<Answer>;

    /// Another one, for a query that takes long.
    fn another(&self) -> Result<Box<dyn Read>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_path_has_none() {
        for path in
            ["queue.db", "/var/lib/queue.db", ":memory:", "./a:b", "C:/queue.db", "://", "1a://x"]
        {
            assert_eq!(scheme(path), None, "{path}");
        }
        assert_eq!(scheme("postgres://localhost/queue"), Some("postgres"));
        assert_eq!(scheme("libsql://host"), Some("libsql"));
    }
}
