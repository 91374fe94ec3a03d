//! Several engines on one database.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use blockqueue::{
    ClaimOptions, Message, NewSubscriber, NewTopic, Page, Peeked, Queue, SubscriberOptions,
};

use crate::server::Server;

/// A queue with topic `t` and subscriber `s`.
pub(crate) fn queue(address: &str) -> Queue {
    let queue = Queue::open(address).unwrap();
    let topic = NewTopic::new("t").with_subscriber(NewSubscriber::new("s"));
    queue.create_topic(topic).wait().unwrap();
    queue
}

/// Waits until something holds.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        thread::yield_now();
    }
}

#[test]
fn engines_that_start_at_once_on_an_empty_database_share_it() {
    let server = Server::start();
    let address = server.database("empty");
    let engines: Vec<Queue> = thread::scope(|scope| {
        let openers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| Queue::open(&address).unwrap())).collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect()
    });
    let (first, rest) = engines.split_first().unwrap();
    first.create_topic("t").wait().unwrap();
    let ids: Vec<_> =
        rest.iter().map(|engine| engine.publish("t", "x").wait().unwrap().id).collect();
    let stats = first.topic_stats("t").wait().unwrap();
    assert_eq!(stats.published_count, rest.len() as u64);
    assert_eq!(
        server.number("empty", "SELECT count(*) FROM blockqueue_meta WHERE name = 'tag'"),
        1
    );
    // Their ids are of one database.
    for id in ids {
        assert!(first.message("t", id).wait().is_ok());
    }
}

#[test]
fn a_waiting_claim_hears_of_a_publish_through_another_engine() {
    let server = Server::start();
    let address = server.database("wake");
    let (consumer, publisher) = (queue(&address), Queue::open(&address).unwrap());
    let options = ClaimOptions::default().with_wait(Duration::from_secs(30));
    let mut delays = Vec::new();
    for number in 0..5 {
        let claim = consumer.claim("t", "s", &options);
        eventually("a claim waits", || consumer.engine_stats().unwrap().waiting_claims == 1);
        let started = Instant::now();
        publisher.publish("t", number.to_string()).wait().unwrap();
        let claimed = claim.wait().unwrap();
        delays.push(started.elapsed());
        let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
        consumer.ack_batch(&receipts).wait().unwrap();
    }
    delays.sort();
    println!("publish to claim through another engine, asked every 20 ms: {delays:?}");
    // Without the poll it would be seconds.
    assert!(delays[0] < Duration::from_millis(500), "{delays:?}");
}

#[test]
fn an_engine_on_which_nobody_waits_asks_for_nothing() {
    let server = Server::start();
    let queue = queue(&server.database("idle"));
    let waited = ClaimOptions::default().with_wait(Duration::from_millis(100));
    assert!(queue.claim("t", "s", &waited).wait().unwrap().is_empty());
    // The poll goes on for three seconds, and upkeep follows a pause.
    let mut last = (server.requests(), Instant::now());
    eventually("the engine is quiet", || {
        let requests = server.requests();
        if requests != last.0 {
            last = (requests, Instant::now());
        }
        last.1.elapsed() > Duration::from_secs(4)
    });
}

