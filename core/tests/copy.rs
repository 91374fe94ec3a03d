//! A queue copied elsewhere goes on there as it would have gone on where it was.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[cfg(feature = "turso")]
#[path = "turso/server.rs"]
#[expect(dead_code, reason = "its own tests do more with it")]
mod turso;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
#[cfg(feature = "turso")]
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use blockqueue::rusqlite::Connection;
use blockqueue::{
    BacklogLimit, ClaimOptions, CopyOptions, CopyProgress, CopyReport, DeadLetters, Delivery,
    DeliveryResult, Message, NackOptions, NewSchedule, NewSubscriber, NewTopic, OnDead,
    OpenOptions, OverlapPolicy, Page, Published, Queue, Reply, Retention, RetryPolicy,
    ScheduleOptions, SubscriberOptions, TestClock, TopicOptions, copy,
};

const MINUTE: Duration = Duration::from_mins(1);

/// A queue in which everything is that a queue can have, and what its users remember of it.
struct World {
    clock: TestClock,
    original: PathBuf,
    folder: tempfile::TempDir,
    /// Of one consumer each: leased, and past its time; leased, and settled by an application since.
    held: Delivery,
    late: Delivery,
    settled: Delivery,
    replied: Published,
    delayed: Published,
    cancelled: Published,
}

fn open(address: impl AsRef<Path>, clock: &TestClock) -> Queue {
    Queue::open_with(address, OpenOptions::default().with_clock(clock.clone())).unwrap()
}

fn claim(queue: &Queue, topic: &str, subscriber: &str, limit: usize) -> Vec<Delivery> {
    let options = ClaimOptions::default().with_limit(limit);
    queue.claim(topic, subscriber, &options).wait().unwrap()
}

