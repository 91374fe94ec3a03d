//! The SQL contract on connections of the application's own, in this process and through this SQLite.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use blockqueue::rusqlite::{Connection, Transaction, TransactionBehavior, params};
use blockqueue::{
    BacklogLimit, BacklogPolicy, ClaimOptions, Delivery, DeliveryResult, DeliveryState, Error,
    Message, NackOptions, NewSubscriber, NewTopic, OpenOptions, Page, Queue, Reply, RetryPolicy,
    SubscriberOptions, TestClock, TopicOptions, ack_in, ack_with_result_in, nack_in, publish_in,
};

struct Fixture {
    queue: Queue,
    clock: TestClock,
    app: Connection,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Fixture {
    /// A queue with topic `t` and subscriber `s`, and an application's connection with a table `app`.
    fn new() -> Self {
        Self::with(NewTopic::new("t"))
    }

    fn with(topic: NewTopic) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let clock = TestClock::new(SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 366 * 50));
        let queue = open(&path, &clock);
        let retry = RetryPolicy::default().with_jitter(0.0);
        let options = SubscriberOptions::default().with_max_attempts(3).with_retry(retry);
        let subscriber = NewSubscriber::new("s").with_options(options);
        queue.create_topic(topic.with_subscriber(subscriber)).wait().unwrap();
        let app = Connection::open(&path).unwrap();
        app.busy_timeout(Duration::from_secs(20)).unwrap();
        app.execute_batch("CREATE TABLE app (x)").unwrap();
        Self { queue, clock, app, path, _folder: folder }
    }

    fn begin(&mut self) -> Transaction<'_> {
        self.app.transaction_with_behavior(TransactionBehavior::Immediate).unwrap()
    }

    /// In a transaction that is committed.
    fn sql(&mut self, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<usize> {
        let transaction = self.begin();
        let result = transaction.execute(sql, values);
        transaction.commit().unwrap();
        result
    }

    fn claim(&self) -> Vec<Delivery> {
        let options = ClaimOptions::default().with_limit(1_000_usize);
        self.queue.claim("t", "s", &options).wait().unwrap()
    }

    fn claim_one(&self) -> Delivery {
        let mut claimed = self.claim();
        assert_eq!(claimed.len(), 1, "{claimed:?}");
        claimed.remove(0)
    }

    fn payloads(&self) -> Vec<String> {
        let claimed = self.claim();
        claimed.into_iter().map(|one| String::from_utf8(one.payload).unwrap()).collect()
    }

    fn rejected(&self) -> Vec<(String, Vec<u8>)> {
        let sql = "SELECT code, CAST(payload AS BLOB) FROM blockqueue_rejected ORDER BY id";
        let mut statement = self.app.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }
}

use blockqueue::rusqlite;

fn open(path: &PathBuf, clock: &TestClock) -> Queue {
    Queue::open_with(path, OpenOptions::default().with_clock(clock.clone())).unwrap()
}

fn text(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        other => panic!("{other}"),
    }
}

const PUBLISH: &str = "INSERT INTO blockqueue_publish (topic, payload) VALUES (?1, ?2)";
const ACK: &str = "INSERT INTO blockqueue_ack (receipt) VALUES (?1)";

// --- publish ------------------------------------------------------------------------------------------

#[test]
fn what_is_committed_is_delivered_in_the_order_of_its_statements() {
    let mut t = Fixture::new();
    t.queue.publish("t", "before").wait().unwrap();
    let transaction = t.begin();
    for number in 0..2_500 {
        publish_in(&transaction, "t", number.to_string()).unwrap();
    }
    transaction.commit().unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2_501 {
        let claimed = t.payloads();
        assert!(!claimed.is_empty());
        seen.extend(claimed);
    }
    let expected = (0..2_500).map(|number| number.to_string());
    assert_eq!(seen, ["before".to_owned()].into_iter().chain(expected).collect::<Vec<_>>());
    assert!(t.claim().is_empty());
}

