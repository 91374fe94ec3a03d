//! Asks the server for news while somebody waits, on a thread and a connection of its own.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::types::Value;

use super::hrana::{Came, Client, Step};
use crate::clock::monotonic;
use crate::entropy;
use crate::process::watch::Sign;
use crate::store::{Ask, Heard};

/// How long it goes on asking after somebody was last waiting: longer than the pause between two looks.
const ARMED: Duration = Duration::from_secs(3);
/// The longest pause after failures.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// As long as it is there, there is a thread that may ask.
pub(super) struct Poll(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    until: Option<Instant>,
    has_ended: bool,
}

impl fmt::Debug for Poll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Poll")
    }
}

impl Poll {
    /// Calls `heard`, and sets `changed`, when there is a version beyond the one that is known here, or when that
    /// one is gone.
    pub(super) fn start(
        client: Client,
        every: Duration,
        known: Arc<AtomicI64>,
        changed: Arc<AtomicBool>,
        heard: Heard,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let poll = Self(Arc::clone(&shared));
        thread::Builder::new().name("blockqueue-poll".into()).spawn(move || {
            let mut asking = Asking { client, known, failures: 0 };
            while shared.wait(asking.pause(every)) {
                if asking.has_news() {
                    changed.store(true, Ordering::Release);
                    heard(Sign::Commit);
                }
            }
        })?;
        Ok(poll)
    }
}

impl Ask for Poll {
    fn arm(&self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let was_armed = state.until.is_some();
        state.until = Some(monotonic() + ARMED);
        if !was_armed {
            self.0.moved.notify_all();
        }
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).has_ended = true;
        self.0.moved.notify_all();
    }
}

impl Shared {
    /// Until it is time to ask. `false`: this is the end.
    fn wait(&self, pause: Duration) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let at = monotonic() + pause;
        loop {
            if state.has_ended {
                return false;
            }
            let now = monotonic();
            if state.until.is_some_and(|until| until <= now) {
                state.until = None;
            }
            if state.until.is_none() {
                state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else if now >= at {
                return true;
            } else {
                let waited = self.moved.wait_timeout(state, at - now);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

struct Asking {
    client: Client,
    known: Arc<AtomicI64>,
    failures: u32,
}

impl Asking {
    /// With jitter: engines that were started together do not ask together.
    fn pause(&self, every: Duration) -> Duration {
        let longer = every.saturating_mul(1 << self.failures.min(10)).min(every.max(PAUSE_MAX));
        longer.mul_f64(0.75 + entropy::unit() / 2.0)
    }

    fn has_news(&mut self) -> bool {
        let before = self.known.load(Ordering::Acquire);
        let sql = include_str!("../../../sql/turso/poll.sql");
        let came = self.client.run(&[Step::new(sql, Vec::new())]);
        let newest = match came.as_deref() {
            Ok([Came::Rows(rows)]) => match rows.first().map(Vec::as_slice) {
                Some([Value::Integer(newest)]) => Some(*newest),
                _ => None,
            },
            _ => None,
        };
        self.failures = newest.map_or(self.failures.saturating_add(1), |_| 0);
        newest.is_some_and(|newest| newest < before || newest > self.known.load(Ordering::Acquire))
    }
}