fn payloads(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|one| std::str::from_utf8(&one.payload).unwrap()).collect()
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let original = folder.path().join("original.db");
        let clock = TestClock::new(SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 366 * 50));
        let queue = open(&original, &clock);
        Self::make_topics(&queue);
        for number in 0..4 {
            queue.publish("t", number.to_string()).wait().unwrap();
        }
        let late = claim(&queue, "t", "s", 4).remove(0);
        clock.advance(MINUTE * 2);
        // All leases are over, and there are others.
        let mut again = claim(&queue, "t", "s", 4);
        let position = again.iter().position(|one| one.payload == b"0").unwrap();
        queue.defer(&again.remove(position).receipt, Duration::from_hours(1)).wait().unwrap();
        queue.publish("t", "4").wait().unwrap();
        let [held, settled, failed] = <[Delivery; 3]>::try_from(again).unwrap();
        let error = NackOptions::default().with_error("too early").with_delay(MINUTE);
        queue.nack(&failed.receipt, &error).wait().unwrap();
        let replied = Self::finish_some(&queue);
        Self::fill_keyed(&queue);
        let delayed = Message::new("later").with_delay(MINUTE * 10).with_unique_key("one");
        let delayed = queue.publish("t", delayed).wait().unwrap();
        let cancelled = queue.publish("t", Message::new("never").with_delay(MINUTE)).wait();
        let cancelled = cancelled.unwrap();
        queue.cancel_message("t", cancelled.id).wait().unwrap();
        queue.delete_topic("gone").wait().unwrap();
        queue.shutdown().wait().unwrap();
        // Nobody has carried these out yet.
        let application = Connection::open(&original).unwrap();
        application
            .execute(
                "INSERT INTO blockqueue_ack (receipt) VALUES (?1)",
                [settled.receipt.to_string()],
            )
            .unwrap();
        application
            .execute("INSERT INTO blockqueue_publish (topic, payload) VALUES ('t', 'staged')", ())
            .unwrap();
        Self { clock, original, folder, held, late, settled, replied, delayed, cancelled }
    }

    fn make_topics(queue: &Queue) {
        let retry = RetryPolicy::default().with_jitter(0.0);
        let options = SubscriberOptions::default().with_lease(MINUTE).with_retry(retry);
        let plain = NewSubscriber::new("s").with_options(options.clone());
        let filter = r#"{"any": [{"header": "type", "any_of": ["b", "a"]}]}"#.parse();
        let filtered = options.clone().with_filter(filter.unwrap());
        let filtered = NewSubscriber::new("filtered").with_options(filtered);
        let topic = TopicOptions::default()
            .with_retention(Retention::Duration(Duration::from_hours(24)))
            .with_backlog_limit(BacklogLimit::default().with_messages(1_000_u64));
        let topic = NewTopic::new("t").with_options(topic);
        queue.create_topic(NewTopic::new("gone").with_subscriber("s")).wait().unwrap();
        queue.create_topic(topic.with_subscriber(plain).with_subscriber(filtered)).wait().unwrap();
        queue.pause_subscriber("t", "filtered").wait().unwrap();
        let ordered =
            options.with_ordered(true).with_on_dead(OnDead::Block).with_max_attempts(1_u32);
        let ordered = NewSubscriber::new("ordered").with_options(ordered);
        queue.create_topic(NewTopic::new("keyed").with_subscriber(ordered)).wait().unwrap();
        queue.create_topic(NewTopic::new("work").with_subscriber("s")).wait().unwrap();
        let every_hour =
            ScheduleOptions::new("0 * * * *", Message::new("tick").with_header("n", "1"))
                .with_overlap(OverlapPolicy::Allow)
                .with_timezone("Europe/Berlin");
        queue.create_schedule("work", NewSchedule::new("hourly", every_hour)).wait().unwrap();
        queue.run_schedule_now("work", "hourly").wait().unwrap();
    }

    /// Work that is done, with a reply.
    fn finish_some(queue: &Queue) -> Published {
        let message = Message::new("question").with_priority(5_i16).with_idempotency_key("once");
        let published = queue.publish("work", message).wait().unwrap();
        let claimed = claim(queue, "work", "s", 1);
        let reply = Reply::new("answer").with_content_type("text/plain");
        queue.ack_with_result(&claimed[0].receipt, reply).wait().unwrap();
        published
    }

    /// A dead letter that holds its key, one parked behind it, one of another key.
    fn fill_keyed(queue: &Queue) {
        for (payload, key) in [("head", "a"), ("behind", "a"), ("other", "b")] {
            let headers = BTreeMap::from([
                ("z".to_owned(), "1".to_owned()),
                ("a".to_owned(), "é\"\\".to_owned()),
            ]);
            let message = Message::new(payload).with_ordering_key(key).with_headers(headers);
            queue.publish("keyed", message.with_correlation_id("c")).wait().unwrap();
        }
        let head = claim(queue, "keyed", "ordered", 1);
        let dead = NackOptions::default().with_error("broken").with_give_up(true);
        queue.nack(&head[0].receipt, &dead).wait().unwrap();
        assert_eq!(payloads(&claim(queue, "keyed", "ordered", 10)), ["other"]);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whether the copy at this address is what the users of the original remember.
    fn assert_goes_on(&self, address: &Path) {
        let queue = open(address, &self.clock);
        let error = queue.ack(&self.late.receipt).wait().unwrap_err();
        assert_eq!(error.code(), "lease_lost", "claimed again since");
        queue.ack(&self.held.receipt).wait().unwrap();
        let error = queue.nack(&self.settled.receipt, &NackOptions::default()).wait().unwrap_err();
        assert_eq!(error.code(), "lease_lost", "the application's ack was carried out");
        let mut waiting = claim(&queue, "t", "s", 10);
        waiting.sort_by_key(|delivery| delivery.message_id);
        assert_eq!(payloads(&waiting), ["4", "staged"]);
        for delivery in &waiting {
            queue.ack(&delivery.receipt).wait().unwrap();
        }
        Self::assert_failures(&queue);
        self.assert_keys(&queue);
        self.assert_time(&queue);
        // Nothing that is new is mistaken for something that was there.
        let known = queue.topics(Page::default()).wait().unwrap().items;
        assert_eq!(
            known.iter().map(|topic| topic.name.as_str()).collect::<Vec<_>>(),
            ["keyed", "t", "work"]
        );
        let newest = queue.create_topic(NewTopic::new("new").with_subscriber("s")).wait().unwrap();
        assert!(known.iter().all(|topic| topic.id < newest.id));
        queue.publish("new", "x").wait().unwrap();
        assert_eq!(payloads(&claim(&queue, "new", "s", 10)), ["x"]);
        let diagnosis = queue.diagnose().wait().unwrap();
        assert_eq!(diagnosis.problems, Vec::<String>::new());
        queue.shutdown().wait().unwrap();
    }

    fn assert_failures(queue: &Queue) {
        let letters = queue.dead_letters("keyed", "ordered", Page::default()).wait().unwrap().items;
        let [letter] = letters.as_slice() else { panic!("{letters:?}") };
        assert_eq!((letter.error.as_deref(), letter.attempts), (Some("broken"), 1));
        assert_eq!(letter.message.headers["a"], "é\"\\");
        let failures =
            queue.failures("keyed", "ordered", letter.message.id, Page::default()).wait().unwrap();
        assert_eq!(failures.items.len(), 1);
        assert_eq!(claim(queue, "keyed", "ordered", 10), [], "behind a dead letter");
        queue.redrive("keyed", "ordered", DeadLetters::All).wait().unwrap();
        let head = claim(queue, "keyed", "ordered", 10);
        assert_eq!(payloads(&head), ["head"]);
        queue.ack(&head[0].receipt).wait().unwrap();
        assert_eq!(payloads(&claim(queue, "keyed", "ordered", 10)), ["behind"]);
    }

    fn assert_keys(&self, queue: &Queue) {
        let again = Message::new("question").with_priority(5_i16).with_idempotency_key("once");
        let again = queue.publish("work", again).wait().unwrap();
        assert_eq!((again.id, again.duplicate), (self.replied.id, true));
        let error = queue.publish("t", Message::new("x").with_unique_key("one")).wait();
        assert_eq!(error.unwrap_err().code(), "unique_conflict");
        let result = queue.result("work", "s", self.replied.id).wait().unwrap();
        let DeliveryResult::Replied(reply) = result else { panic!("{result:?}") };
        assert_eq!(
            (reply.payload.as_slice(), reply.content_type.as_deref()),
            (&b"answer"[..], Some("text/plain"))
        );
        let subscriber = queue.subscriber("t", "filtered").wait().unwrap();
        assert!(subscriber.paused && subscriber.options.filter.is_some());
        let topic = queue.topic("t").wait().unwrap();
        assert_eq!(topic.options.backlog_limit.messages, Some(1_000));
    }

    /// What is due later falls due when it would have.
    fn assert_time(&self, queue: &Queue) {
        assert!(queue.message("t", self.delayed.id).wait().unwrap().delayed);
        assert_eq!(
            queue.message("t", self.cancelled.id).wait().unwrap_err().code(),
            "unknown_message"
        );
        let before = self.clock.now();
        self.clock.advance(MINUTE * 5);
        let failed = claim(queue, "t", "s", 1);
        assert_eq!((payloads(&failed), failed[0].failures, failed[0].attempt), (vec!["3"], 2, 3));
        queue.ack(&failed[0].receipt).wait().unwrap();
        self.clock.advance(MINUTE * 60);
        let ticks = claim(queue, "work", "s", 10);
        assert_eq!(queue.topic_stats("t").wait().unwrap().delayed_count, 0);
        assert!(payloads(&ticks).starts_with(&["tick", "tick"]), "{:?}", payloads(&ticks));
        let runs = queue.schedule_runs("work", "hourly", Page::default()).wait().unwrap().items;
        assert!(runs.len() >= 2, "{runs:?}");
        self.clock.set(before);
    }
}

