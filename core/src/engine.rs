//! The engine of one open queue: a writer thread that groups operations into commits.
//!
//! Owns the channel, the group, the answers and the timers. Does not know SQL.
//! Invariant: each request is answered once, after the commit that holds it, or with an error.

mod inbox;
mod lookout;
mod parking;
mod reader;
mod session;
mod stats;
mod turn;
mod watching;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::{Error, Result};
use crate::limits;
use crate::model::EngineStats;
use crate::op::{Answer, Claim, Op, Outcome, Query, ResultOf};
use crate::options::{Message, OpenOptions};
use crate::pending::Pending;
use crate::process::fork::Birth;
use crate::process::watch::Sign;
use crate::store::{Store as _, sqlite::SqliteStore};

pub(crate) use inbox::Sender;
use reader::Reader;
pub(crate) use session::{Asked, Session};
use stats::Stats;
pub(crate) use turn::Turn;
use turn::Turns;
use writer::Writer;

/// What a caller wants done.
#[derive(Debug)]
pub(crate) enum Work {
    Op(Op),
    Claim {
        claim: Claim,
        wait: Duration,
    },
    /// Wait for the result of a message.
    Watch {
        of: ResultOf,
        wait: Duration,
    },
    Query(Query),
    /// A transaction that its owner carries out step by step.
    Transaction(Session),
}

impl Work {
    /// Its share of the room for waiting work: one, and one for each KiB that it carries.
    pub(crate) fn permits(&self) -> u32 {
        let permits = 1 + self.size_bytes() / 1024;
        u32::try_from(permits.min(limits::PENDING_OPS_MAX)).unwrap_or(u32::MAX)
    }

    /// How many messages or deliveries it is about.
    fn messages(&self) -> usize {
        match self {
            Self::Op(Op::Publish { messages, .. }) => messages.len(),
            Self::Op(Op::Settle(items)) => items.len(),
            _ => 1,
        }
    }

    fn size_bytes(&self) -> usize {
        match self {
            Self::Op(Op::Publish { messages, .. }) => {
                messages.iter().map(Message::size_bytes).sum()
            }
            Self::Op(Op::CreateSchedule { new, .. }) => new.options.message.size_bytes(),
            Self::Op(Op::UpdateSchedule { options, .. }) => options.message.size_bytes(),
            _ => 0,
        }
    }
}

/// Work with the place where its answer goes.
#[derive(Debug)]
pub(crate) struct Request {
    pub work: Work,
    pub reply: oneshot::Sender<Result<Answered>>,
    /// Held until the work is done, so that what waits is bounded.
    pub permit: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
pub(crate) enum Command {
    Run(Request),
    /// Look again: a clock was moved.
    #[cfg_attr(
        not(feature = "test-clock"),
        expect(dead_code, reason = "clocks move only in tests")
    )]
    Wake,
    /// Others may have committed.
    Heard(Sign),
    Shutdown(Option<oneshot::Sender<Result<Answered>>>),
}

/// An outcome on its way to its caller. If it holds deliveries and nobody takes it, they are given back.
#[derive(Debug)]
pub(crate) struct Answered {
    outcome: Option<Outcome>,
    give_back: Option<Sender>,
}

impl Answered {
    fn new(outcome: Outcome) -> Self {
        Self { outcome: Some(outcome), give_back: None }
    }

    fn claimed(outcome: Outcome, give_back: &Sender) -> Self {
        Self { outcome: Some(outcome), give_back: Some(give_back.clone()) }
    }

    pub(crate) fn into_outcome(mut self) -> Outcome {
        self.outcome.take().unwrap_or(Outcome::Done)
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        let Some(Outcome::Claimed(claimed)) = &self.outcome else { return };
        let Some(commands) = &self.give_back else { return };
        let receipts: Vec<_> = claimed.deliveries.iter().map(|delivery| delivery.receipt).collect();
        if !receipts.is_empty() {
            let (reply, _nobody) = oneshot::channel();
            let work = Work::Op(Op::Release(receipts));
            // After shutdown nobody is there to take them back: the leases expire.
            let _ = commands.send(Command::Run(Request { work, reply, permit: None }));
        }
    }
}

