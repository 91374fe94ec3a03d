//! The SQL contract: an application publishes and settles on its own connection, in its own transactions.

use std::time::Duration;

use blockqueue::{ClaimOptions, Queue};

use crate::server::{Application, address, eventually, fresh_schema, queue, with_schema};

const WAIT: Duration = Duration::from_secs(30);

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