fn carry(from: &Path, to: &Path) -> CopyReport {
    copy(from, to, &CopyOptions::default()).unwrap()
}

fn rows(report: &CopyReport, table: &str) -> u64 {
    report.tables.iter().find(|one| one.name == format!("blockqueue_{table}")).unwrap().rows
}

/// There, and back into another file.
fn there_and_back(there: &Path) {
    let world = World::new();
    let report = carry(&world.original, there);
    for table in report.tables.iter().filter(|table| table.name != "blockqueue_rejected") {
        assert!(table.rows > 0, "{} is not tested", table.name);
    }
    assert_eq!((rows(&report, "staged"), rows(&report, "settling")), (1, 1));
    let back = world.path("back.db");
    assert_eq!(carry(there, &back), report);
    // The original has lost nothing of it either.
    assert_eq!(carry(&world.original, &world.path("again.db")), report);
    world.assert_goes_on(there);
    world.assert_goes_on(&back);
    world.assert_goes_on(&world.original);
}

#[test]
fn a_file_goes_on_in_another_file() {
    let folder = tempfile::tempdir().unwrap();
    there_and_back(&folder.path().join("there.db"));
}

#[cfg(feature = "postgres")]
#[test]
fn a_file_goes_on_in_postgresql_and_back() {
    let Some(address) = schema("there") else { return };
    there_and_back(Path::new(&address));
}

