//! Gaps for writers that take no turn: other programs with an SQLite of their own.
//!
//! They try for the lock now and then, and one that is always held again after a moment they may never
//! get. So once a transaction had to wait for somebody, the next ones leave the lock alone for a while
//! each.

use std::thread;
use std::time::{Duration, Instant};

use super::connection;
use crate::clock::monotonic;

/// How long after somebody was in the way gaps are left.
const WATCHFUL: Duration = Duration::from_secs(5);
/// The longest gap.
const LONGEST: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
pub(super) struct Gap {
    until: Option<Instant>,
    /// What the next gap is measured by.
    took: Duration,
}

impl Gap {
    /// A quarter of the time belongs to others.
    pub(super) fn leave(&self) {
        if self.until.is_some_and(|until| monotonic() < until) {
            thread::sleep((self.took / 3).min(LONGEST));
        }
    }

    pub(super) fn committed(&mut self, took: Duration) {
        if connection::has_waited() {
            self.until = Some(monotonic() + WATCHFUL);
        }
        self.took = took;
    }
}