#[test]
fn what_is_rolled_back_is_not_there() {
    let mut t = Fixture::new();
    let transaction = t.begin();
    transaction.execute("INSERT INTO app VALUES (1)", []).unwrap();
    publish_in(&transaction, "t", "x").unwrap();
    transaction.rollback().unwrap();
    assert!(t.claim().is_empty());
    assert_eq!(t.queue.topic_stats("t").wait().unwrap().published_count, 0);
}

#[test]
fn a_waiting_claim_gets_what_an_application_commits() {
    let mut t = Fixture::new();
    let options = ClaimOptions::default().with_wait(Duration::from_mins(1));
    let waiting = t.queue.claim("t", "s", &options);
    t.sql(PUBLISH, ["t", "wake up"]).unwrap();
    assert_eq!(waiting.wait().unwrap().len(), 1);
}

#[test]
fn everything_that_a_message_has_travels_through_sql() {
    let mut t = Fixture::new();
    let message = Message::new(vec![0, 255, 10])
        .with_priority(7)
        .with_content_type("application/x")
        .with_header("a", "b \"quoted\" \u{1f600}")
        .with_correlation_id("c")
        .with_ordering_key("o")
        .with_ttl(Duration::from_mins(2))
        .with_idempotency_key("k");
    let transaction = t.begin();
    publish_in(&transaction, "t", message.clone()).unwrap();
    transaction.commit().unwrap();
    let delivery = t.claim_one();
    assert_eq!(delivery.payload, message.payload);
    assert_eq!(delivery.priority, 7);
    assert_eq!(delivery.content_type.as_deref(), Some("application/x"));
    assert_eq!(delivery.headers, message.headers);
    assert_eq!(delivery.correlation_id.as_deref(), Some("c"));
    assert_eq!(delivery.ordering_key.as_deref(), Some("o"));
    assert_eq!(delivery.expires_at, Some(t.clock.now() + Duration::from_mins(2)));
    let again = t.queue.publish("t", message).wait().unwrap();
    assert!(again.duplicate, "the key is remembered as if it had been published by the queue");
    assert_eq!(again.id, delivery.message_id);
}

#[test]
fn delays_count_from_promotion_and_times_of_delivery_are_times() {
    let mut t = Fixture::new();
    let now = t.clock.now();
    let transaction = t.begin();
    let delayed = Message::new("delayed").with_delay(Duration::from_mins(1));
    publish_in(&transaction, "t", delayed).unwrap();
    let at = now + Duration::from_secs(30);
    publish_in(&transaction, "t", Message::new("at").with_deliver_at(at)).unwrap();
    publish_in(&transaction, "t", Message::new("past").with_deliver_at(SystemTime::UNIX_EPOCH))
        .unwrap();
    transaction.commit().unwrap();
    assert_eq!(t.payloads(), ["past"]);
    t.clock.advance(Duration::from_secs(30));
    assert_eq!(t.payloads(), ["past", "at"], "the first lease has expired as well");
    t.clock.advance(Duration::from_secs(29));
    assert!(!t.payloads().contains(&"delayed".to_owned()));
    t.clock.advance(Duration::from_secs(1));
    assert!(t.payloads().contains(&"delayed".to_owned()));
}

#[test]
fn drivers_may_bind_numbers_as_they_like() {
    let mut t = Fixture::new();
    let sql = "INSERT INTO blockqueue_publish (topic, payload, priority, correlation_id) VALUES ('t', ?1, ?2, ?3)";
    t.sql(sql, params!["text", "5", 42]).unwrap();
    t.sql(sql, params!["real", 5.0, "42"]).unwrap();
    t.sql(sql, params!["integer", 5, "42"]).unwrap();
    let claimed = t.claim();
    assert_eq!(claimed.len(), 3);
    for delivery in claimed {
        assert_eq!((delivery.priority, delivery.correlation_id.as_deref()), (5, Some("42")));
    }
}