/// Four engines publish, claim, ack and fail, all at once; every message is delivered, in the order of its key.
#[test]
fn engines_that_work_at_once_lose_nothing_and_keep_the_order_of_keys() {
    const ENGINES: usize = 4;
    const EACH: usize = 40;
    let server = Server::start();
    let address = server.database("busy");
    let first = Queue::open(&address).unwrap();
    let ordered = SubscriberOptions::default().with_ordered(true);
    let subscriber = NewSubscriber::new("s").with_options(ordered);
    first.create_topic(NewTopic::new("t").with_subscriber(subscriber)).wait().unwrap();
    let acked: Mutex<BTreeMap<String, Vec<usize>>> = Mutex::default();
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for engine in 0..ENGINES {
            let (address, acked, done) = (&address, &acked, &done);
            scope.spawn(move || {
                let queue = Queue::open(address).unwrap();
                let options = ClaimOptions::default().with_limit(5);
                let mut number = 0;
                while done.load(Ordering::Relaxed) < ENGINES * EACH {
                    if number < EACH {
                        let message =
                            Message::new(number.to_string()).with_ordering_key(format!("{engine}"));
                        queue.publish("t", message).wait().unwrap();
                        number += 1;
                    }
                    for delivery in queue.claim("t", "s", &options).wait().unwrap() {
                        let key = delivery.ordering_key.clone().unwrap();
                        let number = String::from_utf8_lossy(&delivery.payload).parse().unwrap();
                        // One of a key is out at a time: the order of acks is that of deliveries.
                        acked.lock().unwrap().entry(key).or_default().push(number);
                        queue.ack(&delivery.receipt).wait().unwrap();
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let expected: Vec<usize> = (0..EACH).collect();
    for (key, numbers) in acked.into_inner().unwrap() {
        assert_eq!(numbers, expected, "key {key}");
    }
    let stats = first.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!(stats.acked_count, (ENGINES * EACH) as u64);
    assert_eq!((stats.leased_count, stats.parked_count, stats.pending_count), (0, 0, 0));
    assert_eq!(first.diagnose().wait().unwrap().problems, Vec::<String>::new());
    // And so says whoever copies it anew.
    let fresh = Queue::open(&address).unwrap();
    assert_eq!(fresh.diagnose().wait().unwrap().problems, Vec::<String>::new());
    assert_eq!(fresh.subscriber_stats("t", "s").wait().unwrap(), stats);
}

/// Copies are made while others go on publishing and settling; each is a whole one.
#[test]
fn a_copy_that_is_made_while_others_work_is_right() {
    let server = Server::start();
    let address = server.database("copying");
    let queue = queue(&address);
    for _ in 0..20 {
        let batch = (0..50).map(|number| Message::new(vec![b'x'; 100 * number])).collect();
        queue.publish_batch("t", batch).wait().unwrap();
    }
    let (over, is_over) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let queue = &queue;
        scope.spawn(move || {
            let options = ClaimOptions::default().with_limit(7);
            while is_over.try_recv() == Err(mpsc::TryRecvError::Empty) {
                queue.publish("t", "y").wait().unwrap();
                let claimed = queue.claim("t", "s", &options).wait().unwrap();
                let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
                queue.ack_batch(&receipts).wait().unwrap();
            }
        });
        let over = over;
        for round in 0..5 {
            let copy = Queue::open(&address).unwrap();
            assert_eq!(copy.diagnose().wait().unwrap().problems, Vec::<String>::new());
            copy.create_topic(format!("made {round}").as_str()).wait().unwrap();
        }
        // So does a panic.
        drop(over);
    });
    let copy = Queue::open(&address).unwrap();
    let stats = |queue: &Queue| {
        let mut stats = queue.topic_stats("t").wait().unwrap();
        // Time goes on from one look to the next.
        stats.subscribers[0].oldest_age = None;
        stats
    };
    assert_eq!(stats(&copy), stats(&queue));
}

#[test]
fn numbers_that_were_used_are_never_used_again() {
    let server = Server::start();
    let address = server.database("numbers");
    let queue = queue(&address);
    let old = queue.publish("t", "x").wait().unwrap().id;
    queue.delete_topic("t").wait().unwrap();
    eventually("the topic is reclaimed", || {
        queue.create_topic("other").wait().ok();
        server.number("numbers", "SELECT count(*) FROM blockqueue_log") == 0
    });
    let fresh = Queue::open(&address).unwrap();
    fresh.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let new = fresh.publish("t", "x").wait().unwrap().id;
    assert_ne!(old.to_string()[14..], new.to_string()[14..], "the log is another one");
}

#[test]
fn an_engine_that_was_left_behind_copies_anew() {
    let server = Server::start();
    let address = server.database("behind");
    let (behind, ahead) = (queue(&address), Queue::open(&address).unwrap());
    for number in 0..20 {
        ahead.publish("t", number.to_string()).wait().unwrap();
    }
    server.run(
        "behind",
        "DELETE FROM blockqueue_journal WHERE version < (SELECT max(version) FROM blockqueue_journal)",
    );
    assert_eq!(behind.topic_stats("t").wait().unwrap().published_count, 20);
    behind.publish("t", "x").wait().unwrap();
    assert_eq!(ahead.topic_stats("t").wait().unwrap().published_count, 21);
}

/// What is to be claimed, in its order.
fn payloads(queue: &Queue) -> Vec<String> {
    let peeked = queue.peek("t", "s", Page::default()).wait().unwrap().items;
    let payload = |peeked: &Peeked| String::from_utf8_lossy(&peeked.message.payload).into();
    peeked.iter().map(payload).collect()
}

#[test]
fn a_server_that_was_restored_is_believed() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup.db");
    let address = server.database("restored");
    let (reading, writing) = (queue(&address), Queue::open(&address).unwrap());
    reading.publish("t", "1").wait().unwrap();
    server.save("restored", &backup);
    let claimed = writing.claim("t", "s", &ClaimOptions::default()).wait().unwrap();
    writing.ack(&claimed[0].receipt).wait().unwrap();
    writing.ack(&claimed[0].receipt).wait().unwrap();
    writing.publish("t", "2").wait().unwrap();
    assert_eq!(reading.topic_stats("t").wait().unwrap().published_count, 2);
    server.restore("restored", &backup);
    writing.publish("t", "3").wait().unwrap();
    assert_eq!(writing.ack(&claimed[0].receipt).wait().unwrap_err().code(), "lease_lost");
    assert_eq!(payloads(&writing), ["1", "3"]);
    assert_eq!(reading.topic_stats("t").wait().unwrap().published_count, 2);
    reading.publish("t", "4").wait().unwrap();
    assert_eq!(payloads(&Queue::open(&address).unwrap()), ["1", "3", "4"]);
    assert_eq!(reading.diagnose().wait().unwrap().problems, Vec::<String>::new());
}

#[test]
fn a_waiting_claim_hears_that_the_server_was_restored() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup.db");
    let queue = queue(&server.database("again"));
    queue.publish("t", "x").wait().unwrap();
    server.save("again", &backup);
    let options = ClaimOptions::default().with_wait(Duration::from_mins(1));
    let claimed = queue.claim("t", "s", &options).wait().unwrap();
    queue.ack(&claimed[0].receipt).wait().unwrap();
    let claim = queue.claim("t", "s", &options);
    eventually("a claim waits", || queue.engine_stats().unwrap().waiting_claims == 1);
    let restored = Instant::now();
    server.restore("again", &backup);
    let again = claim.wait().unwrap();
    println!("restored to claim: {:?}", restored.elapsed());
    assert_eq!(again[0].message_id, claimed[0].message_id);
    // Without the poll it would be ten seconds.
    assert!(restored.elapsed() < Duration::from_secs(5), "{:?}", restored.elapsed());
}

/// The other history has as many versions and bytes as the one that is gone, and more of them.
#[test]
fn what_came_after_a_restore_is_not_overwritten() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    for (name, count) in [("level", 3), ("longer", 5)] {
        let backup = folder.path().join(name);
        let address = server.database(name);
        let engine = queue(&address);
        engine.publish("t", "kept").wait().unwrap();
        server.save(name, &backup);
        for _ in 0..3 {
            engine.publish("t", "gone").wait().unwrap();
        }
        server.restore(name, &backup);
        let other = Queue::open(&address).unwrap();
        for _ in 0..count {
            other.publish("t", "here").wait().unwrap();
        }
        engine.publish("t", "last").wait().unwrap();
        let mut expected = vec!["kept"];
        expected.extend(vec!["here"; count]);
        expected.push("last");
        assert_eq!(payloads(&Queue::open(&address).unwrap()), expected, "{name}");
        assert_eq!(payloads(&engine), expected, "{name}");
    }
}

