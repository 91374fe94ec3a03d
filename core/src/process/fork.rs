//! Telling a forked child from its parent.
//!
//! A child has the memory of its parent and none of its threads. So it must not use what belongs to
//! them, and locks that one of them held at that moment stay locked: those that a child needs are taken
//! before the fork and released behind it, on both sides ([`hold_during_forks`]).

use std::any::Any;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Forks between the program's start and this process.
static GENERATION: AtomicU64 = AtomicU64::new(0);

pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// The process in which something was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Birth(u64);

impl Birth {
    pub(crate) fn now() -> Self {
        Self(generation())
    }

    /// It came here by a fork.
    pub(crate) fn is_inherited(self) -> bool {
        self.0 != generation()
    }
}

/// Takes a lock; it is released when the box is dropped.
type Hold = fn() -> Box<dyn Any>;

static HOLDS: Mutex<Vec<Hold>> = Mutex::new(Vec::new());

thread_local! {
    /// What this thread holds while it forks: first the list itself, so that one thread forks at a time.
    static HELD: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

fn holds() -> MutexGuard<'static, Vec<Hold>> {
    HOLDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on this lock is held while any thread forks, so that a child finds it free and what it
/// guards whole: for those who build on this crate, and have locks that a child needs. `hold` takes the lock, which
/// is released when the box is dropped. Locks are taken in the order in which they were given here.
pub fn hold_during_forks(hold: fn() -> Box<dyn Any>) {
    holds().push(hold);
}

/// Called by the thread that is about to fork.
#[cfg_attr(not(ofd_locks), expect(dead_code, reason = "forks are not noticed here"))]
pub(super) fn prepare() {
    let list = holds();
    HELD.with_borrow_mut(|held| {
        let locks: Vec<_> = list.iter().map(|hold| hold()).collect();
        held.push(Box::new(list));
        held.extend(locks);
    });
}

/// Called on both sides of the fork.
#[cfg_attr(not(ofd_locks), expect(dead_code, reason = "forks are not noticed here"))]
pub(super) fn release() {
    HELD.with_borrow_mut(|held| while held.pop().is_some() {});
}

/// Called in the child, before [`release`].
#[cfg_attr(not(ofd_locks), expect(dead_code, reason = "forks are not noticed here"))]
pub(super) fn count() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
