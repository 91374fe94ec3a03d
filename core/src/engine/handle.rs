//! One opening of a queue. Handles on the same file share an engine.
//!
//! Owns how much of its work may wait, and its own end. Invariant: the engine ends with its last handle.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, mpsc};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use super::{Answered, Asked, Command, Engine, HandleId, ReplyTo, Session, Turn, Work, registry};
use crate::error::{Error, Result};
use crate::limits;
use crate::model::EngineStats;
use crate::op::{Answer, Outcome, Query};
use crate::options::OpenOptions;
use crate::pending::Pending;
use crate::process::fork::Birth;

pub(crate) struct Handle {
    birth: Birth,
    id: HandleId,
    engine: Arc<Engine>,
    /// Closed when the handle is shut down.
    room: Arc<Semaphore>,
    has_left: AtomicBool,
}

impl Handle {
    pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Self> {
        Ok(Self {
            birth: Birth::now(),
            id: HandleId::next(),
            engine: registry::join(path, options)?,
            room: Arc::new(Semaphore::new(limits::PENDING_OPS_MAX)),
            has_left: AtomicBool::new(false),
        })
    }

    /// In a forked child none of its threads are there, and its locks may be held for ever. A thread whose
    /// own transaction is open would wait for itself.
    fn check_caller(&self) -> Result<()> {
        if self.birth.is_inherited() {
            return Err(Error::Forked);
        }
        if self.engine.turns.is_mine() { Err(Error::InTransaction) } else { Ok(()) }
    }

    pub(crate) fn tag(&self) -> u16 {
        self.engine.tag
    }

    pub(crate) fn start_work<T>(
        &self,
        work: Work,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        match self.check_caller() {
            Ok(()) => Pending::start(work, self.id, &self.room, &self.engine.commands, map),
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
        if self.room.is_closed() {
            return Pending::failed(Error::Shutdown);
        }
        let reader = self.engine.reader.lock().unwrap_or_else(PoisonError::into_inner);
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
        let turn = self.engine.turns.next();
        let session = Session::new(inbox, deadline, turn.clone());
        let mine = turn.clone();
        let begun = move |_| Ok(map(steps, mine));
        self.start_work(Work::Transaction(session), begun).with_turn(turn)
    }

    pub(crate) fn shutdown(&self) -> Pending<()> {
        if let Err(error) = self.check_caller() {
            return Pending::failed(error);
        }
        let (reply, answer) = self.reply_to();
        self.leave(Some(reply));
        Pending::until_end(answer, |_| Ok(()))
    }

    /// A place for an answer, and where to wait for it.
    pub(crate) fn reply_to(&self) -> (ReplyTo, oneshot::Receiver<Result<Answered>>) {
        ReplyTo::new(self.id)
    }

    fn leave(&self, reply: Option<ReplyTo>) {
        self.room.close();
        let has_left = self.has_left.swap(true, Ordering::AcqRel);
        if !has_left && registry::leave(&self.engine) {
            self.engine.shutdown(reply);
        } else {
            // An engine that has ended has nothing left to finish.
            let _ = self.engine.commands.send(Command::Leave(reply, self.id));
        }
    }

    pub(crate) fn stats(&self) -> Result<EngineStats> {
        self.check_caller()?;
        let mut stats = self.engine.stats.snapshot();
        let query = self.start_query(Query::FileBytes, |outcome| match outcome {
            Outcome::Answer(Answer::FileBytes { file, wal }) => Ok((file, wal)),
            _ => Err(Error::internal("an answer to another query")),
        });
        (stats.file_bytes, stats.wal_bytes) = query.wait()?;
        Ok(stats)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.birth.is_inherited() && !*self.has_left.get_mut() {
            self.leave(None);
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("shut_down", &self.room.is_closed()).finish_non_exhaustive()
    }
}
