//! Power cuts at any moment: nothing that was acknowledged is lost.
//!
//! A run of the queue is recorded, and cut off at random, again and again: each time the disk is put together
//! as it may be then, and a queue is opened on it. `BLOCKQUEUE_POWER_CUTS` (default 600) and
//! `BLOCKQUEUE_POWER_SEED` choose how many and which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use blockqueue::{ClaimOptions, Durability, NewTopic, OpenOptions, Queue, Receipt, TestClock};
use blockqueue_tests::chance::Chance;

use crate::image::Image;
use crate::system::{Event, Watch, Watching};

/// Cuts of one recording.
const CUTS_PER_RUN: u64 = 200;
const LEASE: Duration = Duration::from_hours(1);

pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What the program that uses the queue knows; the record holds when it came to know it.
#[derive(Debug, Clone)]
enum Fact {
    Created,
    Publishing(Vec<String>),
    Published(Vec<String>),
    Claiming,
    Claimed(Vec<(String, Receipt)>),
    Acking(Vec<String>),
    Acked(Vec<String>),
}

struct Run<'a> {
    queue: Queue,
    watching: &'a Watching,
    facts: Vec<Fact>,
    held: Vec<(String, Receipt)>,
    count: usize,
}

impl Run<'_> {
    fn know(&mut self, fact: Fact) {
        self.watching.mark(self.facts.len());
        self.facts.push(fact);
    }

    fn publish(&mut self, chance: &mut Chance) {
        let payloads: Vec<String> = (0..=chance.below(4))
            .map(|_| {
                self.count += 1;
                let size = if chance.below(5) == 0 { 9_000 } else { 50 };
                format!("{:05}{}", self.count, "x".repeat(size))
            })
            .collect();
        self.know(Fact::Publishing(payloads.clone()));
        let messages = payloads.iter().map(|payload| payload.as_str().into()).collect();
        self.queue.publish_batch("t", messages).wait().unwrap();
        self.know(Fact::Published(payloads));
    }

    fn claim(&mut self, chance: &mut Chance) {
        self.know(Fact::Claiming);
        let limit = 1 + usize::try_from(chance.below(6)).unwrap();
        let claimed = claim(&self.queue, limit);
        self.held.extend(claimed.iter().cloned());
        self.know(Fact::Claimed(claimed));
    }

    fn ack(&mut self, chance: &mut Chance) {
        let count = self.held.len().min(1 + usize::try_from(chance.below(8)).unwrap());
        let acking: Vec<_> = self.held.drain(..count).collect();
        if acking.is_empty() {
            return;
        }
        let payloads: Vec<_> = acking.iter().map(|(payload, _)| payload.clone()).collect();
        let receipts: Vec<_> = acking.iter().map(|(_, receipt)| *receipt).collect();
        self.know(Fact::Acking(payloads.clone()));
        for result in self.queue.ack_batch(&receipts).wait().unwrap() {
            result.unwrap();
        }
        self.know(Fact::Acked(payloads));
    }

    /// Until what was settled is trimmed, and the log is in the file.
    fn rest(&self) {
        let before = self.watching.events().len();
        let is_checkpoint =
            |event: &Event| matches!(event, Event::Write { file, .. } if file == "queue.db");
        eventually(|| self.watching.events().iter().skip(before).any(is_checkpoint));
    }
}

#[expect(clippy::disallowed_methods, reason = "a deadline in real time")]
fn eventually(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came");
        thread::sleep(Duration::from_millis(5));
    }
}

fn claim(queue: &Queue, limit: usize) -> Vec<(String, Receipt)> {
    let options = ClaimOptions::default().with_limit(limit).with_lease(LEASE);
    let deliveries = queue.claim("t", "s", &options).wait().unwrap();
    let parts = deliveries
        .into_iter()
        .map(|delivery| (String::from_utf8(delivery.payload).unwrap(), delivery.receipt));
    parts.collect()
}

fn open(file: &Path, clock: &TestClock, durability: Durability) -> Queue {
    let options = OpenOptions::default().with_clock(clock.clone()).with_durability(durability);
    Queue::open_with(file, options).unwrap()
}

fn clock() -> TestClock {
    TestClock::new(UNIX_EPOCH + Duration::from_hours(500_000))
}

/// From before the file was there until after it was closed.
fn record(chance: &mut Chance, durability: Durability) -> Recording {
    let folder = tempfile::tempdir().unwrap();
    let watching = Watch::recording(folder.path());
    let queue = open(&folder.path().join("queue.db"), &clock(), durability);
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let mut run = Run { queue, watching: &watching, facts: Vec::new(), held: Vec::new(), count: 0 };
    run.know(Fact::Created);
    for _ in 0..3 {
        for _ in 0..40 {
            match chance.below(10) {
                0..4 => run.publish(chance),
                4..7 => run.claim(chance),
                _ => run.ack(chance),
            }
        }
        run.rest();
    }
    run.queue.shutdown().wait().unwrap();
    Recording { events: watching.events(), facts: run.facts }
}

