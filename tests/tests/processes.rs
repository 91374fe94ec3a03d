//! Several processes on one file: they wake each other, take turns and see what the others change.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use blockqueue::{
    ClaimOptions, DeliveryResult, Message, NewSubscriber, NewTopic, Queue, SubscriberOptions,
};
use blockqueue_tests::chance::Chance;
use blockqueue_tests::child::Talking;
use tempfile::TempDir;

fn create() -> (TempDir, PathBuf, Queue) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let queue = Queue::open(&file).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    (folder, file, queue)
}

fn peer(file: &Path, verb: &str, count: usize) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peer"));
    command.arg(file).arg(verb).arg(count.to_string());
    command
}

fn start(mut command: Command) -> Talking {
    let peer = Talking::start(&mut command).unwrap();
    assert_eq!(peer.line().unwrap(), "ready");
    peer
}

/// So many round trips that they cannot all have waited for the look that is taken in any case.
const ROUND_TRIPS: usize = 100;
const IN_ALL: Duration = Duration::from_secs(20);

#[expect(clippy::disallowed_methods, reason = "how long it took is the question")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn a_publish_wakes_a_claim_that_waits_in_another_process() {
    let (_folder, file, queue) = create();
    let consumer = start(peer(&file, "consume", ROUND_TRIPS));
    let begin = now();
    for number in 0..ROUND_TRIPS {
        queue.publish("t", number.to_string()).wait().unwrap();
        assert_eq!(consumer.line().unwrap(), number.to_string());
    }
    assert!(begin.elapsed() < IN_ALL, "{:?}", begin.elapsed());
}

#[test]
fn a_delay_set_by_one_process_wakes_another_when_it_is_over() {
    let (_folder, file, queue) = create();
    let consumer = start(peer(&file, "consume", 1));
    let message = Message::new("later").with_delay(Duration::from_millis(300));
    queue.publish("t", message).wait().unwrap();
    assert_eq!(consumer.line().unwrap(), "later");
}

#[test]
fn a_commit_by_another_sqlite_client_wakes_a_waiting_claim() {
    let (_folder, file, queue) = create();
    queue.pause_topic("t").wait().unwrap();
    let consumer = start(peer(&file, "consume", ROUND_TRIPS));
    queue.shutdown().wait().unwrap();
    let client = rusqlite::Connection::open(&file).unwrap();
    client.busy_timeout(Duration::from_secs(10)).unwrap();
    let begin = now();
    for number in 0..ROUND_TRIPS {
        // What the topic holds is published while it is paused, and let out by plain SQL.
        let queue = Queue::open(&file).unwrap();
        queue.publish("t", number.to_string()).wait().unwrap();
        queue.shutdown().wait().unwrap();
        client.execute("UPDATE blockqueue_topic SET paused = 0", ()).unwrap();
        assert_eq!(consumer.line().unwrap(), number.to_string());
        client.execute("UPDATE blockqueue_topic SET paused = 1", ()).unwrap();
    }
    assert!(begin.elapsed() < IN_ALL, "{:?}", begin.elapsed());
}

#[test]
fn what_one_process_changes_the_others_see_at_their_next_operation() {
    let (_folder, file, queue) = create();
    let mut publisher = start(peer(&file, "publish", 1));
    // The peer has seen the old topic; the new one of the same name is another.
    queue.delete_topic("t").wait().unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("other")).wait().unwrap();
    writeln!(publisher.child().stdin.as_ref().unwrap()).unwrap();
    assert_eq!(publisher.line().unwrap(), "published");
    let stats = queue.subscriber_stats("t", "other").wait().unwrap();
    assert_eq!(stats.pending_count, 1);
}

#[test]
fn a_claim_that_waits_is_told_when_another_process_deletes_its_topic() {
    let (_folder, file, queue) = create();
    let mut consumer = start(peer(&file, "consume", 1));
    queue.delete_topic("t").wait().unwrap();
    assert!(!consumer.child().wait().unwrap().success());
}

