//! Whose transaction is open, so that a thread that would wait for its own is told instead.
//!
//! A transaction belongs to the thread that last waited for it. One that is only awaited belongs to none:
//! tasks move between threads. Without an open transaction a call costs one look at a flag.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

#[derive(Debug, Default)]
pub(super) struct Turns {
    is_owned: AtomicBool,
    newest: AtomicU64,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    turn: u64,
    owner: Option<ThreadId>,
}

impl Turns {
    pub(super) fn next(self: &Arc<Self>) -> Turn {
        Turn { number: self.newest.fetch_add(1, Ordering::Relaxed) + 1, turns: Arc::clone(self) }
    }

    /// Whether this thread owns the transaction that is open.
    pub(super) fn is_mine(&self) -> bool {
        self.is_owned.load(Ordering::Acquire)
            && self.lock().owner.is_some_and(|owner| owner == thread::current().id())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, open: &mut Open, owner: Option<ThreadId>) {
        open.owner = owner;
        self.is_owned.store(owner.is_some(), Ordering::Release);
    }
}

/// One transaction among all of an engine.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    number: u64,
    turns: Arc<Turns>,
}

impl Turn {
    /// The transaction begins.
    pub(super) fn begin(&self) {
        let mut open = self.turns.lock();
        open.turn = self.number;
        self.turns.set(&mut open, None);
    }

    /// It is this thread's, if it is still open.
    pub(crate) fn take(&self) {
        let mut open = self.turns.lock();
        if open.turn == self.number {
            self.turns.set(&mut open, Some(thread::current().id()));
        }
    }

    /// The transaction has ended, or is about to.
    pub(crate) fn end(&self) {
        let mut open = self.turns.lock();
        if open.turn == self.number {
            open.turn = 0;
            self.turns.set(&mut open, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_belongs_to_the_thread_that_took_it_until_it_ends() {
        let turns = Arc::<Turns>::default();
        let (first, second) = (turns.next(), turns.next());
        first.begin();
        assert!(!turns.is_mine(), "nobody has waited for it");
        first.take();
        assert!(turns.is_mine());
        thread::scope(|scope| {
            scope.spawn(|| assert!(!turns.is_mine()));
        });
        first.end();
        assert!(!turns.is_mine());
        second.begin();
        first.take();
        assert!(!turns.is_mine(), "what has ended cannot be taken");
    }
}
