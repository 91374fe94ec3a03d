//! Operations that are under way without a thread that waits for each.
//!
//! Whoever has an answer to come wakes its entry; entries with news are on a list, which one thread takes them
//! from. Invariant: an operation that was started is answered by exactly one completion, unless the completions
//! are freed first; then what a claim has, or would get, is given back.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use blockqueue::{Delivery, Error, Result};

use crate::arguments::{invalid, items_mut, out};
use crate::delivery::{Deliveries, bq_deliveries, bq_delivery};
use crate::error::{Failed, bq_error};
use crate::guard::guard;
use crate::handle::{self, object};
use crate::message::bq_published;
use crate::queue::Open;
use crate::settle::bq_settled;
use crate::signal::Signal;
use crate::status::{BQ_OK, bq_status};
use crate::text::{Text, bq_text};

/// Where operations that were started by a function named _start are completed. One thread that waits here
/// serves any number of them, of any number of queues.
pub struct bq_completions(());

/// An operation that is over. What it points to, except for the handles, lives until the next bq_completions_wait
/// on the same object, or until that is freed.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_completion {
    /// The number that the operation was started with.
    pub tag: u64,
    /// 0, or what it was refused with.
    pub status: bq_status,
    /// It was cancelled before its answer came. The status is 0, and there is no answer.
    pub cancelled: bool,
    /// Why it was refused, or NULL. It belongs to the receiver: free it.
    pub error: *mut bq_error,
    /// Of a claim. It belongs to the receiver: free it. If nobody wants it any more, call bq_deliveries_release
    /// before.
    pub deliveries: *mut bq_deliveries,
    /// Of a result that was waited for. It belongs to the receiver: free it.
    pub text: *mut bq_text,
    /// Of a claim: `count` deliveries, which live as long as `deliveries`.
    pub items: *const bq_delivery,
    /// Of a publish: the answers to `count` messages.
    pub published: *const bq_published,
    /// Of an ack and its like: the answers to `count` receipts.
    pub settled: *const bq_settled,
    /// How many of them.
    pub count: usize,
}

/// What an operation answers.
pub(crate) enum Answer {
    Published(Vec<bq_published>),
    Settled(Vec<bq_settled>),
    Claimed(Claimed),
    Text(String),
}

/// What a claim got. If nobody takes it, it is given back.
pub(crate) struct Claimed {
    deliveries: Vec<Delivery>,
    /// Does not keep the queue open.
    queue: Weak<Open>,
}

impl Claimed {
    pub(crate) fn new(deliveries: Vec<Delivery>, queue: Weak<Open>) -> Self {
        Self { deliveries, queue }
    }

    fn take(mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.deliveries)
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        if !self.deliveries.is_empty()
            && let Some(queue) = self.queue.upgrade()
        {
            let receipts: Vec<_> =
                self.deliveries.iter().map(|delivery| delivery.receipt).collect();
            // Nobody waits for it; if it fails, the leases expire.
            drop(queue.0.release_batch(&receipts));
        }
    }
}

pub(crate) type Operation = Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;

pub(crate) struct Completions {
    shared: Arc<Shared>,
    /// What the last completions point to. Held by the thread that waits.
    handed: Mutex<Vec<Answer>>,
}

object!(Completions, bq_completions, 6, "object for completions");

struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
    signal: Option<Signal>,
}

#[derive(Default)]
struct State {
    entries: HashMap<u64, Entry>,
    /// Tags of entries that have news.
    news: VecDeque<u64>,
    closed: bool,
}

struct Entry {
    /// Whether it can be cancelled without a doubt about what it did.
    waits: bool,
    stage: Stage,
}

enum Stage {
    /// It is woken when it has news.
    Waiting(Operation),
    /// Some thread asks it. What happens meanwhile is noted.
    Asked { woken: bool, cancelled: bool },
    /// Its answer is there; `None` if it was cancelled.
    Over(Option<Result<Answer>>),
}

impl Completions {
    fn new(descriptor: bool) -> Result<Self> {
        let signal = if descriptor { Signal::new()? } else { None };
        let shared = Shared { state: Mutex::default(), arrived: Condvar::new(), signal };
        Ok(Self { shared: Arc::new(shared), handed: Mutex::default() })
    }

    /// Makes an operation and takes it over, if its tag is free. `waits`: it only waits until it has something.
    pub(crate) fn start(
        &self,
        tag: u64,
        waits: bool,
        make: impl FnOnce() -> Result<Operation>,
    ) -> Result<()> {
        self.shared.reserve(tag, waits)?;
        // Handed over when it is made, so not before the tag is known to be free.
        match make() {
            Ok(operation) => Shared::ask(&self.shared, tag, operation),
            Err(refused) => {
                self.shared.state().entries.remove(&tag);
                return Err(refused);
            }
        }
        Ok(())
    }
}

