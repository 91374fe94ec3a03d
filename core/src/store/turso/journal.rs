//! The journal: what all engines agree on.
//!
//! Owns the version that the mirror is at, and what becomes of a transaction that is sent. Each transaction is
//! the next version, or it fails: whoever comes second takes in what the first has changed, and tries again. A
//! version is known by the group that made it: where another one has its number, the server was restored.
//! Invariant: a transaction is in the journal once, however often it was sent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use uuid::Uuid;

use super::hrana::{Arg, Came, Client, Failure, Row, Step};
use super::writes::{parts, writes};
use crate::clock::{Millis, ServerTime, monotonic};
use crate::entropy;
use crate::error::{Error, Result};
use crate::store::Fault;
use crate::store::sqlite::tables::Table;

/// The largest part of a transaction in the journal. A row is in one part.
const PART_BYTES: usize = 1 << 20;
/// The largest row: servers refuse values that are larger than 5 MB.
pub(super) const ROW_BYTES_MAX: usize = 4 << 20;
/// What one transaction may change: a batch of the largest size, and what fell due meanwhile. Large values are
/// sent once, in the journal; all others twice.
const CHANGES_BYTES_MAX: usize = 24 << 20;
/// How much of the journal one answer brings, where 10 MB are refused; at least one part.
const TAIL_BYTES: i64 = 5 << 20;
const TAIL_PARTS: i64 = 4_096;
/// How long a transaction whose answer was lost is sent again before nobody knows.
const SETTLE_WITHIN: Duration = Duration::from_secs(20);
/// How long one that others keep from being carried out is sent again.
const WAIT_WITHIN: Duration = Duration::from_secs(10);
/// How often a question is asked whose answers are lost.
const ATTEMPTS: u32 = 8;
/// The first and the longest pause between attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// The same for a server that wants to be left alone.
const LONG_PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));
/// The shortest and the longest gap for engines that others are faster than.
const GAPS: (Duration, Duration) = (Duration::from_millis(3), Duration::from_millis(250));
/// How long transactions are kept, and after how many of our own the oldest are looked at.
const KEEP: Duration = Duration::from_hours(1);
const PRUNE_EVERY: i64 = 100;

const STATE: &str = include_str!("../../../sql/turso/journal_state.sql");
const TAIL: &str = include_str!("../../../sql/turso/journal_tail.sql");
const INSERT: &str = include_str!("../../../sql/turso/journal_insert.sql");
const ASK_TURN: &str = include_str!("../../../sql/turso/turn_ask.sql");
const LEAVE_TURN: &str = include_str!("../../../sql/turso/turn_leave.sql");
const PRUNE: &str = include_str!("../../../sql/turso/journal_prune.sql");
const PRUNE_TURNS: &str = include_str!("../../../sql/turso/turn_prune.sql");

pub(super) struct Journal {
    pub client: Client,
    pub tables: Arc<[Table]>,
    time: ServerTime,
    /// This one, among the engines on the database.
    engine: String,
    /// What the mirror holds.
    at: Place,
    /// The newest version of all, as last heard.
    newest: i64,
    /// The server has another history than the mirror.
    is_elsewhere: bool,
    /// Received, and not taken in.
    received: VecDeque<Part>,
    /// For whoever asks the server for news.
    known: Arc<AtomicI64>,
    /// How often in a row a transaction of ours came too late.
    losses: u32,
    /// When it last did.
    lost_at: Option<Instant>,
    /// The gap that others ask for.
    asked_gap: Duration,
    /// Of ours, nothing before this.
    gap_until: Option<Instant>,
    /// The server wants to be left alone until then.
    leave_alone: Option<Instant>,
    long_pause: Duration,
    /// How long the last answer took.
    took: Duration,
    prune_at: i64,
}

/// A place in the journal: a version, the bytes up to it, and the group that it is of.
#[derive(Debug, Clone)]
pub(super) struct Place {
    version: i64,
    bytes: i64,
    group: Arc<str>,
}

struct Part {
    place: Place,
    is_last: bool,
    changes: Vec<u8>,
}