#[test]
fn the_statement_fails_with_a_code_and_a_reason_for_people() {
    let mut t = Fixture::new();
    let all = "INSERT INTO blockqueue_publish (topic, payload, priority, delay_ms, deliver_at, headers, \
               content_type, idempotency_key) VALUES (";
    for (values, code) in [
        ("'u', 'x', 0, NULL, NULL, NULL, NULL, NULL", "unknown_topic: "),
        ("NULL, 'x', 0, NULL, NULL, NULL, NULL, NULL", "unknown_topic: "),
        ("'t', NULL, 0, NULL, NULL, NULL, NULL, NULL", "invalid_argument: payload "),
        ("'t', 5, 0, NULL, NULL, NULL, NULL, NULL", "invalid_argument: payload "),
        ("'t', zeroblob(1048577), 0, NULL, NULL, NULL, NULL, NULL", "limit_exceeded: payload "),
        ("'t', 'x', 1001, NULL, NULL, NULL, NULL, NULL", "invalid_argument: priority "),
        ("'t', 'x', -1001, NULL, NULL, NULL, NULL, NULL", "invalid_argument: priority "),
        ("'t', 'x', 'high', NULL, NULL, NULL, NULL, NULL", "invalid_argument: priority "),
        ("'t', 'x', 0.5, NULL, NULL, NULL, NULL, NULL", "invalid_argument: priority "),
        ("'t', 'x', 0, -1, NULL, NULL, NULL, NULL", "invalid_argument: delay_ms "),
        ("'t', 'x', 0, 31622400001, NULL, NULL, NULL, NULL", "invalid_argument: delay_ms "),
        ("'t', 'x', 0, 'soon', NULL, NULL, NULL, NULL", "invalid_argument: delay_ms "),
        ("'t', 'x', 0, 1, 1, NULL, NULL, NULL", "invalid_argument: delay_ms and deliver_at "),
        ("'t', 'x', 0, NULL, '2026-01-01', NULL, NULL, NULL", "invalid_argument: deliver_at "),
        ("'t', 'x', 0, NULL, NULL, '{', NULL, NULL", "invalid_argument: headers "),
        ("'t', 'x', 0, NULL, NULL, '[\"a\"]', NULL, NULL", "invalid_argument: headers "),
        ("'t', 'x', 0, NULL, NULL, '{\"a\": 1}', NULL, NULL", "invalid_argument: headers "),
        ("'t', 'x', 0, NULL, NULL, '{\"\": \"x\"}', NULL, NULL", "invalid_argument: headers "),
        (
            "'t', 'x', 0, NULL, NULL, '{\"a\": \"1\", \"a\": \"2\"}', NULL, NULL",
            "invalid_argument: a header ",
        ),
        ("'t', 'x', 0, NULL, NULL, x'7b7d', NULL, NULL", "invalid_argument: headers "),
        ("'t', 'x', 0, NULL, NULL, NULL, x'00', NULL", "invalid_argument: content_type "),
        (
            "'t', 'x', 0, NULL, NULL, NULL, printf('%.*c', 16385, 'x'), NULL",
            "limit_exceeded: headers",
        ),
        ("'t', 'x', 0, NULL, NULL, NULL, NULL, ''", "invalid_argument: idempotency_key "),
        (
            "'t', 'x', 0, NULL, NULL, NULL, NULL, printf('%.*c', 256, 'x')",
            "limit_exceeded: idempotency_key ",
        ),
    ] {
        let error = t.sql(&format!("{all}{values})"), []).unwrap_err();
        assert!(text(&error).starts_with(code), "{values}: {error}");
    }
    assert!(t.claim().is_empty());
    assert_eq!(t.sql(PUBLISH, ["t", "x"]).unwrap(), 0, "rows of a view are not counted");
    assert_eq!(t.payloads(), ["x"]);
}

