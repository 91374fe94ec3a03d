//! The SQL contract: an application publishes and settles on its own connection, in its own transactions.

use std::time::Duration;

use blockqueue::{ClaimOptions, Delivery, DeliveryResult, Message, Queue};

use crate::server::{Application, address, eventually, fresh_schema, queue, with_schema};

const WAIT: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_hours(1);

fn set_up() -> Option<(Queue, Application)> {
    let server = address()?;
    let schema = fresh_schema();
    let queue = queue(&with_schema(&server, &schema));
    Some((queue, Application::connect(&server, &schema)))
}

fn waiting() -> ClaimOptions {
    ClaimOptions::default().with_wait(WAIT)
}

#[test]
fn a_message_is_there_if_and_only_if_its_transaction_commits() {
    let Some((queue, application)) = set_up() else { return };
    let insert = "INSERT INTO blockqueue_publish (topic, payload, headers, priority)
                  VALUES ('t', 'paid', '{\"type\": \"order\"}', 3)";
    application.run(&format!("BEGIN; {insert}; ROLLBACK")).unwrap();
    let claim = queue.claim("t", "s", &waiting());
    application.run(&format!("BEGIN; {insert}; COMMIT")).unwrap();
    let claimed = claim.wait().unwrap();
    assert_eq!(claimed.len(), 1);
    let delivery = claimed.first().unwrap();
    assert_eq!((delivery.payload.as_slice(), delivery.priority), (b"paid".as_slice(), 3));
    assert_eq!(delivery.headers.get("type").map(String::as_str), Some("order"));
    queue.ack(&delivery.receipt).wait().unwrap();
    assert_eq!(queue.topic_stats("t").wait().unwrap().published_count, 1);
}

#[test]
fn an_ack_counts_if_and_only_if_its_transaction_commits() {
    let Some((queue, application)) = set_up() else { return };
    queue.publish("t", "x").wait().unwrap();
    let claimed = queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap();
    let receipt = claimed.first().unwrap().receipt;
    let ack = format!("INSERT INTO blockqueue_ack (receipt) VALUES ('{receipt}')");
    application.run(&format!("BEGIN; {ack}; ROLLBACK")).unwrap();
    assert_eq!(queue.subscriber_stats("t", "s").wait().unwrap().leased_count, 1);
    application.run(&format!("BEGIN; {ack}; {ack}; COMMIT")).unwrap();
    eventually("the ack is carried out", || {
        // Any group carries it out.
        queue.publish("t", "y").wait().unwrap();
        queue.subscriber_stats("t", "s").wait().unwrap().acked_count == 1
    });
    assert_eq!(queue.ack(&receipt).wait().unwrap_err().code(), "lease_lost");
    let error = application.run(&ack).unwrap_err();
    assert!(error.as_db_error().unwrap().message().starts_with("lease_lost: "), "{error}");
}

#[test]
fn a_delivery_that_an_application_is_settling_goes_to_nobody_else() {
    let Some((queue, application)) = set_up() else { return };
    queue.publish("t", "x").wait().unwrap();
    let lease = ClaimOptions::default().with_lease(Duration::from_millis(1));
    let claimed = queue.claim("t", "s", &lease).wait().unwrap();
    let receipt = claimed.first().unwrap().receipt;
    application
        .run(&format!("BEGIN; INSERT INTO blockqueue_ack (receipt) VALUES ('{receipt}')"))
        .unwrap();
    // Its lease expires, and it is claimable by its state alone.
    let claim =
        queue.claim("t", "s", &ClaimOptions::default().with_wait(Duration::from_millis(1_500)));
    assert!(claim.wait().unwrap().is_empty());
    application.run("COMMIT").unwrap();
    eventually("the ack is carried out", || {
        queue.publish("t", "y").wait().unwrap();
        queue.subscriber_stats("t", "s").wait().unwrap().acked_count == 1
    });
}

#[test]
fn nobody_waits_for_an_application_that_is_settling() {
    let Some((queue, application)) = set_up() else { return };
    queue.publish_batch("t", vec!["x".into(), "y".into()]).wait().unwrap();
    let claimed = queue.claim("t", "s", &ClaimOptions::default().with_limit(2)).wait().unwrap();
    let [settling, other] = claimed.as_slice() else { panic!("{claimed:?}") };
    let receipt = settling.receipt;
    application
        .run(&format!("BEGIN; INSERT INTO blockqueue_ack (receipt) VALUES ('{receipt}')"))
        .unwrap();
    // Otherwise these wait until a lock times out, and then fail with whatever came with them.
    let extended = queue.extend_batch(&[receipt, other.receipt], HOUR).wait().unwrap();
    assert!(extended.iter().all(Result::is_ok), "{extended:?}");
    assert_eq!(queue.ack(&receipt).wait().unwrap_err().code(), "locked");
    let cancelled = queue.cancel_delivery("t", "s", settling.message_id, None).wait();
    assert_eq!(cancelled.unwrap_err().code(), "busy");
    queue.ack(&other.receipt).wait().unwrap();
    application.run("ROLLBACK").unwrap();
    let left =
        "SELECT (expires_at - extract(epoch FROM now()) * 1000)::bigint FROM blockqueue_lease";
    assert!(application.number(left) > 1_000_000, "the lease is extended");
    queue.ack(&receipt).wait().unwrap();
}

