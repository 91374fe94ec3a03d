//! Carries out the operations of the scripts on a [`Queue`].

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, UNIX_EPOCH};

use blockqueue::{Error, OpenOptions, Queue, TestClock};
use blockqueue_conformance::{Face, Feature, Operation, Refusal, START_MS};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::operations::perform;

/// A queue of its own, whose clock the script moves.
pub(crate) struct CoreFace {
    queue: RwLock<Queue>,
    clock: TestClock,
    /// Holds the file; `None` in memory.
    directory: Option<TempDir>,
}

impl CoreFace {
    pub(crate) fn in_memory() -> Self {
        Self::new(None)
    }

    pub(crate) fn in_file() -> Self {
        Self::new(Some(tempfile::tempdir().unwrap()))
    }

    fn new(directory: Option<TempDir>) -> Self {
        let clock = TestClock::new(UNIX_EPOCH + Duration::from_millis(START_MS.unsigned_abs()));
        let queue = RwLock::new(open(directory.as_ref(), &clock));
        Self { queue, clock, directory }
    }

    fn queue(&self) -> Queue {
        self.queue.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reopen(&self) {
        let mut queue = self.queue.write().unwrap_or_else(PoisonError::into_inner);
        queue.shutdown().wait().unwrap();
        *queue = open(self.directory.as_ref(), &self.clock);
    }
}

fn open(directory: Option<&TempDir>, clock: &TestClock) -> Queue {
    let options = OpenOptions::default().with_clock(clock.clone());
    match directory {
        Some(directory) => Queue::open_with(directory.path().join("queue.db"), options),
        None => Queue::open_with(":memory:", options),
    }
    .unwrap()
}

impl Face for CoreFace {
    fn perform(&self, operation: &Operation) -> Result<Value, Refusal> {
        if *operation == (Operation::Reopen {}) {
            self.reopen();
            return Ok(json!({}));
        }
        perform(&self.queue(), operation).map_err(|error| refusal(&error))
    }

    fn set_clock(&self, at_ms: i64) {
        self.clock.set(UNIX_EPOCH + Duration::from_millis(at_ms.unsigned_abs()));
    }

    fn has(&self, feature: Feature) -> bool {
        match feature {
            Feature::Reopen => self.directory.is_some(),
            // A `Duration` has no sign.
            Feature::NegativeDurations => false,
            Feature::ZeroInText => true,
        }
    }

    fn close(&self) {
        // A script may have shut it down already.
        let _ = self.queue().shutdown().wait();
    }
}

fn refusal(error: &Error) -> Refusal {
    let index = match error {
        Error::IdempotencyConflict { index, .. } | Error::UniqueConflict { index, .. } => {
            Some(*index)
        }
        _ => None,
    };
    Refusal { code: error.code().to_owned(), index, detail: error.to_string() }
}
