//! What a client library must see, whichever it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use blockqueue::{
    ClaimOptions, Delivery, NewSubscriber, NewTopic, Page, Queue, RetryPolicy, SubscriberOptions,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, Running};

/// Longer than anything should take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Scenario {
    queue: Queue,
    client: Running,
    _folder: TempDir,
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "how long a client waits is what is tested")]
    Instant::now()
}

impl Scenario {
    pub(crate) fn new(library: Client) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let app = rusqlite::Connection::open(&path).unwrap();
        app.execute_batch("CREATE TABLE app (x TEXT PRIMARY KEY)").unwrap();
        drop(app);
        let queue = Queue::open(&path).unwrap();
        let retry = RetryPolicy::default().with_initial(Duration::ZERO).with_jitter(0.0);
        let options = SubscriberOptions::default().with_retry(retry);
        let subscriber = NewSubscriber::new("s").with_options(options);
        queue.create_topic(NewTopic::new("t").with_subscriber(subscriber)).wait().unwrap();
        let client = library.start(&path);
        Self { queue, client, _folder: folder }
    }

    pub(crate) fn version(&mut self) -> String {
        let answer = self.client.try_ask(&json!({"do": "version"})).unwrap();
        answer.get("version").and_then(Value::as_str).unwrap().to_owned()
    }

    fn claim(&self, wait: Duration) -> Vec<Delivery> {
        let options = ClaimOptions::default().with_limit(100_usize).with_wait(wait);
        self.queue.claim("t", "s", &options).wait().unwrap()
    }

    /// The one delivery that is there or comes; it is acked.
    fn receive(&self) -> String {
        let claimed = self.claim(PATIENCE);
        let [delivery] = claimed.as_slice() else { panic!("{claimed:?}") };
        self.queue.ack(&delivery.receipt).wait().unwrap();
        String::from_utf8(delivery.payload.clone()).unwrap()
    }

    /// A delivery of a message that the engine published.
    fn leased(&self, payload: &str) -> Delivery {
        self.queue.publish("t", payload).wait().unwrap();
        self.claim(PATIENCE).remove(0)
    }

    fn assert_nothing_left(&self) {
        assert_eq!(self.claim(Duration::ZERO), []);
        let stats = self.queue.subscriber_stats("t", "s").wait().unwrap();
        let left = (stats.pending_count, stats.leased_count, stats.retrying_count);
        assert_eq!(left, (0, 0, 0));
    }

    fn ack(&mut self, delivery: &Delivery) -> Result<Value, String> {
        let receipt = delivery.receipt.to_string();
        self.client.try_ask(&json!({"do": "ack", "receipt": receipt}))
    }

    fn nack(&mut self, delivery: &Delivery, error: &str) -> Result<Value, String> {
        let receipt = delivery.receipt.to_string();
        self.client.try_ask(&json!({"do": "nack", "receipt": receipt, "error": error}))
    }

    /// The application's rows.
    fn count(&mut self) -> i64 {
        self.client.run("begin");
        let rows = self.client.read();
        self.client.run("rollback");
        rows
    }

    pub(crate) fn a_commit_delivers(&mut self) {
        let before = self.count();
        self.client.run("begin");
        self.client.app("a_commit_delivers");
        let published = self.client.publish("t", "committed \u{1f600}").unwrap();
        let rows = published.get("rows").and_then(Value::as_i64);
        assert_eq!(rows, Some(0), "SQLite counts no rows for a view");
        let pending = || self.queue.subscriber_stats("t", "s").wait().unwrap().pending_count;
        assert_eq!(pending(), 0, "it is not committed yet");
        self.client.run("commit");
        assert_eq!(self.receive(), "committed \u{1f600}");
        assert_eq!(self.count(), before + 1);
        self.assert_nothing_left();
    }

    pub(crate) fn a_rollback_leaves_nothing(&mut self) {
        let before = self.count();
        self.client.run("begin");
        self.client.app("a_rollback_leaves_nothing");
        self.client.publish("t", "rolled back").unwrap();
        self.client.run("rollback");
        assert_eq!(self.count(), before);
        self.queue.publish("t", "after it").wait().unwrap();
        assert_eq!(self.receive(), "after it");
        self.assert_nothing_left();
    }

    pub(crate) fn a_waiting_claim_wakes_up(&mut self) {
        let options = ClaimOptions::default().with_wait(PATIENCE);
        for number in 0..20 {
            let waiting = self.queue.claim("t", "s", &options);
            self.client.run("begin");
            self.client.publish("t", &number.to_string()).unwrap();
            self.client.run("commit");
            let committed = now();
            let claimed = waiting.wait().unwrap();
            let took = committed.elapsed();
            assert_eq!(claimed.len(), 1);
            self.queue.ack(&claimed.first().unwrap().receipt).wait().unwrap();
            assert!(took < Duration::from_secs(1), "it took {took:?}");
        }
    }

    pub(crate) fn a_wrong_topic_aborts_readably(&mut self) {
        self.client.run("begin");
        let error = self.client.publish("no such topic", "x").unwrap_err();
        assert!(error.contains("unknown_topic: there is no topic of this name"), "{error}");
        self.client.run("rollback");
        self.client.run("begin");
        self.client.publish("t", "right").unwrap();
        self.client.run("commit");
        assert_eq!(self.receive(), "right");
    }

    pub(crate) fn an_ack_is_part_of_the_transaction(&mut self) {
        let delivery = self.leased("to be acked");
        self.client.run("begin");
        self.ack(&delivery).unwrap();
        self.client.run("rollback");
        let extended = self.queue.extend(&delivery.receipt, Duration::from_mins(1));
        extended.wait().unwrap();
        let acked = self.queue.subscriber_stats("t", "s").wait().unwrap().acked_count;
        self.client.run("begin");
        self.client.app("an_ack_is_part_of_the_transaction");
        self.ack(&delivery).unwrap();
        self.client.publish("t", "what came of it").unwrap();
        self.client.run("commit");
        assert_eq!(self.receive(), "what came of it");
        let stats = self.queue.subscriber_stats("t", "s").wait().unwrap();
        assert_eq!(stats.acked_count, acked + 2);
        self.assert_nothing_left();
    }

    pub(crate) fn a_nack_is_part_of_the_transaction(&mut self) {
        let delivery = self.leased("to be nacked");
        self.client.run("begin");
        self.nack(&delivery, "no luck").unwrap();
        self.client.run("commit");
        let again = self.claim(PATIENCE).remove(0);
        assert_eq!((again.message_id, again.attempt), (delivery.message_id, 2));
        let failures = self.queue.failures("t", "s", again.message_id, Page::default());
        let failures = failures.wait().unwrap().items;
        let errors: Vec<_> = failures.iter().map(|failure| failure.error.as_deref()).collect();
        assert_eq!(errors, [Some("no luck")]);
        self.queue.ack(&again.receipt).wait().unwrap();
        self.assert_nothing_left();
    }

    pub(crate) fn a_lost_lease_aborts(&mut self) {
        self.queue.publish("t", "to be lost").wait().unwrap();
        let short = ClaimOptions::default().with_lease(Duration::from_millis(1));
        let old = self.queue.claim("t", "s", &short).wait().unwrap().remove(0);
        let new = self.claim(PATIENCE).remove(0);
        self.client.run("begin");
        let error = self.ack(&old).unwrap_err();
        assert!(error.contains("lease_lost: "), "{error}");
        self.client.run("rollback");
        self.client.run("begin");
        self.ack(&new).unwrap();
        self.client.run("commit");
        self.queue.publish("t", "after it").wait().unwrap();
        assert_eq!(self.receive(), "after it");
        self.assert_nothing_left();
    }

    pub(crate) fn reading_first_fails_at_once_if_somebody_commits(&mut self) {
        self.client.run("begin_deferred");
        self.client.read();
        self.queue.publish("t", "in between").wait().unwrap();
        let started = now();
        let error = self.client.publish("t", "too late").unwrap_err();
        assert!(error.contains("database is locked"), "{error}");
        let took = started.elapsed();
        assert!(
            took < Duration::from_secs(5),
            "its timeout of 10 s does not count, but it took {took:?}"
        );
        self.client.run("rollback");
        assert_eq!(self.receive(), "in between");
        self.assert_nothing_left();
    }

    pub(crate) fn an_immediate_transaction_may_read_first(&mut self) {
        self.while_the_engine_commits("begin", |client| {
            client.read();
        });
    }

    pub(crate) fn a_deferred_transaction_may_write_first(&mut self) {
        self.while_the_engine_commits("begin_deferred", |_| ());
    }

    /// Twenty transactions, while the engine commits one after the other.
    fn while_the_engine_commits(&mut self, begin: &str, first: impl Fn(&mut Running)) {
        let over = AtomicBool::new(false);
        let (queue, client) = (&self.queue, &mut self.client);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    queue.publish("t", "engine").wait().unwrap();
                }
            });
            let _over = OnDrop(|| over.store(true, Ordering::Relaxed));
            for _ in 0..20 {
                client.run(begin);
                first(client);
                client.publish("t", "client").unwrap();
                client.run("commit");
            }
        });
        let mut of_the_client = 0;
        loop {
            let claimed = self.claim(Duration::ZERO);
            if claimed.is_empty() {
                break;
            }
            of_the_client += claimed.iter().filter(|one| one.payload == b"client").count();
            let receipts: Vec<_> = claimed.iter().map(|one| one.receipt).collect();
            self.queue.ack_batch(&receipts).wait().unwrap();
        }
        assert_eq!(of_the_client, 20);
        self.assert_nothing_left();
    }

    pub(crate) fn everything_arrives_once_and_in_order_while_the_engine_writes(&mut self) {
        const TRANSACTIONS: usize = 50;
        let (queue, client) = (&self.queue, &mut self.client);
        let seen = thread::scope(|scope| {
            let consumer = scope.spawn(|| {
                let mut seen = Vec::new();
                let options = ClaimOptions::default().with_limit(7_usize).with_wait(PATIENCE);
                while seen.len() < 2 * TRANSACTIONS {
                    let claimed = queue.claim("t", "s", &options).wait().unwrap();
                    assert!(!claimed.is_empty(), "waited in vain after {seen:?}");
                    for delivery in claimed {
                        queue.ack(&delivery.receipt).wait().unwrap();
                        seen.push(String::from_utf8(delivery.payload).unwrap());
                    }
                }
                seen
            });
            for number in 0..TRANSACTIONS {
                client.run("begin");
                client.publish("t", &format!("{number:03} a")).unwrap();
                client.publish("t", &format!("{number:03} b")).unwrap();
                client.run("commit");
            }
            consumer.join().unwrap()
        });
        let expected = (0..TRANSACTIONS).flat_map(|n| [format!("{n:03} a"), format!("{n:03} b")]);
        assert_eq!(seen, expected.collect::<Vec<_>>());
        self.assert_nothing_left();
    }

    pub(crate) fn finish(self) {
        self.client.finish();
        assert_eq!(self.queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
        self.queue.shutdown().wait().unwrap();
    }
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