#[test]
fn callers_in_rust_get_typed_errors() {
    let mut t = Fixture::new();
    t.queue.publish("t", Message::new("a").with_idempotency_key("k")).wait().unwrap();
    let receipt = t.claim_one().receipt;
    t.queue.ack(&receipt).wait().unwrap();
    let transaction = t.begin();
    let unknown = publish_in(&transaction, "u", "x");
    assert_eq!(unknown, Err(Error::UnknownTopic { topic: "u".into() }));
    let conflict = publish_in(&transaction, "t", Message::new("b").with_idempotency_key("k"));
    assert_eq!(conflict, Err(Error::IdempotencyConflict { index: 0, key: "k".into() }));
    let large = publish_in(&transaction, "t", vec![0; (1 << 20) + 1]);
    let limit = 1 << 20;
    assert_eq!(large, Err(Error::LimitExceeded { what: "payload", actual: limit + 1, limit }));
    assert_eq!(ack_in(&transaction, &receipt), Err(Error::LeaseLost { id: receipt.message_id() }));
    let error = Connection::open_in_memory()
        .unwrap()
        .transaction()
        .map(|empty| publish_in(&empty, "t", "x").unwrap_err().code());
    assert_eq!(error.unwrap(), "sql_failed");
    publish_in(&transaction, "t", Message::new("unique").with_unique_key("k")).unwrap();
    let unique = publish_in(&transaction, "t", Message::new("x").with_unique_key("k"));
    assert_eq!(unique.unwrap_err().code(), "unique_conflict");
    let large = Reply::new(vec![0; (1 << 20) + 1]);
    let large = ack_with_result_in(&transaction, &receipt, &large);
    assert_eq!(large.unwrap_err().code(), "limit_exceeded");
    publish_in(&transaction, "t", "after all that").unwrap();
    transaction.commit().unwrap();
    assert_eq!(t.payloads(), ["unique", "after all that"]);
}

#[test]
fn a_unique_key_travels_through_sql_and_a_message_may_be_acked_with_its_successor() {
    let mut t = Fixture::new();
    let sql = "INSERT INTO blockqueue_publish (topic, payload, unique_key, idempotency_key)
               VALUES ('t', ?1, 'k', ?2)";
    t.sql(sql, params!["1", "a"]).unwrap();
    t.sql(sql, params!["1", "a"]).unwrap();
    let conflict = t.sql(sql, params!["2", None::<String>]).unwrap_err();
    assert!(text(&conflict).starts_with("unique_conflict: "), "against what is staged");
    let first = t.claim_one();
    let conflict = t.queue.publish("t", Message::new("2").with_unique_key("k"));
    assert_eq!(conflict.wait().unwrap_err().code(), "unique_conflict");
    // Nobody could tell while it was staged.
    t.sql(sql, params!["2", None::<String>]).unwrap();
    assert_eq!(t.payloads(), Vec::<String>::new());
    assert_eq!(t.rejected(), [("unique_conflict".to_owned(), b"2".to_vec())]);
    let transaction = t.begin();
    transaction.execute(ACK, [first.receipt.to_string()]).unwrap();
    transaction.execute(sql, params!["3", None::<String>]).unwrap();
    transaction.commit().unwrap();
    assert_eq!(t.payloads(), ["3"]);
    let delayed = Message::new("4").with_unique_key("d").with_delay(Duration::from_secs(1));
    t.queue.publish("t", delayed).wait().unwrap();
    let sql = "INSERT INTO blockqueue_publish (topic, payload, unique_key) VALUES ('t', '5', 'd')";
    let conflict = t.sql(sql, []).unwrap_err();
    assert!(text(&conflict).starts_with("unique_conflict: "), "against what waits for its time");
}