/// The part of the engine that the handles share.
pub(crate) struct Engine {
    birth: Birth,
    room: Arc<Semaphore>,
    commands: Sender,
    /// `None` if reads run on the writer thread, and after shutdown.
    reader: Mutex<Option<Reader>>,
    stats: Arc<Stats>,
    turns: Arc<Turns>,
}

impl Engine {
    pub(crate) fn start(path: &Path, options: &OpenOptions) -> Result<Self> {
        let store = SqliteStore::open(path, options)?;
        let reader = store.reader()?.map(Reader::start).transpose()?;
        let (reader, reading) = reader.unzip();
        let (commands, inbox) = inbox::channel();
        let room = Arc::new(Semaphore::new(limits::PENDING_OPS_MAX));
        let stats = Arc::new(Stats::default());
        #[cfg(feature = "test-clock")]
        if let crate::clock::Clock::Test(clock) = &options.clock {
            let commands = commands.clone();
            clock.on_move(Box::new(move || commands.send(Command::Wake).is_ok()));
        }
        let writer = Writer::new(
            Box::new(store),
            options.clock.clone(),
            inbox,
            commands.clone(),
            Arc::clone(&stats),
        );
        std::thread::Builder::new()
            .name("blockqueue-writer".into())
            .spawn(move || writer.run(reading))
            .map_err(|error| Error::Io { detail: error.to_string() })?;
        let (birth, turns) = (Birth::now(), Arc::default());
        Ok(Self { birth, room, commands, reader: Mutex::new(reader), stats, turns })
    }

    /// In a forked child none of its threads are there, and its locks may be held for ever. A thread whose
    /// own transaction is open would wait for itself.
    fn check_caller(&self) -> Result<()> {
        if self.birth.is_inherited() {
            return Err(Error::Forked);
        }
        if self.turns.is_mine() { Err(Error::InTransaction) } else { Ok(()) }
    }

    pub(crate) fn start_work<T>(
        &self,
        work: Work,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        match self.check_caller() {
            Ok(()) => Pending::start(work, &self.room, &self.commands, map),
            Err(error) => Pending::failed(error),
        }
    }

    pub(crate) fn start_query<T>(
        &self,
        query: Query,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        if let Err(error) = self.check_caller() {
            return Pending::failed(error);
        }
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &*reader {
            Some(reader) => Pending::sent(reader.start_query(query), map),
            None => self.start_work(Work::Query(query), map),
        }
    }

    /// A transaction to come, the way to it, and the right to it.
    pub(crate) fn start_transaction<T>(
        &self,
        deadline: Duration,
        map: impl FnOnce(mpsc::Sender<Asked>, Turn) -> T + Send + 'static,
    ) -> Pending<T> {
        let (steps, inbox) = mpsc::channel();
        let turn = self.turns.next();
        let session = Session::new(inbox, deadline, turn.clone());
        let mine = turn.clone();
        let begun = move |_| Ok(map(steps, mine));
        self.start_work(Work::Transaction(session), begun).with_turn(turn)
    }

    pub(crate) fn shutdown(&self) -> Pending<()> {
        if let Err(error) = self.check_caller() {
            return Pending::failed(error);
        }
        self.room.close();
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (reply, answer) = oneshot::channel();
        // A writer that has ended already has nothing left to finish.
        let _ = self.commands.send(Command::Shutdown(Some(reply)));
        Pending::until_end(answer, |_| Ok(()))
    }

    pub(crate) fn stats(&self) -> Result<EngineStats> {
        self.check_caller()?;
        let mut stats = self.stats.snapshot();
        let query = self.start_query(Query::FileBytes, |outcome| match outcome {
            Outcome::Answer(Answer::FileBytes { file, wal }) => Ok((file, wal)),
            _ => Err(Error::internal("an answer to another query")),
        });
        (stats.file_bytes, stats.wal_bytes) = query.wait()?;
        Ok(stats)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.birth.is_inherited() {
            // Its channel has locks, too.
            let reader = self.reader.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(reader.take());
            return;
        }
        // Never blocks: the writer finishes what it was given and ends by itself.
        self.room.close();
        let _ = self.commands.send(Command::Shutdown(None));
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("shut_down", &self.room.is_closed()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request that nobody waits for.
    pub(super) fn request() -> Request {
        let (reply, _nobody) = oneshot::channel();
        Request { work: Work::Query(Query::FileBytes), reply, permit: None }
    }
}
