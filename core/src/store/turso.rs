//! The store in a Turso or libSQL database, for engines on many hosts.
//!
//! The rules of the queue are those of the SQLite store, on a private copy of the database in a temporary file. What
//! a transaction changed there is sent to the server before it is committed, in one request, as the next version
//! of a journal; if another engine was faster, its changes are taken in, and the transaction is carried out once
//! more. Invariant: the copy is at a version of the journal, and no answer is given from an older one than was the
//! newest when it was asked for.

mod address;
mod copy;
mod fill;
mod hrana;
mod journal;
mod poll;
#[cfg(test)]
mod tests;
mod writes;

use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use uuid::Uuid;

use address::Address;
use hrana::Client;
use journal::{Journal, News, Published};
use poll::Poll;

pub(super) use fill::fill;

use super::rows::Rows;
use super::sqlite::SqliteStore;
use super::sqlite::mirror::Publish;
use super::sqlite::tables::Table;
use super::{Applied, Fault, Follow, Heard, Look, Others, Owner, Quiet, Read, Store};
use crate::clock::{Clock, ServerTime, monotonic};
use crate::entropy;
use crate::error::{Error, Result};
use crate::op::{Answer, Op, Outcome, Query, Source, TxStep};
use crate::options::{Durability, OpenOptions};

/// How long a group tries to be faster than those of other engines.
const TRY_WITHIN: Duration = Duration::from_secs(30);
/// How often a store that heard nothing asks all the same.
const SAFETY: Duration = Duration::from_secs(10);

pub(crate) struct TursoStore {
    mirror: SqliteStore,
    journal: Journal,
    address: Arc<Address>,
    /// The mirror is not at any version.
    must_fill: bool,
    /// Others have committed something since the last look.
    changed: Arc<AtomicBool>,
    looked: Instant,
    /// Of the mirror; removed after it was closed.
    _directory: Directory,
}

impl TursoStore {
    pub(crate) fn open(address: &str, options: &OpenOptions) -> Result<Self> {
        let address = Arc::new(Address::parse(address, options)?);
        let client = Client::new(Arc::clone(&address))?;
        let directory = Directory::create()?;
        let time = ServerTime::default();
        // It is only a copy: what is lost of it is there still.
        let mut own = options.clone().with_durability(Durability::Balanced).with_must_exist(false);
        own.payload_bytes_max = None;
        own.clock = own.clock.of_server(&time);
        let mirror = SqliteStore::open_mirror(&directory.0.join("queue.db"), &own)?;
        let journal = Journal::new(client, mirror.tables()?.into(), time);
        let mut store = Self {
            mirror,
            journal,
            address,
            must_fill: true,
            changed: Arc::new(AtomicBool::new(false)),
            looked: monotonic(),
            _directory: directory,
        };
        store.begin(options.must_exist).map_err(at_open)?;
        Ok(store)
    }

    fn begin(&mut self, must_exist: bool) -> Result<()> {
        copy::prepare(&mut self.journal, &self.mirror, must_exist)?;
        self.fill()
    }

    fn fill(&mut self) -> Result<()> {
        self.must_fill = true;
        copy::fill(&mut self.journal, &mut self.mirror)?;
        self.must_fill = false;
        Ok(())
    }

    /// Takes in what others have committed, as far as it is known here.
    fn catch_up(&mut self) -> Result<()> {
        while !self.must_fill {
            match self.journal.next()? {
                News::Nothing => return Ok(()),
                News::Changes(changes, place)
                    if self.mirror.take_in(&changes, &self.journal.tables).is_ok() =>
                {
                    self.journal.is_at(place);
                }
                // The copy was left too far behind, or is not what it should be.
                News::Changes(..) | News::Gone => self.must_fill = true,
            }
        }
        self.fill()
    }

    /// Takes in everything that others have committed before now.
    fn refresh(&mut self) -> Result<()> {
        self.journal.fetch()?;
        self.looked = monotonic();
        self.catch_up()
    }

    /// A transaction in the mirror, and in the journal before it is committed; `None` if others were faster.
    fn transact<T>(
        &mut self,
        is_fresh: bool,
        run: impl FnOnce(&mut SqliteStore, &[Table], Publish<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let Self { mirror, journal, .. } = self;
        let tables = Arc::clone(&journal.tables);
        let mut published = Published::Nothing;
        let result = run(mirror, &tables, &mut |changes| {
            published = journal.publish(changes, is_fresh)?;
            match published {
                Published::TooLate => Err(Fault::NotApplied(Error::Busy)),
                Published::Nothing | Published::At(_) => Ok(()),
            }
        });
        match published {
            Published::Nothing => result.map(Some),
            Published::TooLate => Ok(None),
            Published::At(place) => {
                // What the mirror has not committed, it takes in like what others have done.
                let done = result.map_err(|fault| {
                    let detail = format!("it is on the server; in the copy: {}", fault.error());
                    Fault::Unknown(Error::OutcomeUnknown { detail })
                })?;
                journal.is_at(place);
                Ok(Some(done))
            }
        }
    }
}

impl Store for TursoStore {
    fn clock(&self) -> Clock {
        self.mirror.clock()
    }