impl Drop for Completions {
    fn drop(&mut self) {
        let entries = {
            let mut state = self.shared.state();
            state.closed = true;
            std::mem::take(&mut state.entries)
        };
        self.shared.arrived.notify_all();
        // Without the lock: what is dropped may wake others.
        drop(entries);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An entry for an operation to come, at [`Stage::Asked`].
    fn reserve(&self, tag: u64, waits: bool) -> Result<()> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::Shutdown);
        }
        if state.entries.contains_key(&tag) {
            return Err(invalid("an operation with this tag is under way"));
        }
        let stage = Stage::Asked { woken: false, cancelled: false };
        state.entries.insert(tag, Entry { waits, stage });
        Ok(())
    }

    /// Asks an operation for its answer, and keeps what comes of it. Its entry is at [`Stage::Asked`].
    fn ask(self: &Arc<Self>, tag: u64, mut operation: Operation) {
        let waker = Waker::from(Arc::new(Bell { tag, shared: Arc::clone(self) }));
        let poll = operation.as_mut().poll(&mut Context::from_waker(&waker));
        let mut state = self.state();
        let Some(entry) = state.entries.get_mut(&tag) else { return };
        let (woken, cancelled) = match &entry.stage {
            Stage::Asked { woken, cancelled } => (*woken, *cancelled),
            Stage::Waiting(_) | Stage::Over(_) => return,
        };
        let (stage, has_news) = match poll {
            Poll::Ready(answer) => (Stage::Over(Some(answer)), true),
            Poll::Pending if cancelled => (Stage::Over(None), true),
            Poll::Pending => (Stage::Waiting(operation), woken),
        };
        entry.stage = stage;
        if has_news {
            self.add_news(&mut state, tag);
        }
    }

    fn add_news(&self, state: &mut State, tag: u64) {
        let was_empty = state.news.is_empty();
        state.news.push_back(tag);
        if was_empty {
            self.arrived.notify_one();
            if let Some(signal) = &self.signal {
                signal.raise();
            }
        }
    }

    /// Makes the signal say what the list says. Under its lock, like every raise, so that no news is missed.
    fn set_signal(&self) {
        let Some(signal) = &self.signal else { return };
        let state = self.state();
        if state.news.is_empty() {
            signal.lower();
        } else {
            signal.raise();
        }
    }

    fn wake(&self, tag: u64) {
        let mut state = self.state();
        match state.entries.get_mut(&tag).map(|entry| &mut entry.stage) {
            Some(Stage::Waiting(_)) => self.add_news(&mut state, tag),
            Some(Stage::Asked { woken, .. }) => *woken = true,
            Some(Stage::Over(_)) | None => {}
        }
    }

    fn cancel(&self, tag: u64) {
        let mut state = self.state();
        let Some(entry) = state.entries.get_mut(&tag).filter(|entry| entry.waits) else { return };
        let operation = match &mut entry.stage {
            Stage::Asked { cancelled, .. } => {
                *cancelled = true;
                return;
            }
            Stage::Over(_) => return,
            stage @ Stage::Waiting(_) => std::mem::replace(stage, Stage::Over(None)),
        };
        self.add_news(&mut state, tag);
        drop(state);
        // What a claim got at this moment is given back.
        drop(operation);
    }

    /// The next operation that is over, if there is one now.
    fn next(self: &Arc<Self>) -> Option<(u64, Option<Result<Answer>>)> {
        loop {
            let (tag, operation) = {
                let mut state = self.state();
                let tag = state.news.pop_front()?;
                let Some(entry) = state.entries.get_mut(&tag) else { continue };
                let asked = Stage::Asked { woken: false, cancelled: false };
                match std::mem::replace(&mut entry.stage, asked) {
                    Stage::Over(answer) => {
                        state.entries.remove(&tag);
                        return Some((tag, answer));
                    }
                    Stage::Waiting(operation) => (tag, operation),
                    asked @ Stage::Asked { .. } => {
                        // It is noted there.
                        entry.stage = asked;
                        continue;
                    }
                }
            };
            self.ask(tag, operation);
        }
    }

    /// Waits until something has news; `false` when the time is over.
    fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        let mut state = self.state();
        loop {
            if state.closed {
                return Err(Error::Shutdown);
            }
            if !state.news.is_empty() {
                return Ok(true);
            }
            state = match deadline.map(|deadline| deadline.saturating_duration_since(now())) {
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return Ok(false),
                Some(left) => {
                    let waited = self.arrived.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a caller waits is no time of the queue")]
fn now() -> Instant {
    Instant::now()
}

/// Wakes the entry of one operation.
struct Bell {
    tag: u64,
    shared: Arc<Shared>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.shared.wake(self.tag);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.shared.wake(self.tag);
    }
}

/// What a completion points to is pushed to `handed`.
fn completion(tag: u64, answer: Option<Result<Answer>>, handed: &mut Vec<Answer>) -> bq_completion {
    let mut out = bq_completion {
        tag,
        status: BQ_OK,
        cancelled: answer.is_none(),
        error: std::ptr::null_mut(),
        deliveries: std::ptr::null_mut(),
        text: std::ptr::null_mut(),
        items: std::ptr::null(),
        published: std::ptr::null(),
        settled: std::ptr::null(),
        count: 0,
    };
    match answer {
        None => {}
        Some(Err(error)) => {
            out.status = error.number().into();
            out.error = handle::give(Failed::new(error));
        }
        Some(Ok(Answer::Claimed(claimed))) => {
            let deliveries = Deliveries::new(claimed.take());
            (out.items, out.count) = (deliveries.items().as_ptr(), deliveries.items().len());
            out.deliveries = handle::give(deliveries);
        }
        Some(Ok(Answer::Text(text))) => out.text = handle::give(Text::new(text)),
        Some(Ok(Answer::Published(published))) => {
            (out.published, out.count) = (published.as_ptr(), published.len());
            handed.push(Answer::Published(published));
        }
        Some(Ok(Answer::Settled(settled))) => {
            (out.settled, out.count) = (settled.as_ptr(), settled.len());
            handed.push(Answer::Settled(settled));
        }
    }
    out
}

/// Makes an object for completions. It belongs to the caller: free it with bq_completions_free. With
/// `descriptor`, it has a descriptor that an event loop can watch, on systems that have such.
///
/// Errors: `io`, `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_completions_new(
    descriptor: bool,
    completions: *mut *mut bq_completions,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes a place for the handle.
        let completions = unsafe { out("the place for the object", completions) }?;
        *completions = handle::give(Completions::new(descriptor)?);
        Ok(())
    })
}

