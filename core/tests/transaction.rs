//! Transactions on the queue's own connection.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use blockqueue::{
    ClaimOptions, Error, Message, NackOptions, NewTopic, Queue, SqlValue, Transaction,
    TransactionOptions,
};

/// A queue in memory with a topic, a subscriber and a table of the application's.
fn queue() -> Queue {
    let queue = Queue::open(":memory:").unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let transaction = begin(&queue);
    transaction.execute("CREATE TABLE app (x PRIMARY KEY)", []).wait().unwrap();
    transaction.commit().wait().unwrap();
    queue
}

fn begin(queue: &Queue) -> Transaction {
    queue.transaction(TransactionOptions::default()).wait().unwrap()
}

fn claim(queue: &Queue) -> Vec<blockqueue::Delivery> {
    queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap()
}

fn rows(queue: &Queue) -> Vec<Vec<SqlValue>> {
    begin(queue).query("SELECT x FROM app ORDER BY x", []).wait().unwrap().rows
}

fn integers(values: &[i64]) -> Vec<Vec<SqlValue>> {
    values.iter().map(|value| vec![SqlValue::Integer(*value)]).collect()
}

const INSERT: &str = "INSERT INTO app VALUES (?1)";

fn assert_send<T: Send>(_: &T) {}

#[test]
fn rows_and_messages_are_committed_together() {
    let queue = queue();
    let transaction = begin(&queue);
    assert_send(&transaction);
    assert_eq!(transaction.execute(INSERT, [1.into()]).wait().unwrap(), 1);
    let published = transaction.publish("t", "x").wait().unwrap();
    transaction.commit().wait().unwrap();
    let delivery = claim(&queue).remove(0);
    assert_eq!(delivery.message_id, published.id, "its id was known before the commit");

    let transaction = begin(&queue);
    transaction.execute(INSERT, [2.into()]).wait().unwrap();
    transaction.ack(&delivery.receipt).wait().unwrap();
    transaction.publish_batch("t", vec![Message::new("y"), Message::new("z")]).wait().unwrap();
    transaction.commit().wait().unwrap();
    assert_eq!(claim(&queue).len(), 2);
    assert_eq!(rows(&queue), integers(&[1, 2]));
    assert_eq!(queue.subscriber_stats("t", "s").wait().unwrap().acked_count, 1);
}

#[test]
fn neither_is_there_after_a_rollback_or_a_drop() {
    let queue = queue();
    queue.publish("t", "x").wait().unwrap();
    let delivery = claim(&queue).remove(0);
    let work = |transaction: &Transaction| {
        transaction.execute(INSERT, [1.into()]).wait().unwrap();
        transaction.publish("t", "y").wait().unwrap();
        transaction.ack(&delivery.receipt).wait().unwrap();
    };
    let transaction = begin(&queue);
    work(&transaction);
    transaction.rollback().wait().unwrap();
    let transaction = begin(&queue);
    work(&transaction);
    drop(transaction);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let transaction = begin(&queue);
        work(&transaction);
        panic!("in the middle");
    }));
    panicked.unwrap_err();
    assert_eq!(rows(&queue), integers(&[]));
    assert_eq!(claim(&queue), []);
    queue.ack(&delivery.receipt).wait().unwrap();
    assert_eq!(queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
}

#[test]
fn a_waiting_claim_is_filled_by_the_commit() {
    let queue = queue();
    let waiting = queue.claim("t", "s", &ClaimOptions::default().with_wait(Duration::from_mins(1)));
    let transaction = begin(&queue);
    transaction.publish("t", "x").wait().unwrap();
    transaction.commit().wait().unwrap();
    assert_eq!(waiting.wait().unwrap().len(), 1);
}

#[test]
fn the_views_of_the_contract_work_in_it() {
    let queue = queue();
    queue.publish("t", "x").wait().unwrap();
    let receipt = claim(&queue).remove(0).receipt.to_string();
    let transaction = begin(&queue);
    let publish = "INSERT INTO blockqueue_publish (topic, payload) VALUES (?1, ?2)";
    transaction.execute(publish, ["t".into(), "y".into()]).wait().unwrap();
    let ack = "INSERT INTO blockqueue_ack (receipt) VALUES (?1)";
    transaction.execute(ack, [receipt.as_str().into()]).wait().unwrap();
    let unknown = transaction.execute(publish, ["u".into(), "y".into()]).wait().unwrap_err();
    assert!(unknown.to_string().contains("unknown_topic: "), "{unknown}");
    transaction.commit().wait().unwrap();
    assert_eq!(claim(&queue).len(), 1);
    assert_eq!(queue.subscriber_stats("t", "s").wait().unwrap().acked_count, 1);
}

