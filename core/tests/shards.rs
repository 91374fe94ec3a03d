//! One queue in many databases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use blockqueue::rusqlite::Connection;
use blockqueue::{
    ClaimOptions, DeadLetters, Delivery, Message, NackOptions, NewTopic, OpenOptions, Page, Queue,
    Redrive, TransactionOptions,
};

struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    /// A map of these databases, each in a file of its name.
    fn of(names: &[&str]) -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        fixture.map(names, "{}");
        fixture
    }

    fn map(&self, names: &[&str], topics: &str) {
        let databases: Vec<_> =
            names.iter().map(|name| format!("{name:?}: \"{name}.db\"")).collect();
        let text = format!("{{\"databases\": {{{}}}, \"topics\": {topics}}}", databases.join(", "));
        std::fs::write(self.folder.path().join("map.json"), text).unwrap();
    }

    fn address(&self) -> String {
        format!("shards://{}", self.folder.path().join("map.json").display())
    }

    fn open(&self) -> Queue {
        Queue::open(self.address()).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.db"))
    }

    /// The topics of one database.
    fn topics_in(&self, name: &str) -> BTreeSet<String> {
        let queue = Queue::open(self.file(name)).unwrap();
        queue
            .topics(Page::default())
            .wait()
            .unwrap()
            .items
            .into_iter()
            .map(|one| one.name)
            .collect()
    }
}

fn create(queue: &Queue, topic: &str) {
    queue.create_topic(NewTopic::new(topic).with_subscriber("s")).wait().unwrap();
}

fn create_all(queue: &Queue, topics: &[impl AsRef<str>]) {
    for topic in topics {
        create(queue, topic.as_ref());
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("topic-{number:02}")).collect()
}

fn claim(queue: &Queue, topic: &str) -> Vec<Delivery> {
    queue.claim(topic, "s", &ClaimOptions::default().with_limit(10_usize)).wait().unwrap()
}

#[test]
fn topics_are_spread_and_look_like_one_queue() {
    let fixture = Fixture::of(&["a", "b", "c"]);
    let queue = fixture.open();
    for topic in names(30) {
        create(&queue, &topic);
        let published = queue.publish(&topic, topic.as_str()).wait().unwrap();
        assert_eq!(
            queue.message(&topic, published.id).wait().unwrap().message.payload,
            topic.as_bytes()
        );
    }
    let [a, b, c] = ["a", "b", "c"].map(|name| fixture.topics_in(name));
    assert!(!a.is_empty() && !b.is_empty() && !c.is_empty(), "{a:?} {b:?} {c:?}");
    assert_eq!(a.len() + b.len() + c.len(), 30, "each lives in one");

    let mut listed = Vec::new();
    let mut page = Page::default().with_limit(7_usize);
    loop {
        let found = queue.topics(page).wait().unwrap();
        assert!(found.items.len() <= 7);
        listed.extend(found.items.into_iter().map(|topic| topic.name));
        let Some(next) = found.next else { break };
        page = Page::default().with_limit(7_usize).with_after(next);
    }
    assert_eq!(listed, names(30));

    let error = queue.create_topic(NewTopic::new("topic-07")).wait().unwrap_err();
    assert_eq!(error.code(), "topic_exists");
    assert_eq!(queue.publish("nowhere", "x").wait().unwrap_err().code(), "unknown_topic");
    assert!(queue.engine_stats().unwrap().commits >= 60);
    let diagnosis = queue.diagnose().wait().unwrap();
    assert_eq!(diagnosis.problems, Vec::<String>::new());
    queue.shutdown().wait().unwrap();
    assert_eq!(queue.topic("topic-07").wait().unwrap_err().code(), "shutdown");
}

