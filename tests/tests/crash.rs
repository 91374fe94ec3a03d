//! Two to four processes on one queue, in a file and on a server, killed at random and at named failpoints, round
//! after round.
//!
//! `BLOCKQUEUE_CRASH_ROUNDS` (default 40) and `BLOCKQUEUE_CRASH_SEED` choose how many and which.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use blockqueue::{ClaimOptions, NewSubscriber, NewTopic, Page, Queue, SubscriberOptions};
use blockqueue_tests::chance::Chance;
use blockqueue_tests::journal::{self, Entry};
use blockqueue_tests::place::Place;

/// Rounds on one queue before everything in it is accounted for.
const ROUNDS_PER_QUEUE: u64 = 10;
const SUBSCRIBERS: [&str; 2] = ["a", "b"];
const FAILPOINTS: [&str; 7] = [
    "after_begin",
    "before_flush",
    "before_commit",
    "after_commit",
    "before_checkpoint",
    "after_checkpoint",
    "in_upkeep",
];
/// Those of a process on a server.
const FAILPOINTS_ON_SERVER: [&str; 2] = ["before_commit", "after_commit"];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn whatever_is_killed_nothing_acknowledged_is_lost_and_nothing_is_leased_twice() {
    let rounds = setting("BLOCKQUEUE_CRASH_ROUNDS", 40);
    let seed = setting("BLOCKQUEUE_CRASH_SEED", 20_260_101);
    println!("{rounds} rounds, seed {seed}");
    let mut chance = Chance::new(seed);
    let mut round = 0;
    while round < rounds {
        let place = Place::file();
        create(&place.address());
        let until = (round + ROUNDS_PER_QUEUE).min(rounds);
        for round in round..until {
            let count = if round.is_multiple_of(2) { 2 } else { 4 };
            run_round(&place, &format!("w{round}"), count, &FAILPOINTS, &mut chance);
        }
        round = until;
        account(&place);
        check_integrity(&place.address());
    }
}

#[test]
fn whatever_is_killed_on_postgresql_nothing_acknowledged_is_lost() {
    let Some(place) = Place::on_server() else { return };
    let seed = setting("BLOCKQUEUE_CRASH_SEED", 20_260_101);
    println!("seed {seed}");
    let mut chance = Chance::new(seed);
    create(&place.address());
    for round in 0..2 * ROUNDS_PER_QUEUE {
        let name = format!("w{round}");
        run_round(&place, &name, 3, &FAILPOINTS_ON_SERVER, &mut chance);
    }
    account(&place);
}

#[test]
fn whatever_the_server_dies_of_on_postgresql_processes_go_on_and_nothing_acknowledged_is_lost() {
    let Ok(restart) = std::env::var("BLOCKQUEUE_TEST_POSTGRES_RESTART") else { return };
    let Some(place) = Place::on_server() else { return };
    create(&place.address());
    let mut workers: Vec<Child> = (0..3)
        .map(|number| worker(&place, &format!("w{number}"), 1 + number).spawn().unwrap())
        .collect();
    let queue = Queue::open(place.address()).unwrap();
    let published = || queue.topic_stats("t").wait().unwrap().published_count;
    for _ in 0..3 {
        let before = published();
        while published() < before + 100 {
            assert!(workers.iter_mut().all(|worker| worker.try_wait().unwrap().is_none()));
        }
        assert!(Command::new(&restart).status().unwrap().success());
    }
    // They go on after the last time, too.
    let before = published();
    while published() < before + 100 {
        assert!(workers.iter_mut().all(|worker| worker.try_wait().unwrap().is_none()));
    }
    for (number, mut worker) in workers.into_iter().enumerate() {
        worker.kill().unwrap();
        worker.wait().unwrap();
        place.wait_until_gone(&format!("w{number}"));
    }
    account(&place);
}

fn worker(place: &Place, name: &str, seed: u64) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crash-worker"));
    let journal = place.folder().join(format!("{name}.journal"));
    command.arg(place.address_for(name)).arg(journal).arg(name);
    command.arg(seed.to_string()).stderr(Stdio::null());
    command
}

fn create(address: &str) {
    let queue = Queue::open(address).unwrap();
    let options = SubscriberOptions::default().with_max_attempts(1_000);
    let topic = SUBSCRIBERS.iter().fold(NewTopic::new("t"), |topic, name| {
        topic.with_subscriber(NewSubscriber::new(*name).with_options(options.clone()))
    });
    queue.create_topic(topic).wait().unwrap();
    queue.shutdown().wait().unwrap();
}

/// Some processes work for a moment; then all are killed, or one of them has died by itself before.
fn run_round(place: &Place, round: &str, count: usize, points: &[&str], chance: &mut Chance) {
    let name = |number| format!("{round}.{number}");
    let mut workers: Vec<Child> = (0..count)
        .map(|number| {
            let mut command = worker(place, &name(number), chance.draw());
            if number == 0 && chance.below(2) == 0 {
                let point = usize::try_from(chance.below(points.len() as u64)).unwrap();
                let point = points.get(point).unwrap();
                let hit = 1 + chance.below(40);
                command.env("BLOCKQUEUE_FAILPOINT", format!("{point}:{hit}"));
            }
            command.spawn().unwrap()
        })
        .collect();
    // How long they work is part of the chance, not a wait for anything.
    let least = if place.is_file() { 50 } else { 200 };
    thread::sleep(Duration::from_millis(least + chance.below(250)));
    for worker in &mut workers {
        worker.kill().unwrap();
    }
    for (number, mut worker) in workers.into_iter().enumerate() {
        worker.wait().unwrap();
        place.wait_until_gone(&name(number));
    }
}