#[test]
fn a_settlement_counts_although_somebody_else_has_the_delivery_locked() {
    let Some(server) = address() else { return };
    let schema = fresh_schema();
    let address = with_schema(&server, &schema);
    let first = queue(&address);
    first.publish("t", "x").wait().unwrap();
    let receipt = claim_one(&first).receipt;
    first.shutdown().wait().unwrap();
    let application = Application::connect(&server, &schema);
    application.run(&format!("INSERT INTO blockqueue_ack (receipt) VALUES ('{receipt}')")).unwrap();
    // As another application has it that wants to settle the same, until it is told that it comes too late.
    let other = Application::connect(&server, &schema);
    other.run("BEGIN; SELECT 1 FROM blockqueue_delivery FOR UPDATE").unwrap();
    let second = Queue::open(&address).unwrap();
    second.publish("t", "y").wait().unwrap();
    other.run("ROLLBACK").unwrap();
    eventually("the ack is carried out", || {
        second.publish("t", "y").wait().unwrap();
        second.subscriber_stats("t", "s").wait().unwrap().acked_count == 1
    });
}

#[test]
fn what_is_wrong_aborts_the_statement_with_a_code() {
    let Some((_queue, application)) = set_up() else { return };
    for (values, code) in [
        ("('nowhere', '', NULL, 0, NULL)", "unknown_topic: "),
        ("('t', '', NULL, 1001, NULL)", "invalid_argument: "),
        ("('t', '', '[]', 0, NULL)", "invalid_argument: "),
        ("('t', '', '{\"a\": 1}', 0, NULL)", "invalid_argument: "),
        ("('t', NULL, NULL, 0, NULL)", "invalid_argument: "),
        ("('t', '', NULL, 0, -1)", "invalid_argument: "),
        ("('t', convert_to(repeat('x', 1048577), 'UTF8'), NULL, 0, NULL)", "limit_exceeded: "),
    ] {
        let columns = "(topic, payload, headers, priority, delay_ms)";
        let insert = format!("INSERT INTO blockqueue_publish {columns} VALUES {values}");
        let error = application.run(&insert).unwrap_err();
        assert!(error.as_db_error().unwrap().message().starts_with(code), "{values}: {error}");
    }
    for receipt in ["", "x", "'; DROP TABLE blockqueue_topic; --"] {
        let receipt = receipt.replace('\'', "''");
        let ack = format!("INSERT INTO blockqueue_ack (receipt) VALUES ('{receipt}')");
        let error = application.run(&ack).unwrap_err();
        assert!(error.as_db_error().unwrap().message().starts_with("invalid_receipt: "), "{error}");
    }
}

#[test]
fn keys_mean_the_same_in_sql_and_in_the_library() {
    let Some((queue, application)) = set_up() else { return };
    let message = blockqueue::Message::new("x")
        .with_idempotency_key("k")
        .with_header("b", "2")
        .with_header("a", "1")
        .with_content_type("text/plain");
    queue.publish("t", message).wait().unwrap();
    let insert = |payload: &str| {
        format!(
            "INSERT INTO blockqueue_publish (topic, payload, headers, content_type, idempotency_key)
             VALUES ('t', '{payload}', '{{\"a\": \"1\", \"b\": \"2\"}}', 'text/plain', 'k')"
        )
    };
    application.run(&insert("x")).unwrap();
    let error = application.run(&insert("y")).unwrap_err();
    assert!(
        error.as_db_error().unwrap().message().starts_with("idempotency_conflict: "),
        "{error}"
    );
    eventually("what was staged is promoted", || {
        queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap();
        application.number("SELECT count(*) FROM blockqueue_staged") == 0
    });
    assert_eq!(queue.topic_stats("t").wait().unwrap().published_count, 1);
    assert_eq!(application.number("SELECT count(*) FROM blockqueue_rejected"), 0);
}

fn claim_one(queue: &Queue) -> Delivery {
    let claimed = queue.claim("t", "s", &waiting().with_limit(1)).wait().unwrap();
    claimed.into_iter().next().unwrap()
}

