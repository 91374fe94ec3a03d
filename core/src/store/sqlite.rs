//! The store in one SQLite file, or in memory.
//!
//! Owns the write connection, its cache and its transactions. Verbs are in files of their own below.

mod append;
mod backlog;
mod backup;
mod cache;
mod cancel;
#[cfg(feature = "turso")]
pub(super) mod changes;
mod claim;
mod connection;
mod contract;
mod dead;
mod diagnose;
mod due;
mod encode;
mod error;
mod expiry;
mod extend;
mod fire;
mod gap;
mod guard;
mod ids;
mod interactive;
mod join;
mod keys;
mod limit;
mod look;
pub(super) mod migrate;
#[cfg(feature = "turso")]
pub(super) mod mirror;
mod position;
mod publish;
mod read;
mod result;
mod rows;
mod schedule;
mod seek;
mod settle;
mod standing;
#[cfg(feature = "turso")]
pub(super) mod tables;
#[cfg(test)]
pub(super) mod testing;
mod topology;
mod tx;
mod unique;
mod upkeep;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use rustc_hash::FxHashMap;

use cache::Cache;
use connection::Place;
use error::{from_sqlite, spoils_connection};
use gap::Gap;
use tx::{Step, Stop, Tx};

#[cfg(feature = "turso")]
pub(crate) use rows::SqliteRows;
pub(crate) use rows::fill;

pub use join::{ack_in, ack_with_result_in, nack_in, publish_in};

use super::recent::Recent;
use super::rows::Rows;
use super::{Applied, Effects, Fault, Follow, Heard, Look, Others, Owner, Quiet, Read, Store};
use crate::clock::{Clock, monotonic};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::limits;
use crate::op::{Answer, Op, Outcome, Query, Source};
use crate::options::OpenOptions;
use crate::process::foreign;
use crate::process::peers::Peers;
use crate::process::watch::Watch;

/// Pages of the write-ahead log after which the writer checkpoints (16 MiB).
const CHECKPOINT_PAGES: u32 = 4_096;
/// Copies the log into the file. The log keeps its size, and begins anew: writing over blocks that it
/// has is faster than growing.
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// Pages given back to the file system by one step.
const VACUUM_PAGES: u32 = 1_000;
/// Free pages that are kept for the next messages rather than given back (4 MiB).
const FREE_PAGES_KEPT: u32 = 1_024;

/// How often another SQLite library in this process is looked for.
const SEARCH_EVERY: Duration = Duration::from_secs(10);

pub(crate) struct SqliteStore {
    place: Place,
    options: OpenOptions,
    clock: Clock,
    connection: Connection,
    /// `None` in memory, and where they cannot be met.
    peers: Option<Peers>,
    gap: Gap,
    /// When to look again for another SQLite library.
    next_search: Instant,
    tag: u16,
    /// What one step of upkeep may write of messages, in bytes.
    step_bytes: usize,
    cache: Cache,
    recent: Recent,
    /// `PRAGMA data_version` when the cache was last right.
    data_version: i64,
    /// As `changed` last saw it.
    seen_version: i64,
    /// The cache agrees with the database as of `data_version`.
    cache_is_right: bool,
    /// A commit had no clear outcome, or the file was damaged: open it anew before the next transaction.
    must_reopen: bool,
}

impl SqliteStore {
    pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Self> {
        let mut place = Place::new(path);
        let mut connection = connection::writer(&place, options)?;
        place.resolve();
        let tag = migrate::migrate(&mut connection, options.clock.now(), &options.tags_taken)?;
        if let Some(limit) = options.payload_bytes_max {
            migrate::keep_payload_limit(&connection, limit)?;
        }
        // Its shared memory is there now, and so is that of another library, if there is one.
        refuse_foreign(&place)?;
        let peers = place.path().and_then(|path| Peers::join(path).ok());
        Ok(Self {
            place,
            peers,
            gap: Gap::default(),
            next_search: monotonic(),
            options: options.clone(),
            clock: options.clock.clone(),
            connection,
            tag,
            step_bytes: limits::BATCH_BYTES_MAX,
            cache: Cache::default(),
            recent: Recent::default(),
            data_version: 0,
            seen_version: 0,
            cache_is_right: false,
            must_reopen: false,
        })
    }

    fn reopen(&mut self) -> Result<()> {
        if self.must_reopen && !matches!(self.place, Place::Memory) {
            let options = self.options.clone().with_must_exist(true);
            self.connection = connection::writer(&self.place, &options)?;
            self.must_reopen = false;
            self.cache_is_right = false;
        }
        Ok(())
    }

