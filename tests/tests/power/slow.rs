//! A disk that takes its time: everything waits for it, and nothing for longer than that.

use std::time::{Duration, Instant};

use blockqueue::{ClaimOptions, NewTopic, Queue};
use tempfile::TempDir;

use crate::system::{Watch, Watching};

/// What a sync takes, and so a commit.
const SYNC: Duration = Duration::from_millis(150);
/// For a machine that has other things to do.
const SLACK: Duration = Duration::from_secs(5);

/// A queue with the topics `t` and `u`, each with subscriber `s`, on a disk that is slow from now on.
fn slow() -> (TempDir, Watching, Queue) {
    let folder = tempfile::tempdir().unwrap();
    let queue = {
        let _fast = Watch::fast(folder.path());
        let queue = Queue::open(folder.path().join("queue.db")).unwrap();
        for name in ["t", "u"] {
            queue.create_topic(NewTopic::new(name).with_subscriber("s")).wait().unwrap();
        }
        queue
    };
    let watching = Watch::slow(folder.path(), SYNC);
    (folder, watching, queue)
}

#[expect(clippy::disallowed_methods, reason = "how long something takes in real time")]
fn took<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = what();
    (done, start.elapsed())
}

#[test]
fn a_waiting_claim_ends_in_time_and_one_that_is_filled_is_answered_after_the_sync() {
    let (_folder, _watching, queue) = slow();
    let wait = Duration::from_millis(200);
    let options = ClaimOptions::default().with_wait(wait);
    let publish = queue.publish("u", "in the way");
    let (claimed, waited) = took(|| queue.claim("t", "s", &options).wait().unwrap());
    assert_eq!(claimed, []);
    assert!((wait..wait + SYNC * 4 + SLACK).contains(&waited), "{waited:?}");
    publish.wait().unwrap();
    let waiting = queue.claim("t", "s", &ClaimOptions::default().with_wait(Duration::from_mins(1)));
    let (published, waited) = took(|| queue.publish("t", "x").wait());
    published.unwrap();
    assert!(waited >= SYNC, "answered before it was synced: {waited:?}");
    assert_eq!(waiting.wait().unwrap().len(), 1);
}

#[test]
fn callers_share_the_syncs() {
    let (_folder, _watching, queue) = slow();
    let ((), waited) = took(|| {
        let publishes: Vec<_> =
            (0..200).map(|number: u32| queue.publish("t", number.to_string())).collect();
        for publish in publishes {
            publish.wait().unwrap();
        }
    });
    assert!(waited < SYNC * 20 + SLACK, "{waited:?} for 200 publishes, {SYNC:?} each");
}

#[test]
fn extensions_that_come_in_time_keep_a_lease_over_many_syncs() {
    let (_folder, _watching, queue) = slow();
    queue.publish("t", "x").wait().unwrap();
    let lease = SYNC * 20 + SLACK;
    let options = ClaimOptions::default().with_lease(lease);
    let claimed = queue.claim("t", "s", &options).wait().unwrap();
    let [delivery] = claimed.as_slice() else { panic!("{claimed:?}") };
    for _ in 0..5 {
        queue.extend(&delivery.receipt, lease).wait().unwrap();
        assert_eq!(queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap(), []);
    }
    queue.ack(&delivery.receipt).wait().unwrap();
}