#[test]
fn an_ack_by_sql_may_reply() {
    let mut t = Fixture::new();
    let sql = "INSERT INTO blockqueue_ack (receipt, reply, reply_content_type, reply_ttl_ms)
               VALUES (?1, ?2, 'text/plain', 5000)";
    let id = t.queue.publish("t", "question").wait().unwrap().id;
    let receipt = t.claim_one().receipt;
    let result = t.queue.wait_result("t", "s", id, Duration::from_mins(1));
    t.sql(sql, params![receipt.to_string(), "answer"]).unwrap();
    let DeliveryResult::Replied(reply) = result.wait().unwrap() else { panic!("no reply") };
    assert_eq!(reply.payload, b"answer");
    assert_eq!(reply.content_type.as_deref(), Some("text/plain"));
    assert_eq!(reply.expires_at.duration_since(reply.replied_at).unwrap(), Duration::from_secs(5));

    let id = t.queue.publish("t", "another").wait().unwrap().id;
    let receipt = t.claim_one().receipt;
    let transaction = t.begin();
    ack_with_result_in(&transaction, &receipt, &Reply::new("typed")).unwrap();
    transaction.commit().unwrap();
    let result = t.queue.wait_result("t", "s", id, Duration::from_mins(1)).wait().unwrap();
    assert!(matches!(result, DeliveryResult::Replied(reply) if reply.payload == b"typed"));

    t.queue.publish("t", "last").wait().unwrap();
    let receipt = t.claim_one().receipt.to_string();
    for (columns, values, error) in [
        ("reply", params![receipt, 1.5], "invalid_argument: reply"),
        ("reply_ttl_ms", params![receipt, 1], "invalid_argument: reply_content_type"),
        ("reply", params![receipt, vec![0_u8; (1 << 20) + 1]], "limit_exceeded: reply"),
    ] {
        let sql = format!("INSERT INTO blockqueue_ack (receipt, {columns}) VALUES (?1, ?2)");
        let refused = t.sql(&sql, values).unwrap_err();
        assert!(text(&refused).starts_with(error), "{refused}");
    }
}

#[test]
fn a_larger_limit_of_the_queue_is_known_to_sql() {
    let mut t = Fixture::new();
    let large = vec![1_u8; 2 << 20];
    t.sql(PUBLISH, params!["t", large]).unwrap_err();
    t.queue.shutdown().wait().unwrap();
    let options = OpenOptions::default().with_payload_bytes_max(4_usize << 20);
    t.queue = Queue::open_with(&t.path, options.with_clock(t.clock.clone())).unwrap();
    t.sql(PUBLISH, params!["t", large]).unwrap();
    assert_eq!(t.claim_one().payload, large);
}

#[test]
fn a_repeated_key_publishes_once_and_a_different_message_under_it_aborts() {
    let mut t = Fixture::new();
    let sql =
        "INSERT INTO blockqueue_publish (topic, payload, idempotency_key) VALUES ('t', ?1, 'k')";
    let conflict = "idempotency_conflict: ";
    t.sql(sql, ["a"]).unwrap();
    t.sql(sql, ["a"]).unwrap();
    assert!(text(&t.sql(sql, ["b"]).unwrap_err()).starts_with(conflict), "against what is staged");
    let delivery = t.claim_one();
    t.sql(sql, ["a"]).unwrap();
    assert!(
        text(&t.sql(sql, ["b"]).unwrap_err()).starts_with(conflict),
        "against what was published"
    );
    t.queue.ack(&delivery.receipt).wait().unwrap();
    assert!(t.claim().is_empty());
    assert_eq!(t.rejected(), []);
}

#[test]
fn a_conflict_that_sql_cannot_see_is_rejected_and_kept() {
    let mut t = Fixture::new();
    let sql = "INSERT INTO blockqueue_publish (topic, payload, priority, idempotency_key) VALUES ('t', 'a', ?1, 'k')";
    t.sql(sql, [1]).unwrap();
    t.sql(sql, [2]).unwrap();
    t.sql(PUBLISH, ["t", "goes on"]).unwrap();
    assert_eq!(t.payloads(), ["a", "goes on"]);
    assert_eq!(t.rejected(), [("idempotency_conflict".to_owned(), b"a".to_vec())]);
    let advice = t.queue.diagnose().wait().unwrap().advice;
    assert!(advice.iter().any(|line| line.contains("blockqueue_rejected")), "{advice:?}");
}

