//! What a call costs in other languages, over the call in Rust. In memory, so that the disk has no part in it.
//!
//! A program of the language reads `publish N` or `consume N` and answers with nanoseconds; it is built by
//! `cargo xtask bench`, which tells where it is by a variable. Both sides take turns in one run.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use blockqueue::{ClaimOptions, Message, NewTopic, Queue};

use crate::cases::{Failure, PAYLOAD, Rows, at_least, at_most, fill};
use crate::measure::{compare, time};

const PUBLISHED: usize = 20_000;
const CONSUMED: usize = 100_000;
const BATCH: usize = 100;

/// C by the C ABI.
pub(crate) fn c(_: &Path) -> Rows {
    face("C", "BLOCKQUEUE_BENCH_C", 1.1, 0.8)
}

/// Go by its package.
pub(crate) fn go(_: &Path) -> Rows {
    face("Go", "BLOCKQUEUE_BENCH_GO", 1.3, 0.8)
}

/// PHP by its package.
pub(crate) fn php(_: &Path) -> Rows {
    face("PHP", "BLOCKQUEUE_BENCH_PHP", 3.0, 0.4)
}

fn face(name: &str, variable: &str, publish_most: f64, consume_least: f64) -> Rows {
    let path = std::env::var_os(variable)
        .ok_or_else(|| format!("{variable} is not set; `cargo xtask bench` builds the program"))?;
    let mut program = Program::start(Path::new(&path))?;
    let published = compare(
        PUBLISHED,
        || program.ask("publish", PUBLISHED).expect("answers"),
        || publish().expect("publishes"),
    );
    let consumed = compare(
        CONSUMED,
        || program.ask("consume", CONSUMED).expect("answers"),
        || consume().expect("consumes"),
    );
    let publish_case = format!("publish of 100 B in memory, {name} / Rust");
    let consume_case = format!("claim 100 + ack 100 in memory, {name} / Rust");
    Ok(vec![
        at_most(&publish_case, published, publish_most),
        at_least(&consume_case, consumed, consume_least),
    ])
}

fn queue() -> Result<Queue, Failure> {
    let queue = Queue::open(":memory:")?;
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait()?;
    Ok(queue)
}

fn publish() -> Result<Duration, Failure> {
    let queue = queue()?;
    let (took, done) = time(|| {
        (0..PUBLISHED).try_for_each(|_| queue.publish("t", Message::new(PAYLOAD)).wait().map(drop))
    });
    done?;
    queue.shutdown().wait()?;
    Ok(took)
}

fn consume() -> Result<Duration, Failure> {
    let queue = queue()?;
    fill(&queue, CONSUMED)?;
    let options = ClaimOptions::default().with_limit(BATCH);
    let (took, done) = time(|| {
        (0..CONSUMED / BATCH).try_for_each(|_| {
            let claimed = queue.claim("t", "s", &options).wait()?;
            assert_eq!(claimed.len(), BATCH);
            let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
            let acked = queue.ack_batch(&receipts).wait()?;
            acked.into_iter().try_for_each(|result| result)
        })
    });
    done?;
    queue.shutdown().wait()?;
    Ok(took)
}

/// The program of another language.
struct Program {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Program {
    fn start(path: &Path) -> Result<Self, Failure> {
        let mut child = Command::new(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let answers = child.stdout.take().map(BufReader::new).ok_or("no output")?;
        let questions = child.stdin.take();
        Ok(Self { child, questions, answers })
    }

    fn ask(&mut self, verb: &str, count: usize) -> Result<Duration, Failure> {
        let questions = self.questions.as_mut().ok_or("no input")?;
        writeln!(questions, "{verb} {count}")?;
        questions.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(Duration::from_nanos(answer.trim().parse()?))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It ends at the end of its input.
        self.questions.take();
        let _ = self.child.wait();
    }
}
