//! No room on the disk.

use std::fs;
use std::time::Duration;

use blockqueue::{ClaimOptions, CopyOptions, NewTopic, Queue, Retry};

use crate::world::{Disk, assert_sound, claim, create, drain, open};

const ALL: usize = 4 << 20;

/// Publishes until the disk is full; the answer is what was acknowledged.
fn fill(queue: &Queue) -> Vec<String> {
    let mut acknowledged = Vec::new();
    loop {
        let payload = format!("{:06}{}", acknowledged.len(), "x".repeat(16_000));
        match queue.publish("t", payload.as_str()).wait() {
            Ok(_) => acknowledged.push(payload),
            Err(error) => {
                assert_eq!((error.code(), error.retry()), ("disk_full", Retry::Later));
                return acknowledged;
            }
        }
    }
}

#[test]
fn a_full_disk_refuses_and_is_forgotten_when_there_is_room() {
    let Some(disk) = Disk::of(ALL) else { return };
    let ballast = disk.fill(ALL, ALL / 2);
    let queue = create(&disk.path("queue.db"));
    queue.create_topic(NewTopic::new("u").with_subscriber("s")).wait().unwrap();
    let waiting = queue.claim("u", "s", &ClaimOptions::default().with_wait(Duration::from_mins(5)));
    let mut expected = fill(&queue);
    assert!(expected.len() > 10, "there was room for some");
    for _ in 0..10 {
        let refused = queue.publish("t", "y".repeat(1 << 20)).wait();
        assert_eq!(refused.unwrap_err().code(), "disk_full");
    }
    // Who only looks is not concerned.
    let stats = queue.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!(stats.pending_count, expected.len() as u64);
    fs::remove_file(ballast).unwrap();
    queue.publish("t", "after").wait().unwrap();
    expected.push("after".to_owned());
    queue.publish("u", "to one who waited").wait().unwrap();
    assert_eq!(waiting.wait().unwrap()[0].payload, b"to one who waited");
    assert!(drain(&queue) == expected, "all that was acknowledged, once, in order");
    assert_sound(&queue);
    queue.shutdown().wait().unwrap();
}

#[test]
fn what_a_full_disk_refuses_counts_for_nothing() {
    let Some(disk) = Disk::of(ALL) else { return };
    let ballast = disk.fill(ALL, ALL / 2);
    let queue = create(&disk.path("queue.db"));
    for number in 0..20 {
        queue.publish("t", format!("leased {number}")).wait().unwrap();
    }
    let leased = claim(&queue, 20).unwrap();
    let mut expected = fill(&queue);
    // A claim that is refused counts no attempt; one that finds a last bit of room is a claim.
    let mut claimed = Vec::new();
    while let Ok(deliveries) = claim(&queue, 1) {
        claimed.extend(deliveries);
    }
    let acked: Vec<bool> =
        leased.iter().map(|(_, _, receipt)| queue.ack(receipt).wait().is_ok()).collect();
    fs::remove_file(ballast).unwrap();
    for ((_, _, receipt), acked) in leased.iter().zip(acked) {
        if !acked {
            queue.ack(receipt).wait().unwrap();
        }
    }
    let first: Vec<_> = claimed.into_iter().map(|(payload, ..)| payload).collect();
    assert!(first == expected.drain(..first.len()).collect::<Vec<_>>());
    assert!(drain(&queue) == expected, "neither lost nor counted");
    let stats = queue.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.leased_count, stats.retrying_count), (first.len() as u64, 0));
    assert_sound(&queue);
    queue.shutdown().wait().unwrap();
}

#[test]
fn a_queue_is_not_created_on_a_full_disk_and_is_when_there_is_room() {
    for left in [0, 4_096, 16_384, 40_960, 65_536, 131_072] {
        let Some(disk) = Disk::of(ALL) else { return };
        let ballast = disk.fill(ALL, left);
        let file = disk.path("queue.db");
        assert_eq!(Queue::open(&file).unwrap_err().code(), "disk_full", "{left} bytes left");
        fs::remove_file(ballast).unwrap();
        let queue = create(&file);
        assert_sound(&queue);
        queue.shutdown().wait().unwrap();
    }
}

#[test]
fn a_queue_opens_on_a_full_disk_as_soon_as_there_is_room() {
    let Some(disk) = Disk::of(ALL) else { return };
    let file = disk.path("queue.db");
    let queue = create(&file);
    queue.publish("t", "kept").wait().unwrap();
    queue.shutdown().wait().unwrap();
    let room = ALL - usize::try_from(fs::metadata(&file).unwrap().len()).unwrap();
    let ballast = disk.fill(room, 0);
    assert_eq!(open(&file).unwrap_err().code(), "disk_full");
    fs::remove_file(ballast).unwrap();
    let queue = open(&file).unwrap();
    assert_eq!(drain(&queue), ["kept"]);
    queue.shutdown().wait().unwrap();
}

#[test]
fn a_backup_to_a_full_disk_leaves_nothing_and_disturbs_nobody() {
    let Some(disk) = Disk::of(ALL) else { return };
    let folder = tempfile::tempdir().unwrap();
    let queue = create(&folder.path().join("queue.db"));
    for _ in 0..4 {
        queue.publish("t", "x".repeat(1 << 20)).wait().unwrap();
    }
    let copy = disk.path("copy.db");
    assert_eq!(queue.backup(&copy).wait().unwrap_err().code(), "disk_full");
    assert_eq!(fs::read_dir(disk.path("")).unwrap().count(), 0);
    assert_eq!(drain(&queue).len(), 4);
    queue.shutdown().wait().unwrap();
}

#[test]
fn a_copy_to_a_full_disk_leaves_no_queue_and_is_made_when_there_is_room() {
    let Some(disk) = Disk::of(ALL * 4) else { return };
    let ballast = disk.fill(ALL * 4, ALL / 2);
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("queue.db");
    let queue = create(&original);
    for _ in 0..4 {
        queue.publish("t", "x".repeat(1 << 20)).wait().unwrap();
    }
    let there = disk.path("copy.db");
    let copy = || blockqueue::copy(&original, &there, &CopyOptions::default());
    assert_eq!(copy().unwrap_err().code(), "disk_full");
    assert_eq!(open(&there).unwrap_err().code(), "cannot_open");
    fs::remove_file(ballast).unwrap();
    copy().unwrap();
    let copied = open(&there).unwrap();
    assert_eq!((drain(&queue).len(), drain(&copied).len()), (4, 4));
    assert_sound(&copied);
    copied.shutdown().wait().unwrap();
    queue.shutdown().wait().unwrap();
}
