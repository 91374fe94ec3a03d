//! Answers that are lost, a network that is slow, and a server that refuses.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use blockqueue::{
    ClaimOptions, Error, Message, NewSubscriber, NewTopic, OpenOptions, Queue, Retry,
    SubscriberOptions,
};

use crate::engines::{eventually, queue};
use crate::server::Server;

/// Until it is known to be done. What is not known to be done is the test's failure.
fn persist<T>(mut what: impl FnMut() -> Result<T, Error>) -> T {
    loop {
        match what() {
            Ok(done) => return done,
            Err(error) => assert_eq!(error.retry(), Retry::Later, "{error}"),
        }
    }
}

/// Of more than 2,000 requests a third fails, in every way. Nothing is lost, nothing is done twice, and the order
/// of keys is kept.
#[test]
fn every_message_is_delivered_once_over_a_network_that_fails() {
    const KEYS: usize = 8;
    let server = Server::start();
    let address = server.database("faults");
    let queue = Queue::open(&address).unwrap();
    let ordered = SubscriberOptions::default().with_ordered(true);
    let subscriber = NewSubscriber::new("s").with_options(ordered);
    queue.create_topic(NewTopic::new("t").with_subscriber(subscriber)).wait().unwrap();
    let other = Queue::open(&address).unwrap();
    server.shared.fails_one_of.store(3, Ordering::Relaxed);
    let delivered: Mutex<BTreeMap<String, Vec<usize>>> = Mutex::default();
    let count = || delivered.lock().unwrap().values().map(Vec::len).sum::<usize>();
    let mut published = 0;
    let options = ClaimOptions::default().with_limit(KEYS);
    while server.requests() < 2_000 || count() < published {
        thread::scope(|scope| {
            // No idempotency keys: the store knows what it has done.
            for key in (0..KEYS).filter(|_| server.requests() < 2_000) {
                let (queue, number) = (&queue, published / KEYS);
                published += 1;
                scope.spawn(move || {
                    let message =
                        || Message::new(number.to_string()).with_ordering_key(key.to_string());
                    persist(|| queue.publish("t", message()).wait());
                });
            }
        });
        for consumer in [&queue, &other] {
            for delivery in persist(|| consumer.claim("t", "s", &options).wait()) {
                let number = String::from_utf8_lossy(&delivery.payload).parse().unwrap();
                let key = delivery.ordering_key.unwrap();
                delivered.lock().unwrap().entry(key).or_default().push(number);
                persist(|| consumer.ack(&delivery.receipt).wait());
            }
        }
    }
    server.shared.fails_one_of.store(0, Ordering::Relaxed);
    let expected: Vec<usize> = (0..published / KEYS).collect();
    for (key, numbers) in delivered.lock().unwrap().iter() {
        assert_eq!(*numbers, expected, "key {key}");
    }
    let stats = Queue::open(&address).unwrap().subscriber_stats("t", "s").wait().unwrap();
    assert_eq!(
        (stats.acked_count, stats.leased_count, stats.pending_count),
        (published as u64, 0, 0)
    );
    println!("{published} messages in {} requests", server.requests());
}

/// A publish, a claim, an ack, and a publish that answers a waiting claim: one request each.
#[test]
fn a_group_is_one_round_trip() {
    const ROUNDS: u64 = 20;
    let server = Server::start();
    let queue = queue(&server.database("trips"));
    eventually("the engine has begun", || {
        server.number("trips", "SELECT count(*) FROM blockqueue_topic") == 1
    });
    let before = server.requests();
    for _ in 0..ROUNDS {
        queue.publish("t", "x").wait().unwrap();
        let claimed = queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap();
        queue.ack(&claimed[0].receipt).wait().unwrap();
    }
    let requests = server.requests() - before;
    println!("{requests} requests for {} operations", 3 * ROUNDS);
    assert!(requests * 2 <= 3 * ROUNDS * 3, "{requests} requests");
    let delay = Duration::from_millis(10);
    server.shared.delay_us.store(u64::try_from(delay.as_micros()).unwrap(), Ordering::Relaxed);
    let times = (0..20).map(|_| {
        let started = Instant::now();
        queue.publish("t", "x").wait().unwrap();
        started.elapsed()
    });
    let best = times.min().unwrap();
    println!("best of 20 at 10 ms each way: publish {best:?}");
    assert!(best < delay * 3, "{best:?}");
}

