//! Carries out the operations of the scripts on a [`Queue`].

use std::path::PathBuf;
#[cfg(feature = "postgres")]
use std::sync::atomic::{AtomicU64, Ordering};
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
    place: Place,
}

/// Where the queue is.
enum Place {
    Memory,
    File(TempDir),
    /// In a schema of its own.
    #[cfg(feature = "postgres")]
    Server(String),
}

impl Place {
    fn address(&self) -> PathBuf {
        match self {
            Self::Memory => ":memory:".into(),
            Self::File(directory) => directory.path().join("queue.db"),
            #[cfg(feature = "postgres")]
            Self::Server(address) => address.into(),
        }
    }
}

impl CoreFace {
    pub(crate) fn in_memory() -> Self {
        Self::new(Place::Memory)
    }

    pub(crate) fn in_file() -> Self {
        Self::new(Place::File(tempfile::tempdir().unwrap()))
    }

    /// On the server at this address, which may have schemas of earlier ones.
    #[cfg(feature = "postgres")]
    pub(crate) fn on_server(address: &str) -> Self {
        static SCHEMAS: AtomicU64 = AtomicU64::new(0);
        let (process, number) = (std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
        let start = UNIX_EPOCH.elapsed().unwrap().as_millis();
        let schema = format!("conformance_{start}_{process}_{number}");
        Self::new(Place::Server(format!("{address}?schema={schema}")))
    }

    fn new(place: Place) -> Self {
        let clock = TestClock::new(UNIX_EPOCH + Duration::from_millis(START_MS.unsigned_abs()));
        let queue = RwLock::new(open(&place, &clock));
        Self { queue, clock, place }
    }

    fn queue(&self) -> Queue {
        self.queue.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reopen(&self) {
        let mut queue = self.queue.write().unwrap_or_else(PoisonError::into_inner);
        queue.shutdown().wait().unwrap();
        *queue = open(&self.place, &self.clock);
    }
}

fn open(place: &Place, clock: &TestClock) -> Queue {
    Queue::open_with(place.address(), OpenOptions::default().with_clock(clock.clone())).unwrap()
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
            Feature::Reopen => !matches!(self.place, Place::Memory),
            // A `Duration` has no sign.
            Feature::NegativeDurations => false,
            // PostgreSQL has no such text.
            Feature::ZeroInText => matches!(self.place, Place::Memory | Place::File(_)),
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