#[cfg(feature = "turso")]
#[test]
fn a_file_goes_on_in_a_libsql_database_and_back() {
    let server = turso::Server::start();
    there_and_back(Path::new(&server.database("there")));
    server.shared.fails_one_of.store(3, Ordering::Relaxed);
    there_and_back(Path::new(&server.database("through_faults")));
}

#[cfg(feature = "turso")]
#[test]
fn a_copy_to_libsql_that_ends_early_is_no_queue_and_can_be_made_again() {
    let server = turso::Server::start();
    let address = server.database("there");
    let there = Path::new(&address);
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("from.db");
    let queue = small(&from, 10);
    for _ in 0..100 {
        queue.publish("t", vec![b'x'; 60_000]).wait().unwrap();
    }
    // In the middle of the rows.
    server.shared.refuses_from.store(5, Ordering::Relaxed);
    assert_eq!(refusal(&from, there), "io");
    server.shared.refuses_from.store(0, Ordering::Relaxed);
    assert!(server.number("there", "SELECT count(*) FROM blockqueue_message") > 0);
    assert_eq!(Queue::open(there).unwrap_err().code(), "cannot_open");
    let report = carry(&from, there);
    assert_eq!(refusal(&from, there), "cannot_open");
    assert_eq!(rows(&report, "message"), 110);
    let stats = Queue::open(there).unwrap().subscriber_stats("t", "s").wait().unwrap();
    assert_eq!(stats.pending_count, 110);
}

/// A queue in a file with so many large messages: several requests carry them.
#[cfg(feature = "turso")]
fn large(path: &Path, messages: usize) {
    let queue = small(path, 0);
    let batch = vec![Message::new(vec![b'x'; 60_000]); messages];
    queue.publish_batch("t", batch).wait().unwrap();
    queue.shutdown().wait().unwrap();
}

#[cfg(feature = "turso")]
fn pending(address: &str) -> u64 {
    let queue = Queue::open_with(address, OpenOptions::default().with_must_exist(true)).unwrap();
    queue.subscriber_stats("t", "s").wait().unwrap().pending_count
}

#[cfg(feature = "turso")]
#[test]
fn of_two_copies_to_one_libsql_database_one_is_there_whole() {
    let (server, folder) = (turso::Server::start(), tempfile::tempdir().unwrap());
    let files = [40, 60].map(|messages| {
        let file = folder.path().join(format!("{messages}.db"));
        large(&file, messages);
        file
    });
    for round in 0..5 {
        let address = server.database(&round.to_string());
        let results = std::thread::scope(|scope| {
            let to = &address;
            let copy = |from| scope.spawn(move || copy(from, to, &CopyOptions::default()));
            files.each_ref().map(copy).map(|copying| copying.join().unwrap())
        });
        let [one, other] = results.map(|result| result.map_err(|error| error.code()));
        match (one, other) {
            (Ok(_), Err("cannot_open")) => assert_eq!(pending(&address), 40),
            (Err("cannot_open"), Ok(_)) => assert_eq!(pending(&address), 60),
            results => panic!("{results:?}"),
        }
    }
}

