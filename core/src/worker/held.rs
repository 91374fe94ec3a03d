//! What a worker holds: deliveries that wait for a thread, and those that are being handled.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::WorkerReport;
use crate::clock::monotonic;
use crate::error::{Error, Result};
use crate::limits;
use crate::model::{Delivery, Receipt};
use crate::queue::Queue;

pub(super) struct Held {
    pub queue: Queue,
    pub batch: usize,
    pub lease: Duration,
    state: Mutex<State>,
    /// Something of the state has changed.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Delivery>,
    running: HashMap<u64, Receipt>,
    next: u64,
    stopping: bool,
    /// The claimer will add nothing more.
    claimed_all: bool,
    claimer: Option<Thread>,
    report: WorkerReport,
    error: Option<Error>,
}

impl Held {
    pub(super) fn new(queue: Queue, batch: usize, lease: Duration) -> Self {
        Self { queue, batch, lease, state: Mutex::default(), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for<'s>(&self, state: MutexGuard<'s, State>, time: Duration) -> MutexGuard<'s, State> {
        self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }

    // --- the claimer ------------------------------------------------------------------------------

    /// Waits until more can be claimed; `false` when the worker stops.
    pub(super) fn wait_for_room(&self, claimer: Thread) -> bool {
        let mut state = self.state();
        state.claimer = Some(claimer);
        while !state.stopping && !state.ready.is_empty() {
            state = self.wait(state);
        }
        !state.stopping
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.state().stopping
    }

    pub(super) fn add(&self, deliveries: Vec<Delivery>) {
        self.state().ready.extend(deliveries);
        self.changed.notify_all();
    }

    /// Pauses, unless the worker stops meanwhile.
    pub(super) fn pause(&self, time: Duration) {
        let deadline = monotonic() + time;
        let mut state = self.state();
        while !state.stopping {
            let left = deadline.saturating_duration_since(monotonic());
            if left.is_zero() {
                return;
            }
            state = self.wait_for(state, left);
        }
    }

    /// Nothing more will come: what has not been begun is given back, and its attempt does not count.
    pub(super) fn close(&self, error: Option<Error>) {
        let unbegun: Vec<Delivery> = {
            let mut state = self.state();
            state.stopping = true;
            state.error = state.error.take().or(error);
            state.ready.drain(..).collect()
        };
        for chunk in unbegun.chunks(limits::SETTLE_MAX) {
            let receipts: Vec<_> = chunk.iter().map(|delivery| delivery.receipt).collect();
            // What cannot be given back comes back when its lease expires.
            let _ = self.queue.release_batch(&receipts).wait();
        }
        self.state().claimed_all = true;
        self.changed.notify_all();
    }

    // --- the hands --------------------------------------------------------------------------------

    /// The next delivery to handle, with its number; `None` when there will be none.
    pub(super) fn take(&self) -> Option<(u64, Delivery)> {
        let mut state = self.state();
        loop {
            if !state.stopping
                && let Some(delivery) = state.ready.pop_front()
            {
                let number = state.next;
                state.next += 1;
                state.running.insert(number, delivery.receipt);
                if state.ready.is_empty() {
                    self.changed.notify_all();
                }
                return Some((number, delivery));
            }
            if state.stopping && state.claimed_all {
                return None;
            }
            state = self.wait(state);
        }
    }

    pub(super) fn done(&self, number: u64, count: impl FnOnce(&mut WorkerReport)) {
        let mut state = self.state();
        state.running.remove(&number);
        count(&mut state.report);
        self.changed.notify_all();
    }

    // --- the heartbeat ----------------------------------------------------------------------------

    /// Extends all leases together at a third of the lease, until the last handler has returned.
    pub(super) fn keep_alive(&self) {
        let every = self.lease / 3;
        let mut next = monotonic() + every;
        loop {
            let receipts: Vec<Receipt> = {
                let mut state = self.state();
                loop {
                    if state.claimed_all && state.running.is_empty() {
                        return;
                    }
                    let left = next.saturating_duration_since(monotonic());
                    if left.is_zero() {
                        break;
                    }
                    state = self.wait_for(state, left);
                }
                let ready = state.ready.iter().map(|delivery| delivery.receipt);
                state.running.values().copied().chain(ready).collect()
            };
            next = monotonic() + every;
            for chunk in receipts.chunks(limits::SETTLE_MAX) {
                // A lease that is lost shows when its delivery is settled.
                let _ = self.queue.extend_batch(chunk, self.lease).wait();
            }
        }
    }

    // --- the owner --------------------------------------------------------------------------------

    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopping = true;
        if let Some(claimer) = &state.claimer {
            claimer.unpark();
        }
        self.changed.notify_all();
    }

    /// How many handlers still run at the deadline.
    pub(super) fn wait_until_idle(&self, deadline: Instant) -> u64 {
        let mut state = self.state();
        while !(state.claimed_all && state.running.is_empty()) {
            let left = deadline.saturating_duration_since(monotonic());
            if left.is_zero() {
                return state.running.len().max(1) as u64;
            }
            state = self.wait_for(state, left);
        }
        0
    }

    pub(super) fn report(&self) -> WorkerReport {
        self.state().report
    }

    pub(super) fn outcome(&self, unfinished: u64) -> Result<WorkerReport> {
        let state = self.state();
        match &state.error {
            Some(error) => Err(error.clone()),
            None => Ok(WorkerReport { unfinished, ..state.report }),
        }
    }
}
