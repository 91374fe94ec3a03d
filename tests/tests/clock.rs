//! Clocks that step, and clocks of processes on one file that are an hour apart: nothing is lost, reordered or
//! stopped. What happens to leases is what `docs/processes.md` says.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed; members of JSON objects"
)]

use std::path::Path;
use std::process::Command;

use blockqueue_conformance::START_MS;
use blockqueue_tests::child::Talking;
use serde_json::{Value, json};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// A process with a clock of its own.
struct Process {
    talking: Talking,
    now_ms: i64,
}

impl Process {
    /// Its clock is so far from the others'.
    fn start(file: &Path, ahead_ms: i64) -> Self {
        let now_ms = START_MS + ahead_ms;
        let mut command = Command::new(env!("CARGO_BIN_EXE_history-worker"));
        command.arg(file).arg(now_ms.to_string());
        let talking = Talking::start(&mut command).unwrap();
        assert_eq!(talking.line().unwrap(), "ready");
        Self { talking, now_ms }
    }

    fn step(&mut self, by_ms: i64) {
        self.now_ms += by_ms;
        self.talking.say(&json!({ "clock": self.now_ms }).to_string()).unwrap();
        assert_eq!(self.talking.line().unwrap(), "null");
    }

    /// The answer, or the code of the refusal.
    fn ask(&mut self, operation: &Value) -> Value {
        self.talking.say(&operation.to_string()).unwrap();
        let told: Value = serde_json::from_str(&self.talking.line().unwrap()).unwrap();
        told.get("answer").unwrap_or(&told["code"]).clone()
    }

    fn create(&mut self, options: &Value) {
        let subscribers = json!([{ "name": "s", "options": options }]);
        let topic = json!({ "do": "create_topic", "topic": "t", "subscribers": subscribers });
        assert_eq!(self.ask(&topic)["name"], "t");
    }

    fn publish(&mut self, message: &Value) -> Value {
        let answer = self.ask(&json!({ "do": "publish", "topic": "t", "message": message }));
        assert_eq!(answer["duplicate"], false, "{answer}");
        answer
    }

    fn claim(&mut self, lease_ms: i64) -> Vec<Value> {
        let claimed = self
            .ask(&json!({ "do": "claim", "topic": "t", "subscriber": "s", "limit": 100,
                                        "lease_ms": lease_ms }));
        claimed.as_array().unwrap().clone()
    }

    fn ack(&mut self, delivery: &Value) -> Value {
        self.ask(&json!({ "do": "ack", "receipt": delivery["receipt"] }))
    }
}

fn payloads(deliveries: &[Value]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery["payload"].as_str().unwrap()).collect()
}

fn with_two(test: impl Fn(Process, Process)) {
    for ahead_ms in [HOUR_MS, -HOUR_MS] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("queue.db");
        let one = Process::start(&file, 0);
        let other = Process::start(&file, ahead_ms);
        // First the one that is behind.
        if ahead_ms > 0 { test(one, other) } else { test(other, one) }
    }
}