impl Part {
    fn of(row: Row) -> Option<Self> {
        let [version, group, is_last, bytes, changes] = <[Value; 5]>::try_from(row).ok()?;
        let (Value::Integer(version), Value::Integer(bytes)) = (version, bytes) else {
            return None;
        };
        let (Value::Text(group), Value::Blob(changes)) = (group, changes) else { return None };
        let is_last = is_last != Value::Integer(0);
        let place = Place { version, bytes, group: group.into() };
        Some(Self { place, is_last, changes })
    }
}

/// What is next of the journal.
pub(super) enum News {
    /// What a transaction of others has changed, and where the mirror is with it.
    Changes(Vec<u8>, Place),
    /// What is missing here is not there any more.
    Gone,
    /// Nothing: the mirror is as new as anything.
    Nothing,
}

/// What became of the changes of a transaction.
pub(super) enum Published {
    /// There are none, and the mirror is as new as anything.
    Nothing,
    /// The journal has them, and this is where it is with them.
    At(Place),
    /// Others were faster.
    TooLate,
}

impl Journal {
    pub(super) fn new(client: Client, tables: Arc<[Table]>, time: ServerTime) -> Self {
        let nowhere = Place { version: 0, bytes: 0, group: Arc::default() };
        Self {
            client,
            tables,
            time,
            engine: Uuid::from_bytes(entropy::bytes()).to_string(),
            at: nowhere,
            newest: 0,
            is_elsewhere: false,
            received: VecDeque::new(),
            known: Arc::default(),
            losses: 0,
            lost_at: None,
            asked_gap: Duration::ZERO,
            gap_until: None,
            leave_alone: None,
            long_pause: LONG_PAUSES.0,
            took: Duration::ZERO,
            prune_at: 0,
        }
    }

