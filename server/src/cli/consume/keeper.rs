//! Keeps leases alive while their messages are worked on.
//!
//! One thread extends all held leases together, three times per lease. It reports nothing: a lease
//! that is lost shows when its delivery is settled, and a queue that is away for a moment may be back
//! before the lease expires.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::super::backend::{Backend, Lease, Source};

/// Extensions per lease.
const BEATS: u32 = 3;

/// The leases that are kept alive. Ends its thread when dropped, and waits for it: the thread's share
/// of the queue must be gone before the program is.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// By receipt.
    held: HashMap<String, Lease>,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper {
    /// Keeps leases of this length on this subscriber's deliveries.
    pub(super) fn start(backend: Arc<dyn Backend>, source: Source, lease: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let kept = Arc::clone(&shared);
        let thread = thread::spawn(move || keep(&kept, backend.as_ref(), &source, lease));
        Self { shared, thread: Some(thread) }
    }

    /// Keeps these from now on.
    pub(super) fn hold(&self, leases: &[Lease]) {
        let held = leases.iter().map(|lease| (lease.receipt.clone(), lease.clone()));
        self.shared.lock().held.extend(held);
    }

    /// Keeps these no longer.
    pub(super) fn let_go(&self, leases: &[Lease]) {
        let mut state = self.shared.lock();
        for lease in leases {
            state.held.remove(&lease.receipt);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            // It has nothing to say, not even that it panicked.
            let _ = thread.join();
        }
    }
}

fn keep(shared: &Shared, backend: &dyn Backend, source: &Source, lease: Duration) {
    let beat = (lease / BEATS).max(Duration::from_millis(1));
    let mut state = shared.lock();
    while !state.ended {
        let waited = shared.ended.wait_timeout(state, beat);
        let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        state = woken;
        if !timeout.timed_out() || state.held.is_empty() {
            continue;
        }
        let leases: Vec<Lease> = state.held.values().cloned().collect();
        drop(state);
        let _ = backend.extend(source, &leases, lease);
        state = shared.lock();
    }
}