#[test]
fn order_filters_and_limits_hold_over_all_processes_and_the_death_of_one() {
    const KEYS: usize = 6;
    const EACH: usize = 40;
    const LEASED_MAX: usize = 4;
    let (folder, file, queue) = create();
    let options = SubscriberOptions::default()
        .with_ordered(true)
        .with_leased_max(u32::try_from(LEASED_MAX).unwrap())
        .with_filter(r#"{"header": "wanted", "exists": true}"#.parse().unwrap());
    queue.delete_subscriber("t", "s").wait().unwrap();
    queue.create_subscriber("t", NewSubscriber::new("s").with_options(options)).wait().unwrap();
    let message = |n: usize| {
        let key = (n % KEYS).to_string();
        [
            Message::new(format!("{key} {}", n / KEYS)).with_header("wanted", "yes"),
            Message::new(format!("{key} unwanted")),
        ]
        .map(|message| message.with_ordering_key(key.clone()))
    };
    queue.publish_batch("t", (0..KEYS * EACH).flat_map(message).collect()).wait().unwrap();
    let log = folder.path().join("log");
    File::create(&log).unwrap();
    let handler = || {
        let mut command = peer(&file, "handle", KEYS * EACH);
        command.arg(&log);
        start(command)
    };
    let mut handlers = [handler(), handler(), handler()];
    let [victim, others @ ..] = &mut handlers;
    let deadline = now() + Duration::from_mins(1);
    while fs::read_to_string(&log).unwrap().lines().count() < KEYS * EACH / 2 {
        assert!(now() < deadline);
        thread::yield_now();
    }
    victim.child().kill().unwrap();
    victim.child().wait().unwrap();
    let mut dead = OpenOptions::new().append(true).open(&log).unwrap();
    dead.write_all(format!("dead {} - -\n", victim.child().id()).as_bytes()).unwrap();
    for handler in others {
        assert!(handler.child().wait().unwrap().success());
    }
    let log = fs::read_to_string(&log).unwrap();
    let mut open: Vec<[&str; 3]> = Vec::new();
    let mut ended = [const { Vec::new() }; KEYS];
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [word, process, key, number] = words[..] else { panic!("{line:?}") };
        if word == "begin" {
            assert!(
                open.iter().all(|[_, other, _]| *other != key),
                "two of a key: {line:?} {open:?}"
            );
            open.push([process, key, number]);
            assert!(open.len() <= LEASED_MAX, "too many at once: {open:?}");
            continue;
        }
        open.retain(|one| match word {
            "dead" => one[0] != process,
            _ => *one != [process, key, number],
        });
        if word == "end" {
            ended[key.parse::<usize>().unwrap()].push(number.parse::<usize>().unwrap());
        }
    }
    for mut of_key in ended {
        // The victim may have died between its line and its ack.
        of_key.dedup();
        assert_eq!(of_key, (0..EACH).collect::<Vec<_>>());
    }
    let stats = queue.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.leased_count, stats.filtered_count), (0, (KEYS * EACH) as u64));
}

#[test]
fn a_reply_given_in_one_process_reaches_whoever_waits_for_it_in_another() {
    let (_folder, file, queue) = create();
    let _replier = start(peer(&file, "reply", ROUND_TRIPS));
    let begin = now();
    for number in 0..ROUND_TRIPS {
        let id = queue.publish("t", number.to_string()).wait().unwrap().id;
        assert_eq!(reply_to(&queue, id), number.to_string());
    }
    assert!(begin.elapsed() < IN_ALL, "{:?}", begin.elapsed());
}

fn reply_to(queue: &Queue, id: blockqueue::MessageId) -> String {
    let result = queue.wait_result("t", "s", id, Duration::from_mins(1)).wait().unwrap();
    let DeliveryResult::Replied(reply) = result else { panic!("{result:?}") };
    String::from_utf8(reply.payload).unwrap()
}

#[test]
fn what_a_process_dies_over_another_one_replies_to() {
    const COUNT: usize = 60;
    let (_folder, file, queue) = create();
    let ids: Vec<_> = (0..COUNT)
        .map(|number| queue.publish("t", number.to_string()).wait().unwrap().id)
        .collect();
    for point in ["before_commit:9", "after_commit:8", "after_begin:12"] {
        let mut command = peer(&file, "reply", COUNT);
        command.env("BLOCKQUEUE_FAILPOINT", point);
        let mut victim = start(command);
        assert!(!victim.child().wait().unwrap().success(), "{point}");
    }
    let _replier = start(peer(&file, "reply", COUNT));
    for (number, id) in ids.into_iter().enumerate() {
        assert_eq!(reply_to(&queue, id), number.to_string());
    }
    let stats = queue.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.pending_count, stats.leased_count, stats.dead_count), (0, 0, 0));
}

#[test]
fn of_all_processes_that_publish_one_unique_key_at_once_one_is_let_in() {
    let (_folder, file, queue) = create();
    let mut rivals = [(); 3].map(|()| start(peer(&file, "unique", ROUND_TRIPS)));
    let next = ClaimOptions::default().with_limit(10);
    for _ in 0..ROUND_TRIPS {
        for rival in &mut rivals {
            rival.say("now").unwrap();
        }
        let mut told = [(); 3].map(|()| String::new());
        for (rival, told) in rivals.iter().zip(&mut told) {
            *told = rival.line().unwrap();
        }
        told.sort();
        assert_eq!(told, ["published", "unique_conflict", "unique_conflict"]);
        let claimed = queue.claim("t", "s", &next).wait().unwrap();
        let [delivery] = claimed.as_slice() else { panic!("{claimed:?}") };
        queue.ack(&delivery.receipt).wait().unwrap();
    }
}

