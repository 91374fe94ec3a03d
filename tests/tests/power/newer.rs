//! A call that fails, each in turn, while messages with keys, replies, schedules and redrives to another topic
//! are at work: whatever was told is so, and no message is in two places or in none.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use blockqueue::{
    ClaimOptions, Error, Message, NackOptions, NewSchedule, NewSubscriber, NewTopic, Page, Queue,
    Redrive, Reply, Result, ScheduleOptions, SubscriberOptions,
};
use rustix::io::Errno;

use crate::system::{Fault, Watch};

/// What a caller may be told.
const CODES: [&str; 5] = ["disk_full", "io", "outcome_unknown", "cannot_open", "locked"];
const LETTERS: usize = 4;

fn text(payload: Vec<u8>) -> String {
    String::from_utf8(payload).unwrap()
}

/// A topic with dead letters of ordered keys, and another one for them.
fn prepare(file: &Path) {
    let queue = Queue::open(file).unwrap();
    let options = SubscriberOptions::default().with_ordered(true).with_leased_max(3);
    let subscriber = NewSubscriber::new("s").with_options(options);
    queue.create_topic(NewTopic::new("t").with_subscriber(subscriber)).wait().unwrap();
    queue.create_topic(NewTopic::new("to").with_subscriber("s")).wait().unwrap();
    for number in 0..LETTERS {
        let message = Message::new(format!("letter{number}")).with_ordering_key("k");
        queue.publish("t", message).wait().unwrap();
    }
    for _ in 0..LETTERS {
        for delivery in queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap() {
            let give_up = NackOptions::default().with_give_up(true);
            queue.nack(&delivery.receipt, &give_up).wait().unwrap();
        }
    }
    queue.shutdown().wait().unwrap();
}

/// Tells only of codes that a caller may be told.
fn may_fail<T>(result: Result<T>, failures: &mut usize) -> Option<T> {
    if let Err(error) = &result {
        assert!(CODES.contains(&error.code()), "{error:?}");
        *failures += 1;
    }
    result.ok()
}

/// Until it is done: a repeated redrive finds what is left.
fn redrive(queue: &Queue, failures: &mut usize) {
    let redrive = Redrive::default().with_to("to");
    while may_fail(queue.redrive("t", "s", redrive.clone()).wait(), failures).is_none() {}
}

#[derive(Default)]
struct Told {
    /// A reply was acknowledged.
    replied: bool,
    /// A run of the schedule was acknowledged.
    fired: bool,
    failures: usize,
}

fn work(queue: &Queue, told: &mut Told) {
    let failures = &mut told.failures;
    let schedule = NewSchedule::new("x", ScheduleOptions::new("0 0 1 1 *", "fired"));
    may_fail(queue.create_schedule("t", schedule).wait(), failures);
    let unique = Message::new("work").with_unique_key("u").with_ordering_key("w");
    let published = loop {
        match queue.publish("t", unique.clone()).wait() {
            // The first one may have been carried out although nobody could tell.
            Err(Error::UniqueConflict { .. }) => break None,
            result => {
                if let Some(published) = may_fail(result, failures) {
                    break Some(published);
                }
            }
        }
    };
    redrive(queue, failures);
    let claimed = may_fail(queue.claim("t", "s", &ClaimOptions::default()).wait(), failures);
    for delivery in claimed.unwrap_or_default() {
        let reply = Reply::new("done");
        let acked = may_fail(queue.ack_with_result(&delivery.receipt, reply).wait(), failures);
        told.replied |= acked.is_some() && published.is_some();
    }
    told.fired = match queue.run_schedule_now("t", "x").wait() {
        Err(Error::UnknownSchedule { .. }) => false,
        result => may_fail(result, failures).is_some(),
    };
}

/// The answer is whether a call failed at all.
fn survives(fault: Fault) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    {
        let _fast = Watch::fast(folder.path());
        prepare(&file);
    }
    let watching = Watch::failing(folder.path(), fault);
    let mut told = Told::default();
    let queue = loop {
        if let Some(queue) = may_fail(Queue::open(&file), &mut told.failures) {
            break queue;
        }
    };
    work(&queue, &mut told);
    let has_failed = watching.calls() >= fault.first;
    drop(watching);
    let _watching = Watch::fast(folder.path());
    account(&queue, &told);
    queue.shutdown().wait().unwrap();
    has_failed
}

fn account(queue: &Queue, told: &Told) {
    assert_eq!(queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
    let dead = queue.dead_letters("t", "s", Page::default()).wait().unwrap().items;
    assert_eq!(dead, [], "the redrive was acknowledged");
    let claim = ClaimOptions::default().with_limit(100).with_lease(Duration::from_mins(1));
    let moved = queue.claim("to", "s", &claim).wait().unwrap();
    let count = moved.len();
    let payloads: BTreeSet<_> = moved.into_iter().map(|delivery| text(delivery.payload)).collect();
    assert_eq!((count, payloads.len()), (LETTERS, LETTERS), "each once: {payloads:?}");
    let left = queue.claim("t", "s", &claim).wait().unwrap();
    let left: Vec<_> = left.into_iter().map(|delivery| text(delivery.payload)).collect();
    let count = |name: &str| left.iter().filter(|payload| *payload == name).count();
    assert!(count("work") <= 1, "a unique message is there twice: {left:?}");
    if told.replied {
        assert_eq!(count("work"), 0, "it was acked");
    }
    if told.fired {
        assert_eq!(count("fired"), 1, "{left:?}");
    }
}

fn fail_each_in_turn(error: Errno, count: u64) {
    let mut first = 1;
    while survives(Fault { error, first, count }) {
        first += 1;
    }
    println!("{} calls failed in turn", first - 1);
    assert!(first > 20, "there were calls to fail");
}

#[test]
fn an_input_output_error_at_any_call_leaves_each_message_in_one_place() {
    fail_each_in_turn(Errno::IO, 1);
}

#[test]
fn a_full_disk_at_any_call_leaves_each_message_in_one_place() {
    fail_each_in_turn(Errno::NOSPC, 1);
}
