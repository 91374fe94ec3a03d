//! The answer to come: awaited on any executor, or waited for on a plain thread.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};
use std::thread::{self, Thread};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::engine::{Answered, Command, HandleId, ReplyTo, Request, Sender, Turn, Work};
use crate::error::{Error, Result};
use crate::op::Outcome;
use crate::process::fork::Birth;

type Permit = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;
type Composed = Pin<Box<dyn Future<Output = Result<Answered>> + Send>>;
/// What comes back, or that nobody is there to answer.
type Reply = Result<Result<Answered>, oneshot::error::RecvError>;
type Map<T> = Box<dyn FnOnce(Outcome) -> Result<T> + Send>;

/// An operation on its way: `.await` it on any executor, or [`wait`](Pending::wait) for it.
///
/// The operation is handed over when the method is called, not when this is first polled, so several
/// may be started before the first is awaited, and they share commits. Some are handed over only as this is
/// polled: one that finds too much waiting to be written already, and with a map of shards one that asks its
/// databases one after another, as a claim on subscribers in several does, or that has to look for a topic at home
/// which another process has moved there.
///
/// Dropping this does not undo the operation, except for a claim: what it claims, or already has, is given back at
/// once.
#[must_use = "the operation may fail"]
pub struct Pending<T> {
    birth: Birth,
    state: State,
    /// Taken when the answer is there.
    map: Option<Map<T>>,
    /// What it means if the engine ends without an answer.
    unanswered: fn() -> Result<Outcome>,
    /// Whoever waits for this on a thread of its own owns the transaction that it is about.
    turn: Option<Turn>,
}

enum State {
    Failed(Error),
    /// Too much is waiting to be written: the work is handed over when there is room.
    Throttled {
        permit: Permit,
        work: Work,
        handle: HandleId,
        commands: Sender,
    },
    Sent(oneshot::Receiver<Result<Answered>>),
    /// Made of the answers of several engines.
    Composed(Composed),
    /// Seen by `poll_ready`, and not handed out.
    Ready(Reply),
    Finished,
}

impl<T> Pending<T> {
    pub(crate) fn failed(error: Error) -> Self {
        Self::new(State::Failed(error), None)
    }

    fn new(state: State, map: Option<Map<T>>) -> Self {
        Self { birth: Birth::now(), state, map, unanswered: shut_down, turn: None }
    }