    /// Everything between BEGIN and COMMIT; `None` from the body is ROLLBACK.
    fn run(
        &mut self,
        body: impl FnOnce(&mut Tx<'_>) -> Step<Option<Applied>>,
    ) -> Result<Option<Applied>, Fault> {
        let Self {
            connection,
            cache,
            recent,
            clock,
            tag,
            step_bytes,
            data_version,
            cache_is_right,
            ..
        } = self;
        if self.next_search <= monotonic() {
            refuse_foreign(&self.place).map_err(Fault::NotApplied)?;
            self.next_search = monotonic() + SEARCH_EVERY;
        }
        let turn = self.peers.as_mut().and_then(Peers::take_turn);
        self.gap.leave();
        let started = monotonic();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| Fault::NotApplied(from_sqlite(error)))?;
        failpoint::hit("after_begin");
        let divide = |error| Fault::Divide(from_sqlite(error));
        let version = version_of(&transaction).map_err(divide)?;
        let mut effects = Effects::default();
        if !*cache_is_right || version != *data_version {
            migrate::refuse_newer(&transaction).map_err(Fault::NotApplied)?;
            *cache = Cache::default();
            effects.foreign = *data_version != 0;
        }
        // Right again only when this transaction is committed.
        *cache_is_right = false;
        *data_version = version;
        let now = clock.now();
        let leases = FxHashMap::default();
        let scan = tx::Scan::default();
        let connection = &*transaction;
        let (tag, step_bytes) = (*tag, *step_bytes);
        let mut tx = Tx { connection, cache, recent, effects, now, tag, leases, scan, step_bytes };
        let applied = body(&mut tx).map_err(|stop| match stop {
            Stop::Refused(error) => Fault::Divide(error),
            Stop::Broken(error) => divide(error),
        })?;
        let Some(applied) = applied else { return Ok(None) };
        failpoint::hit("before_commit");
        transaction.commit().map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DiskFull) => {
                Fault::NotApplied(from_sqlite(error))
            }
            _ => Fault::Unknown(Error::OutcomeUnknown { detail: error.to_string() }),
        })?;
        failpoint::hit("after_commit");
        drop(turn);
        self.gap.committed(started.elapsed());
        if let Some(peers) = &mut self.peers {
            peers.announce_commit();
        }
        self.cache_is_right = true;
        Ok(Some(applied))
    }

    /// A transaction, and what has to be known after it.
    fn transact(
        &mut self,
        body: impl FnOnce(&mut Tx<'_>) -> Step<Option<Applied>>,
    ) -> Result<Option<Applied>, Fault> {
        self.reopen().map_err(Fault::NotApplied)?;
        // A panic may have ended the one before.
        self.recent.roll_back();
        let result = self.run(body);
        match &result {
            Ok(Some(_)) => self.recent.commit(),
            Ok(None) => self.recent.roll_back(),
            Err(fault) => {
                self.recent.roll_back();
                self.must_reopen |= spoils_connection(fault.error());
            }
        }
        result
    }
}

fn apply_all(tx: &mut Tx<'_>, ops: &[Op], follow: &mut dyn Follow) -> Step<Applied> {
    let more = due::bring(tx)?;
    let mut outcomes = Vec::with_capacity(ops.len());
    let mut rest = ops;
    while let [op, others @ ..] = rest {
        let run = publish::publish_run(tx, rest)?;
        if run.is_empty() {
            outcomes.push(refusable(run_op(tx, op))?);
            rest = others;
        } else {
            rest = rest.get(run.len()..).unwrap_or_default();
            outcomes.extend(run.into_iter().map(Ok));
        }
    }
    finish(tx, outcomes, more, follow)
}

/// What follows from the operations, and what the cache is ahead of.
fn finish(
    tx: &mut Tx<'_>,
    outcomes: Vec<Result<Outcome>>,
    mut more: bool,
    follow: &mut dyn Follow,
) -> Step<Applied> {
    let mut answers = Vec::new();
    loop {
        more |= fire::fire_queued(tx)?;
        let claims = follow.follow(&mut tx.effects, tx.now, std::mem::take(&mut answers));
        if claims.is_empty() {
            break;
        }
        for claim in &claims {
            answers.push(refusable(claim::claim(tx, claim))?);
        }
    }
    failpoint::hit("before_flush");
    tx.flush()?;
    let ended = std::mem::take(&mut tx.effects.ended);
    Ok(Applied { outcomes, next_due: due::next(tx), ended, more })
}

