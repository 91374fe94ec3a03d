//! What the server reads for an operation, as it counts that itself: as much for a large queue as for a small one.

use std::time::Duration;

use blockqueue::{
    BacklogLimit, BacklogPolicy, ClaimOptions, DeadLetters, Message, NackOptions, NewSchedule,
    Page, Queue, ScheduleOptions, TopicChange,
};

use crate::server::{Application, address, eventually, fresh_schema, numbered, queue, with_schema};

const MESSAGES: usize = 30_000;
const BATCH: usize = 1_000;
/// Rows that all the verbs together may read; a single look at the whole queue would be more.
const READ_MAX: i64 = 10_000;

/// The rows that were read in a schema up to now. Sessions tell when they end.
fn rows_read(application: &Application, schema: &str) -> i64 {
    let sessions =
        format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{schema}'");
    eventually("all sessions have ended", || application.number(&sessions) == 0);
    let sum = |column: &str, view: &str| {
        application.number(&format!(
            "SELECT coalesce(sum({column}), 0)::bigint FROM {view} WHERE schemaname = '{schema}'"
        ))
    };
    sum("seq_tup_read", "pg_stat_user_tables") + sum("idx_tup_read", "pg_stat_user_indexes")
}

/// Each of them a few times, so that plans are kept, and each finds something to do.
fn every_verb(queue: &Queue) {
    for number in 0..8 {
        queue.publish("t", numbered(number)).wait().unwrap();
        let options = ClaimOptions::default().with_limit(10);
        let claimed = queue.claim("t", "s", &options).wait().unwrap();
        let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
        let [first, second, third, rest @ ..] = receipts.as_slice() else { panic!("{claimed:?}") };
        let id = claimed.first().unwrap().message_id;
        queue.nack(first, &NackOptions::default()).wait().unwrap();
        queue.extend(second, Duration::from_mins(1)).wait().unwrap();
        queue.defer(third, Duration::from_mins(1)).wait().unwrap();
        queue.ack_batch(rest).wait().unwrap();
        queue.redrive("t", "s", DeadLetters::All).wait().unwrap();
        queue.subscriber_stats("t", "s").wait().unwrap();
        queue.peek("t", "s", Page::default()).wait().unwrap();
        queue.message("t", id).wait().unwrap();
    }
}

/// A queue with many messages, and a connection that sees what is read of it.
fn large() -> Option<(Application, String, String)> {
    let server = address()?;
    let schema = fresh_schema();
    let address = with_schema(&format!("{server}&application_name={schema}"), &schema);
    let large = queue(&address);
    let hourly = NewSchedule::new("hourly", ScheduleOptions::new("@hourly", "tick"));
    large.create_schedule("t", hourly).wait().unwrap();
    for first in (0..MESSAGES).step_by(BATCH) {
        let messages = (first..first + BATCH).map(numbered).collect();
        large.publish_batch("t", messages).wait().unwrap();
    }
    // Leases of others, at work for a while.
    let options = ClaimOptions::default().with_limit(BATCH).with_lease(Duration::from_hours(1));
    for _ in 0..MESSAGES / 3 / BATCH {
        assert_eq!(large.claim("t", "s", &options).wait().unwrap().len(), BATCH);
    }
    // Upkeep reads each message once.
    let application = Application::connect(&server, &schema);
    let left = format!("SELECT max({} - trim_seq) FROM blockqueue_log", MESSAGES / 3);
    eventually("upkeep is done", || application.number(&left) == 0);
    large.shutdown().wait().unwrap();
    Some((application, schema, address))
}

#[test]
fn a_large_backlog_is_dropped_without_looking_at_it() {
    let Some((application, schema, address)) = large() else { return };
    let before = rows_read(&application, &schema);
    let queue = Queue::open(&address).unwrap();
    queue.publish("t", Message::new("urgent").with_priority(1)).wait().unwrap();
    let limit = BacklogLimit::default().with_messages(10).with_policy(BacklogPolicy::DropOldest);
    queue.update_topic("t", TopicChange::default().with_backlog_limit(limit)).wait().unwrap();
    queue.publish("t", "x").wait().unwrap();
    assert_eq!(queue.subscriber_stats("t", "s").wait().unwrap().ready_count, 10);
    queue.shutdown().wait().unwrap();
    let read = rows_read(&application, &schema) - before;
    assert!(read < READ_MAX, "{read} rows were read");
}

#[test]
fn no_verb_reads_more_of_a_large_queue() {
    let Some((application, schema, address)) = large() else { return };
    // Whether the server knows how much there is or not.
    for statistics in ["", "ANALYZE blockqueue_message, blockqueue_delivery, blockqueue_lease"] {
        application.run(statistics).unwrap();
        let before = rows_read(&application, &schema);
        let queue = Queue::open(&address).unwrap();
        every_verb(&queue);
        queue.shutdown().wait().unwrap();
        let read = rows_read(&application, &schema) - before;
        assert!(read < READ_MAX, "{read} rows were read {statistics}");
    }
}
