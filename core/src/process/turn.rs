//! A fair turn between the processes that write to one file.
//!
//! Two locks make a turnstile: who wants the turn holds the first while it waits for the second, so that
//! whoever gives the turn back finds the next one before it in both. The kernel frees the locks of a
//! process that dies. One that is stopped would hold up the others: nobody waits for longer than
//! [`PATIENCE`]. The turn is a courtesy; what a writer may do is decided by SQLite's locks.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::locks::LockFile;
use crate::clock::monotonic;

/// The byte that is held while waiting.
const GATE: u8 = 0;
/// The byte that is the turn.
const TURN: u8 = 1;
/// How long a turn may be waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long nobody takes turns once one did not come.
const MISTRUST: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody wants it.
    Idle,
    /// The writer waits for it.
    Wanted,
    /// The writer has it.
    Granted,
    /// The writer has gone on without it.
    GivenUp,
    /// The writer is gone.
    Ended,
}

/// Between the writer and the thread that waits for it: a lock of a file cannot be waited for with an
/// end, and a thread can.
#[derive(Debug)]
struct Waiting {
    state: Mutex<State>,
    changed: Condvar,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.lock() = state;
        self.changed.notify_all();
    }
}

#[derive(Debug)]
pub(super) struct Turns {
    file: Arc<LockFile>,
    /// Made when a turn had to be waited for.
    waiting: Option<Arc<Waiting>>,
    mistrust_until: Option<Instant>,
}

/// The turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a>(&'a LockFile);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // It ends with the process at the latest.
        let _ = self.0.unlock(TURN);
    }
}

impl Turns {
    pub(super) fn new(file: Arc<LockFile>) -> Self {
        Self { file, waiting: None, mistrust_until: None }
    }

    /// Waits for the turn; `None` if it does not come.
    pub(super) fn take(&mut self) -> Option<Turn<'_>> {
        if self.mistrust_until.is_some_and(|until| monotonic() < until) {
            return None;
        }
        self.mistrust_until = None;
        if self.is_given_up() || !try_at_once(&self.file).ok()? {
            let waiting = self.waiting()?;
            if !wait(&waiting) {
                self.mistrust_until = Some(monotonic() + MISTRUST);
                return None;
            }
        }
        Some(Turn(&self.file))
    }

    /// The thread still waits for a turn that the writer did not wait for.
    fn is_given_up(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| *waiting.lock() == State::GivenUp)
    }

    fn waiting(&mut self) -> Option<Arc<Waiting>> {
        if self.waiting.is_none() {
            let changed = Condvar::new();
            let waiting = Arc::new(Waiting { state: Mutex::new(State::Idle), changed });
            let (file, shared) = (Arc::clone(&self.file), Arc::clone(&waiting));
            let thread = thread::Builder::new().name("blockqueue-turn".into());
            thread.spawn(move || serve(&file, &shared)).ok()?;
            self.waiting = Some(waiting);
        }
        self.waiting.clone()
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        if let Some(waiting) = &self.waiting {
            waiting.set(State::Ended);
        }
    }
}

/// The answer is whether nobody else had or wanted it.
fn try_at_once(file: &LockFile) -> io::Result<bool> {
    if !file.try_lock(GATE)? {
        return Ok(false);
    }
    let is_free = file.try_lock(TURN);
    if let Ok(true) = is_free {
        file.unlock(GATE)?;
    }
    // Otherwise the place at the gate is kept: the thread goes on from there.
    is_free
}

/// The writer's side. The answer is whether the turn came in time.
fn wait(waiting: &Waiting) -> bool {
    let until = monotonic() + PATIENCE;
    waiting.set(State::Wanted);
    let mut state = waiting.lock();
    while *state == State::Wanted {
        let left = until.saturating_duration_since(monotonic());
        if left.is_zero() {
            *state = State::GivenUp;
            return false;
        }
        let woken = waiting.changed.wait_timeout(state, left);
        (state, _) = woken.unwrap_or_else(PoisonError::into_inner);
    }
    std::mem::replace(&mut *state, State::Idle) == State::Granted
}

/// The thread's side.
fn serve(file: &LockFile, waiting: &Waiting) {
    loop {
        let mut state = waiting.lock();
        while *state != State::Wanted {
            if *state == State::Ended {
                return;
            }
            state = waiting.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        let result = file.lock(GATE).and_then(|()| file.lock(TURN));
        let _ = file.unlock(GATE);
        let mut state = waiting.lock();
        let is_ended = *state == State::Ended;
        if *state == State::Wanted && result.is_ok() {
            *state = State::Granted;
        } else {
            // Too late, or it cannot be had.
            let _ = file.unlock(TURN);
            *state = State::Idle;
        }
        drop(state);
        if is_ended {
            return;
        }
        waiting.changed.notify_all();
    }
}