#[test]
fn the_journal_is_not_kept_for_ever() {
    let server = Server::start();
    let queue = queue(&server.database("prune"));
    // Of an engine that is gone.
    server.run("prune", "INSERT INTO blockqueue_turn VALUES ('gone', 0, 100)");
    for number in 0..150 {
        if number == 20 {
            server.run("prune", "UPDATE blockqueue_journal SET at = at - 3700000");
        }
        queue.publish("t", "x").wait().unwrap();
    }
    let kept = server.number("prune", "SELECT count(*) FROM blockqueue_journal");
    assert!((1..=140).contains(&kept), "{kept}");
    let oldest = server.number("prune", "SELECT min(version) FROM blockqueue_journal");
    assert!(oldest >= 20, "{oldest}");
    assert_eq!(server.number("prune", "SELECT count(*) FROM blockqueue_turn"), 0);
}

/// The clock of the server is ten minutes ahead of this machine's: all times are the server's.
#[test]
fn leases_are_as_long_on_a_machine_whose_clock_is_wrong() {
    let server = Server::start();
    server.shared.ahead_seconds.store(600, Ordering::Relaxed);
    let address = server.database("clock");
    let (one, other) = (queue(&address), Queue::open(&address).unwrap());
    let published = one.publish("t", "x").wait().unwrap();
    let lease = Duration::from_millis(1_500);
    let options = ClaimOptions::default().with_lease(lease);
    let delivery = one.claim("t", "s", &options).wait().unwrap().remove(0);
    let ahead = delivery.lease_expires_at.duration_since(SystemTime::now()).unwrap();
    assert!(ahead > Duration::from_secs(590) && ahead < Duration::from_secs(610), "{ahead:?}");
    assert!(other.claim("t", "s", &ClaimOptions::default()).wait().unwrap().is_empty());
    // It is claimable when the lease is over, and not ten minutes before or after.
    let started = Instant::now();
    let wait = ClaimOptions::default().with_wait(Duration::from_secs(30));
    let again = other.claim("t", "s", &wait).wait().unwrap().remove(0);
    assert_eq!(again.message_id, published.id);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    // Whoever was away for longer than its lease has lost it.
    assert_eq!(one.ack(&delivery.receipt).wait().unwrap_err().code(), "lease_lost");
    other.ack(&again.receipt).wait().unwrap();
}
