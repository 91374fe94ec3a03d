//! Answers that are lost, a network that is slow, and a server that dies.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use blockqueue::{
    ClaimOptions, Message, NewSubscriber, NewTopic, Queue, SeekTo, SubscriberOptions,
};

use crate::proxy::{self, Faults};
use crate::server::{address, eventually, fresh_schema, numbered, queue, with_schema};

/// Every third request is reset, carried out without an answer, answered by half, or late. Three engines, each with
/// somebody who publishes and somebody who consumes.
#[test]
fn with_a_third_of_two_thousand_requests_failing_each_message_is_delivered_once_and_in_order() {
    const REQUESTS: u64 = 2_000;
    const KEYS: usize = 5;
    let Some(server) = address() else { return };
    let schema = fresh_schema();
    let faults = Arc::new(Faults::default());
    let through = with_schema(&proxy::start(&server, &faults), &schema);
    let ordered = SubscriberOptions::default().with_ordered(true);
    let subscriber = NewSubscriber::new("s").with_options(ordered);
    let direct = Queue::open(with_schema(&server, &schema)).unwrap();
    direct.create_topic(NewTopic::new("t").with_subscriber(subscriber)).wait().unwrap();
    let engines: Vec<Queue> = (0..3).map(|_| Queue::open(&through).unwrap()).collect();
    faults.one_of.store(3, Ordering::Relaxed);
    let is_enough = || faults.requests.load(Ordering::Relaxed) >= REQUESTS;
    let delivered: Mutex<BTreeMap<String, Vec<usize>>> = Mutex::default();
    let (published, consumed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let publish = |engine: usize, queue: &Queue| {
        for number in (0..).take_while(|_| !is_enough()) {
            let key = format!("{engine}.{}", number % KEYS);
            let message = Message::new((number / KEYS).to_string()).with_ordering_key(key);
            // No idempotency key: the store knows.
            queue.publish("t", message).wait().unwrap();
            published.fetch_add(1, Ordering::Relaxed);
        }
    };
    let consume = |queue: &Queue| {
        let options = ClaimOptions::default().with_limit(5).with_wait(Duration::from_millis(50));
        let deadline = Instant::now() + Duration::from_mins(5);
        loop {
            assert!(Instant::now() < deadline, "not everything is delivered");
            let claimed = queue.claim("t", "s", &options).wait().unwrap();
            let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
            for delivery in claimed {
                let number = String::from_utf8(delivery.payload).unwrap().parse().unwrap();
                let key = delivery.ordering_key.unwrap();
                delivered.lock().unwrap().entry(key).or_default().push(number);
            }
            if !receipts.is_empty() {
                let acked = queue.ack_batch(&receipts).wait().unwrap();
                assert!(acked.iter().all(Result::is_ok), "{acked:?}");
            }
            let count = consumed.fetch_add(receipts.len(), Ordering::Relaxed) + receipts.len();
            if is_enough() && count >= published.load(Ordering::Relaxed) {
                break;
            }
        }
    };
    thread::scope(|scope| {
        for (number, engine) in engines.iter().enumerate() {
            scope.spawn(move || publish(number, engine));
            scope.spawn(move || consume(engine));
        }
    });
    let (requests, failed) = (&faults.requests, &faults.failed);
    let [requests, failed] = [requests, failed].map(|count| count.load(Ordering::Relaxed));
    println!("{failed} of {requests} requests failed, {published:?} messages");
    assert!(failed * 4 > requests, "only {failed} of {requests} failed");
    for (key, numbers) in &*delivered.lock().unwrap() {
        assert_eq!(*numbers, (0..numbers.len()).collect::<Vec<_>>(), "of key {key}");
    }
    let stats = direct.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.leased_count, stats.pending_count), (0, 0));
    assert_eq!(stats.acked_count, published.into_inner() as u64);
    assert_eq!(direct.diagnose().wait().unwrap().problems, Vec::<String>::new());
}