/// Whoever publishes while a request is under way shares the next one.
#[test]
fn many_callers_are_many_times_as_fast_as_one() {
    const CALLERS: usize = 64;
    const EACH: usize = 10;
    let server = Server::start();
    let queue = queue(&server.database("callers"));
    let timed = |callers: usize| {
        let (before, started) = (server.requests(), Instant::now());
        thread::scope(|scope| {
            for _ in 0..callers {
                scope.spawn(|| {
                    for _ in 0..EACH * CALLERS / callers {
                        queue.publish("t", Message::new([b'x'; 100])).wait().unwrap();
                    }
                });
            }
        });
        (server.requests() - before, started.elapsed())
    };
    let (alone, together) = (timed(1), timed(CALLERS));
    let ratio = alone.1.as_secs_f64() / together.1.as_secs_f64();
    println!("{} publishes, 64 callers against one: {ratio:.1} x, {together:?}", CALLERS * EACH);
    // Times are for people: the machine may be busy.
    assert!(together.0 * 8 <= alone.0, "{} requests instead of {}", together.0, alone.0);
}

#[test]
fn what_nobody_can_know_is_said_and_found_out_later() {
    let server = Server::start();
    let address = server.database("unknown");
    let queue = queue(&address);
    server.shared.is_cut_off.store(true, Ordering::Relaxed);
    let error = queue.publish("t", "x").wait().unwrap_err();
    assert_eq!(error.code(), "outcome_unknown", "{error}");
    server.shared.is_cut_off.store(false, Ordering::Relaxed);
    // It was done, once.
    assert_eq!(queue.topic_stats("t").wait().unwrap().published_count, 1);
    queue.publish("t", "y").wait().unwrap();
    assert_eq!(server.number("unknown", "SELECT count(*) FROM blockqueue_message"), 2);
}

#[test]
fn a_token_that_expires_is_replaced() {
    let server = Server::start();
    let token = Arc::new(Mutex::new("first".to_owned()));
    *server.shared.token.lock().unwrap() = Some("first".into());
    let given = Arc::clone(&token);
    let options =
        OpenOptions::default().with_token_provider(move || Ok(given.lock().unwrap().clone()));
    let queue = Queue::open_with(server.database("token"), options).unwrap();
    queue.create_topic("t").wait().unwrap();
    *server.shared.token.lock().unwrap() = Some("second".into());
    let error = queue.publish("t", "x").wait().unwrap_err();
    assert!(error.to_string().contains("token"), "{error}");
    assert!(!error.to_string().contains("first"), "{error}");
    *token.lock().unwrap() = "second".into();
    queue.publish("t", "y").wait().unwrap();
    assert_eq!(queue.topic_stats("t").wait().unwrap().published_count, 1);
}

#[test]
fn a_server_that_is_overrun_is_left_alone_for_a_while() {
    let server = Server::start();
    let queue = queue(&server.database("overrun"));
    server.shared.refuses.store(429, Ordering::Relaxed);
    let before = server.requests();
    let until = Instant::now() + Duration::from_millis(200);
    while Instant::now() < until {
        assert_eq!(queue.publish("t", "x").wait().unwrap_err().code(), "busy");
    }
    assert!(server.requests() - before <= 3, "{}", server.requests() - before);
    server.shared.refuses.store(0, Ordering::Relaxed);
    eventually("the server is asked again", || queue.publish("t", "x").wait().is_ok());
    assert_eq!(queue.topic_stats("t").wait().unwrap().published_count, 1);
}

#[test]
fn large_messages_are_what_they_were_and_larger_ones_are_refused() {
    let server = Server::start();
    let address = server.database("large");
    let options = OpenOptions::default().with_payload_bytes_max(16 << 20);
    let queue = Queue::open_with(&address, options.clone()).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let behind = Queue::open_with(&address, options.clone()).unwrap();
    let payload = |size: usize| -> Vec<u8> { (0..=250_u8).cycle().take(size).collect() };
    let batch: Vec<Message> = (1..=3).map(|n| Message::new(payload(n << 20))).collect();
    queue.publish_batch("t", batch).wait().unwrap();
    let error = queue.publish("t", payload(5 << 20)).wait().unwrap_err();
    assert_eq!(error.code(), "limit_exceeded", "{error}");
    queue.publish("t", payload(100)).wait().unwrap();
    let ahead = Queue::open_with(&address, options).unwrap();
    for consumer in [behind, ahead] {
        let wait = ClaimOptions::default().with_limit(10).with_lease(Duration::from_millis(1));
        let claimed = consumer.claim("t", "s", &wait).wait().unwrap();
        assert_eq!(claimed.len(), 4);
        for (delivery, size) in claimed.iter().zip([1 << 20, 2 << 20, 3 << 20, 100]) {
            assert!(delivery.payload == payload(size), "{size}");
        }
    }
    assert_eq!(
        server.number("large", "SELECT max(length(changes)) < 5000000 FROM blockqueue_journal"),
        1
    );
}
