//! Processes of several languages on one queue, some of them killed: `README.md` says what they do.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod node;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use blockqueue::{
    ClaimOptions, Delivery, Message, NewSubscriber, NewTopic, Queue, SubscriberOptions,
};
use blockqueue_tests::chance::Chance;
use blockqueue_tests::place::Place;
use node::{Language, Node};

const SUBSCRIBER: &str = "node";
/// Deliveries of a killed node come back after this long.
const LEASE: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_mins(5);
const SEED: u64 = 20_260_101;

#[test]
fn a_message_passes_through_every_language_unchanged() {
    passes_through_every_language(&Place::file());
}

#[test]
fn a_message_passes_through_every_language_unchanged_on_postgresql() {
    passes_through_every_language(&Place::on_server().unwrap());
}

fn passes_through_every_language(place: &Place) {
    let languages = node::languages();
    let address = place.address();
    let queue = create(&address, languages.len());
    let sent: Vec<_> = (0..100).map(message).collect();
    let nodes: Vec<_> = ring(&languages, &address, sent.len()).map(|start| start()).collect();
    nodes.iter().for_each(Node::is_ready);
    queue.publish_batch("t0", sent.clone()).wait().unwrap();
    let arrived = collect(&queue, languages.len(), sent.len(), || {});
    for node in nodes {
        node.ends_well();
    }
    check(&sent, &arrived);
}

#[test]
fn whatever_is_killed_each_message_arrives_once() {
    const MESSAGES: usize = 1_000;
    let languages = node::languages();
    let kills = languages.len() * 2;
    let place = Place::file();
    let address = place.address();
    let queue = create(&address, languages.len());
    let sent: Vec<_> = (0..MESSAGES).map(message).collect();
    let starts: Vec<_> = ring(&languages, &address, usize::MAX >> 1).collect();
    let mut nodes: Vec<_> = starts.iter().map(|start| start()).collect();
    nodes.iter().for_each(Node::is_ready);
    let mut chance = Chance::new(SEED);
    let (mut killed, mut at_work) = (0, 0);
    let mut rest = sent.chunks(MESSAGES / kills);
    // Messages come as nodes go, so that each is killed in the middle of work.
    let arrived = collect(&queue, languages.len(), MESSAGES, || {
        if let Some(some) = rest.next() {
            queue.publish_batch("t0", some.to_vec()).wait().unwrap();
        }
        if killed < kills {
            let place = killed % nodes.len();
            at_work += usize::from(works(&queue, place));
            std::thread::sleep(Duration::from_millis(chance.below(20)));
            let node = nodes.get_mut(place).unwrap();
            node.kill();
            *node = starts.get(place).unwrap()();
            node.is_ready();
            killed += 1;
        }
    });
    assert_eq!(killed, kills);
    assert!(at_work >= languages.len(), "{at_work} of {kills} killed at work");
    check(&sent, &arrived);
    assert!(queue.diagnose().wait().unwrap().problems.is_empty());
}

/// One topic more than nodes: what the last publishes is collected here.
fn create(address: &str, nodes: usize) -> Queue {
    let queue = Queue::open(address).unwrap();
    let options = SubscriberOptions::default().with_lease(LEASE).with_max_attempts(1_000);
    for number in 0..=nodes {
        let subscriber = NewSubscriber::new(SUBSCRIBER).with_options(options.clone());
        let topic = NewTopic::new(format!("t{number}").as_str()).with_subscriber(subscriber);
        queue.create_topic(topic).wait().unwrap();
    }
    queue
}

/// How to start each node, each between two topics.
fn ring<'a>(
    languages: &'a BTreeMap<String, Language>,
    address: &'a str,
    count: usize,
) -> impl Iterator<Item = impl Fn() -> Node + 'a> + 'a {
    languages.iter().enumerate().map(move |(place, (name, language))| {
        let (from, to) = (format!("t{place}"), format!("t{}", place + 1));
        move || Node::start(name, language, address, &from, SUBSCRIBER, &to, count)
    })
}

/// Every kind of byte and text, and something to know it by.
fn message(number: usize) -> Message {
    let id = format!("message {number}");
    let mut payload: Vec<u8> =
        (0..=u8::MAX).cycle().skip(number % 256).take(number % 700).collect();
    payload.extend_from_slice(id.as_bytes());
    let message = Message::new(payload).with_correlation_id(id);
    match number % 3 {
        0 => message,
        1 => message.with_content_type("application/x-ring"),
        _ => message.with_header("größe", "💥").with_header("empty", ""),
    }
}

/// Whether a node has deliveries; waits a little until it has.
fn works(queue: &Queue, place: usize) -> bool {
    let topic = format!("t{place}");
    (0..2_000).any(|_| {
        std::thread::sleep(Duration::from_millis(1));
        queue.subscriber_stats(&topic, SUBSCRIBER).wait().unwrap().leased_count > 0
    })
}

/// What comes out at the end; `meanwhile` is called after each look.
fn collect(queue: &Queue, last: usize, count: usize, mut meanwhile: impl FnMut()) -> Vec<Delivery> {
    let options = ClaimOptions::default().with_limit(1_000).with_wait(Duration::from_millis(100));
    let deadline = now() + PATIENCE;
    let mut arrived = Vec::new();
    while arrived.len() < count {
        assert!(now() < deadline, "{} of {count} arrived", arrived.len());
        meanwhile();
        for delivery in queue.claim(&format!("t{last}"), SUBSCRIBER, &options).wait().unwrap() {
            queue.ack(&delivery.receipt).wait().unwrap();
            arrived.push(delivery);
        }
    }
    // Nothing more than that.
    assert!(queue.claim(&format!("t{last}"), SUBSCRIBER, &options).wait().unwrap().is_empty());
    arrived
}

fn check(sent: &[Message], arrived: &[Delivery]) {
    let by_id: BTreeMap<_, _> =
        arrived.iter().map(|delivery| (delivery.correlation_id.clone(), delivery)).collect();
    assert_eq!((by_id.len(), arrived.len()), (sent.len(), sent.len()));
    for message in sent {
        let found = by_id.get(&message.correlation_id).unwrap();
        assert_eq!(found.payload, message.payload);
        assert_eq!(found.content_type, message.content_type);
        assert_eq!(found.headers, message.headers);
    }
}

#[expect(clippy::disallowed_methods, reason = "how long it takes is for people")]
fn now() -> Instant {
    Instant::now()
}