    fn apply(&mut self, ops: &[Op], follow: &mut dyn Follow) -> Result<Applied, Fault> {
        let (started, mut is_fresh) = (monotonic(), false);
        self.journal.give_way();
        loop {
            self.catch_up().map_err(Fault::NotApplied)?;
            let applied = self.transact(is_fresh, |mirror, tables, publish| {
                mirror.apply_and_publish(ops, follow, tables, publish)
            })?;
            if let Some(applied) = applied {
                return Ok(applied);
            }
            if started.elapsed() >= TRY_WITHIN {
                return Err(Fault::NotApplied(Error::Locked));
            }
            follow.again();
            // What comes next is as of now, when the group was already asked for.
            is_fresh = true;
        }
    }

    fn converse(
        &mut self,
        owner: &mut dyn Owner,
        follow: &mut dyn Follow,
    ) -> Result<Option<Applied>, Fault> {
        self.refresh().map_err(Fault::NotApplied)?;
        let done = self.transact(true, |mirror, tables, publish| {
            mirror.converse_and_publish(&mut VerbsOnly(owner), follow, tables, publish)
        })?;
        // Its owner has decided by what is not so any more.
        done.ok_or(Fault::NotApplied(Error::Locked))
    }

    fn changed(&mut self) -> Result<bool> {
        let was_told = self.changed.swap(false, Ordering::AcqRel);
        if was_told || self.looked.elapsed() >= SAFETY {
            self.refresh()?;
            return Ok(true);
        }
        Ok(false)
    }

    fn look(&mut self, waiting: &[Source]) -> Result<Look> {
        self.catch_up()?;
        self.mirror.look(waiting)
    }

    fn listen(&self, heard: Heard) -> Others {
        let known = self.journal.known();
        let poll = Client::new(Arc::clone(&self.address)).and_then(|client| {
            Poll::start(client, self.address.poll, known, Arc::clone(&self.changed), heard)
                .map_err(|error| Error::Io { detail: error.to_string() })
        });
        poll.map_or(Others::Unheard, |poll| Others::Asked(Box::new(poll)))
    }

    fn tidy(&mut self, quiet: Quiet) -> Result<bool> {
        self.mirror.tidy(quiet)
    }

    fn reader(&self) -> Result<Option<Box<dyn Read>>> {
        // A query takes in what is new, and that is the writer's.
        Ok(None)
    }

    fn read(&mut self, query: &Query) -> Result<Answer> {
        if !matches!(query, Query::FileBytes) {
            self.refresh()?;
        }
        self.mirror.read(query)
    }

    fn tag(&self) -> u16 {
        self.mirror.tag()
    }

    fn rows(&self) -> Result<Box<dyn Rows>> {
        self.mirror.rows()
    }
}

/// What goes wrong when a database is opened is that it cannot be, if nothing else.
fn at_open(error: Error) -> Error {
    match error {
        Error::Io { detail } | Error::Internal { detail } => Error::CannotOpen { detail },
        other => other,
    }
}

/// The queue's verbs in a transaction: tables of the application are on the server, and not here.
struct VerbsOnly<'a>(&'a mut dyn Owner);

impl Owner for VerbsOnly<'_> {
    fn next(&mut self) -> TxStep {
        loop {
            match self.0.next() {
                TxStep::Sql { .. } => {
                    let detail = "statements of the application's own are for files";
                    self.0.answer(Err(Error::invalid(detail)));
                }
                step => return step,
            }
        }
    }

    fn answer(&mut self, outcome: Result<Outcome>) {
        self.0.answer(outcome);
    }

    fn deadline(&self) -> Instant {
        self.0.deadline()
    }
}

/// A directory of its own for the mirror, which others may not look into.
struct Directory(PathBuf);

impl Directory {
    fn create() -> Result<Self> {
        let name = Uuid::from_bytes(entropy::bytes());
        let path = std::env::temp_dir().join(format!("blockqueue-{name}"));
        let created = builder().create(&path);
        created.map_err(|error| Error::CannotOpen {
            detail: format!("the copy of the database, {}: {error}", path.display()),
        })?;
        Ok(Self(path))
    }
}

#[cfg(unix)]
fn builder() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(not(unix))]
fn builder() -> DirBuilder {
    DirBuilder::new()
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed is in the temporary directory.
        let _ = fs::remove_dir_all(Path::new(&self.0));
    }
}