fn assert_refused(application: &Application, sql: &str, code: &str) {
    let error = application.run(sql).unwrap_err();
    assert!(error.as_db_error().unwrap().message().starts_with(code), "{sql}: {error}");
}

#[test]
fn a_unique_key_travels_through_sql_and_a_message_may_be_acked_with_its_successor() {
    let Some((queue, application)) = set_up() else { return };
    let insert = |payload: &str, key: &str, idempotency_key: &str| {
        format!(
            "INSERT INTO blockqueue_publish (topic, payload, unique_key, idempotency_key)
             VALUES ('t', '{payload}', '{key}', {idempotency_key})"
        )
    };
    let conflict = "unique_conflict: ";
    let again = insert("1", "k", "'a'");
    let twice = format!("BEGIN; {again}; {again}; {}", insert("2", "k", "NULL"));
    assert_refused(&application, &twice, conflict);
    application.run(&format!("ROLLBACK; {again}")).unwrap();
    let first = claim_one(&queue);
    let published = queue.publish("t", Message::new("2").with_unique_key("k")).wait();
    assert_eq!(published.unwrap_err().code(), "unique_conflict");
    // Nobody could tell while it was staged.
    application.run(&insert("2", "k", "NULL")).unwrap();
    eventually("it is rejected", || {
        assert_eq!(queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap(), []);
        application.number("SELECT count(*) FROM blockqueue_rejected WHERE unique_key = 'k'") == 1
    });
    let ack = format!("INSERT INTO blockqueue_ack (receipt) VALUES ('{}')", first.receipt);
    application.run(&format!("BEGIN; {ack}; {}; COMMIT", insert("3", "k", "NULL"))).unwrap();
    assert_eq!(claim_one(&queue).payload, b"3");
    let delayed = Message::new("4").with_unique_key("d").with_delay(WAIT);
    queue.publish("t", delayed).wait().unwrap();
    assert_refused(&application, &insert("5", "d", "NULL"), conflict);
    assert_refused(&application, &insert("6", "", "NULL"), "invalid_argument: ");
    assert_refused(&application, &insert("6", &"k".repeat(256), "NULL"), "limit_exceeded: ");
}

#[test]
fn an_ack_by_sql_may_reply() {
    let Some((queue, application)) = set_up() else { return };
    // Delayed, so that its row is not where its id says.
    for message in [Message::new("q"), Message::new("q").with_delay(Duration::from_millis(1))] {
        let id = queue.publish("t", message).wait().unwrap().id;
        let receipt = claim_one(&queue).receipt;
        let result = queue.wait_result("t", "s", id, WAIT);
        application
            .run(&format!(
                "INSERT INTO blockqueue_ack (receipt, reply, reply_content_type, reply_ttl_ms)
                 VALUES ('{receipt}', '\\x00ff', 'text/plain', 5000)"
            ))
            .unwrap();
        let DeliveryResult::Replied(reply) = result.wait().unwrap() else { panic!("no reply") };
        assert_eq!(reply.payload, [0, 255]);
        assert_eq!(reply.content_type.as_deref(), Some("text/plain"));
        let kept = reply.expires_at.duration_since(reply.replied_at).unwrap();
        assert_eq!(kept, Duration::from_secs(5));
    }
    queue.publish("t", "last").wait().unwrap();
    let receipt = claim_one(&queue).receipt;
    for (column, value, code) in [
        ("reply_ttl_ms", "1", "invalid_argument: reply_content_type"),
        ("reply_content_type", "'x'", "invalid_argument: reply_content_type"),
        ("reply", "convert_to(repeat('x', 1048577), 'UTF8')", "limit_exceeded: reply"),
        ("reply, reply_ttl_ms", "'', 0", "invalid_argument: reply_ttl_ms"),
    ] {
        let columns = format!("(receipt, {column}) VALUES ('{receipt}', {value})");
        assert_refused(&application, &format!("INSERT INTO blockqueue_ack {columns}"), code);
    }
}

#[test]
fn a_nack_by_sql_waits_or_gives_up() {
    let Some((queue, application)) = set_up() else { return };
    let nack = |rest: &str| {
        let receipt = claim_one(&queue).receipt;
        format!(
            "INSERT INTO blockqueue_nack (receipt, delay_ms, give_up) VALUES ('{receipt}', {rest})"
        )
    };
    queue.publish("t", "x").wait().unwrap();
    application.run(&nack("0, NULL")).unwrap();
    assert_refused(&application, &nack("-1, 0"), "invalid_argument: delay_ms");
    queue.publish("t", "y").wait().unwrap();
    application.run(&nack("NULL, 1")).unwrap();
    eventually("it is a dead letter", || {
        queue.publish("t", "z").wait().unwrap();
        queue.subscriber_stats("t", "s").wait().unwrap().dead_count == 1
    });
}
