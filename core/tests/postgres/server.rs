//! The server to test on, and queues on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use blockqueue::{Message, NewSubscriber, NewTopic, Queue};
use tokio_postgres::{Client, NoTls};

/// The server's address, with a parameter and without a schema: the stage `stores` starts one, and fails if it cannot.
pub(crate) fn address() -> Option<String> {
    let address = std::env::var("BLOCKQUEUE_TEST_POSTGRES").ok();
    if address.is_none() {
        eprintln!("SKIPPED: BLOCKQUEUE_TEST_POSTGRES names no PostgreSQL server");
    }
    address
}

/// A name that no schema has.
pub(crate) fn fresh_schema() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    format!("test_{}_{process}_{number}", UNIX_EPOCH.elapsed().unwrap().as_millis())
}

pub(crate) fn with_schema(address: &str, schema: &str) -> String {
    format!("{address}&schema={schema}")
}

/// A queue with topic `t` and subscriber `s`.
pub(crate) fn queue(address: &str) -> Queue {
    let queue = Queue::open(address).unwrap();
    let topic = NewTopic::new("t").with_subscriber(NewSubscriber::new("s"));
    queue.create_topic(topic).wait().unwrap();
    queue
}

pub(crate) fn numbered(number: usize) -> Message {
    Message::new(number.to_string())
}

/// A connection of an application's own.
pub(crate) struct Application {
    runtime: tokio::runtime::Runtime,
    pub client: Client,
}

impl Application {
    pub(crate) fn connect(address: &str, schema: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (client, connection) =
            runtime.block_on(tokio_postgres::connect(address, NoTls)).unwrap();
        runtime.spawn(connection);
        let application = Self { runtime, client };
        application.run(&format!("SET search_path TO {schema}")).unwrap();
        application
    }

    pub(crate) fn run(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.runtime.block_on(self.client.batch_execute(sql))
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.runtime.block_on(self.client.query_one(sql, &[])).unwrap().get(0)
    }
}

/// Waits until something holds.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        std::thread::yield_now();
    }
}
