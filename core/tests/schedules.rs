//! Schedules beyond what a script can say: many at once, and rules that cannot be read any more.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blockqueue::{
    ClaimOptions, MisfirePolicy, NewSchedule, NewTopic, OpenOptions, OverlapPolicy, Page, Queue,
    RunStatus, ScheduleOptions, TestClock, limits,
};

const MINUTE: Duration = Duration::from_mins(1);

/// The year 2026.
fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(490_896)
}

fn open(path: impl AsRef<Path>, clock: &TestClock) -> Queue {
    Queue::open_with(path, OpenOptions::default().with_clock(clock.clone())).unwrap()
}

fn every_minute() -> ScheduleOptions {
    ScheduleOptions::new("* * * * *", "x").with_overlap(OverlapPolicy::Allow)
}

#[test]
fn a_thousand_schedules_fire_at_once_and_one_more_is_refused() {
    let clock = TestClock::new(start());
    let queue = open(":memory:", &clock);
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let new = |number: usize| {
        let options = every_minute().with_message(number.to_string());
        queue.create_schedule("t", NewSchedule::new(format!("n{number}"), options)).wait()
    };
    for number in 0..limits::SCHEDULES_PER_TOPIC_MAX {
        new(number).unwrap();
    }
    assert_eq!(new(limits::SCHEDULES_PER_TOPIC_MAX).unwrap_err().code(), "limit_exceeded");
    clock.advance(MINUTE);
    let options = ClaimOptions::default().with_limit(1_000).with_wait(Duration::from_secs(10));
    let mut payloads = HashSet::new();
    while payloads.len() < limits::SCHEDULES_PER_TOPIC_MAX {
        let claimed = queue.claim("t", "s", &options).wait().unwrap();
        assert!(!claimed.is_empty(), "only {} have fired", payloads.len());
        for delivery in claimed {
            assert!(payloads.insert(delivery.payload), "one has fired twice");
        }
    }
    assert_eq!(queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap(), []);
}

#[test]
fn making_up_for_large_messages_takes_several_transactions_and_keeps_their_order() {
    let clock = TestClock::new(start());
    let queue = open(":memory:", &clock);
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let options = every_minute()
        .with_message(vec![0; 1 << 20])
        .with_misfire(MisfirePolicy::All { limit: 40 });
    queue.create_schedule("t", NewSchedule::new("n", options)).wait().unwrap();
    clock.advance(MINUTE * 50);
    let options = ClaimOptions::default().with_limit(1_000).with_wait(Duration::from_secs(10));
    let mut occurrences = Vec::new();
    while occurrences.len() < 40 {
        let claimed = queue.claim("t", "s", &options).wait().unwrap();
        assert!(!claimed.is_empty(), "only {} have fired", occurrences.len());
        occurrences.extend(
            claimed.iter().map(|d| d.headers.get("blockqueue-occurrence").unwrap().to_owned()),
        );
    }
    let expected: Vec<_> = (11..=50).map(|minute| format!("2026-01-01T00:{minute}:00Z")).collect();
    assert_eq!(occurrences, expected);
    let runs = queue.schedule_runs("t", "n", Page::default()).wait().unwrap().items;
    let missed = runs.iter().filter(|run| run.status == RunStatus::SkippedMisfire);
    assert_eq!((runs.len(), missed.count()), (41, 1));
}

#[test]
fn a_rule_that_cannot_be_read_any_more_stops_its_schedule_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let clock = TestClock::new(start());
    let queue = open(&file, &clock);
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    for name in ["bad", "good"] {
        queue.create_schedule("t", NewSchedule::new(name, every_minute())).wait().unwrap();
    }
    queue.shutdown().wait().unwrap();
    let connection = rusqlite::Connection::open(&file).unwrap();
    let sql = "UPDATE blockqueue_schedule SET timezone = 'Europe/Atlantis' WHERE name = 'bad'";
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    connection.close().unwrap();

    let queue = open(&file, &clock);
    let problems = queue.diagnose().wait().unwrap().problems;
    assert!(matches!(&problems[..], [one] if one.contains("\"bad\"") && one.contains("Atlantis")));
    clock.advance(MINUTE);
    let wait = ClaimOptions::default()
        .with_wait(Duration::from_secs(10))
        .with_lease(Duration::from_hours(1));
    assert_eq!(queue.claim("t", "s", &wait).wait().unwrap().len(), 1);
    let bad = queue.schedule("t", "bad").wait().unwrap();
    assert_eq!((bad.next_at, bad.paused), (None, false));
    let run = queue.schedule_runs("t", "bad", Page::default()).wait().unwrap().items.remove(0);
    assert_eq!(run.status, RunStatus::Stopped);
    assert!(run.error.unwrap().contains("Europe/Atlantis"));
    // It can be paused, and a change makes it good.
    queue.pause_schedule("t", "bad").wait().unwrap();
    assert_eq!(queue.resume_schedule("t", "bad").wait().unwrap_err().code(), "invalid_argument");
    queue.update_schedule("t", "bad", bad.version, every_minute()).wait().unwrap();
    queue.resume_schedule("t", "bad").wait().unwrap();
    clock.advance(MINUTE);
    assert_eq!(queue.claim("t", "s", &wait).wait().unwrap().len(), 2);
    queue.shutdown().wait().unwrap();
}
