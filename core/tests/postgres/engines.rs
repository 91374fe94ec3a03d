//! Several engines on one schema.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use blockqueue::{ClaimOptions, Queue};

use crate::server::{address, eventually, fresh_schema, numbered, queue, with_schema};

#[test]
fn engines_that_start_at_once_on_an_empty_database_share_it() {
    let Some(server) = address() else { return };
    let address = with_schema(&server, &fresh_schema());
    let engines: Vec<Queue> = thread::scope(|scope| {
        let openers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| Queue::open(&address).unwrap())).collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect()
    });
    let (first, rest) = engines.split_first().unwrap();
    first.create_topic("t").wait().unwrap();
    for engine in rest {
        engine.publish("t", "x").wait().unwrap();
    }
    let stats = first.topic_stats("t").wait().unwrap();
    assert_eq!(stats.published_count, rest.len() as u64);
}

#[test]
fn a_waiting_claim_hears_of_a_publish_through_another_engine() {
    let Some(server) = address() else { return };
    let address = with_schema(&server, &fresh_schema());
    let (consumer, publisher) = (queue(&address), Queue::open(&address).unwrap());
    let options = ClaimOptions::default().with_wait(Duration::from_secs(30));
    let mut delays = Vec::new();
    for number in 0..5 {
        let claim = consumer.claim("t", "s", &options);
        eventually("a claim waits", || consumer.engine_stats().unwrap().waiting_claims == 1);
        let started = Instant::now();
        publisher.publish("t", numbered(number)).wait().unwrap();
        let claimed = claim.wait().unwrap();
        delays.push(started.elapsed());
        let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
        consumer.ack_batch(&receipts).wait().unwrap();
    }
    delays.sort();
    println!("publish to claim through another engine: {delays:?}");
    // The safety poll alone would take half a second on average.
    assert!(delays.first().is_some_and(|best| *best < Duration::from_millis(500)), "{delays:?}");
}

/// Publishes, claims and acks until it is killed; says what it did, line by line, after it was answered.
#[test]
fn worker_process() {
    let Ok(address) = std::env::var("BLOCKQUEUE_TEST_WORKER") else { return };
    let name = std::env::var("BLOCKQUEUE_TEST_WORKER_NAME").unwrap();
    let queue = Queue::open(address).unwrap();
    let options = ClaimOptions::default().with_limit(5).with_lease(Duration::from_secs(2));
    for number in 0.. {
        let payload = format!("{name}-{number}");
        queue.publish("t", payload.as_str()).wait().unwrap();
        println!("\npublished {payload}");
        for delivery in queue.claim("t", "s", &options).wait().unwrap() {
            if queue.ack(&delivery.receipt).wait().is_ok() {
                println!("\nacked {}", String::from_utf8_lossy(&delivery.payload));
            }
        }
    }
}

fn start_worker(address: &str, name: &str, output: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["engines::worker_process", "--exact", "--nocapture", "--test-threads=1"])
        .env("BLOCKQUEUE_TEST_WORKER", address)
        .env("BLOCKQUEUE_TEST_WORKER_NAME", name)
        .stdout(Stdio::from(std::fs::File::create(output).unwrap()))
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn engines_that_are_killed_lose_nothing_and_publish_nothing_twice() {
    let Some(server) = address() else { return };
    let address = with_schema(&server, &fresh_schema());
    let queue = queue(&address);
    let directory = tempfile::tempdir().unwrap();
    let mut outputs = Vec::new();
    for round in 0..3 {
        let mut workers: Vec<_> = (0..3)
            .map(|number| {
                let name = format!("{round}.{number}");
                outputs.push(directory.path().join(&name));
                start_worker(&address, &name, outputs.last().unwrap())
            })
            .collect();
        let before = queue.topic_stats("t").wait().unwrap().published_count;
        eventually("the workers publish", || {
            queue.topic_stats("t").wait().unwrap().published_count > before + 60
        });
        for worker in &mut workers {
            worker.kill().unwrap();
            worker.wait().unwrap();
        }
    }
    let said = |what: &str| -> Vec<String> {
        let texts = outputs.iter().map(|path| std::fs::read_to_string(path).unwrap());
        let lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
        lines.filter_map(|line| Some(line.strip_prefix(what)?.to_owned())).collect()
    };
    let published: BTreeSet<String> = said("published ").into_iter().collect();
    let mut acked = said("acked ");
    let count = acked.len();
    acked.sort();
    acked.dedup();
    assert_eq!(acked.len(), count, "something was acked twice");
    let mut seen: BTreeSet<String> = acked.into_iter().collect();
    // What is left comes when the leases of the dead have expired.
    eventually("everything is delivered", || {
        let wait = ClaimOptions::default().with_limit(100).with_wait(Duration::from_millis(200));
        for delivery in queue.claim("t", "s", &wait).wait().unwrap() {
            let payload = String::from_utf8_lossy(&delivery.payload).into_owned();
            queue.ack(&delivery.receipt).wait().unwrap();
            assert!(seen.insert(payload.clone()), "{payload} was delivered twice");
        }
        let stats = queue.subscriber_stats("t", "s").wait().unwrap();
        stats.ready_count + stats.leased_count + stats.retrying_count == 0
    });
    let lost: Vec<_> = published.difference(&seen).collect();
    // An ack may be committed and its worker killed before it could say so: one for each worker's last call.
    assert!(lost.len() <= 9 * 5, "lost: {lost:?}");
    let total = queue.topic_stats("t").wait().unwrap().published_count;
    let stats = queue.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!(stats.acked_count, total, "acks and messages differ");
    let diagnosis = queue.diagnose().wait().unwrap();
    assert_eq!(diagnosis.problems, Vec::<String>::new());
}
