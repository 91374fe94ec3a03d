//! A call that fails, each in turn: a code, nothing acknowledged lost, and it is over when it is over.

use std::collections::BTreeSet;
use std::path::Path;

use blockqueue::{ClaimOptions, Error, NewTopic, Queue, Result};
use rustix::io::Errno;

use crate::system::{Fault, Watch};

/// What a caller may be told.
const CODES: [&str; 5] = ["disk_full", "io", "outcome_unknown", "cannot_open", "locked"];

#[derive(Default)]
struct Told {
    /// Acknowledged.
    done: BTreeSet<String>,
    /// Nobody knows.
    unknown: BTreeSet<String>,
    /// Acked, or perhaps.
    acked: BTreeSet<String>,
    maybe_acked: BTreeSet<String>,
    failures: usize,
}

impl Told {
    fn fail(&mut self, error: &Error) {
        assert!(CODES.contains(&error.code()), "{error:?}");
        self.failures += 1;
    }
}

/// Some of everything, whatever comes of it.
fn work(queue: &Queue, told: &mut Told) {
    for number in 0..6 {
        let payload = format!("{number}{}", "x".repeat(3_000));
        match queue.publish("t", payload.as_str()).wait() {
            Ok(_) => {
                told.done.insert(payload);
            }
            Err(error) => {
                told.fail(&error);
                if matches!(error, Error::OutcomeUnknown { .. }) {
                    told.unknown.insert(payload);
                }
            }
        }
        if number % 2 == 1 {
            consume(queue, told).unwrap_or_else(|error| told.fail(&error));
        }
    }
}

fn consume(queue: &Queue, told: &mut Told) -> Result<()> {
    let options = ClaimOptions::default().with_limit(1);
    for delivery in queue.claim("t", "s", &options).wait()? {
        let payload = String::from_utf8(delivery.payload).unwrap();
        match queue.ack(&delivery.receipt).wait() {
            Ok(()) => told.acked.insert(payload),
            Err(error) => {
                told.fail(&error);
                told.maybe_acked.insert(payload)
            }
        };
    }
    Ok(())
}

/// Opens anew until it succeeds: the fault is over some time.
fn open(file: &Path, told: &mut Told) -> Queue {
    for _ in 0..50 {
        match Queue::open(file) {
            Ok(queue) => return queue,
            Err(error) => told.fail(&error),
        }
    }
    panic!("the fault is over, and the file does not open");
}

/// The answer is whether a call failed at all.
fn survives(fault: Fault) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let watching = Watch::failing(folder.path(), fault);
    let mut told = Told::default();
    let queue = open(&file, &mut told);
    for _ in 0..50 {
        match queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait() {
            Ok(_) | Err(Error::TopicExists { .. }) => break,
            Err(error) => told.fail(&error),
        }
    }
    work(&queue, &mut told);
    let has_failed = watching.calls() >= fault.first;
    // The fault is over: without opening anew, everything is as it was, and goes on.
    drop(watching);
    let _watching = Watch::fast(folder.path());
    queue.publish("t", "after").wait().unwrap();
    told.done.insert("after".to_owned());
    assert_eq!(queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
    let options = ClaimOptions::default().with_limit(1_000);
    let left = queue.claim("t", "s", &options).wait().unwrap();
    let left: BTreeSet<_> =
        left.into_iter().map(|delivery| String::from_utf8(delivery.payload).unwrap()).collect();
    for payload in &left {
        let is_told = told.done.contains(payload) || told.unknown.contains(payload);
        assert!(is_told, "{payload:.1} was refused and is there");
        assert!(!told.acked.contains(payload), "{payload:.1} came back after its ack");
    }
    let claimed_by_unknown = usize::from(told.failures > 0);
    let missing = told.done.iter().filter(|payload| {
        !left.contains(*payload)
            && !told.acked.contains(*payload)
            && !told.maybe_acked.contains(*payload)
    });
    // A claim whose outcome nobody knows may hold one message until its lease ends.
    assert!(missing.count() <= claimed_by_unknown, "acknowledged and lost");
    queue.shutdown().wait().unwrap();
    has_failed
}

fn fail_each_in_turn(error: Errno, count: u64) {
    let mut first = 1;
    while survives(Fault { error, first, count }) {
        first += 1;
    }
    println!("{} calls failed in turn", first - 1);
    assert!(first > 50, "there were calls to fail");
}

#[test]
fn an_input_output_error_at_any_call_is_survived() {
    fail_each_in_turn(Errno::IO, 1);
}

#[test]
fn a_full_disk_at_any_call_is_survived() {
    fail_each_in_turn(Errno::NOSPC, 1);
}

#[test]
fn errors_that_last_for_a_while_are_survived() {
    fail_each_in_turn(Errno::IO, 7);
}