#[test]
fn what_no_reader_can_read_does_not_stop_the_queue() {
    let mut t = Fixture::new();
    let sql = "INSERT INTO blockqueue_publish (topic, payload, correlation_id, headers) VALUES ('t', 'bad', ";
    t.sql(&format!("{sql} CAST(x'ff' AS TEXT), NULL)"), []).unwrap();
    t.sql(&format!("{sql} NULL, '{{\"a\": \"\\ud800\"}}')"), []).unwrap();
    t.sql("INSERT INTO blockqueue_publish (topic, payload) VALUES ('t', CAST(x'ff' AS TEXT))", [])
        .unwrap();
    t.sql(PUBLISH, ["t", "good"]).unwrap();
    let payloads: Vec<_> = t.claim().into_iter().map(|delivery| delivery.payload).collect();
    assert_eq!(payloads, [vec![0xff], b"good".to_vec()], "a payload may be any bytes");
    let codes: Vec<_> = t.rejected().into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["invalid_argument", "invalid_argument"]);
}

#[test]
fn only_so_many_rejected_messages_are_kept() {
    let mut t = Fixture::new();
    let transaction = t.begin();
    for number in 0..1_500 {
        let sql = "INSERT INTO blockqueue_publish (topic, payload, content_type) VALUES ('t', ?1, CAST(x'ff' AS TEXT))";
        transaction.execute(sql, [number.to_string()]).unwrap();
    }
    transaction.commit().unwrap();
    t.queue.publish("t", "x").wait().unwrap();
    t.queue.publish("t", "y").wait().unwrap();
    let rejected = t.rejected();
    assert_eq!(rejected.len(), 1_000);
    assert_eq!(rejected.last().unwrap().1, b"1499");
}

#[test]
fn a_full_topic_refuses_and_one_that_drops_the_oldest_drops() {
    for policy in [BacklogPolicy::Refuse, BacklogPolicy::DropOldest] {
        let limit = BacklogLimit::default().with_messages(2_u64).with_policy(policy);
        let options = TopicOptions::default().with_backlog_limit(limit);
        let mut t = Fixture::with(NewTopic::new("t").with_options(options));
        for payload in ["a", "b"] {
            t.sql(PUBLISH, ["t", payload]).unwrap();
            t.queue.resume_topic("t").wait().unwrap();
        }
        let third = t.sql(PUBLISH, ["t", "c"]);
        if policy == BacklogPolicy::Refuse {
            assert!(text(&third.unwrap_err()).starts_with("backlog_full: "));
            let typed = publish_in(&t.begin(), "t", "c").unwrap_err();
            assert_eq!(typed.code(), "backlog_full");
            let full = t.queue.publish("t", "c").wait().unwrap_err();
            assert_eq!(full.code(), "backlog_full", "what was staged counts for everybody");
            assert_eq!(t.payloads(), ["a", "b"]);
            t.sql(PUBLISH, ["t", "c"]).unwrap();
        } else {
            third.unwrap();
            assert_eq!(t.payloads(), ["b", "c"]);
        }
    }
}

#[test]
fn what_was_staged_for_a_topic_goes_with_it() {
    let mut t = Fixture::new();
    let transaction = t.begin();
    transaction.execute(PUBLISH, ["t", "x"]).unwrap();
    // Deleted by the same transaction, as another process could have between it and promotion.
    transaction.execute("UPDATE blockqueue_topic SET deleted_at = 1", []).unwrap();
    transaction.execute("UPDATE blockqueue_subscriber SET deleted_at = 1", []).unwrap();
    transaction.commit().unwrap();
    t.queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    assert!(t.claim().is_empty());
    let staged: i64 =
        t.app.query_row("SELECT count(*) FROM blockqueue_staged", [], |r| r.get(0)).unwrap();
    assert_eq!(staged, 0);
}

// --- ack and nack -------------------------------------------------------------------------------------

