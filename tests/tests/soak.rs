//! The same work for long: nothing grows.
//!
//! `BLOCKQUEUE_SOAK_SECONDS` (default 8) says for how long. One test, so that what this process uses is its.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use blockqueue::{ClaimOptions, Message, NackOptions, NewTopic, Queue};

/// Work that fills caches and files to their usual sizes, before anything is measured.
const WARM_UP_ROUNDS: usize = 300;
const WAL_BYTES_MAX: u64 = 64 << 20;
const FILE_BYTES_MAX: u64 = 64 << 20;
/// What may be more in memory at the end than after the warm-up.
const GROWTH_BYTES_MAX: u64 = 32 << 20;

/// SQLite keeps descriptors of a file that it cannot close without losing locks, and uses them again.
const DESCRIPTORS_KEPT: usize = 6;

#[derive(Debug)]
struct Use {
    threads: usize,
    descriptors: usize,
    memory_bytes: u64,
}

fn used() -> Use {
    let count = |folder| fs::read_dir(folder).unwrap().count();
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let resident: u64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
    Use {
        threads: count("/proc/self/task"),
        descriptors: count("/proc/self/fd"),
        memory_bytes: resident * 4_096,
    }
}

/// Publishes, claims and settles 100 messages, one of which fails for a while.
fn round(queue: &Queue) {
    let payload = "x".repeat(200);
    let messages = (0..100).map(|number: u64| {
        let message = Message::new(payload.as_str());
        if number == 0 { message.with_delay(Duration::from_millis(5)) } else { message }
    });
    queue.publish_batch("t", messages.collect()).wait().unwrap();
    for subscriber in ["a", "b"] {
        let options = ClaimOptions::default().with_limit(110);
        let deliveries = queue.claim("t", subscriber, &options).wait().unwrap();
        let (Some(first), rest) = (deliveries.first(), deliveries.get(1..).unwrap_or_default())
        else {
            continue;
        };
        queue.nack(&first.receipt, &NackOptions::default().with_error("why")).wait().unwrap();
        let receipts: Vec<_> = rest.iter().map(|delivery| delivery.receipt).collect();
        if !receipts.is_empty() {
            queue.ack_batch(&receipts).wait().unwrap();
        }
        // A letter that nobody wants is thrown away, not kept for ever.
        queue.purge_dead_letters("t", subscriber, blockqueue::DeadLetters::All).wait().unwrap();
    }
}

/// What others do beside it: open, look, wait in vain, close.
fn visit(file: &Path) {
    let queue = Queue::open(file).unwrap();
    queue.topic_stats("t").wait().unwrap();
    queue.claim("other", "s", &ClaimOptions::default()).wait().unwrap();
    queue.shutdown().wait().unwrap();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it is about real time")]
fn nothing_grows_with_time() {
    let seconds = std::env::var("BLOCKQUEUE_SOAK_SECONDS").ok();
    let seconds: u64 = seconds.and_then(|text| text.parse().ok()).unwrap_or(8);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let queue = Queue::open(&file).unwrap();
    queue
        .create_topic(NewTopic::new("t").with_subscriber("a").with_subscriber("b"))
        .wait()
        .unwrap();
    queue.create_topic(NewTopic::new("other").with_subscriber("s")).wait().unwrap();
    (0..WARM_UP_ROUNDS).for_each(|_| round(&queue));
    (0..5).for_each(|_| visit(&file));
    let before = used();

    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut rounds, mut largest_wal, mut largest_file) = (0_u64, 0, 0);
    while Instant::now() < end {
        round(&queue);
        rounds += 1;
        if rounds.is_multiple_of(10) {
            let stats = queue.engine_stats().unwrap();
            largest_wal = largest_wal.max(stats.wal_bytes);
            largest_file = largest_file.max(stats.file_bytes);
            visit(&file);
        }
    }

    // Threads of a queue that was shut down end soon after it.
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut after = used();
    let has_grown = |after: &Use| {
        after.threads > before.threads || after.descriptors > before.descriptors + DESCRIPTORS_KEPT
    };
    while has_grown(&after) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
        after = used();
    }
    println!(
        "{rounds} rounds: {before:?}, {after:?}, log {largest_wal}, file {largest_file} bytes"
    );
    assert!(!has_grown(&after), "threads or descriptors: {before:?}, {after:?}");
    let growth = after.memory_bytes.saturating_sub(before.memory_bytes);
    assert!(growth <= GROWTH_BYTES_MAX, "memory: {before:?}, {after:?}");
    assert!(largest_wal <= WAL_BYTES_MAX, "the log grew to {largest_wal} bytes");
    assert!(largest_file <= FILE_BYTES_MAX, "the file grew to {largest_file} bytes");
    queue.shutdown().wait().unwrap();
}
