//! Every line of a file, through one topic, to three subscribers in processes of their own. One of them is
//! killed in the middle and started again, and in the end each proves that it has processed every line.
//!
//! ```sh
//! cargo run --release --example pipeline -- FILE
//! ```
//!
//! Delivery is at least once, so a subscriber that was killed may see a line twice. Each subscriber keeps
//! what it has processed in a database of its own, keyed by message id, and a line that comes again changes
//! nothing there. The proof is a sum of hashes, which does not depend on the order of lines.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

use blockqueue::{ClaimOptions, Message, NewSubscriber, NewTopic, Queue, SubscriberOptions};
use rusqlite::{Connection, params};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SUBSCRIBERS: [&str; 3] = ["archive", "index", "audit"];
const BATCH: usize = 1_000;
/// A consumer that is killed gives its deliveries back after this long.
const LEASE: Duration = Duration::from_secs(2);
/// The file by which the publisher tells the subscribers that no more lines will come.
const ALL_PUBLISHED: &str = "all-published";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["consume", folder, subscriber] => consume(Path::new(folder), subscriber).map(|()| true),
        [file] => run(Path::new(file)),
        _ => Err("usage: pipeline FILE".into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a number of lines adds up to, in whatever order they came.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Checksum {
    lines: u64,
    sum: u64,
}

impl Checksum {
    fn add(&mut self, hash: u64) {
        self.lines += 1;
        self.sum = self.sum.wrapping_add(hash);
    }
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(line);
    hasher.finish()
}

// --- the parent ---------------------------------------------------------------------------------------

fn run(file: &Path) -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let queue = Queue::open(folder.path().join("queue.db"))?;
    let options = SubscriberOptions::default().with_lease(LEASE);
    let topic = SUBSCRIBERS.iter().fold(NewTopic::new("lines"), |topic, name| {
        topic.with_subscriber(NewSubscriber::new(*name).with_options(options.clone()))
    });
    queue.create_topic(topic).wait()?;

    let [victim, rest @ ..] = SUBSCRIBERS;
    let mut killed = start(folder.path(), victim)?;
    let children = rest.map(|subscriber| start(folder.path(), subscriber));
    let started = now();
    let middle = file.metadata()?.len() / 2;
    let expected = publish(&queue, file, middle, || {
        kill(&mut killed)?;
        println!("killed {victim} after {} lines", processed(folder.path(), victim)?.lines);
        killed = start(folder.path(), victim)?;
        Ok(())
    })?;
    File::create(folder.path().join(ALL_PUBLISHED))?;
    report("published", expected.lines, started.elapsed());

    for child in children.into_iter().chain([Ok(killed)]) {
        if !child?.wait()?.success() {
            return Err("a subscriber failed".into());
        }
    }
    report("processed by each", expected.lines, started.elapsed());
    queue.shutdown().wait()?;

    let mut all_equal = true;
    for subscriber in SUBSCRIBERS {
        let found = processed(folder.path(), subscriber)?;
        let is_equal = found == expected;
        let verdict = if is_equal { "PASS" } else { "FAIL" };
        println!("{verdict} {subscriber:8} {} lines, checksum {:016x}", found.lines, found.sum);
        all_equal &= is_equal;
    }
    Ok(all_equal)
}

fn start(folder: &Path, subscriber: &str) -> Result<Child> {
    let program = std::env::current_exe()?;
    Ok(Command::new(program).arg("consume").arg(folder).arg(subscriber).spawn()?)
}

/// SIGKILL on Unix: the child has no chance to tidy up.
fn kill(child: &mut Child) -> Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// Publishes every line, several batches on their way at a time, and calls `in_the_middle` once when that
/// many bytes were read.
fn publish(
    queue: &Queue,
    file: &Path,
    middle: u64,
    in_the_middle: impl FnOnce() -> Result<()>,
) -> Result<Checksum> {
    let mut lines = BufReader::new(File::open(file)?).split(b'\n');
    let mut checksum = Checksum::default();
    let mut on_their_way = VecDeque::new();
    let mut bytes_read = 0;
    let mut in_the_middle = Some(in_the_middle);
    loop {
        let batch = lines.by_ref().take(BATCH).collect::<std::io::Result<Vec<_>>>()?;
        if batch.is_empty() {
            break;
        }
        for line in &batch {
            checksum.add(hash(line));
            bytes_read += line.len() as u64 + 1;
        }
        if bytes_read >= middle {
            in_the_middle.take().map_or(Ok(()), |act| act())?;
        }
        let messages = batch.into_iter().map(Message::from).collect();
        on_their_way.push_back(queue.publish_batch("lines", messages));
        if on_their_way.len() > 4 {
            on_their_way.pop_front().map(blockqueue::Pending::wait).transpose()?;
        }
    }
    for batch in on_their_way {
        batch.wait()?;
    }
    Ok(checksum)
}

fn report(what: &str, lines: u64, took: Duration) {
    println!("{what}: {lines} lines in {:.1} s", took.as_secs_f64());
}

#[expect(clippy::disallowed_methods, reason = "an example measures real time")]
fn now() -> Instant {
    Instant::now()
}

// --- a subscriber -------------------------------------------------------------------------------------

/// What the subscriber has processed; nothing, if it was killed before it began.
fn store(folder: &Path, subscriber: &str) -> Result<Connection> {
    let processed = Connection::open(folder.join(format!("{subscriber}.processed")))?;
    processed.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    processed.execute_batch(
        "CREATE TABLE IF NOT EXISTS line (id BLOB PRIMARY KEY, hash INTEGER NOT NULL) WITHOUT ROWID",
    )?;
    Ok(processed)
}

fn consume(folder: &Path, subscriber: &str) -> Result<()> {
    let queue = Queue::open(folder.join("queue.db"))?;
    let mut processed = store(folder, subscriber)?;
    let options = ClaimOptions::default().with_limit(BATCH).with_wait(Duration::from_millis(500));
    loop {
        let deliveries = queue.claim("lines", subscriber, &options).wait()?;
        if deliveries.is_empty() && is_finished(&queue, folder, subscriber)? {
            return Ok(queue.shutdown().wait()?);
        }
        let transaction = processed.transaction()?;
        {
            let mut insert = transaction
                .prepare_cached("INSERT OR IGNORE INTO line (id, hash) VALUES (?1, ?2)")?;
            for delivery in &deliveries {
                let id = delivery.message_id.as_uuid();
                let hash = hash(&delivery.payload).cast_signed();
                insert.execute(params![id.as_bytes(), hash])?;
            }
        }
        // First what was done is safe, then the queue is told.
        transaction.commit()?;
        let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt).collect();
        if !receipts.is_empty() {
            // A lease that was lost meanwhile means that the lines come again, which does no harm.
            queue.ack_batch(&receipts).wait()?;
        }
    }
}

/// Everything was published, and nothing of it is left, waiting or in flight.
fn is_finished(queue: &Queue, folder: &Path, subscriber: &str) -> Result<bool> {
    if !folder.join(ALL_PUBLISHED).exists() {
        return Ok(false);
    }
    let stats = queue.subscriber_stats("lines", subscriber).wait()?;
    Ok(stats.pending_count + stats.leased_count + stats.retrying_count == 0)
}

fn processed(folder: &Path, subscriber: &str) -> Result<Checksum> {
    let connection = store(folder, subscriber)?;
    let mut checksum = Checksum::default();
    let mut statement = connection.prepare("SELECT hash FROM line")?;
    for hash in statement.query_map([], |row| row.get::<_, i64>(0))? {
        checksum.add(hash?.cast_unsigned());
    }
    Ok(checksum)
}