#[cfg(feature = "turso")]
#[test]
fn whoever_opens_a_libsql_database_that_a_queue_is_copied_to_finds_all_of_it_or_nothing() {
    let (server, folder) = (turso::Server::start(), tempfile::tempdir().unwrap());
    let file = folder.path().join("from.db");
    large(&file, 40);
    // So long between looking and making, in each of them.
    server.shared.delay_us.store(5_000, Ordering::Relaxed);
    for round in 0..20 {
        let address = server.database(&round.to_string());
        let (tell, told) = std::sync::mpsc::channel();
        let is_verified = move |progress: CopyProgress| {
            if progress.rows_verified == progress.rows_total {
                let _ = tell.send(());
            }
        };
        let options = CopyOptions::default().with_progress(is_verified);
        let (copied, opened) = std::thread::scope(|scope| {
            let copying = scope.spawn(|| copy(&file, &address, &options));
            // It begins with the server now.
            told.recv().unwrap();
            let opened = Queue::open(&address).map(|queue| {
                let stats = queue.subscriber_stats("t", "s").wait();
                stats.map(|stats| stats.pending_count).map_err(|error| error.code())
            });
            (copying.join().unwrap(), opened)
        });
        match (copied.map_err(|error| error.code()), opened.map_err(|error| error.code())) {
            (Ok(_), Ok(Ok(40)) | Err("cannot_open")) => assert_eq!(pending(&address), 40),
            (Err("cannot_open"), Ok(Err("unknown_topic"))) => {}
            results => panic!("{results:?}"),
        }
    }
}

#[cfg(feature = "turso")]
#[test]
fn what_a_libsql_database_does_not_take_leaves_nothing_behind() {
    let (server, folder) = (turso::Server::start(), tempfile::tempdir().unwrap());
    let file = folder.path().join("from.db");
    let options = OpenOptions::default().with_payload_bytes_max(8 << 20_usize);
    let queue = Queue::open_with(&file, options).unwrap();
    queue.create_topic("t").wait().unwrap();
    queue.publish("t", vec![b'x'; 5 << 20]).wait().unwrap();
    let address = server.database("there");
    assert_eq!(refusal(&file, Path::new(&address)), "invalid_argument");
    assert_eq!(server.number("there", "SELECT count(*) FROM sqlite_master"), 0);
}

/// The address of a schema that is not there yet; the stage `stores` starts a server, and fails if it cannot.
#[cfg(feature = "postgres")]
fn schema(name: &str) -> Option<String> {
    let Ok(server) = std::env::var("BLOCKQUEUE_TEST_POSTGRES") else {
        eprintln!("SKIPPED: BLOCKQUEUE_TEST_POSTGRES names no PostgreSQL server");
        return None;
    };
    let start = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    Some(format!("{server}&schema=copy_{start}_{}_{name}", std::process::id()))
}

fn refusal(from: &Path, to: &Path) -> &'static str {
    copy(from, to, &CopyOptions::default()).unwrap_err().code()
}

/// A queue with a topic `t`, a subscriber `s` and so many messages.
fn small(path: &Path, messages: usize) -> Queue {
    let queue = Queue::open(path).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    for number in 0..messages {
        queue.publish("t", number.to_string()).wait().unwrap();
    }
    queue
}