#[test]
fn a_server_that_stays_away_is_waited_for_and_then_the_answer_says_what_is_known() {
    let Some(server) = address() else { return };
    let schema = fresh_schema();
    let direct = queue(&with_schema(&server, &schema));
    let faults = Arc::new(Faults::default());
    let through = proxy::start(&server, &faults);
    let queue = Queue::open(with_schema(&through, &schema)).unwrap();
    faults.loses_next.store(true, Ordering::Relaxed);
    let unknown = queue.publish("t", "carried out");
    eventually("it is carried out", || {
        direct.topic_stats("t").wait().unwrap().published_count == 1
    });
    // There is no connection that it could be sent over.
    let unsent = queue.publish("t", "never sent");
    assert_eq!(unknown.wait().unwrap_err().code(), "outcome_unknown");
    assert_eq!(unsent.wait().unwrap_err().code(), "io");
    faults.refuses.store(false, Ordering::Relaxed);
    queue.publish("t", "later").wait().unwrap();
    assert_eq!(direct.topic_stats("t").wait().unwrap().published_count, 2);
}

/// At 10 ms each way a publish, a claim, an ack, and a publish that answers a waiting claim are one round trip each.
#[test]
fn a_group_is_one_round_trip() {
    let Some(server) = address() else { return };
    let schema = fresh_schema();
    let delay = Duration::from_millis(10);
    let faults = Faults::delayed(delay);
    let through = proxy::start(&server, &faults);
    queue(&with_schema(&server, &schema));
    let queue = Queue::open(with_schema(&through, &schema)).unwrap();
    // The least of several: now and then the engine does something of its own meanwhile.
    let least = |what: &str, once: &dyn Fn() -> (u64, Duration)| {
        let tries: Vec<_> = (0..20).map(|_| once()).collect();
        let turns = tries.iter().map(|(turns, _)| *turns).min().unwrap();
        let took = tries.iter().map(|(_, took)| *took).min().unwrap();
        println!("{what}: {turns} round trips, {took:?}");
        assert_eq!(turns, 1, "{what}");
        assert!(took < delay * 3, "{what} took {took:?}");
    };
    let measured = |work: &dyn Fn()| {
        let (before, started) = (faults.turns.load(Ordering::Relaxed), Instant::now());
        work();
        (faults.turns.load(Ordering::Relaxed) - before, started.elapsed())
    };
    let publish = || assert!(queue.publish("t", "x").wait().is_ok());
    least("publish", &|| measured(&publish));
    let one = ClaimOptions::default().with_limit(1);
    let claimed = Cell::new(None);
    let claim = || claimed.set(queue.claim("t", "s", &one).wait().unwrap().pop());
    least("claim", &|| measured(&claim));
    let receipts: Vec<_> = (0..20)
        .map(|_| {
            publish();
            claim();
            claimed.take().unwrap().receipt
        })
        .collect();
    let next = Cell::new(0);
    least("ack", &|| {
        measured(&|| {
            queue.ack(receipts.get(next.replace(next.get() + 1)).unwrap()).wait().unwrap();
        })
    });
    queue.seek("t", "s", SeekTo::Latest).wait().unwrap();
    let wait = ClaimOptions::default().with_wait(Duration::from_secs(20));
    least("publish to a waiting claim", &|| {
        let claim = Cell::new(Some(queue.claim("t", "s", &wait)));
        eventually("a claim waits", || queue.engine_stats().unwrap().waiting_claims == 1);
        measured(&|| {
            publish();
            assert_eq!(claim.take().unwrap().wait().unwrap().len(), 1);
        })
    });
}

#[test]
fn a_zero_character_is_refused_and_its_neighbours_are_not() {
    let Some(server) = address() else { return };
    let queue = queue(&with_schema(&server, &fresh_schema()));
    let messages = [
        Message::new(b"a\0b".as_slice()),
        Message::new("x").with_header("a", "b\0"),
        Message::new("x").with_ordering_key("\0"),
        Message::new("x").with_idempotency_key("a\0"),
        Message::new(vec![0, 159, 146, 150]),
    ];
    let publishes: Vec<_> =
        messages.into_iter().map(|message| queue.publish("t", message)).collect();
    let codes: Vec<_> = publishes
        .into_iter()
        .map(|publish| publish.wait().map_or_else(|error| error.code(), |_| "published"))
        .collect();
    let refused = "invalid_argument";
    assert_eq!(codes, ["published", refused, refused, refused, "published"]);
    let claimed = queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap();
    let payloads: Vec<_> = claimed.iter().map(|delivery| delivery.payload.as_slice()).collect();
    assert_eq!(payloads, [b"a\0b".as_slice(), &[0, 159, 146, 150]]);
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