    pub(crate) fn start(
        work: Work,
        handle: HandleId,
        room: &Arc<Semaphore>,
        commands: &Sender,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Self {
        let permits = work.permits();
        let state = if let Ok(permit) = Arc::clone(room).try_acquire_many_owned(permits) {
            send(work, handle, permit, commands)
        } else if room.is_closed() {
            State::Failed(Error::Shutdown)
        } else {
            let permit = Box::pin(Arc::clone(room).acquire_many_owned(permits));
            State::Throttled { permit, work, handle, commands: commands.clone() }
        };
        Self::new(state, Some(Box::new(map)))
    }

    pub(crate) fn sent(
        answer: oneshot::Receiver<Result<Answered>>,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Self {
        Self::new(State::Sent(answer), Some(Box::new(map)))
    }

    /// As [`sent`](Self::sent), for what an engine that has ended has done already.
    pub(crate) fn until_end(
        answer: oneshot::Receiver<Result<Answered>>,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Self {
        Self { unanswered: || Ok(Outcome::Done), ..Self::sent(answer, map) }
    }

    /// As [`sent`](Self::sent), for a step of a transaction, which ends when nobody answers.
    pub(crate) fn in_transaction(
        answer: oneshot::Receiver<Result<Answered>>,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Self {
        Self { unanswered: || Err(Error::TransactionEnded), ..Self::sent(answer, map) }
    }

    /// What several engines were asked for, as one.
    pub(crate) fn composed(
        answer: impl Future<Output = Result<Answered>> + Send + 'static,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Self {
        Self::new(State::Composed(Box::pin(answer)), Some(Box::new(map)))
    }

    /// If this is waited for, the transaction belongs to the thread that does.
    pub(crate) fn with_turn(self, turn: Turn) -> Self {
        Self { turn: Some(turn), ..self }
    }

    /// Blocks this thread until the answer is there. Do not call it on a thread that runs an executor.
    ///
    /// # Errors
    /// Those of the operation.
    pub fn wait(mut self) -> Result<T> {
        let turn = self.turn.take();
        let answer = self.block();
        // Whoever waited for a transaction owns it.
        if let Some(turn) = turn
            && answer.is_ok()
        {
            turn.take();
        }
        answer
    }

    /// As [`wait`](Self::wait), until nobody wants the answer any more: `None`, if this says so before the answer is
    /// there. It is asked again whenever the thread is [unparked](Thread::unpark). A transaction that was waited for
    /// in this way belongs to no thread, as one that was awaited.
    ///
    /// # Errors
    /// Those of the operation.
    pub fn wait_unless(mut self, is_unwanted: impl Fn() -> bool) -> Option<Result<T>> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(answer) = Pin::new(&mut self).poll(&mut context) {
                return Some(answer);
            }
            if is_unwanted() {
                return None;
            }
            thread::park();
        }
    }

    /// Waits until the answer is there, and leaves it where it is: the next poll hands it out. For callers
    /// who may go away at that moment; if this is dropped then, what a claim got is given back all the same.
    pub fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.birth.is_inherited() {
            return Poll::Ready(());
        }
        loop {
            match &mut self.state {
                State::Throttled { permit, .. } => {
                    let permit = ready!(permit.as_mut().poll(context));
                    let throttled = std::mem::replace(&mut self.state, State::Finished);
                    let State::Throttled { work, handle, commands, .. } = throttled else {
                        continue;
                    };
                    self.state = match permit {
                        Ok(permit) => send(work, handle, permit, &commands),
                        Err(_closed) => State::Failed(Error::Shutdown),
                    };
                }
                State::Sent(answer) => {
                    let answer = ready!(Pin::new(answer).poll(context));
                    self.state = State::Ready(answer);
                }
                State::Composed(answer) => {
                    let answer = ready!(answer.as_mut().poll(context));
                    self.state = State::Ready(Ok(answer));
                }
                State::Failed(_) | State::Ready(_) | State::Finished => return Poll::Ready(()),
            }
        }
    }

    /// The answer as it came, with what becomes of it if nobody takes it.
    pub(crate) async fn into_answered(mut self) -> Result<Answered> {
        poll_fn(|context| self.poll_ready(context)).await;
        self.take_answered()
    }

    /// The same, of one that is ready.
    pub(crate) fn take_answered(mut self) -> Result<Answered> {
        if self.birth.is_inherited() {
            return Err(Error::Forked);
        }
        match std::mem::replace(&mut self.state, State::Finished) {
            State::Ready(Ok(answer)) => answer,
            State::Ready(Err(_lost)) => (self.unanswered)().map(Answered::new),
            State::Failed(error) => Err(error),
            _ => Err(Error::internal("not answered yet")),
        }
    }

    fn block(mut self) -> Result<T> {
        if self.birth.is_inherited() {
            return Err(Error::Forked);
        }
        if let State::Sent(_) = self.state
            && let State::Sent(answer) = std::mem::replace(&mut self.state, State::Finished)
        {
            return self.finish(answer.blocking_recv());
        }
        let never = || Err(Error::internal("given up by nobody"));
        self.wait_unless(|| false).unwrap_or_else(never)
    }

    fn finish(&mut self, answer: Reply) -> Result<T> {
        let outcome = match answer {
            Ok(answered) => answered?.into_outcome(),
            Err(_lost) => (self.unanswered)()?,
        };
        let map = self.map.take().ok_or_else(|| Error::internal("answered twice"))?;
        map(outcome)
    }
}

/// The engine answers each request before it ends; a lost reply means that it was shut down.
fn shut_down() -> Result<Outcome> {
    Err(Error::Shutdown)
}

fn send(work: Work, handle: HandleId, permit: OwnedSemaphorePermit, commands: &Sender) -> State {
    let (reply, answer) = ReplyTo::new(handle);
    let request = Request { work, reply, permit: Some(permit) };
    match commands.send(Command::Run(request)) {
        Ok(()) => State::Sent(answer),
        Err(_) => State::Failed(Error::Shutdown),
    }
}

// Nothing in it is pinned in place: the permit is boxed.
impl<T> Unpin for Pending<T> {}

impl<T> Future for Pending<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.birth.is_inherited() {
            return Poll::Ready(Err(Error::Forked));
        }
        ready!(self.poll_ready(context));
        Poll::Ready(match std::mem::replace(&mut self.state, State::Finished) {
            State::Ready(answer) => self.finish(answer),
            State::Failed(error) => Err(error),
            _ => Err(Error::internal("polled after it was finished")),
        })
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
