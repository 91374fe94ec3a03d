//! Carries out the operations of the scripts on a [`Queue`].

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, UNIX_EPOCH};

use blockqueue::{CopyOptions, Error, OpenOptions, Page, Queue, TestClock, TopicChange, copy};
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
    /// In a database of its own.
    #[cfg(feature = "turso")]
    Libsql(String),
    /// In two files, by the map in this directory.
    Shards(TempDir),
    /// Copied to the next place whenever it is opened again.
    Moving(Moving),
}

/// Where a queue is that moves from file to file, or between files and a server.
struct Moving {
    directory: TempDir,
    /// Addresses of schemas begin with this.
    server: Option<String>,
    moves: AtomicU64,
}

impl Moving {
    fn address(&self) -> PathBuf {
        let moves = self.moves.load(Ordering::Relaxed);
        match &self.server {
            Some(server) if moves % 2 == 1 => format!("{server}_{moves}").into(),
            _ => self.directory.path().join(format!("queue-{moves}.db")),
        }
    }

    fn move_on(&self) {
        let from = self.address();
        self.moves.fetch_add(1, Ordering::Relaxed);
        copy(from, self.address(), &CopyOptions::default()).unwrap();
    }
}

impl Place {
    fn address(&self) -> PathBuf {
        match self {
            Self::Memory => ":memory:".into(),
            Self::File(directory) => directory.path().join("queue.db"),
            #[cfg(feature = "postgres")]
            Self::Server(address) => address.into(),
            Self::Shards(directory) => {
                format!("shards://{}", directory.path().join("map.json").display()).into()
            }
            Self::Moving(moving) => moving.address(),
            #[cfg(feature = "turso")]
            Self::Libsql(address) => address.into(),
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

    /// In two files that are one queue; topics between which scripts redrive are in one.
    pub(crate) fn in_shards() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let map = r#"{"databases": {"a": "a.db", "b": "b.db"},
                      "topics": {"t": "a", "u": "a", "full": "a", "repair": "a", "clock": "b"}}"#;
        std::fs::write(directory.path().join("map.json"), map).unwrap();
        Self::new(Place::Shards(directory))
    }

    /// In a file that is copied to another one whenever it is opened again.
    pub(crate) fn moving() -> Self {
        Self::moving_by(None)
    }

    fn moving_by(server: Option<String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::new(Place::Moving(Moving { directory, server, moves: AtomicU64::new(0) }))
    }

    /// On the server at this address, which may have schemas of earlier ones.
    #[cfg(feature = "postgres")]
    pub(crate) fn on_server(address: &str) -> Self {
        Self::new(Place::Server(fresh_schema(address)))
    }

    /// In a file that is copied to the server, and back, and so on, whenever it is opened again.
    #[cfg(feature = "postgres")]
    pub(crate) fn moving_to_server(address: &str) -> Self {
        Self::moving_by(Some(fresh_schema(address)))
    }

    #[cfg(feature = "turso")]
    pub(crate) fn in_libsql(server: &crate::turso::Server) -> Self {
        static DATABASES: AtomicU64 = AtomicU64::new(0);
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        Self::new(Place::Libsql(server.database(&number.to_string())))
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
        if let Place::Moving(moving) = &self.place {
            moving.move_on();
        }
        *queue = open(&self.place, &self.clock);
    }
}

/// The address of a schema that is not there yet.
#[cfg(feature = "postgres")]
fn fresh_schema(server: &str) -> String {
    static SCHEMAS: AtomicU64 = AtomicU64::new(0);
    let (process, number) = (std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
    let start = UNIX_EPOCH.elapsed().unwrap().as_millis();
    format!("{server}&schema=conformance_{start}_{process}_{number}")
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
        if let Place::Shards(_) = &self.place {
            // What is due is done with the next transaction: scripts wait for that in one database only.
            let queue = self.queue();
            for topic in queue.topics(Page::default()).wait().unwrap().items {
                queue.update_topic(&topic.name, TopicChange::default()).wait().unwrap();
            }
        }
    }

    fn has(&self, feature: Feature) -> bool {
        match feature {
            Feature::Reopen => !matches!(self.place, Place::Memory),
            // A `Duration` has no sign.
            Feature::NegativeDurations => false,
            // PostgreSQL has no such text.
            Feature::ZeroInText => match &self.place {
                Place::Memory | Place::File(_) | Place::Shards(_) => true,
                #[cfg(feature = "turso")]
                Place::Libsql(_) => true,
                #[cfg(feature = "postgres")]
                Place::Server(_) => false,
                Place::Moving(moving) => moving.server.is_none(),
            },
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
