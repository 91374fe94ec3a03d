//! Answers that are lost, a network that is slow, and a server that dies.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use blockqueue::{ClaimOptions, Queue};

use crate::proxy::{self, Faults};
use crate::server::{address, eventually, fresh_schema, numbered, queue, with_schema};

#[test]
fn a_publish_whose_answer_is_lost_is_done_once() {
    const MESSAGES: usize = 150;
    let Some(server) = address() else { return };
    let schema = fresh_schema();
    let faults = Arc::new(Faults::default());
    let through = proxy::start(&server, &faults);
    let queue = queue(&with_schema(&through, &schema));
    faults.cut_one_of.store(12, Ordering::Relaxed);
    for number in 0..MESSAGES {
        // No idempotency key: the store knows.
        queue.publish("t", numbered(number)).wait().unwrap();
    }
    let mut delivered: BTreeMap<String, u32> = BTreeMap::new();
    let options = ClaimOptions::default().with_limit(7).with_wait(Duration::from_millis(100));
    eventually("everything is delivered", || {
        for delivery in queue.claim("t", "s", &options).wait().unwrap() {
            let payload = String::from_utf8_lossy(&delivery.payload).into_owned();
            *delivered.entry(payload).or_default() += 1;
            queue.ack(&delivery.receipt).wait().unwrap();
        }
        delivered.len() == MESSAGES
    });
    faults.cut_one_of.store(0, Ordering::Relaxed);
    let stats = Queue::open(with_schema(&server, &schema)).unwrap();
    let stats = stats.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!(
        (stats.acked_count, stats.leased_count, stats.pending_count),
        (MESSAGES as u64, 0, 0)
    );
    assert!(delivered.values().all(|count| *count == 1), "{delivered:?}");
}

/// At 10 ms each way a publish, a claim, and a publish that answers a waiting claim are one round trip each.
#[test]
fn a_group_is_one_round_trip() {
    let Some(server) = address() else { return };
    let schema = fresh_schema();
    let delay = Duration::from_millis(10);
    let through = proxy::start(&server, &Faults::delayed(delay));
    queue(&with_schema(&server, &schema));
    let queue = Queue::open(with_schema(&through, &schema)).unwrap();
    let best = |what: &dyn Fn()| -> Duration {
        let times = (0..30).map(|_| {
            let started = Instant::now();
            what();
            started.elapsed()
        });
        times.min().unwrap()
    };
    let publish = best(&|| {
        queue.publish("t", "x").wait().unwrap();
    });
    let claim = best(&|| {
        let claimed = queue.claim("t", "s", &ClaimOptions::default().with_limit(1)).wait().unwrap();
        assert_eq!(claimed.len(), 1);
    });
    eventually("nothing is left", || {
        queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap().is_empty()
    });
    let wait = ClaimOptions::default().with_wait(Duration::from_secs(20));
    let both = best(&|| {
        let claim = queue.claim("t", "s", &wait);
        eventually("a claim waits", || queue.engine_stats().unwrap().waiting_claims == 1);
        let started = Instant::now();
        queue.publish("t", "x").wait().unwrap();
        assert_eq!(claim.wait().unwrap().len(), 1);
        println!("publish to a waiting claim: {:?}", started.elapsed());
    });
    println!("publish {publish:?}, claim {claim:?}, with a wait before {both:?}");
    // One round trip is 20 ms; a second one would make it 40.
    assert!(publish < delay * 3, "publish took {publish:?}");
    assert!(claim < delay * 3, "claim took {claim:?}");
}

#[test]
fn a_server_that_dies_and_comes_back_loses_nothing_that_was_answered() {
    let Some(server) = address() else { return };
    let Ok(restart) = std::env::var("BLOCKQUEUE_TEST_POSTGRES_RESTART") else { return };
    let queue = queue(&with_schema(&server, &fresh_schema()));
    let mut answered = Vec::new();
    for number in 0..200 {
        if number == 60 || number == 130 {
            let status = Command::new(&restart).status().unwrap();
            assert!(status.success());
        }
        if queue.publish("t", numbered(number)).wait().is_ok() {
            answered.push(number.to_string());
        }
    }
    assert!(answered.len() >= 190, "only {} were answered", answered.len());
    let mut delivered: BTreeMap<String, u32> = BTreeMap::new();
    eventually("everything is delivered", || {
        for delivery in
            queue.claim("t", "s", &ClaimOptions::default().with_limit(50)).wait().unwrap()
        {
            let payload = String::from_utf8_lossy(&delivery.payload).into_owned();
            *delivered.entry(payload).or_default() += 1;
            queue.ack(&delivery.receipt).wait().unwrap();
        }
        queue.subscriber_stats("t", "s").wait().unwrap().pending_count == 0
    });
    assert!(answered.iter().all(|payload| delivered.contains_key(payload)));
    assert!(delivered.values().all(|count| *count == 1), "{delivered:?}");
}