/// The descriptor that is readable while something has news: watch it, and call bq_completions_wait with a time of
/// 0 when it is. Do not read it and do not close it. -1 if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_completions_descriptor(completions: *mut bq_completions) -> i32 {
    crate::guard::guard_value(-1, || {
        let completions = handle::get::<Completions>(completions)?;
        Ok(completions.shared.signal.as_ref().map_or(-1, Signal::descriptor))
    })
}

/// Waits until something is over, and stores up to `capacity` completions and their count. Blocks for up to
/// `timeout_ms`; 0: not at all, below 0: for ever. None in time is no error.
///
/// One thread at a time may call it; what the completions of its last call point to ends here.
///
/// Errors: `invalid_argument`; `shutdown` if the object was freed meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_completions_wait(
    completions: *mut bq_completions,
    timeout_ms: i64,
    items: *mut bq_completion,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes places for the completions and their count.
        let (places, count) = unsafe {
            let places = items_mut("the array of completions", items, capacity)?;
            (places, out("the place for the count", count)?)
        };
        *count = 0;
        if places.is_empty() {
            return Err(invalid("capacity must be at least 1"));
        }
        let deadline = u64::try_from(timeout_ms).ok();
        let deadline = deadline.and_then(|ms| now().checked_add(Duration::from_millis(ms)));
        let shared = Arc::clone(&handle::get::<Completions>(completions)?.shared);
        while *count == 0 && shared.wait(deadline)? {
            // Held for this moment only, so that a free ends the wait.
            let owner = handle::get::<Completions>(completions).map_err(|_| Error::Shutdown)?;
            let mut handed = match owner.handed.try_lock() {
                Ok(handed) => handed,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    return Err(invalid("another thread takes completions at this moment"));
                }
            };
            handed.clear();
            for place in places.iter_mut() {
                let Some((tag, answer)) = shared.next() else { break };
                *place = completion(tag, answer, &mut handed);
                *count += 1;
            }
            shared.set_signal();
        }
        Ok(())
    })
}

/// Ends the wait of a claim, or for a result, that was started with this tag, as if its time were over: its
/// completion says `cancelled`, or has the answer that came first. What a claim got at that very moment is given
/// back. Other operations are not undone, and go on to their completion. A tag that is not under way is no
/// error. Any thread may call it.
///
/// Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_completions_cancel(
    completions: *mut bq_completions,
    tag: u64,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        handle::get::<Completions>(completions)?.shared.cancel(tag);
        Ok(())
    })
}

/// Frees the object; whoever waits for completions gets `shutdown`. Claims that are under way are given back,
/// other operations go on, and nobody hears of them. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_completions_free(completions: *mut bq_completions) -> bq_status {
    guard(std::ptr::null_mut(), || handle::free::<Completions>(completions))
}