#[test]
fn what_fails_fails_alone() {
    let queue = queue();
    let transaction = begin(&queue);
    transaction.execute(INSERT, [1.into()]).wait().unwrap();
    let twice = transaction.execute(INSERT, [1.into()]).wait().unwrap_err();
    // SQLITE_CONSTRAINT_PRIMARYKEY
    assert!(matches!(twice, Error::SqlFailed { code: 1555, .. }), "{twice:?}");
    for (sql, count) in [("nonsense", 0), ("SELECT 1; SELECT 2", 0), ("SELECT ?1", 2), ("", 0)] {
        let values = vec![SqlValue::Null; count];
        let failed = transaction.query(sql, values).wait().unwrap_err();
        assert_eq!(failed.code(), "sql_failed", "{sql}: {failed}");
    }
    assert_eq!(transaction.publish("u", "x").wait().unwrap_err().code(), "unknown_topic");
    transaction.publish("t", "x").wait().unwrap();
    transaction.commit().wait().unwrap();
    assert_eq!(rows(&queue), integers(&[1]));
    assert_eq!(claim(&queue).len(), 1);
}

#[test]
fn statements_keep_to_their_place() {
    let queue = queue();
    let transaction = begin(&queue);
    for sql in [
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT a",
        "PRAGMA user_version = 1",
        "ATTACH ':memory:' AS other",
        "SELECT * FROM blockqueue_message",
        "DELETE FROM blockqueue_topic",
        "DROP VIEW blockqueue_publish",
    ] {
        let refused = transaction.query(sql, []).wait().unwrap_err();
        assert_eq!(refused.code(), "sql_failed", "{sql}: {refused}");
    }
    transaction.publish("t", "x").wait().unwrap();
    transaction.commit().wait().unwrap();
    assert_eq!(claim(&queue).len(), 1);
}

#[test]
fn a_statement_that_ends_the_transaction_ends_it_for_good() {
    let queue = queue();
    let transaction = begin(&queue);
    transaction.execute(INSERT, [1.into()]).wait().unwrap();
    transaction.publish("t", "x").wait().unwrap();
    let insert = "INSERT OR ROLLBACK INTO app VALUES (1)";
    let failed = transaction.execute(insert, []).wait().unwrap_err();
    assert_eq!(failed.code(), "sql_failed");
    assert_eq!(transaction.execute(INSERT, [2.into()]).wait(), Err(Error::TransactionEnded));
    assert_eq!(transaction.commit().wait(), Err(Error::TransactionEnded));
    assert_eq!(rows(&queue), integers(&[]));
    assert_eq!(claim(&queue), []);
}

#[test]
fn past_its_deadline_it_is_rolled_back() {
    let queue = queue();
    let options = TransactionOptions::default().with_deadline(Duration::from_millis(50));
    let transaction = queue.transaction(options).wait().unwrap();
    transaction.execute(INSERT, [1.into()]).wait().unwrap();
    let other = queue.clone();
    // Another thread waits no longer than the deadline.
    thread::spawn(move || other.publish("t", "x").wait().unwrap()).join().unwrap();
    assert_eq!(transaction.publish("t", "y").wait(), Err(Error::TransactionEnded));
    assert_eq!(transaction.commit().wait(), Err(Error::TransactionEnded));
    assert_eq!(rows(&queue), integers(&[]));
    assert_eq!(claim(&queue).len(), 1);
}

#[test]
fn an_endless_statement_ends_at_the_deadline() {
    let queue = queue();
    let options = TransactionOptions::default().with_deadline(Duration::from_millis(50));
    let transaction = queue.transaction(options).wait().unwrap();
    let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                   SELECT count(*) FROM n";
    assert_eq!(transaction.query(endless, []).wait(), Err(Error::TransactionEnded));
    drop(transaction);
    queue.publish("t", "x").wait().unwrap();
}

#[test]
fn the_thread_that_owns_it_is_told_instead_of_waiting_for_itself() {
    let queue = queue();
    let transaction = begin(&queue);
    assert_eq!(queue.publish("t", "x").wait(), Err(Error::InTransaction));
    assert_eq!(queue.topic("t").wait(), Err(Error::InTransaction));
    assert_eq!(queue.shutdown().wait(), Err(Error::InTransaction));
    let nested = queue.transaction(TransactionOptions::default());
    assert_eq!(nested.wait().unwrap_err(), Error::InTransaction);
    // Moved to another thread, it is that thread's.
    let other = queue.clone();
    let (transaction, refused) = thread::spawn(move || {
        transaction.execute(INSERT, [1.into()]).wait().unwrap();
        let refused = other.publish("t", "x").wait();
        (transaction, refused)
    })
    .join()
    .unwrap();
    assert_eq!(refused, Err(Error::InTransaction));
    let published = queue.publish("t", "y");
    transaction.commit().wait().unwrap();
    published.wait().unwrap();
    queue.publish("t", "z").wait().unwrap();
    drop(begin(&queue));
    queue.publish("t", "at once").wait().unwrap();
    assert_eq!(claim(&queue).len(), 3);
}