#[test]
fn settlements_find_the_database_that_gave_out_the_receipt() {
    let fixture = Fixture::of(&["a", "b", "c"]);
    let queue = fixture.open();
    let mut deliveries = Vec::new();
    for topic in names(12) {
        create(&queue, &topic);
        queue.publish_batch(&topic, vec![Message::new("1"), Message::new("2")]).wait().unwrap();
        deliveries.extend(claim(&queue, &topic));
    }
    let other = Queue::open(":memory:").unwrap();
    create(&other, "t");
    other.publish("t", "x").wait().unwrap();
    let foreign = claim(&other, "t").remove(0);
    // Mixed, with one that is of nobody here in the middle.
    let mut receipts: Vec<_> = deliveries.iter().step_by(2).map(|one| one.receipt).collect();
    receipts.insert(5, foreign.receipt);
    let answers = queue.ack_batch(&receipts).wait().unwrap();
    for (place, answer) in answers.iter().enumerate() {
        let code = answer.as_ref().err().map(blockqueue::Error::code);
        assert_eq!(code, (place == 5).then_some("lease_lost"), "{place}");
    }
    for delivery in deliveries.iter().skip(1).step_by(2) {
        queue.extend(&delivery.receipt, Duration::from_mins(5)).wait().unwrap();
        queue.nack(&delivery.receipt, &NackOptions::default()).wait().unwrap();
    }
    for topic in names(12) {
        let stats = queue.subscriber_stats(&topic, "s").wait().unwrap();
        assert_eq!((stats.acked_count, stats.retrying_count), (1, 1), "{topic}");
    }
}

#[test]
fn deliveries_of_several_databases_are_given_back_at_once() {
    let fixture = Fixture::of(&["a", "b", "c"]);
    let queue = fixture.open();
    let mut receipts = Vec::new();
    for topic in names(12) {
        create(&queue, &topic);
        queue.publish(&topic, "x").wait().unwrap();
        receipts.extend(claim(&queue, &topic).iter().map(|one| one.receipt));
    }
    queue.ack(&receipts[3]).wait().unwrap();
    queue.release_batch(&receipts).wait().unwrap();
    for (number, topic) in names(12).iter().enumerate() {
        let attempts: Vec<_> = claim(&queue, topic).iter().map(|one| one.attempt).collect();
        assert_eq!(attempts, if number == 3 { vec![] } else { vec![1] }, "{topic}");
    }
    assert_eq!(queue.release_batch(&[]).wait().unwrap_err().code(), "invalid_argument");
}

#[test]
fn a_claim_on_several_topics_takes_what_is_there_in_order_and_waits_in_all() {
    let fixture = Fixture::of(&["a", "b", "c"]);
    let queue = fixture.open();
    let topics = names(9);
    create_all(&queue, &topics);
    let sources: Vec<_> = topics.iter().map(|topic| (topic.as_str(), "s")).collect();
    let at_once = ClaimOptions::default().with_limit(10_usize);
    assert_eq!(queue.claim_any(&sources, &at_once).wait().unwrap(), []);
    queue.publish(&topics[7], "late").wait().unwrap();
    queue.publish(&topics[2], "early").wait().unwrap();
    for payload in [&b"early"[..], b"late"] {
        assert_eq!(queue.claim_any(&sources, &at_once).wait().unwrap()[0].payload, payload);
    }
    let waiting = at_once.with_wait(Duration::from_mins(1));
    for topic in &topics {
        let publisher = queue.clone();
        let (topic, payload) = (topic.clone(), topic.clone());
        let publishing =
            std::thread::spawn(move || publisher.publish(&topic, payload).wait().unwrap());
        let claimed = queue.claim_any(&sources, &waiting).wait().unwrap();
        publishing.join().unwrap();
        assert_eq!(claimed.len(), 1);
        queue.ack(&claimed[0].receipt).wait().unwrap();
    }
    let error = queue.claim_any(&[sources[0], ("nowhere", "s")], &waiting).wait().unwrap_err();
    assert_eq!(error.code(), "unknown_topic");
}

#[test]
fn whatever_several_databases_hand_over_at_once_is_claimed_once() {
    let fixture = Fixture::of(&["a", "b", "c"]);
    let queue = fixture.open();
    let topics = names(9);
    create_all(&queue, &topics);
    let consumer = queue.clone();
    let names = topics.clone();
    let consuming = std::thread::spawn(move || {
        let sources: Vec<_> = names.iter().map(|topic| (topic.as_str(), "s")).collect();
        let options = ClaimOptions::default().with_limit(3_usize).with_wait(Duration::from_mins(1));
        let mut payloads = Vec::new();
        while payloads.len() < 900 {
            let claimed = consumer.claim_any(&sources, &options).wait().unwrap();
            assert!(!claimed.is_empty(), "only {} came", payloads.len());
            for delivery in claimed {
                assert_eq!(delivery.attempt, 1, "what was given back was no attempt");
                consumer.ack(&delivery.receipt).wait().unwrap();
                payloads.push(delivery.payload);
            }
        }
        payloads
    });
    for number in 0..100 {
        let published: Vec<_> =
            topics.iter().map(|topic| queue.publish(topic, format!("{topic} {number}"))).collect();
        for one in published {
            one.wait().unwrap();
        }
    }
    let payloads = consuming.join().unwrap();
    assert_eq!(payloads.iter().collect::<BTreeSet<_>>().len(), 900);
}

