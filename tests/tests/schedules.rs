//! Several processes on one file with schedules, killed at random and at named failpoints: each occurrence
//! is fired once.
//!
//! `BLOCKQUEUE_SCHEDULE_ROUNDS` (default 10) and `BLOCKQUEUE_CRASH_SEED` choose how long and which.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use blockqueue::{
    ClaimOptions, MessageId, MisfirePolicy, NewSchedule, NewTopic, OverlapPolicy, Page, Queue,
    RunStatus, ScheduleOptions, ScheduleRun,
};
use blockqueue_tests::chance::Chance;

const PROCESSES: usize = 3;
const FAILPOINTS: [&str; 5] =
    ["after_begin", "in_schedule", "before_flush", "before_commit", "after_commit"];
/// Two ways to say every second, and one with jitter.
const SCHEDULES: [(&str, &str, u64); 3] =
    [("cron", "* * * * * *", 0), ("every", "@every 1s", 0), ("late", "* * * * * *", 700)];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn create(file: &Path) {
    let queue = Queue::open(file).unwrap();
    queue.create_topic("noise").wait().unwrap();
    for (name, cron, jitter) in SCHEDULES {
        queue.create_topic(NewTopic::new(name).with_subscriber("s")).wait().unwrap();
        let options = ScheduleOptions::new(cron, name)
            .with_misfire(MisfirePolicy::All { limit: 1_000 })
            .with_overlap(OverlapPolicy::Allow)
            .with_jitter(Duration::from_millis(jitter));
        queue.create_schedule(name, NewSchedule::new(name, options)).wait().unwrap();
    }
    queue.shutdown().wait().unwrap();
}

fn start(file: &Path, mood: &str, failpoint: Option<String>) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_schedule-worker"));
    command.arg(file).arg(mood).stdout(Stdio::piped()).stderr(Stdio::null());
    command.envs(failpoint.map(|point| ("BLOCKQUEUE_FAILPOINT", point)));
    command.spawn().unwrap()
}

fn end(worker: &mut Child) {
    worker.kill().unwrap();
    worker.wait().unwrap();
}

/// A process works for a moment, or until its failpoint; another one takes its place.
fn run(file: &Path, rounds: u64, chance: &mut Chance) {
    let start_one = |chance: &mut Chance| {
        let place = usize::try_from(chance.below(FAILPOINTS.len() as u64)).unwrap();
        let point = FAILPOINTS.get(place).unwrap();
        let failpoint = (chance.below(2) == 0).then(|| format!("{point}:{}", 1 + chance.below(5)));
        start(file, if chance.below(2) == 0 { "busy" } else { "idle" }, failpoint)
    };
    let mut workers: Vec<Child> = (0..PROCESSES).map(|_| start_one(chance)).collect();
    for _ in 0..rounds {
        for worker in &mut workers {
            // How long they work is part of the chance, not a wait for anything.
            thread::sleep(Duration::from_millis(100 + chance.below(400)));
            end(worker);
            *worker = start_one(chance);
        }
    }
    workers.iter_mut().for_each(end);
}

/// Every message of a schedule: the occurrence that it names, in the order of the log.
fn messages(queue: &Queue, topic: &str) -> Vec<(SystemTime, MessageId)> {
    let options = ClaimOptions::default().with_limit(1_000).with_lease(Duration::from_hours(1));
    let mut found = Vec::new();
    loop {
        let deliveries = queue.claim(topic, "s", &options).wait().unwrap();
        if deliveries.is_empty() {
            return found;
        }
        found.extend(deliveries.into_iter().map(|delivery| {
            let occurrence = delivery.headers.get("blockqueue-occurrence").unwrap();
            (time(occurrence), delivery.message_id)
        }));
    }
}

fn time(text: &str) -> SystemTime {
    let at: jiff::Timestamp = text.parse().unwrap();
    at.into()
}

fn history(queue: &Queue, name: &str) -> Vec<ScheduleRun> {
    let mut runs = Vec::new();
    let mut page = Page::default().with_limit(1_000);
    loop {
        let listed = queue.schedule_runs(name, name, page).wait().unwrap();
        runs.extend(listed.items);
        let Some(next) = listed.next else { return runs };
        page = Page::default().with_limit(1_000).with_after(next);
    }
}

#[test]
fn each_occurrence_is_fired_once_whatever_is_killed() {
    let rounds = setting("BLOCKQUEUE_SCHEDULE_ROUNDS", 10);
    let seed = setting("BLOCKQUEUE_CRASH_SEED", 20_260_101);
    println!("{rounds} rounds, seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    create(&file);
    run(&file, rounds, &mut Chance::new(seed));
    let queue = Queue::open(&file).unwrap();
    for (name, _, _) in SCHEDULES {
        queue.pause_schedule(name, name).wait().unwrap();
        let schedule = queue.schedule(name, name).wait().unwrap();
        let messages = messages(&queue, name);
        // One a second, from the first after the creation to the newest, in order.
        let (first, _) = *messages.first().unwrap();
        assert!(first > schedule.created_at);
        assert!(first <= schedule.created_at + Duration::from_secs(1));
        for ((earlier, _), (later, _)) in messages.iter().zip(messages.iter().skip(1)) {
            assert_eq!(*later, *earlier + Duration::from_secs(1), "{name}");
        }
        assert_eq!(messages.last().map(|(at, _)| *at), schedule.last_at, "{name}");
        let runs = history(&queue, name);
        assert!(runs.iter().all(|run| run.status == RunStatus::Fired), "{runs:?}");
        let early = runs.iter().find(|run| run.at < run.occurrence_at.unwrap());
        assert_eq!(early, None, "{name} was fired before its time");
        let told: BTreeMap<_, _> =
            runs.iter().map(|run| (run.occurrence_at.unwrap(), run.message_id.unwrap())).collect();
        assert_eq!(told.len(), runs.len(), "an occurrence of {name} is there twice");
        let published: BTreeMap<_, _> = messages.iter().copied().collect();
        assert!(told.iter().all(|(at, id)| published.get(at) == Some(id)), "{name}");
        println!("{name}: {} occurrences", messages.len());
    }
    let diagnosis = queue.diagnose().wait().unwrap();
    assert_eq!(diagnosis.problems, Vec::<String>::new());
    queue.shutdown().wait().unwrap();
}

/// Entries of all histories, without opening the queue, which would fire.
fn entries(file: &Path) -> u64 {
    let connection = rusqlite::Connection::open(file).unwrap();
    let sql = "SELECT count(*) FROM blockqueue_schedule_run";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn an_idle_process_fires_what_another_one_has_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    Queue::open(&file).unwrap().shutdown().wait().unwrap();
    let mut worker = start(&file, "idle", None);
    let mut line = String::new();
    BufReader::new(worker.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "open\n");
    let queue = Queue::open(&file).unwrap();
    queue.create_topic("t").wait().unwrap();
    let options = ScheduleOptions::new("@every 1s", "").with_overlap(OverlapPolicy::Allow);
    queue.create_schedule("t", NewSchedule::new("n", options)).wait().unwrap();
    queue.shutdown().wait().unwrap();
    let deadline = now() + Duration::from_secs(30);
    while entries(&file) < 3 {
        assert!(now() < deadline, "nobody fires");
        thread::sleep(Duration::from_millis(50));
    }
    end(&mut worker);
}

#[expect(clippy::disallowed_methods, reason = "a deadline in real time")]
fn now() -> Instant {
    Instant::now()
}
