//! The handle: validates, hands operations to the engine, and gives back what is to come.
//!
//! Owns the life of the engine. Holds no rule of the queue beyond the limits checked at the edge.

mod consume;
mod letters;
mod look;
mod publish;
mod results;
mod schedule;
mod topology;
mod transaction;

use std::path::Path;
use std::sync::Arc;

use crate::engine::{Handle, Work};
use crate::error::{Error, Result};
use crate::model::EngineStats;
use crate::op::{Answer, Op, Outcome, Query, Source};
use crate::options::OpenOptions;
use crate::pending::Pending;
use crate::shards::{self, Shards};

pub use transaction::Transaction;

/// A handle to an open queue. Clones are the same handle; the last one dropped shuts it down.
///
/// Opening a file again that this process has open, with the same options, is cheap: the handles share one
/// engine. Each is shut down by itself, and the file is closed with the last one.
///
/// Every method that touches the queue returns a [`Pending`]: `.await` it on any executor, or call
/// [`wait`](Pending::wait). Arguments are checked before anything is sent, and the errors of the
/// check come out of the same place.
#[derive(Debug, Clone)]
pub struct Queue {
    handle: Way,
    payload_bytes_max: usize,
}

/// Where calls go.
#[derive(Debug, Clone)]
enum Way {
    One(Arc<Handle>),
    Many(Arc<Shards>),
}

impl Way {
    fn open(address: &Path, options: &OpenOptions) -> Result<Self> {
        match shards::path_of(address) {
            Some(map) => Ok(Self::Many(Arc::new(Shards::open(map, options)?))),
            None => Ok(Self::One(Arc::new(Handle::open(address, options)?))),
        }
    }

    fn start_work<T>(
        &self,
        work: Work,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        match self {
            Self::One(handle) => handle.start_work(work, map),
            Self::Many(shards) => shards.start_work(work, map),
        }
    }

    fn start_query<T>(
        &self,
        query: Query,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        match self {
            Self::One(handle) => handle.start_query(query, map),
            Self::Many(shards) => shards.start_query(query, map),
        }
    }

    fn stats(&self) -> Result<EngineStats> {
        match self {
            Self::One(handle) => handle.stats(),
            Self::Many(shards) => shards.stats(),
        }
    }

    fn shutdown(&self) -> Pending<()> {
        match self {
            Self::One(handle) => handle.shutdown(),
            Self::Many(shards) => shards.shutdown(),
        }
    }
}

impl Queue {
    /// Opens the queue in this file, and creates the file if there is none; `:memory:` is a queue
    /// that lives and dies with this handle. With the crate feature `postgres`, `postgres://…` is one
    /// on a server, in a schema that is created if it is not there; with the feature `turso`, `libsql://…` (or
    /// `https://…`, `http://…`) is one in a Turso or libSQL database, of which the handle keeps a copy in a
    /// temporary file. `shards://` and the path of a map from topics to databases opens all of these as one
    /// queue.
    ///
    /// # Errors
    /// `cannot_open`, `read_only`, `not_a_database`, `corrupt`, `newer_schema`, `locked`, `disk_full`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, OpenOptions::default())
    }

    /// Opens the queue in this file with options.
    ///
    /// # Errors
    /// As [`open`](Self::open), and `invalid_argument` or `limit_exceeded` for the options.
    #[expect(clippy::needless_pass_by_value, reason = "options are built in place")]
    pub fn open_with(path: impl AsRef<Path>, options: OpenOptions) -> Result<Self> {
        options.validate()?;
        let payload_bytes_max = options.payload_bytes_limit();
        Ok(Self { handle: Way::open(path.as_ref(), &options)?, payload_bytes_max })
    }

    /// Finishes what was handed over, answers waiting claims with `shutdown`, and closes the file if no
    /// other handle of this process has it open. Later calls on any clone fail with `shutdown`; a second
    /// shutdown succeeds.
    pub fn shutdown(&self) -> Pending<()> {
        self.handle.shutdown()
    }

    // --- plumbing ----------

    fn write<T>(
        &self,
        op: Op,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        self.handle.start_work(Work::Op(op), map)
    }

    fn checked<T>(
        &self,
        valid: Result<()>,
        op: impl FnOnce(()) -> Op,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        match valid {
            Ok(()) => self.write(op(()), map),
            Err(error) => Pending::failed(error),
        }
    }

    fn read<T: 'static>(&self, query: Query, pick: fn(Answer) -> Option<T>) -> Pending<T> {
        self.handle.start_query(query, move |outcome| match outcome {
            Outcome::Answer(answer) => {
                pick(answer).ok_or_else(|| Error::internal("an answer to another query"))
            }
            other => Err(unexpected(&other)),
        })
    }

    fn read_checked<T: 'static>(
        &self,
        query: Result<Query>,
        pick: fn(Answer) -> Option<T>,
    ) -> Pending<T> {
        match query {
            Ok(query) => self.read(query, pick),
            Err(error) => Pending::failed(error),
        }
    }
}

fn source(topic: &str, subscriber: &str) -> Source {
    Source { topic: topic.into(), subscriber: subscriber.into() }
}

fn unexpected(outcome: &Outcome) -> Error {
    Error::internal(format!("unexpected outcome {:?}", std::mem::discriminant(outcome)))
}

fn done(outcome: Outcome) -> Result<()> {
    match outcome {
        Outcome::Done => Ok(()),
        other => Err(unexpected(&other)),
    }
}