/// Waits for a future as an executor would, on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_task_that_awaits_owns_no_thread_and_is_stopped_by_the_deadline() {
    let queue = queue();
    block_on(async {
        let options = TransactionOptions::default().with_deadline(Duration::from_millis(50));
        let transaction = queue.transaction(options).await.unwrap();
        transaction.execute(INSERT, [1.into()]).await.unwrap();
        // Another task on this thread could be the one that calls: it waits for its turn.
        queue.publish("t", "x").await.unwrap();
        assert_eq!(transaction.commit().await, Err(Error::TransactionEnded));
        let transaction = queue.transaction(TransactionOptions::default()).await.unwrap();
        transaction.execute(INSERT, [2.into()]).await.unwrap();
        transaction.commit().await.unwrap();
    });
    assert_eq!(rows(&queue), integers(&[2]));
    assert_eq!(claim(&queue).len(), 1);
}

#[test]
fn one_that_nobody_waited_for_is_over_at_once() {
    let queue = queue();
    drop(queue.transaction(TransactionOptions::default()));
    queue.publish("t", "x").wait().unwrap();
    let transaction = begin(&queue);
    transaction.execute(INSERT, [1.into()]).wait().unwrap();
    drop(transaction.commit());
    assert_eq!(rows(&queue), integers(&[1]), "the commit was handed over");
}

#[test]
fn transactions_take_turns() {
    let queue = queue();
    thread::scope(|scope| {
        for worker in 0..8 {
            let queue = &queue;
            scope.spawn(move || {
                for _ in 0..20 {
                    let transaction = begin(queue);
                    let next = "INSERT INTO app SELECT coalesce(max(x), 0) + 1 FROM app";
                    transaction.execute(next, []).wait().unwrap();
                    transaction.publish("t", worker.to_string()).wait().unwrap();
                    transaction.commit().wait().unwrap();
                    queue.publish("t", "in between").wait().unwrap();
                }
            });
        }
    });
    assert_eq!(rows(&queue), integers(&(1..=160).collect::<Vec<_>>()));
    let stats = queue.topic_stats("t").wait().unwrap();
    assert_eq!(stats.published_count, 320);
}

#[test]
fn every_kind_of_value_goes_in_and_comes_out() {
    let queue = queue();
    let transaction = begin(&queue);
    let values = vec![
        SqlValue::Null,
        SqlValue::Integer(i64::MIN),
        SqlValue::Real(0.5),
        "text \u{1f600}".into(),
        vec![0_u8, 255].into(),
    ];
    let sql = "SELECT ?1 AS a, ?2 AS b, ?3 AS c, ?4 AS d, ?5 AS e";
    let answer = transaction.query(sql, values.clone()).wait().unwrap();
    assert_eq!(answer.columns, ["a", "b", "c", "d", "e"]);
    assert_eq!(answer.rows, [values]);
    let many = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
    assert_eq!(transaction.query(many, []).wait().unwrap_err().code(), "limit_exceeded");
}

#[test]
fn settlements_in_it_are_those_of_the_queue() {
    let queue = queue();
    let messages = ["nack", "defer", "extend", "cancel"].map(Message::from);
    queue.publish_batch("t", messages.into()).wait().unwrap();
    let claimed = claim(&queue);
    let [nack, defer, extend, cancel] = claimed.as_slice() else { panic!("{claimed:?}") };
    let transaction = begin(&queue);
    transaction.nack(&nack.receipt, &NackOptions::default()).wait().unwrap();
    transaction.defer(&defer.receipt, Duration::from_hours(1)).wait().unwrap();
    transaction.extend(&extend.receipt, Duration::from_hours(1)).wait().unwrap();
    transaction.cancel(&cancel.receipt, Some("no use")).wait().unwrap();
    let again = transaction.ack(&cancel.receipt).wait().unwrap_err();
    assert_eq!(again, Error::LeaseLost { id: cancel.message_id });
    transaction.commit().wait().unwrap();
    let stats = queue.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.leased_count, stats.retrying_count, stats.nacked_count), (1, 2, 1));
    assert_eq!(queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
}

#[test]
fn a_deadline_has_bounds() {
    let queue = queue();
    for deadline in [Duration::ZERO, Duration::from_secs(61)] {
        let options = TransactionOptions::default().with_deadline(deadline);
        let refused = queue.transaction(options).wait().unwrap_err();
        assert_eq!(refused.code(), "invalid_argument");
    }
}

#[test]
fn however_many_transactions_wait_others_get_in_between() {
    /// More than one group takes.
    const MANY: usize = 5_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let (queue, other) = (Queue::open(&file).unwrap(), Queue::open(&file).unwrap());
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let mut waiting: Vec<_> =
        (0..MANY).map(|_| queue.transaction(TransactionOptions::default())).collect();
    let published = other.publish("t", "x");
    // A turn for each group that they make.
    for _ in 0..2 {
        waiting.remove(0).wait().unwrap().commit().wait().unwrap();
    }
    let third = waiting.remove(0).wait().unwrap();
    published.wait().unwrap();
    // It would have been over if it had been waited for.
    third.commit().wait().unwrap();
}