#[test]
fn a_topic_stays_where_it_is_when_a_database_is_added() {
    let fixture = Fixture::of(&["a", "b"]);
    let queue = fixture.open();
    let old = names(20);
    for topic in &old {
        create(&queue, topic);
        queue.publish(topic, "before").wait().unwrap();
    }
    queue.shutdown().wait().unwrap();
    let before = (fixture.topics_in("a"), fixture.topics_in("b"));

    fixture.map(&["a", "b", "c"], r#"{"topic-03": "c", "chosen": "a"}"#);
    let queue = fixture.open();
    for topic in &old {
        let claimed = claim(&queue, topic);
        assert_eq!(claimed.len(), 1, "{topic}");
        queue.ack(&claimed[0].receipt).wait().unwrap();
        let error = queue.create_topic(NewTopic::new(topic)).wait().unwrap_err();
        assert_eq!(error.code(), "topic_exists", "{topic}");
    }
    let new: Vec<_> = (0..20).map(|number| format!("new-{number}")).collect();
    create_all(&queue, &new);
    create(&queue, "chosen");
    let taken = fixture.topics_in("c");
    assert!(!taken.is_empty() && taken.iter().all(|topic| topic.starts_with("new-")), "{taken:?}");
    assert!(
        before.0.is_subset(&fixture.topics_in("a")) && before.1.is_subset(&fixture.topics_in("b"))
    );
    assert!(fixture.topics_in("a").contains("chosen"));
    // Made anew it goes where the map says now.
    queue.delete_topic("topic-03").wait().unwrap();
    assert_eq!(queue.publish("topic-03", "x").wait().unwrap_err().code(), "unknown_topic");
    create(&queue, "topic-03");
    assert!(fixture.topics_in("c").contains("topic-03"));
}

#[test]
fn what_is_of_two_databases_is_refused() {
    let fixture = Fixture::of(&["a", "b"]);
    fixture.map(&["a", "b"], r#"{"one": "a", "other": "b", "near": "a"}"#);
    let queue = fixture.open();
    create_all(&queue, &["one", "other", "near"]);
    let elsewhere = Redrive::from(DeadLetters::All).with_to("other");
    assert_eq!(queue.redrive("one", "s", elsewhere).wait().unwrap_err().code(), "invalid_argument");
    queue.redrive("one", "s", Redrive::from(DeadLetters::All).with_to("near")).wait().unwrap();
    let transaction = queue.transaction(TransactionOptions::default()).wait();
    assert_eq!(transaction.unwrap_err().code(), "invalid_argument");
    let backup = queue.backup(fixture.file("copy")).wait();
    assert_eq!(backup.unwrap_err().code(), "invalid_argument");
    queue.shutdown().wait().unwrap();

    create(&Queue::open(fixture.file("b")).unwrap(), "one");
    let error = Queue::open(fixture.address()).unwrap_err();
    assert_eq!(error.code(), "cannot_open");
    assert!(error.to_string().contains("one"), "{error}");
}

#[test]
fn a_database_that_cannot_be_opened_is_named() {
    let fixture = Fixture::of(&["a", "b"]);
    let must_exist = OpenOptions::default().with_must_exist(true);
    assert_eq!(
        Queue::open_with(fixture.address(), must_exist.clone()).unwrap_err().code(),
        "cannot_open"
    );
    fixture.open().shutdown().wait().unwrap();
    Queue::open_with(fixture.address(), must_exist.clone()).unwrap().shutdown().wait().unwrap();
    std::fs::copy(fixture.file("a"), fixture.file("b")).unwrap();
    let error = Queue::open_with(fixture.address(), must_exist).unwrap_err();
    assert!(error.to_string().contains("b has the ids of another database"), "{error}");
    std::fs::write(fixture.file("b"), "this is no database at all, whatever its name may be")
        .unwrap();
    assert_eq!(Queue::open(fixture.address()).unwrap_err().code(), "not_a_database");
}

#[test]
fn a_database_that_fails_fails_its_topics_only_and_recovers() {
    let fixture = Fixture::of(&["a", "b"]);
    fixture.map(&["a", "b"], r#"{"well": "a", "ill": "b"}"#);
    let queue = fixture.open();
    create_all(&queue, &["well", "ill"]);
    queue.publish("ill", "kept").wait().unwrap();
    let kept = claim(&queue, "ill").remove(0);
    queue.publish("well", "x").wait().unwrap();
    let well = claim(&queue, "well").remove(0);
    // Somebody writes to it and does not end.
    let somebody = Connection::open(fixture.file("b")).unwrap();
    somebody.execute_batch("BEGIN IMMEDIATE").unwrap();
    let publishing = queue.publish("ill", "refused");
    let settling = queue.ack_batch(&[well.receipt, kept.receipt]);
    queue.publish("well", "y").wait().unwrap();
    assert_eq!(claim(&queue, "well").len(), 1);
    assert_eq!(publishing.wait().unwrap_err().code(), "locked");
    let settled = settling.wait().unwrap();
    assert!(settled[0].is_ok(), "{settled:?}");
    assert_eq!(settled[1].as_ref().unwrap_err().code(), "locked");
    somebody.execute_batch("ROLLBACK").unwrap();
    queue.ack(&kept.receipt).wait().unwrap();
    queue.publish("ill", "taken").wait().unwrap();
    assert_eq!(claim(&queue, "ill")[0].payload, b"taken");
}

/// A queue whose topic "orders" is in a, and belongs in b, as two processes have it open; the first has deleted it and
/// made it anew.
fn moved_by_another_process() -> (Fixture, Queue, Queue) {
    let fixture = Fixture::of(&["a", "b"]);
    fixture.map(&["a", "b"], r#"{"orders": "a"}"#);
    create(&fixture.open(), "orders");
    fixture.map(&["a", "b"], r#"{"orders": "b", "others": "a"}"#);
    let (one, other) = (fixture.open(), fixture.open());
    create(&one, "others");
    one.delete_topic("orders").wait().unwrap();
    create(&one, "orders");
    assert!(fixture.topics_in("b").contains("orders"));
    (fixture, one, other)
}

#[test]
fn a_topic_that_another_process_has_moved_is_found() {
    type Use = fn(&Queue);
    let uses: [Use; 6] = [
        |queue| {
            queue.publish("orders", "x").wait().unwrap();
        },
        |queue| drop(queue.topic("orders").wait().unwrap()),
        |queue| drop(claim(queue, "orders")),
        |queue| {
            let options = ClaimOptions::default();
            drop(queue.claim_any(&[("others", "s"), ("orders", "s")], &options).wait().unwrap());
        },
        |queue| {
            let redrive = Redrive::from(DeadLetters::All).with_to("orders");
            let refused = queue.redrive("others", "s", redrive).wait().unwrap_err();
            assert_eq!(refused.code(), "invalid_argument");
        },
        |queue| {
            let id = queue.publish("others", "x").wait().unwrap().id;
            let refused = queue.result("orders", "s", id).wait().unwrap_err();
            assert_eq!(refused.code(), "unknown_message");
        },
    ];
    for used in uses {
        let (fixture, _one, other) = moved_by_another_process();
        used(&other);
        other.publish("orders", "y").wait().unwrap();
        assert!(!fixture.topics_in("a").contains("orders"));
    }
}

#[test]
fn a_topic_that_another_process_has_moved_is_not_made_twice() {
    let (fixture, one, other) = moved_by_another_process();
    let refused = other.create_topic(NewTopic::new("orders")).wait().unwrap_err();
    assert_eq!(refused.code(), "topic_exists");
    one.delete_topic("orders").wait().unwrap();
    create(&other, "orders");
    assert!(!fixture.topics_in("a").contains("orders"));
    assert!(fixture.topics_in("b").contains("orders"));
    fixture.open();
}

#[test]
fn a_topic_whose_deletion_nobody_waited_for_goes_where_the_map_says() {
    let fixture = Fixture::of(&["a", "b"]);
    fixture.map(&["a", "b"], r#"{"orders": "a"}"#);
    create(&fixture.open(), "orders");
    fixture.map(&["a", "b"], r#"{"orders": "b"}"#);
    let queue = fixture.open();
    drop(queue.delete_topic("orders"));
    // Behind the deletion.
    assert_eq!(queue.pause_topic("orders").wait().unwrap_err().code(), "unknown_topic");
    create(&queue, "orders");
    assert!(fixture.topics_in("b").contains("orders"));
}