    /// The newest version that is known here.
    pub(super) fn known(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.known)
    }

    /// Where the newest version was a moment ago.
    pub(super) fn newest(&mut self) -> Result<Place> {
        let came = self.ask(&[self.state()])?;
        self.take_state(came.into_iter().next())
    }

    /// The mirror holds this version.
    pub(super) fn is_at(&mut self, place: Place) {
        self.newest = self.newest.max(place.version);
        self.at = place;
        self.known.store(self.at.version, Ordering::Release);
    }

    /// Another version than the one the mirror is to be filled with: forget what came.
    pub(super) fn begin_at(&mut self, place: Place) {
        self.received.clear();
        self.is_elsewhere = false;
        self.is_at(place);
    }

    /// There are versions that the mirror does not hold.
    pub(super) fn is_behind(&self) -> bool {
        self.is_elsewhere || self.newest > self.at.version
    }

    // --- taking in ------------------------------------------------------------------------------

    /// Asks for news, once.
    pub(super) fn fetch(&mut self) -> Result<()> {
        let steps = [self.state(), self.tail()];
        let mut came = self.ask(&steps)?.into_iter();
        self.take_state(came.next())?;
        self.take_tail(came.next())
    }

    /// The next transaction of others, asked for if it was not received yet.
    pub(super) fn next(&mut self) -> Result<News> {
        loop {
            let front = self.received.front().map(|part| part.place.version);
            if self.is_elsewhere || front.is_some_and(|version| version != self.at.version + 1) {
                return Ok(News::Gone);
            }
            if let Some(last) = self.received.iter().position(|part| part.is_last) {
                let mut changes = Vec::new();
                let mut place = self.at.clone();
                for part in self.received.drain(..=last) {
                    changes.extend(part.changes);
                    place = part.place;
                }
                return Ok(News::Changes(changes, place));
            }
            if !self.is_behind() {
                return Ok(News::Nothing);
            }
            let had = self.received.len();
            self.fetch()?;
            if self.received.len() == had {
                return Ok(News::Gone);
            }
        }
    }

    /// The newest place that is known here.
    fn after(&self) -> &Place {
        self.received.back().map_or(&self.at, |part| &part.place)
    }

    fn state(&self) -> Step {
        Step::new(STATE, vec![self.engine.as_str().into(), self.after().version.into()])
    }

    fn tail(&self) -> Step {
        let after = self.after();
        let args = [after.version, after.bytes + TAIL_BYTES, TAIL_PARTS].map(Arg::from);
        Step::new(TAIL, args.into())
    }

    fn take_state(&mut self, came: Option<Came>) -> Result<Place> {
        let mut row = match came {
            Some(Came::Rows(rows)) => rows.into_iter().next().unwrap_or_default().into_iter(),
            Some(Came::Refused { code, text }) => return Err(refused(&code, text)),
            _ => Vec::new().into_iter(),
        };
        let mut number = || match row.next() {
            Some(Value::Integer(number)) => Some(number),
            _ => None,
        };
        let numbers = (number(), number(), number(), number());
        let (Some(now), Some(gap), Some(version), Some(bytes)) = numbers else {
            return Err(Error::Corrupt { detail: "the journal of the database is empty".into() });
        };
        let mut group = || match row.next() {
            Some(Value::Text(group)) => Some(Arc::from(group)),
            _ => None,
        };
        let (group, known) = (group().unwrap_or_default(), group());
        self.time.was_shown(now, self.took);
        self.newest = version;
        self.is_elsewhere = known.as_ref() != Some(&self.after().group);
        self.asked_gap = Duration::from_millis(gap.unsigned_abs()).min(GAPS.1);
        Ok(Place { version, bytes, group })
    }

    fn take_tail(&mut self, came: Option<Came>) -> Result<()> {
        let rows = match came {
            Some(Came::Rows(rows)) => rows,
            Some(Came::Refused { code, text }) => return Err(refused(&code, text)),
            _ => Vec::new(),
        };
        for row in rows {
            let part = Part::of(row).ok_or_else(|| Error::Corrupt {
                detail: "the journal of the database is not understood".into(),
            })?;
            self.received.push_back(part);
        }
        Ok(())
    }

    // --- publishing -----------------------------------------------------------------------------

    /// Makes changes the next version.
    pub(super) fn publish(&mut self, changes: &[u8], is_fresh: bool) -> Result<Published, Fault> {
        if changes.is_empty() {
            // What was found out is true only if the mirror is as new as anything.
            if !is_fresh {
                self.fetch().map_err(Fault::NotApplied)?;
            }
        } else if !self.is_behind() {
            return self.send(changes);
        }
        Ok(if self.is_behind() { Published::TooLate } else { Published::Nothing })
    }

    /// Leaves a gap if others have asked for one.
    pub(super) fn give_way(&mut self) {
        if let Some(until) = self.gap_until.take() {
            thread::sleep(until.saturating_duration_since(monotonic()));
        }
    }

    fn send(&mut self, changes: &[u8]) -> Result<Published, Fault> {
        let group = Arc::from(Uuid::from_bytes(entropy::bytes()).to_string());
        let (steps, end) = self.transaction(changes, &group)?;
        let (mut is_unknown, mut pause, started) = (false, PAUSES.0, monotonic());
        loop {
            let error = match self.send_once(&steps, &group) {
                Sent::Done => {
                    self.newest = self.newest.max(end.version);
                    self.losses = 0;
                    let gap = self.asked_gap.mul_f64(1.0 + entropy::unit() / 2.0);
                    self.gap_until = (!gap.is_zero()).then(|| monotonic() + gap);
                    return Ok(Published::At(end));
                }
                Sent::Second => {
                    self.losses += 1;
                    self.lost_at = Some(monotonic());
                    return Ok(Published::TooLate);
                }
                Sent::Not(fault) if !is_unknown => return Err(fault),
                Sent::Not(fault) => fault.error().clone(),
                Sent::Waits if !is_unknown && started.elapsed() >= WAIT_WITHIN => {
                    return Err(Fault::NotApplied(Error::Locked));
                }
                Sent::Waits => Error::Locked,
                Sent::Perhaps(detail) => {
                    is_unknown = true;
                    Error::Io { detail }
                }
            };
            if is_unknown && started.elapsed() >= SETTLE_WITHIN {
                return Err(Fault::Unknown(Error::OutcomeUnknown { detail: error.to_string() }));
            }
            thread::sleep(pause.mul_f64(0.5 + entropy::unit() / 2.0));
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// The steps of a transaction, and where the journal is behind it.
    fn transaction(
        &mut self,
        changes: &[u8],
        group: &Arc<str>,
    ) -> Result<(Vec<Step>, Place), Fault> {
        let divide = Fault::Divide;
        let limit = |what, actual: usize, limit: usize| {
            Fault::Divide(Error::LimitExceeded { what, actual: actual as u64, limit: limit as u64 })
        };
        if changes.len() > CHANGES_BYTES_MAX {
            return Err(limit("changes of a transaction", changes.len(), CHANGES_BYTES_MAX));
        }
        let parts = parts(changes, &self.tables, PART_BYTES).map_err(divide)?;
        if let Some(part) = parts.iter().find(|part| part.len() > ROW_BYTES_MAX) {
            return Err(limit("a message in this store", part.len(), ROW_BYTES_MAX));
        }
        let mut steps = vec![Step::new("BEGIN IMMEDIATE", Vec::new()), self.state(), self.tail()];
        let (mut end, mut all) = (self.at.clone(), Vec::new());
        for (place, part) in parts.iter().enumerate() {
            let before = std::mem::replace(&mut end.group, Arc::clone(group));
            end.version += 1;
            end.bytes += i64::try_from(part.len()).unwrap_or(i64::MAX);
            let is_last = i64::from(place + 1 == parts.len());
            let args: [Arg; 6] = [
                end.version.into(),
                (&**group).into(),
                is_last.into(),
                end.bytes.into(),
                (*part).into(),
                (&*before).into(),
            ];
            steps.push(Step::new(INSERT, args.into()));
            all.extend(writes(part, &self.tables, end.version).map_err(divide)?);
        }
        steps.extend(all.into_iter().map(|(sql, args)| Step::new(sql, args)));
        if end.version >= self.prune_at {
            let keep = Millis::try_from(KEEP.as_millis()).unwrap_or(Millis::MAX);
            steps.push(Step::new(PRUNE, [self.at.version, keep].map(Arg::from).into()));
            steps.push(Step::new(PRUNE_TURNS, vec![keep.into()]));
            self.prune_at = end.version + PRUNE_EVERY;
        }
        let engine = || Arg::from(self.engine.as_str());
        if self.losses > 0 {
            steps.push(Step::new(LEAVE_TURN, vec![engine()]));
        }
        steps.push(Step::new("COMMIT", Vec::new()));
        let steps = steps.into_iter().enumerate().map(|(place, step)| match place {
            0 => step,
            _ => step.if_ok(place - 1),
        });
        let mut steps: Vec<Step> = steps.collect();
        let commit = steps.len() - 1;
        steps.push(Step::new("ROLLBACK", Vec::new()).unless_ok(commit));
        if self.losses > 0 {
            // What is done between two attempts, and there and back. A pause here would only make it older.
            let between = self.lost_at.map_or(Duration::ZERO, |at| at.elapsed());
            let gap = (between + self.took * 2).clamp(GAPS.0, GAPS.1).as_millis();
            let args = vec![engine(), i64::try_from(gap).unwrap_or(0).into()];
            steps.push(Step::new(ASK_TURN, args).unless_ok(commit));
        }
        Ok((steps, end))
    }

    fn send_once(&mut self, steps: &[Step], group: &Arc<str>) -> Sent {
        let came = match self.run(steps) {
            Ok(came) => came,
            Err(Failure::Lost(detail)) => return Sent::Perhaps(detail),
            Err(failure) => return Sent::Not(Fault::NotApplied(error_of(failure))),
        };
        let commit = steps.iter().position(|step| step.is("COMMIT")).unwrap_or(usize::MAX);
        if came.get(commit).is_some_and(Came::is_ok) {
            // Others may wait.
            let _ = self.take_state(came.into_iter().nth(1));
            return Sent::Done;
        }
        let failed = came.iter().enumerate().find_map(|(place, came)| match came {
            Came::Refused { code, text } => Some((place, code.clone(), text.clone())),
            _ => None,
        });
        let Some((place, code, text)) = failed else {
            return Sent::Perhaps("the answer is not understood".into());
        };
        if place == commit {
            // The answer to a COMMIT alone does not say what became of it.
            return Sent::Perhaps(format!("{text} ({code})"));
        }
        let mut came = came.into_iter().skip(1);
        let (state, tail) = (came.next(), came.next());
        let looked = place > 2;
        if looked && let Err(error) = self.take_state(state).and_then(|_| self.take_tail(tail)) {
            return Sent::Not(Fault::NotApplied(error));
        }
        if looked && self.is_behind() {
            // Another attempt of this one may have been carried out.
            return match self.received.front() {
                Some(part) if part.place.group == *group => {
                    self.received.retain(|part| part.place.group != *group);
                    Sent::Done
                }
                _ => Sent::Second,
            };
        }
        if is_passing(&code) {
            return Sent::Waits;
        }
        match refused(&code, text) {
            error @ Error::Internal { .. } => Sent::Not(Fault::Divide(error)),
            error => Sent::Not(Fault::NotApplied(error)),
        }
    }

    /// Asks, and asks again if the answer was lost.
    pub(super) fn ask(&mut self, steps: &[Step]) -> Result<Vec<Came>> {
        let mut pause = PAUSES.0;
        for _ in 1..ATTEMPTS {
            match self.run(steps) {
                Err(Failure::Lost(_)) => {}
                other => return other.map_err(error_of),
            }
            thread::sleep(pause.mul_f64(0.5 + entropy::unit() / 2.0));
            pause = (pause * 2).min(PAUSES.1);
        }
        self.run(steps).map_err(error_of)
    }

    /// Runs a batch, unless the server wants to be left alone.
    pub(super) fn run(&mut self, steps: &[Step]) -> Result<Vec<Came>, Failure> {
        if self.leave_alone.is_some_and(|until| monotonic() < until) {
            return Err(Failure::Later);
        }
        let sent = monotonic();
        let came = self.client.run(steps);
        self.took = sent.elapsed();
        match &came {
            Ok(_) => {
                (self.leave_alone, self.long_pause) = (None, LONG_PAUSES.0);
            }
            Err(Failure::Later) => {
                let pause = self.long_pause.mul_f64(0.5 + entropy::unit() / 2.0);
                self.leave_alone = Some(monotonic() + pause);
                self.long_pause = (self.long_pause * 2).min(LONG_PAUSES.1);
            }
            Err(_) => {}
        }
        came
    }
}

/// What became of one attempt.
enum Sent {
    Done,
    /// Others were faster; what they did was received.
    Second,
    /// Nothing was done.
    Not(Fault),
    /// Nothing was done, and soon it may be.
    Waits,
    /// Nobody knows.
    Perhaps(String),
}

/// The database is busy, or the server lost the transaction to another one.
fn is_passing(code: &str) -> bool {
    ["SQLITE_BUSY", "SQLITE_LOCKED", "TRANSACTION_TIMEOUT", "TRANSACTION_BUSY"]
        .iter()
        .any(|known| code.starts_with(known))
}

/// A step that was refused.
pub(super) fn refused(code: &str, text: String) -> Error {
    let detail = if code.is_empty() { text } else { format!("{text} ({code})") };
    let is = |prefix: &str| code.starts_with(prefix);
    if is("SQLITE_FULL") {
        Error::DiskFull
    } else if is("SQLITE_READONLY") || is("SQLITE_AUTH") || is("SQLITE_PERM") {
        Error::ReadOnly { detail }
    } else if is("SQLITE_CORRUPT") {
        Error::Corrupt { detail }
    } else if is("SQLITE_NOTADB") {
        Error::NotADatabase
    } else if code.contains("BLOCKED") {
        Error::Busy
    } else if is_passing(code) {
        Error::Locked
    } else if is("SQLITE_IOERR") || is("RESPONSE_TOO_LARGE") {
        Error::Io { detail }
    } else {
        Error::internal(detail)
    }
}

/// Nothing was done, or nothing was to be done.
pub(super) fn error_of(failure: Failure) -> Error {
    match failure {
        Failure::NotDone(error) => error,
        Failure::Later => Error::Busy,
        Failure::Token(detail) => Error::CannotOpen { detail },
        Failure::Lost(detail) => Error::Io { detail },
    }
}
