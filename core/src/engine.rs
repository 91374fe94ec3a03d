//! The engine of one open queue: a writer thread that groups operations into commits.
//!
//! Owns the channel, the group, the answers and the timers. Does not know SQL.
//! Invariant: each request is answered once, after the commit that holds it, or with an error.

mod filler;
mod handle;
mod inbox;
mod lookout;
mod parking;
mod reader;
mod registry;
mod session;
mod stats;
mod turn;
mod watching;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::{Error, Result};
use crate::limits;
use crate::op::{Claim, Op, Outcome, Query, ResultOf};
use crate::options::{Message, OpenOptions};
use crate::process::fork::Birth;
use crate::process::watch::Sign;
use crate::store;

pub(crate) use handle::Handle;
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

    /// The same once more; a transaction is carried out once.
    pub(crate) fn again(&self) -> Option<Self> {
        Some(match self {
            Self::Op(op) => Self::Op(op.clone()),
            Self::Claim { claim, wait } => Self::Claim { claim: claim.clone(), wait: *wait },
            Self::Watch { of, wait } => Self::Watch { of: of.clone(), wait: *wait },
            Self::Query(query) => Self::Query(query.clone()),
            Self::Transaction(_) => return None,
        })
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

/// One opening of a queue, by number; what nobody opened it for has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HandleId(u64);

impl HandleId {
    const NOBODY: Self = Self(0);

    fn next() -> Self {
        static NEWEST: AtomicU64 = AtomicU64::new(0);
        Self(NEWEST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Where an answer goes, and by which handle the question came.
#[derive(Debug)]
pub(crate) struct ReplyTo {
    handle: HandleId,
    sender: oneshot::Sender<Result<Answered>>,
}

impl ReplyTo {
    pub(crate) fn new(handle: HandleId) -> (Self, oneshot::Receiver<Result<Answered>>) {
        let (sender, answer) = oneshot::channel();
        (Self { handle, sender }, answer)
    }

    /// An answer that nobody takes is dropped, and with it what it holds.
    fn send(self, answer: Result<Answered>) {
        let _ = self.sender.send(answer);
    }

    /// Nobody waits any more.
    fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

/// Work with the place where its answer goes.
#[derive(Debug)]
pub(crate) struct Request {
    pub work: Work,
    pub reply: ReplyTo,
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
    /// One handle of several is shut down: its waits end, and it is told.
    Leave(Option<ReplyTo>, HandleId),
    Shutdown(Option<ReplyTo>),
}

/// An outcome on its way to its caller. If it holds deliveries and nobody takes it, they are given back.
#[derive(Debug)]
pub(crate) struct Answered {
    outcome: Option<Outcome>,
    give_back: Option<Sender>,
}

impl Answered {
    pub(crate) fn new(outcome: Outcome) -> Self {
        Self { outcome: Some(outcome), give_back: None }
    }

    pub(crate) const fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
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
            let (reply, _nobody) = ReplyTo::new(HandleId::NOBODY);
            let work = Work::Op(Op::Release(receipts));
            // After shutdown nobody is there to take them back: the leases expire.
            let _ = commands.send(Command::Run(Request { work, reply, permit: None }));
        }
    }
}

/// What the handles on one file share.
struct Engine {
    birth: Birth,
    /// What ids of messages of its database have in them.
    tag: u16,
    commands: Sender,
    /// `None` if reads run on the writer thread, and after shutdown.
    reader: Mutex<Option<Reader>>,
    stats: Arc<Stats>,
    turns: Arc<Turns>,
}

impl Engine {
    fn start(path: &Path, options: &OpenOptions) -> Result<Self> {
        let store = store::open(path, options)?;
        let tag = store.tag();
        let reader = store.reader()?.map(Reader::start).transpose()?;
        let (reader, reading) = reader.unzip();
        let (commands, inbox) = inbox::channel();
        let stats = Arc::new(Stats::default());
        #[cfg(feature = "test-clock")]
        if let crate::clock::Clock::Test(clock) = &options.clock {
            let commands = commands.clone();
            clock.on_move(Box::new(move || commands.send(Command::Wake).is_ok()));
        }
        let clock = store.clock();
        let writer = Writer::new(store, clock, inbox, commands.clone(), Arc::clone(&stats));
        std::thread::Builder::new()
            .name("blockqueue-writer".into())
            .spawn(move || writer.run(reading))
            .map_err(|error| Error::Io { detail: error.to_string() })?;
        let (birth, turns) = (Birth::now(), Arc::default());
        Ok(Self { birth, tag, commands, reader: Mutex::new(reader), stats, turns })
    }

    /// Never blocks: the writer finishes what it was given and ends by itself.
    fn shutdown(&self, reply: Option<ReplyTo>) {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A writer that has ended already has nothing left to finish.
        let _ = self.commands.send(Command::Shutdown(reply));
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.birth.is_inherited() {
            // Its channel has locks, too.
            let reader = self.reader.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(reader.take());
        } else {
            self.shutdown(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request that nobody waits for.
    pub(super) fn request() -> Request {
        let (reply, _nobody) = ReplyTo::new(HandleId::NOBODY);
        Request { work: Work::Query(Query::FileBytes), reply, permit: None }
    }
}
