//! Several handles on one file in one process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use blockqueue::{
    ClaimOptions, DeadLetters, Durability, Message, NackOptions, NewSubscriber, NewTopic,
    OpenOptions, Pending, Queue, TransactionOptions,
};
use tempfile::TempDir;

const LONG: Duration = Duration::from_mins(10);

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    (folder, file)
}

fn create(file: &Path) -> Queue {
    let queue = Queue::open(file).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    queue
}

fn commits(queue: &Queue) -> u64 {
    queue.engine_stats().unwrap().commits
}

fn wait_for_one(queue: &Queue) -> Pending<Vec<blockqueue::Delivery>> {
    queue.claim("t", "s", &ClaimOptions::default().with_wait(LONG))
}

#[expect(clippy::disallowed_methods, reason = "a test that hangs has failed")]
fn until(is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < end);
        thread::yield_now();
    }
}

fn code<T>(answer: Pending<T>) -> &'static str {
    answer.wait().map(drop).unwrap_err().code()
}

/// SQLite removes the log when the last connection of the last process ends.
fn is_open(file: &Path) -> bool {
    file.with_file_name("queue.db-wal").exists()
}

#[test]
fn a_second_opening_shares_the_engine_whatever_the_name() {
    let (folder, file) = place();
    let first = create(&file);
    let before = commits(&first);
    assert!(before > 0);
    let detour = folder.path().join(".").join("queue.db");
    let mut names = vec![file.clone(), detour];
    #[cfg(unix)]
    {
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        names.push(link);
    }
    for name in names {
        let second = Queue::open_with(name, OpenOptions::default().with_must_exist(true)).unwrap();
        assert_eq!(commits(&second), commits(&first), "no engine of its own");
        second.publish("t", "x").wait().unwrap();
        assert_eq!(commits(&second), commits(&first));
    }
    assert!(commits(&first) > before);
}

#[test]
fn other_options_have_an_engine_of_their_own() {
    let (_folder, file) = place();
    let first = create(&file);
    let balanced = OpenOptions::default().with_durability(Durability::Balanced);
    let larger = OpenOptions::default().with_payload_bytes_max(2 << 20);
    for options in [balanced, larger] {
        let second = Queue::open_with(&file, options.clone()).unwrap();
        let third = Queue::open_with(&file, options).unwrap();
        let waiting = wait_for_one(&first);
        second.publish("t", "x").wait().unwrap();
        assert_eq!(waiting.wait().unwrap().len(), 1);
        assert_eq!(commits(&second), commits(&third));
        assert_ne!(commits(&second), commits(&first));
    }
}

#[test]
fn queues_in_memory_are_never_shared() {
    let first = create(Path::new(":memory:"));
    let second = Queue::open(":memory:").unwrap();
    assert_eq!(code(second.topic("t")), "unknown_topic");
    first.topic("t").wait().unwrap();
}

#[test]
fn a_shutdown_ends_one_handle_and_the_last_one_closes_the_file() {
    let (_folder, file) = place();
    let (first, second) = (create(&file), Queue::open(&file).unwrap());
    let clone = first.clone();
    let published = second.publish("t", "x").wait().unwrap();
    assert_eq!(wait_for_one(&first).wait().unwrap().len(), 1);
    let ended = [wait_for_one(&first), wait_for_one(&clone)];
    let waiting = wait_for_one(&second);
    let result = first.wait_result("t", "s", published.id, LONG);
    until(|| second.engine_stats().unwrap().waiting_claims == 3);
    first.shutdown().wait().unwrap();
    for claim in ended {
        assert_eq!(code(claim), "shutdown");
    }
    assert_eq!(code(result), "shutdown");
    assert_eq!(code(clone.publish("t", "y")), "shutdown");
    assert_eq!(code(clone.topic("t")), "shutdown");
    assert_eq!(code(wait_for_one(&clone)), "shutdown");
    first.shutdown().wait().unwrap();
    clone.shutdown().wait().unwrap();
    drop((first, clone));

    second.publish("t", "z").wait().unwrap();
    assert_eq!(waiting.wait().unwrap().len(), 1, "the other handle goes on");
    assert!(is_open(&file));
    second.shutdown().wait().unwrap();
    assert!(!is_open(&file));
    Queue::open(&file).unwrap().topic("t").wait().unwrap();
}

#[test]
fn a_dropped_handle_ends_its_waits_and_no_others() {
    let (_folder, file) = place();
    let (first, second) = (create(&file), Queue::open(&file).unwrap());
    let (dropped, waiting) = (wait_for_one(&first), wait_for_one(&second));
    drop(first);
    assert_eq!(code(dropped), "shutdown");
    second.publish("t", "x").wait().unwrap();
    assert_eq!(waiting.wait().unwrap().len(), 1);
    drop(second);
    until(|| !is_open(&file));
}

#[test]
fn a_shutdown_waits_for_what_its_handle_has_begun() {
    const COUNT: u64 = 5_000;
    let (_folder, file) = place();
    let (first, second) = (create(&file), Queue::open(&file).unwrap());
    first.create_subscriber("t", NewSubscriber::new("dead")).wait().unwrap();
    for _ in 0..COUNT / 1_000 {
        first.publish_batch("t", vec![Message::new("x"); 1_000]).wait().unwrap();
        let options = ClaimOptions::default().with_limit(1_000);
        for delivery in first.claim("t", "dead", &options).wait().unwrap() {
            drop(first.nack(&delivery.receipt, &NackOptions::default().with_give_up(true)));
        }
    }
    // Many transactions, one after another.
    let redriven = first.redrive("t", "dead", DeadLetters::All);
    first.shutdown().wait().unwrap();
    let stats = second.subscriber_stats("t", "dead").wait().unwrap();
    assert_eq!((stats.dead_count, stats.retrying_count), (0, COUNT));
    assert_eq!(redriven.wait().unwrap(), COUNT);
}

#[test]
fn openings_at_the_same_time_end_up_with_one_engine() {
    let (_folder, file) = place();
    let start = Barrier::new(16);
    let queues: Vec<Queue> = thread::scope(|scope| {
        let open = || {
            start.wait();
            Queue::open(&file).unwrap()
        };
        let openings: Vec<_> = (0..16).map(|_| scope.spawn(open)).collect();
        openings.into_iter().map(|opening| opening.join().unwrap()).collect()
    });
    queues[0].create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    for queue in &queues {
        queue.publish("t", "x").wait().unwrap();
    }
    for queue in &queues {
        assert_eq!(commits(queue), commits(&queues[0]));
    }
    let (last, others) = queues.split_last().unwrap();
    for queue in others {
        queue.shutdown().wait().unwrap();
    }
    assert_eq!(last.subscriber_stats("t", "s").wait().unwrap().pending_count, 16);
    last.shutdown().wait().unwrap();
    until(|| !is_open(&file));
}

#[test]
fn another_file_under_the_same_name_is_another_queue() {
    let (folder, file) = place();
    let old = create(&file);
    for entry in fs::read_dir(folder.path()).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let new = Queue::open(&file).unwrap();
    assert_eq!(code(new.topic("t")), "unknown_topic");
    drop(old);
}

#[test]
fn a_transaction_is_known_to_every_handle_of_its_thread() {
    let (_folder, file) = place();
    let (first, second) = (create(&file), Queue::open(&file).unwrap());
    let transaction = first.transaction(TransactionOptions::default()).wait().unwrap();
    transaction.publish("t", "x").wait().unwrap();
    assert_eq!(code(second.publish("t", "y")), "in_transaction");
    transaction.commit().wait().unwrap();
    second.publish("t", "y").wait().unwrap();
}