#[test]
fn a_unique_key_is_held_by_the_message_and_not_by_the_process_that_published_it() {
    let (_folder, file, queue) = create();
    let publish = || queue.publish("t", Message::new("mine").with_unique_key("k")).wait();
    let mut outcomes = BTreeSet::new();
    for hit in 1..=4 {
        for point in ["before_commit", "after_commit"] {
            let mut command = peer(&file, "unique", 4);
            command.env("BLOCKQUEUE_FAILPOINT", format!("{point}:{hit}"));
            let mut rival = Talking::start(&mut command).unwrap();
            for _ in 0..4 {
                // It may be dead already, and hear nothing.
                let _ = rival.say("now");
            }
            rival.child().wait().unwrap();
            let claimed = queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap();
            outcomes.insert(claimed.len());
            match claimed.as_slice() {
                [] => {
                    publish().unwrap();
                    let claimed = queue.claim("t", "s", &ClaimOptions::default()).wait().unwrap();
                    queue.ack(&claimed.first().unwrap().receipt).wait().unwrap();
                }
                [delivery] => {
                    assert_eq!(publish().unwrap_err().code(), "unique_conflict");
                    queue.ack(&delivery.receipt).wait().unwrap();
                }
                more => panic!("{more:?}"),
            }
        }
    }
    assert_eq!(outcomes, BTreeSet::from([0, 1]), "died before and after the commit");
}

#[test]
fn dead_letters_that_dying_processes_redrive_to_another_topic_get_there_once() {
    const COUNT: usize = 250;
    const POINTS: [&str; 4] = ["after_begin", "before_flush", "before_commit", "after_commit"];
    let (_folder, file, queue) = create();
    queue.create_topic(NewTopic::new("to").with_subscriber("s")).wait().unwrap();
    let numbers = (0..COUNT).map(|number| number.to_string().into()).collect();
    queue.publish_batch("t", numbers).wait().unwrap();
    let mut chance = Chance::new(20_260_101);
    for round in 0..4 {
        let start_one = |chance: &mut Chance| {
            let point = POINTS.get(usize::try_from(chance.below(4)).unwrap()).unwrap();
            let mut command = peer(&file, "redrive", COUNT);
            command.env("BLOCKQUEUE_FAILPOINT", format!("{point}:{}", 4 + chance.below(30)));
            Talking::start(&mut command).unwrap()
        };
        // They die of themselves.
        for mut peer in [(); 3].map(|()| start_one(&mut chance)) {
            assert!(!peer.child().wait().unwrap().success(), "round {round} was the last");
        }
    }
    assert!(start(peer(&file, "redrive", COUNT)).child().wait().unwrap().success());
    let all = ClaimOptions::default().with_limit(1_000);
    let there = queue.claim("to", "s", &all).wait().unwrap();
    let count = there.len();
    let payloads: BTreeSet<_> = there.into_iter().map(|delivery| delivery.payload).collect();
    assert_eq!((count, payloads.len()), (COUNT, COUNT), "each once");
    let left = queue.subscriber_stats("t", "s").wait().unwrap();
    let left = (left.pending_count, left.leased_count, left.retrying_count, left.dead_count);
    assert_eq!(left, (0, 0, 0, 0));
    assert_eq!(queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
}

#[test]
fn the_turn_of_a_process_that_dies_goes_to_the_next() {
    let (_folder, file, queue) = create();
    for _ in 0..20 {
        // Dies at its third transaction behind BEGIN: with the turn, and with SQLite's lock.
        let mut command = peer(&file, "publish", 100);
        command.env("BLOCKQUEUE_FAILPOINT", "after_begin:3");
        let mut publisher = start(command);
        writeln!(publisher.child().stdin.as_ref().unwrap()).unwrap();
        while publisher.child().try_wait().unwrap().is_none() {
            queue.publish("t", "x").wait().unwrap();
        }
        queue.publish("t", "x").wait().unwrap();
    }
}

#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn a_child_forked_under_load_is_refused_the_old_handle_and_opens_the_queue_anew() {
    const CHILDREN: usize = 200;
    let (_folder, file, queue) = create();
    queue.create_topic(NewTopic::new("children").with_subscriber("s")).wait().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_forker"));
    let mut forker = Talking::start(command.arg(&file).arg(CHILDREN.to_string())).unwrap();
    let deadline = now() + Duration::from_mins(2);
    while forker.child().try_wait().unwrap().is_none() {
        assert!(now() < deadline, "a child hangs");
        queue.publish("t", "other").wait().unwrap();
    }
    assert!(forker.child().wait().unwrap().success());
    let stats = queue.subscriber_stats("children", "s").wait().unwrap();
    assert_eq!(stats.pending_count, CHILDREN as u64);
    assert_eq!(queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
}