#[test]
fn processes_an_hour_apart_publish_in_one_order() {
    with_two(|mut behind, mut ahead| {
        behind.create(&json!({}));
        for number in 0..10 {
            let process = if number % 2 == 0 { &mut behind } else { &mut ahead };
            process.publish(&json!({ "payload": number.to_string() }));
        }
        let claimed = behind.claim(MINUTE_MS);
        assert_eq!(payloads(&claimed), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        let times = claimed.iter().map(|delivery| delivery["published_at"].as_i64().unwrap());
        assert!(times.is_sorted());
    });
}

#[test]
fn a_lease_ends_by_the_clock_of_whoever_looks() {
    with_two(|mut behind, mut ahead| {
        behind.create(&json!({}));
        behind.publish(&json!({ "payload": "x" }));
        let first = behind.claim(MINUTE_MS);
        // For the one that is ahead it is over: it takes it over, and there is one live receipt.
        let second = ahead.claim(MINUTE_MS);
        assert_eq!((payloads(&second), second[0]["attempt"].as_i64()), (vec!["x"], Some(2)));
        assert_eq!(behind.ack(&first[0]), "lease_lost");
        // For the one that is behind it lasts an hour longer, which holds up nobody's ack.
        behind.step(HOUR_MS - 1);
        assert_eq!(behind.claim(MINUTE_MS), Vec::<Value>::new());
        behind.step(MINUTE_MS + 1);
        let third = behind.claim(MINUTE_MS);
        assert_eq!(third[0]["attempt"], 3);
        assert_eq!(ahead.ack(&second[0]), "lease_lost");
        assert_eq!(behind.ack(&third[0]), json!({}));
    });
}

#[test]
fn a_receipt_outlives_a_step_of_its_holders_clock() {
    for step_ms in [HOUR_MS, -HOUR_MS] {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(&folder.path().join("queue.db"), 0);
        process.create(&json!({}));
        process.publish(&json!({ "payload": "x" }));
        let claimed = process.claim(MINUTE_MS);
        process.step(step_ms);
        // Nobody took over, so it still counts; an extension goes by the new time.
        let extend =
            json!({ "do": "extend", "receipt": claimed[0]["receipt"], "lease_ms": MINUTE_MS });
        let until_ms = process.now_ms - START_MS + MINUTE_MS;
        assert_eq!(process.ask(&extend)["lease_expires_at"], until_ms);
        assert_eq!(process.claim(MINUTE_MS), Vec::<Value>::new());
        assert_eq!(process.ack(&claimed[0]), json!({}));
    }
}

#[test]
fn what_is_delayed_or_expires_does_so_by_the_clock_of_whoever_looks_and_once() {
    with_two(|mut behind, mut ahead| {
        behind.create(&json!({}));
        behind.publish(&json!({ "payload": "late", "delay_ms": 10 * MINUTE_MS }));
        behind.publish(&json!({ "payload": "short", "ttl_ms": 10 * MINUTE_MS }));
        assert_eq!(payloads(&ahead.claim(MINUTE_MS)), ["late"]);
        assert_eq!(behind.claim(MINUTE_MS), Vec::<Value>::new());
        let stats = json!({ "do": "subscriber_stats", "topic": "t", "subscriber": "s" });
        let stats = behind.ask(&stats);
        assert_eq!((&stats["ttl_expired_count"], &stats["leased_count"]), (&json!(1), &json!(1)));
    });
}

#[test]
fn a_rate_that_was_spent_an_hour_ahead_stops_nobody() {
    with_two(|mut behind, mut ahead| {
        behind.create(&json!({ "rate": { "count": 2, "interval_ms": 1_000 } }));
        for number in 0..8 {
            behind.publish(&json!({ "payload": number.to_string() }));
        }
        assert_eq!(payloads(&ahead.claim(2 * HOUR_MS)), ["0", "1"]);
        assert_eq!(payloads(&behind.claim(2 * HOUR_MS)), ["2", "3"]);
        assert_eq!(behind.claim(2 * HOUR_MS), Vec::<Value>::new());
        behind.step(500);
        assert_eq!(payloads(&behind.claim(2 * HOUR_MS)), ["4"]);
    });
}

#[test]
fn an_occurrence_fires_once_whatever_the_clocks_show() {
    with_two(|mut behind, mut ahead| {
        behind.create(&json!({}));
        let options = json!({ "cron": "*/10 * * * *", "message": { "payload": "tick" },
                              "misfire": { "all": 100 }, "overlap": "allow" });
        let schedule =
            json!({ "do": "create_schedule", "topic": "t", "schedule": "x", "options": options });
        assert_eq!(behind.ask(&schedule)["name"], "x");
        let fired = |process: &mut Process| {
            // A transaction of this process brings what is due for it.
            process.claim(1);
            let runs =
                json!({ "do": "schedule_runs", "topic": "t", "schedule": "x", "limit": 100 });
            let runs = process.ask(&runs)["items"].as_array().unwrap().clone();
            let times = runs.iter().map(|run| run["occurrence_at"].as_i64().unwrap());
            let times: Vec<i64> = times.collect();
            assert!(times.is_sorted_by(|a, b| a > b), "each once, newest first: {times:?}");
            times.len()
        };
        let by_the_one_ahead = fired(&mut ahead);
        assert!(by_the_one_ahead >= 6, "{by_the_one_ahead} of six");
        // It has been there already.
        for _ in 0..6 {
            behind.step(10 * MINUTE_MS);
            assert_eq!(fired(&mut behind), by_the_one_ahead);
        }
        behind.step(10 * MINUTE_MS);
        assert_eq!(fired(&mut behind), by_the_one_ahead + 1);
        ahead.step(-2 * HOUR_MS);
        assert_eq!(fired(&mut ahead), by_the_one_ahead + 1);
    });
}