#[test]
fn an_ack_counts_when_its_transaction_commits_and_not_when_it_does_not() {
    let mut t = Fixture::new();
    t.queue.publish("t", "x").wait().unwrap();
    let receipt = t.claim_one().receipt;
    let transaction = t.begin();
    ack_in(&transaction, &receipt).unwrap();
    transaction.rollback().unwrap();
    assert_eq!(t.queue.subscriber_stats("t", "s").wait().unwrap().leased_count, 1);
    let transaction = t.begin();
    ack_in(&transaction, &receipt).unwrap();
    ack_in(&transaction, &receipt).unwrap();
    transaction.commit().unwrap();
    t.queue.ack(&receipt).wait().unwrap();
    let stats = t.queue.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.leased_count, stats.acked_count), (0, 1));
    assert_eq!(t.queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
}

#[test]
fn a_mark_counts_although_the_lease_expires_before_it_is_swept() {
    let mut t = Fixture::new();
    t.queue.publish_batch("t", vec![Message::new("a"), Message::new("b")]).wait().unwrap();
    let claimed = t.claim();
    let transaction = t.begin();
    for delivery in &claimed {
        ack_in(&transaction, &delivery.receipt).unwrap();
    }
    transaction.commit().unwrap();
    t.clock.advance(Duration::from_hours(1));
    assert!(t.claim().is_empty());
    let stats = t.queue.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.acked_count, stats.expired_count, stats.retrying_count), (2, 0, 0));
}

#[test]
fn a_lost_lease_aborts_the_statement_and_garbage_is_named() {
    let mut t = Fixture::new();
    t.queue.publish("t", "x").wait().unwrap();
    let old = t.claim_one().receipt;
    t.clock.advance(Duration::from_hours(1));
    let new = t.claim_one().receipt;
    let lost = "lease_lost: ";
    assert!(text(&t.sql(ACK, [old.to_string()]).unwrap_err()).starts_with(lost));
    for garbage in
        ["", "x", &new.to_string().to_uppercase(), &format!("{new} "), &format!("{new}-1")]
    {
        let error = t.sql(ACK, [garbage]).unwrap_err();
        assert!(text(&error).starts_with("invalid_receipt: "), "{garbage}: {error}");
    }
    let nack = "INSERT INTO blockqueue_nack (receipt, delay_ms, give_up) VALUES (?1, ?2, ?3)";
    for (delay_ms, give_up) in [(-1, 0), (0, 2)] {
        let error = t.sql(nack, params![new.to_string(), delay_ms, give_up]).unwrap_err();
        assert!(text(&error).starts_with("invalid_argument: "), "{error}");
    }
    t.sql(ACK, [new.to_string()]).unwrap();
    let other_verb = t.sql(nack, params![new.to_string(), 0, 0]).unwrap_err();
    assert!(text(&other_verb).starts_with(lost), "it is settled already");
    t.queue.delete_subscriber("t", "s").wait().unwrap();
    assert!(text(&t.sql(ACK, [new.to_string()]).unwrap_err()).starts_with(lost));
}

#[test]
fn a_late_ack_counts_if_nobody_took_over() {
    let mut t = Fixture::new();
    t.queue.publish("t", "x").wait().unwrap();
    let receipt = t.claim_one().receipt;
    t.clock.advance(Duration::from_hours(1));
    t.queue.publish("t", "y").wait().unwrap();
    let stats = t.queue.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.expired_count, stats.retrying_count), (1, 1));
    t.sql(ACK, [receipt.to_string()]).unwrap();
    assert_eq!(t.payloads(), ["y"]);
}

