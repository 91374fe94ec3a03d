//! When the writer looks whether another process has committed.
//!
//! Owns the watch and the times of looks; does not look itself. Invariant: while claims wait, what is
//! committed after a look wakes the writer.

use std::time::{Duration, Instant};

use crate::clock::monotonic;
use crate::process::watch::Sign;
use crate::store::{Heard, Others, Store};

/// How often, if nobody tells.
const POLL: Duration = Duration::from_millis(20);
/// How often in any case: a signal may be lost with the process that was about to send it, and the clock
/// may have stepped.
const SAFETY: Duration = Duration::from_secs(1);
/// After frames were written to the log: a commit becomes visible behind that, soon or later.
const AFTER_WRITE_MS: [f64; 8] = [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0];
/// The first and the longest rest after looks that found nothing for those who wait here: others who
/// are busy with other topics must not keep this process busy.
const RESTS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(8));

pub(super) struct Lookout {
    /// `None` before the first claim has to wait.
    others: Option<Others>,
    heard: Option<Heard>,
    /// When to look next, whatever is heard.
    next: Instant,
    /// Which of the looks after a write comes next.
    step: Option<usize>,
    /// Not to be disturbed before this.
    resting: Option<Instant>,
    rest: Duration,
}

impl Lookout {
    pub(super) fn new(heard: Heard) -> Self {
        let heard = Some(heard);
        Self { others: None, heard, next: monotonic(), step: None, resting: None, rest: RESTS.0 }
    }

    /// Asks to be told of what happens from here on. The answer is whether it is time to look.
    pub(super) fn arm(&mut self, store: &dyn Store) -> bool {
        if let Some(heard) = self.heard.take() {
            self.others = Some(store.listen(heard));
        }
        let now = monotonic();
        if self.resting.is_some_and(|until| now < until) {
            return false;
        }
        match &self.others {
            Some(Others::Heard(watch)) => {
                // What could not be armed is found by looking more often.
                let is_heard = watch.arm().is_ok();
                self.next = now + if is_heard { SAFETY } else { POLL };
                true
            }
            Some(Others::Asked(asker)) => {
                asker.arm();
                self.next = now + SAFETY;
                true
            }
            Some(Others::Told) => {
                self.next = now + SAFETY;
                true
            }
            Some(Others::Unheard) => {
                self.next = now + POLL;
                true
            }
            Some(Others::Nobody) | None => {
                self.next = now + SAFETY;
                false
            }
        }
    }

    /// Whether it is time to look although no claim waits.
    pub(super) fn glance(&mut self) -> bool {
        let now = monotonic();
        let is_time = self.next <= now;
        if is_time {
            self.next = now + SAFETY;
        }
        is_time
    }

    pub(super) fn heard(&mut self, sign: Sign) {
        match sign {
            Sign::Commit => {}
            // The first look is at once, the others follow.
            Sign::Write => self.step = Some(0),
        }
    }

    /// Nothing has changed since the last look.
    pub(super) fn saw_nothing(&mut self) {
        self.resting = None;
        self.rest = RESTS.0;
        let step = self.step.take();
        if let Some((step, pause)) = step.and_then(|step| Some((step, AFTER_WRITE_MS.get(step)?))) {
            self.step = Some(step + 1);
            self.next = monotonic() + Duration::from_secs_f64(pause / 1_000.0);
        }
    }

    /// Something has changed, for somebody who waits here or not.
    pub(super) fn saw_a_commit(&mut self, is_for_us: bool) {
        self.step = None;
        self.resting = None;
        if is_for_us {
            self.rest = RESTS.0;
            return;
        }
        let until = monotonic() + self.rest;
        self.resting = Some(until);
        self.next = until;
        self.rest = (self.rest * 2).min(RESTS.1);
    }

    /// When to look next, if nothing is heard before.
    pub(super) fn next(&self) -> Instant {
        self.next
    }
}