/// A refusal is the outcome of its operation; anything else ends the transaction.
fn refusable(step: Step<Outcome>) -> Step<Result<Outcome>> {
    match step {
        Ok(outcome) => Ok(Ok(outcome)),
        // Found in the middle of its writes, perhaps: nothing of it may stay.
        Err(Stop::Refused(error @ Error::Internal { .. })) => Err(Stop::Refused(error)),
        Err(Stop::Refused(error)) => Ok(Err(error)),
        Err(broken) => Err(broken),
    }
}

fn run_op(tx: &mut Tx<'_>, op: &Op) -> Step<Outcome> {
    match op {
        Op::CreateTopic(new) => topology::create_topic(tx, new),
        Op::UpdateTopic { topic, change } => topology::update_topic(tx, topic, change),
        Op::DeleteTopic { topic } => topology::delete_topic(tx, topic),
        Op::PauseTopic { topic, paused } => topology::pause_topic(tx, topic, *paused),
        Op::CreateSubscribers { topic, subscribers } => {
            topology::create_subscribers(tx, topic, subscribers)
        }
        Op::UpdateSubscriber { source, change } => topology::update_subscriber(tx, source, change),
        Op::DeleteSubscriber { source } => topology::delete_subscriber(tx, source),
        Op::PauseSubscriber { source, paused } => topology::pause_subscriber(tx, source, *paused),
        Op::Publish { topic, messages } => publish::publish(tx, topic, messages),
        Op::Settle(items) => settle::settle(tx, items),
        Op::Release(receipts) => settle::release(tx, receipts),
        Op::CancelMessage { topic, id } => cancel::cancel_message(tx, topic, *id),
        Op::CancelDelivery { source, id, reason } => {
            cancel::cancel_delivery(tx, source, *id, reason.as_deref())
        }
        Op::Redrive { source, options, so_far } => dead::redrive(tx, source, options, *so_far),
        Op::PurgeDeadLetters { source, options, so_far } => {
            dead::purge(tx, source, options, *so_far)
        }
        Op::Seek { source, seek } => seek::seek(tx, source, *seek),
        Op::CreateSchedule { topic, new } => schedule::create(tx, topic, new),
        Op::UpdateSchedule { of, version, options } => schedule::update(tx, of, *version, options),
        Op::DeleteSchedule { of } => schedule::delete(tx, of),
        Op::PauseSchedule { of, paused } => schedule::pause(tx, of, *paused),
        Op::RunSchedule { of } => schedule::run_now(tx, of),
        Op::Upkeep => upkeep::upkeep(tx),
    }
}

/// Two libraries in one process drop each other's locks; ours are safe from that on most systems.
fn refuse_foreign(place: &Place) -> Result<()> {
    if place.path().is_some_and(foreign::is_dangerous) {
        return Err(Error::ForeignSqlite);
    }
    Ok(())
}

fn version_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

impl Store for SqliteStore {
    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn apply(&mut self, ops: &[Op], follow: &mut dyn Follow) -> Result<Applied, Fault> {
        let applied = self.transact(|tx| apply_all(tx, ops, follow).map(Some))?;
        applied.ok_or_else(|| Fault::NotApplied(Error::internal("a group was rolled back")))
    }

    fn converse(
        &mut self,
        owner: &mut dyn Owner,
        follow: &mut dyn Follow,
    ) -> Result<Option<Applied>, Fault> {
        self.reopen().map_err(Fault::NotApplied)?;
        guard::watch_deadlines(&mut self.connection).map_err(Fault::NotApplied)?;
        let result = self.transact(|tx| interactive::serve(tx, owner, follow));
        guard::forget_deadlines(&mut self.connection).map_err(Fault::NotApplied)?;
        result
    }

    fn changed(&mut self) -> Result<bool> {
        if matches!(self.place, Place::Memory) {
            return Ok(false);
        }
        let version = version_of(&self.connection).map_err(from_sqlite)?;
        Ok(std::mem::replace(&mut self.seen_version, version) != version)
    }

    fn look(&mut self, waiting: &[Source]) -> Result<Look> {
        let view = self.connection.unchecked_transaction().map_err(from_sqlite)?;
        let version = version_of(&view).map_err(from_sqlite)?;
        if !self.cache_is_right || version != self.data_version {
            self.cache_is_right = false;
            migrate::refuse_newer(&view)?;
            self.cache = Cache::default();
        }
        let mut tx = Tx {
            connection: &view,
            cache: &mut self.cache,
            recent: &mut self.recent,
            effects: Effects::default(),
            now: self.clock.now(),
            tag: self.tag,
            leases: FxHashMap::default(),
            scan: tx::Scan::default(),
            step_bytes: self.step_bytes,
        };
        let look = look::look(&mut tx, waiting).map_err(|stop| match stop {
            Stop::Refused(error) => error,
            Stop::Broken(error) => from_sqlite(error),
        })?;
        self.data_version = version;
        self.cache_is_right = true;
        Ok(look)
    }