#[test]
fn a_nack_waits_as_it_says_or_as_the_retry_policy_says() {
    let mut t = Fixture::new();
    t.queue
        .publish_batch("t", vec![Message::new("own"), Message::new("policy"), Message::new("dead")])
        .wait()
        .unwrap();
    let claimed = t.claim();
    let transaction = t.begin();
    let failed = NackOptions::default().with_error("no luck");
    for (delivery, options) in claimed.iter().zip([
        failed.clone().with_delay(Duration::from_secs(90)),
        failed.clone(),
        failed.with_give_up(true),
    ]) {
        nack_in(&transaction, &delivery.receipt, &options).unwrap();
    }
    transaction.commit().unwrap();
    assert!(t.claim().is_empty());
    t.clock.advance(Duration::from_secs(1));
    assert_eq!(t.payloads(), ["policy"]);
    t.clock.advance(Duration::from_secs(89));
    assert!(t.payloads().contains(&"own".to_owned()));
    let dead = t.queue.dead_letters("t", "s", Page::default()).wait().unwrap().items;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead.first().unwrap().error.as_deref(), Some("no luck"));
    let failures = t.queue.failures("t", "s", claimed.first().unwrap().message_id, Page::default());
    assert_eq!(failures.wait().unwrap().items.first().unwrap().error.as_deref(), Some("no luck"));
}

#[test]
fn a_whole_claim_is_acked_in_one_transaction_with_the_work_it_led_to() {
    let mut t = Fixture::new();
    let messages = (0..500).map(|number| Message::new(number.to_string())).collect();
    t.queue.publish_batch("t", messages).wait().unwrap();
    let claimed = t.claim();
    let transaction = t.begin();
    for delivery in &claimed {
        transaction.execute("INSERT INTO app VALUES (?1)", [&delivery.payload]).unwrap();
        ack_in(&transaction, &delivery.receipt).unwrap();
    }
    publish_in(&transaction, "t", "done").unwrap();
    transaction.commit().unwrap();
    assert_eq!(t.payloads(), ["done"]);
    let stats = t.queue.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.acked_count, stats.leased_count), (500, 1));
    let message = t.queue.message("t", claimed.first().unwrap().message_id).wait();
    if let Ok(message) = message {
        assert_eq!(message.deliveries.first().unwrap().state, DeliveryState::Settled);
    }
}

// --- the file -----------------------------------------------------------------------------------------

#[test]
fn what_an_application_set_up_in_its_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let app = Connection::open(&path).unwrap();
    app.execute_batch(
        "PRAGMA user_version = 7; PRAGMA application_id = 1234; CREATE TABLE app (x); INSERT INTO app VALUES (1)",
    )
    .unwrap();
    let pragma = |name| app.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    let before = ["user_version", "application_id", "auto_vacuum", "page_size"].map(pragma);
    let queue = Queue::open(&path).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    queue.publish("t", "x").wait().unwrap();
    queue.shutdown().wait().unwrap();
    assert_eq!(["user_version", "application_id", "auto_vacuum", "page_size"].map(pragma), before);
    assert_eq!(before, [7, 1234, 0, 4096]);
    let contract = "SELECT value FROM blockqueue_meta WHERE name = 'sql_contract'";
    assert_eq!(app.query_row(contract, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[test]
fn a_file_may_encode_its_texts_in_another_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let app = Connection::open(&path).unwrap();
    app.execute_batch("PRAGMA encoding = 'UTF-16le'; CREATE TABLE app (x)").unwrap();
    let queue = Queue::open(&path).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let sql = "INSERT INTO blockqueue_publish (topic, payload, headers, idempotency_key) \
               VALUES ('t', 'gr\u{fc}n', '{\"a\": \"gr\u{fc}n\"}', 'k')";
    app.execute(sql, []).unwrap();
    let claim = || queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap();
    let delivery = claim().remove(0);
    assert_eq!(delivery.payload, "gr\u{fc}n".as_bytes());
    assert_eq!(delivery.headers.get("a").map(String::as_str), Some("gr\u{fc}n"));
    app.execute(sql, []).unwrap();
    app.execute(ACK, [delivery.receipt.to_string()]).unwrap();
    assert_eq!(claim(), []);
    assert_eq!(queue.subscriber_stats("t", "s").wait().unwrap().acked_count, 1);
}