#[test]
fn there_must_be_a_queue_to_copy_and_none_where_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let queue = small(&path("queue.db"), 1);
    assert_eq!(refusal(&path("nothing.db"), &path("to.db")), "cannot_open");
    let foreign = Connection::open(path("foreign.db")).unwrap();
    foreign.execute_batch("CREATE TABLE app (x); INSERT INTO app VALUES (7)").unwrap();
    assert_eq!(refusal(&path("foreign.db"), &path("to.db")), "cannot_open");
    std::fs::write(path("text"), "this is no database at all, whatever its name may be").unwrap();
    assert_eq!(refusal(&path("text"), &path("to.db")), "not_a_database");
    assert_eq!(refusal(Path::new(":memory:"), &path("to.db")), "invalid_argument");
    assert_eq!(refusal(Path::new("mysql://host"), &path("to.db")), "cannot_open");
    assert!(!path("nothing.db").exists() && !path("to.db").exists());

    assert_eq!(refusal(&path("queue.db"), &path("queue.db")), "cannot_open");
    assert_eq!(refusal(&path("queue.db"), Path::new(":memory:")), "invalid_argument");
    assert_eq!(refusal(&path("queue.db"), Path::new("mysql://host")), "cannot_open");
    assert_eq!(refusal(&path("queue.db"), &path("no/such/folder.db")), "cannot_open");
    assert_eq!(refusal(&path("queue.db"), &path("text")), "not_a_database");
    drop(small(&path("other.db"), 2));
    assert_eq!(refusal(&path("queue.db"), &path("other.db")), "cannot_open");
    let other = Queue::open(path("other.db")).unwrap();
    assert_eq!(other.subscriber_stats("t", "s").wait().unwrap().pending_count, 2, "as it was");

    // A database of the application's own takes the queue beside its tables.
    carry(&path("queue.db"), &path("foreign.db"));
    let kept: i64 = foreign.query_row("SELECT x FROM app", [], |row| row.get(0)).unwrap();
    let copied = Queue::open(path("foreign.db")).unwrap();
    assert_eq!((kept, claim(&copied, "t", "s", 10).len()), (7, 1));
    queue.shutdown().wait().unwrap();
}

#[test]
fn a_copy_is_of_one_moment_while_work_goes_on_and_tells_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from.db"), folder.path().join("to.db"));
    let queue = small(&from, 2_500);
    let told = Arc::new(Mutex::new(Vec::new()));
    let (listener, at_work) = (Arc::clone(&told), queue.clone());
    let options = CopyOptions::default().with_progress(move |progress| {
        listener.lock().unwrap().push(progress);
        // Answered while the copy waits for this.
        at_work.publish("t", "meanwhile").wait().unwrap();
        assert_eq!(claim(&at_work, "t", "s", 1).len(), 1);
    });
    let report = copy(&from, &to, &options).unwrap();
    let told = told.lock().unwrap();
    let last = told.last().unwrap();
    assert_eq!(last.rows_total, report.tables.iter().map(|table| table.rows).sum::<u64>());
    assert_eq!((last.rows_copied, last.rows_verified), (last.rows_total, last.rows_total));
    assert!(told.len() > 6, "{told:?}");
    let stats = Queue::open(&to).unwrap().subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.pending_count, stats.claimed_count), (2_500, 0));
    assert!(queue.subscriber_stats("t", "s").wait().unwrap().claimed_count > 6);
}

#[cfg(feature = "postgres")]
#[test]
fn what_postgresql_does_not_take_leaves_nothing_behind() {
    let Some(address) = schema("refused") else { return };
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("from.db");
    let queue = small(&from, 1_500);
    let last = queue.publish("t", Message::new("x").with_header("zero", "\0")).wait().unwrap();
    assert_eq!(refusal(&from, Path::new(&address)), "invalid_argument");
    let must_exist = OpenOptions::default().with_must_exist(true);
    assert_eq!(Queue::open_with(&address, must_exist.clone()).unwrap_err().code(), "cannot_open");
    assert_eq!(refusal(Path::new(&address), &folder.path().join("to.db")), "cannot_open");
    queue.cancel_message("t", last.id).wait().unwrap();
    queue.seek("t", "s", blockqueue::SeekTo::Latest).wait().unwrap();
    while queue.message("t", last.id).wait().is_ok() {
        std::thread::yield_now();
    }
    carry(&from, Path::new(&address));
    assert_eq!(refusal(&from, Path::new(&address)), "cannot_open");
    Queue::open_with(&address, must_exist).unwrap();
}