struct Recording {
    events: Vec<Event>,
    facts: Vec<Fact>,
}

impl Recording {
    /// Cuts the power somewhere, and sees what is left.
    fn cut(&self, chance: &mut Chance) {
        let end = usize::try_from(chance.below(self.events.len() as u64 + 1)).unwrap();
        let mut image = Image::default();
        let mut known = Known::default();
        for event in self.events.iter().take(end) {
            image.happen(event);
            if let Event::Mark(fact) = event {
                known.learn(self.facts.get(*fact).unwrap());
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let _watching = Watch::fast(folder.path());
        image.write(folder.path(), chance);
        println!("cut after {end} of {} events", self.events.len());
        known.check(&folder.path().join("queue.db"));
    }
}

/// What was known when the power failed.
#[derive(Debug, Default)]
struct Known {
    created: bool,
    publishing: BTreeSet<String>,
    published: BTreeSet<String>,
    /// A claim was on its way.
    claiming: bool,
    held: BTreeMap<String, Receipt>,
    acking: BTreeSet<String>,
    acked: BTreeSet<String>,
}

impl Known {
    fn learn(&mut self, fact: &Fact) {
        self.claiming = matches!(fact, Fact::Claiming);
        match fact {
            Fact::Created => self.created = true,
            Fact::Publishing(payloads) => self.publishing.extend(payloads.iter().cloned()),
            Fact::Published(payloads) => self.published.extend(payloads.iter().cloned()),
            Fact::Claiming => {}
            Fact::Claimed(claimed) => self.held.extend(claimed.iter().cloned()),
            Fact::Acking(payloads) => {
                for payload in payloads {
                    self.held.remove(payload);
                    self.acking.insert(payload.clone());
                }
            }
            Fact::Acked(payloads) => self.acked.extend(payloads.iter().cloned()),
        }
    }

    /// Opens what is left, and holds it against what was known.
    fn check(&self, file: &Path) {
        let clock = clock();
        let queue = open(file, &clock, Durability::Full);
        assert_eq!(queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
        if queue.topic("t").wait().is_err() {
            assert!(!self.created, "the topic is lost");
            queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
        }
        let pending = take_all(&queue);
        for payload in &pending {
            assert!(self.publishing.contains(payload), "nobody published {payload:.5}");
            assert!(!self.held.contains_key(payload), "{payload:.5} is leased twice");
            assert!(
                !self.acking.contains(payload),
                "{payload:.5} came back before its lease ended"
            );
        }
        // Receipts that were answered are live.
        for (payload, receipt) in &self.held {
            let acked = queue.ack(receipt).wait();
            assert!(acked.is_ok(), "the lease of {payload:.5} is lost: {acked:?}");
        }
        clock.advance(LEASE * 2);
        let expired = take_all(&queue);
        for payload in &expired {
            assert!(!self.acked.contains(payload), "{payload:.5} came back after its ack");
            let is_open = self.claiming || self.acking.contains(payload);
            assert!(is_open || pending.contains(payload), "nobody leased {payload:.5}");
        }
        for payload in &self.published {
            let is_known = self.held.contains_key(payload) || self.acking.contains(payload);
            let is_there = pending.contains(payload) || expired.contains(payload);
            assert!(is_known || is_there, "{payload:.5} was acknowledged and is lost");
        }
        assert_eq!(queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
        queue.shutdown().wait().unwrap();
    }
}

/// All that can be claimed now.
fn take_all(queue: &Queue) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    loop {
        let claimed = claim(queue, 1_000);
        if claimed.is_empty() {
            return taken;
        }
        taken.extend(claimed.into_iter().map(|(payload, _)| payload));
    }
}

#[test]
fn whenever_the_power_fails_nothing_acknowledged_is_lost() {
    let cuts = setting("BLOCKQUEUE_POWER_CUTS", 600);
    let seed = setting("BLOCKQUEUE_POWER_SEED", 20_260_101);
    println!("{cuts} cuts, seed {seed}");
    let mut chance = Chance::new(seed);
    let mut left = cuts;
    while left > 0 {
        let recording = record(&mut chance, Durability::Full);
        for _ in 0..left.min(CUTS_PER_RUN) {
            recording.cut(&mut chance);
        }
        left = left.saturating_sub(CUTS_PER_RUN);
    }
}

/// The simulation can lose: without a sync for each commit it does, as the documentation says.
#[test]
fn commits_that_were_not_synced_are_lost() {
    let mut chance = Chance::new(20_260_101);
    let recording = record(&mut chance, Durability::Balanced);
    let losses = (0..50).filter(|_| {
        let cut = std::panic::AssertUnwindSafe(|| recording.cut(&mut chance));
        std::panic::catch_unwind(cut).is_err()
    });
    assert!(losses.count() > 0);
}