/// What the journals of all processes say.
#[derive(Default)]
struct Told {
    publishing: HashSet<String>,
    published: HashSet<String>,
    /// Leases by subscriber and payload.
    claimed: HashMap<(String, String), Vec<(u64, u64)>>,
    /// When settlements were begun.
    settling: HashMap<(String, String), Vec<u64>>,
    acking: HashSet<(String, String)>,
    acked: HashMap<(String, String), usize>,
}

fn told(folder: &Path) -> Told {
    let mut told = Told::default();
    let journals = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_journal = |path: &PathBuf| path.extension().is_some_and(|end| end == "journal");
    for entry in journals.filter(is_journal).flat_map(|path| journal::read(&path).unwrap()) {
        match entry {
            Entry::Publishing(payload) => {
                told.publishing.insert(payload);
            }
            Entry::Published(payload) => {
                told.published.insert(payload);
            }
            Entry::Claimed(who, payload, from, to) => {
                told.claimed.entry((who, payload)).or_default().push((from, to));
            }
            Entry::Settling(who, payload, verb, at) => {
                if verb == "ack" {
                    told.acking.insert((who.clone(), payload.clone()));
                }
                told.settling.entry((who, payload)).or_default().push(at);
            }
            Entry::Settled(who, payload, verb) if verb == "ack" => {
                *told.acked.entry((who, payload)).or_default() += 1;
            }
            Entry::Settled(..) => {}
        }
    }
    told
}

fn account(place: &Place) {
    let told = told(place.folder());
    let queue = Queue::open(place.address()).unwrap();
    let diagnosis = queue.diagnose().wait().unwrap();
    assert_eq!(diagnosis.problems, Vec::<String>::new());
    for who in SUBSCRIBERS {
        let left = drain(&queue, who);
        let dead = queue.dead_letters("t", who, Page::default()).wait().unwrap();
        assert_eq!(dead.items, [], "nobody runs out of a thousand attempts");
        for payload in &told.published {
            let key = (who.to_owned(), payload.clone());
            let settled = told.acked.contains_key(&key) || told.acking.contains(&key);
            assert!(settled || left.contains(payload), "{who} lost {payload}, acknowledged");
        }
        for payload in &left {
            assert!(told.publishing.contains(payload), "{payload} was never published");
            let key = (who.to_owned(), payload.clone());
            assert!(!told.acked.contains_key(&key), "{payload} came back to {who} after its ack");
        }
    }
    for (key, count) in &told.acked {
        assert_eq!(*count, 1, "{key:?} was settled more than once");
    }
    for (key, leases) in &told.claimed {
        check_leases(key, leases, told.settling.get(key).map_or(&[], Vec::as_slice));
    }
    let diagnosis = queue.diagnose().wait().unwrap();
    assert_eq!(diagnosis.problems, Vec::<String>::new());
    queue.shutdown().wait().unwrap();
    println!("{} messages, {} claims", told.published.len(), told.claimed.len());
}

/// How far two processors of one machine may disagree about the time, in milliseconds.
const SKEW: u64 = 5;

/// A lease begins only after the one before it has expired, or after its settlement was begun.
fn check_leases(key: &(String, String), leases: &[(u64, u64)], settling: &[u64]) {
    let mut leases = leases.to_vec();
    leases.sort_unstable();
    for pair in leases.windows(2) {
        let [(from, to), (next, _)] = pair else { continue };
        let given_up = settling.iter().any(|at| (from - SKEW..=next + SKEW).contains(at));
        assert!(next >= to || given_up, "{key:?} is leased from {from} to {to} and from {next}");
    }
}

/// Everything that a subscriber has left, acked.
fn drain(queue: &Queue, who: &str) -> HashSet<String> {
    let options = ClaimOptions::default().with_limit(1_000).with_wait(Duration::from_millis(100));
    let mut left = HashSet::new();
    loop {
        let deliveries = queue.claim("t", who, &options).wait().unwrap();
        let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt).collect();
        for delivery in deliveries {
            let payload = String::from_utf8(delivery.payload).unwrap();
            assert!(left.insert(payload), "drained twice");
        }
        if receipts.is_empty() {
            let stats = queue.topic_stats("t").wait().unwrap();
            let stats_of = stats.subscribers.iter().find(|of| of.subscriber == who).unwrap();
            let open = stats_of.leased_count + stats_of.retrying_count + stats_of.pending_count;
            if open == 0 && stats.delayed_count == 0 {
                return left;
            }
            continue;
        }
        for result in queue.ack_batch(&receipts).wait().unwrap() {
            result.unwrap();
        }
    }
}

fn check_integrity(file: &str) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let verdict: String =
        connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn a_migration_that_is_killed_leaves_a_file_that_opens() {
    let place = Place::file();
    die_in_migration(&place);
    create(&place.address());
    check_integrity(&place.address());
}

#[test]
fn a_migration_that_is_killed_leaves_a_schema_that_opens_on_postgresql() {
    let Some(place) = Place::on_server() else { return };
    die_in_migration(&place);
    create(&place.address());
}

fn die_in_migration(place: &Place) {
    let status = Command::new(env!("CARGO_BIN_EXE_crash-worker"))
        .arg(place.address())
        .arg(place.folder().join("w.journal"))
        .args(["w", "1"])
        .env("BLOCKQUEUE_FAILPOINT", "in_migration:1")
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
}
