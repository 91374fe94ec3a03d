//! A process that is stopped past the end of its lease.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use blockqueue::{ClaimOptions, NewTopic, Queue};
use blockqueue_tests::place::Place;
use rustix::process::{Pid, Signal, kill_process};

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_process_that_was_stopped_finds_its_lease_lost() {
    finds_its_lease_lost(&Place::file());
}

#[test]
fn a_process_that_was_stopped_finds_its_lease_lost_on_postgresql() {
    if let Some(place) = Place::on_server() {
        finds_its_lease_lost(&place);
    }
}

fn finds_its_lease_lost(place: &Place) {
    let queue = Queue::open(place.address()).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    queue.publish("t", "x").wait().unwrap();

    let mut holder = Command::new(env!("CARGO_BIN_EXE_lease-holder"))
        .arg(place.address())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "claimed");
    signal(&holder, Signal::STOP);

    // Somebody else gets it when the lease is over, and nothing waits for who sleeps.
    let options = ClaimOptions::default().with_wait(Duration::from_mins(1));
    let deliveries = queue.claim("t", "s", &options).wait().unwrap();
    let attempts: Vec<_> = deliveries.iter().map(|delivery| delivery.attempt).collect();
    assert_eq!(attempts, [2]);
    queue.publish("t", "y").wait().unwrap();

    signal(&holder, Signal::CONT);
    holder.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "lease_lost");
    assert!(holder.wait().unwrap().success());
    for delivery in deliveries {
        queue.ack(&delivery.receipt).wait().unwrap();
    }
    let stats = queue.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.acked_count, stats.expired_count, stats.pending_count), (1, 1, 1));
    queue.shutdown().wait().unwrap();
}