    fn listen(&self, heard: Heard) -> Others {
        match &self.place {
            Place::Memory => Others::Nobody,
            Place::File(path) => Watch::start(path, heard).map_or(Others::Unheard, Others::Heard),
        }
    }

    fn tidy(&mut self, quiet: Quiet) -> Result<bool> {
        if matches!(self.place, Place::Memory) {
            return Ok(false);
        }
        let more = quiet >= Quiet::Pause && self.give_space_back().map_err(from_sqlite)?;
        let pages = connection::wal_pages();
        match quiet {
            Quiet::Rest if !more => self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)")?,
            Quiet::Pause if !more && pages > 0 => self.checkpoint(CHECKPOINT)?,
            _ if pages >= CHECKPOINT_PAGES => self.checkpoint(CHECKPOINT)?,
            _ => {}
        }
        Ok(more)
    }

    fn reader(&self) -> Result<Option<Box<dyn Read>>> {
        match &self.place {
            Place::Memory => Ok(None),
            Place::File(path) => {
                let connection = connection::reader(path)?;
                let (path, clock, tag) = (path.clone(), self.clock.clone(), self.tag);
                Ok(Some(Box::new(SqliteReader { connection, path, clock, tag })))
            }
        }
    }

    fn read(&mut self, query: &Query) -> Result<Answer> {
        let (now, tag) = (self.clock.now(), self.tag);
        let path = self.place.path();
        read::answer(&read::Source { connection: &self.connection, path, now, tag }, query)
    }

    fn tag(&self) -> u16 {
        self.tag
    }

    fn rows(&self) -> Result<Box<dyn Rows>> {
        Ok(Box::new(self.all_rows()?))
    }
}

impl SqliteStore {
    fn checkpoint(&mut self, sql: &str) -> Result<()> {
        failpoint::hit("before_checkpoint");
        // A reader in the way is no error: the next checkpoint gets further.
        connection::do_not_wait(&mut self.connection)?;
        let result = self.connection.query_row(sql, [], |_| Ok(()));
        connection::wait_for_locks(&mut self.connection)?;
        connection::forget_wal_pages();
        failpoint::hit("after_checkpoint");
        result.map_err(from_sqlite)
    }

    /// The answer is whether there is more to give back.
    fn give_space_back(&self) -> rusqlite::Result<bool> {
        let pragma = |name| self.connection.pragma_query_value(None, name, |row| row.get(0));
        let free: u32 = pragma("freelist_count")?;
        let mode: u32 = pragma("auto_vacuum")?;
        if mode != 2 || free <= FREE_PAGES_KEPT {
            return Ok(false);
        }
        // Each step of the statement frees one page: it must be stepped to its end.
        let step = (free - FREE_PAGES_KEPT).min(VACUUM_PAGES);
        let mut statement =
            self.connection.prepare(&format!("PRAGMA incremental_vacuum({step})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(free - step > FREE_PAGES_KEPT)
    }
}

struct SqliteReader {
    connection: Connection,
    path: PathBuf,
    clock: Clock,
    tag: u16,
}

impl Read for SqliteReader {
    fn read(&mut self, query: &Query) -> Result<Answer> {
        let (now, tag) = (self.clock.now(), self.tag);
        let path = Some(self.path.as_path());
        let source = read::Source { connection: &self.connection, path, now, tag };
        let answer = read::answer(&source, query);
        if answer.as_ref().is_err_and(spoils_connection) {
            // If not even that succeeds, the next query says so.
            if let Ok(fresh) = connection::reader(&self.path) {
                self.connection = fresh;
            }
        }
        answer
    }

    fn another(&self) -> Result<Box<dyn Read>> {
        let (path, clock, tag) = (self.path.clone(), self.clock.clone(), self.tag);
        let connection = connection::reader(&path)?;
        Ok(Box::new(Self { connection, path, clock, tag }))
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use super::testing::{apply, open};
    use super::*;
    use crate::model::{MessageId, Receipt};
    use crate::op::{Settled, Verb};

    #[test]
    fn what_a_panic_rolled_back_is_not_remembered() {
        let mut store = open();
        let receipt =
            Receipt { key: 1, message: MessageId::NIL, subscriber: 1, lease: 1, token: [0; 16] };
        let panics = || {
            store.transact(|tx| {
                tx.recent.add(&receipt, 1, Settled::Acked);
                resume_unwind(Box::new("a bug"))
            })
        };
        catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
        apply(&mut store, Op::Upkeep);
        assert_eq!(store.recent.repeat(&receipt, &Verb::Ack), None);
    }
}
