//! Carries out the operations of a history on a queue file that it shares with others, until it is killed.
//!
//! `history-worker FILE CLOCK`: each line of its standard input is an operation as the conformance scripts
//! have it, or `{"clock": ms}`; each is answered by a line.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a process of a test fails by panicking"
)]

#[path = "../../../core/tests/conformance/answers.rs"]
mod answers;
#[path = "../../../core/tests/conformance/arguments.rs"]
mod arguments;
#[path = "../../../core/tests/conformance/operations.rs"]
mod operations;

use std::error::Error as StdError;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blockqueue::{Error, OpenOptions, Queue, TestClock};
use blockqueue_conformance::Operation;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn StdError>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, clock] = words.as_slice() else {
        return Err("usage: history-worker FILE CLOCK".into());
    };
    let clock = TestClock::new(instant(clock.parse()?));
    let mut queue = open(file, &clock)?;
    println!("ready");
    for line in io::stdin().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        if let Some(at_ms) = asked.get("clock").and_then(Value::as_u64) {
            clock.set(instant(at_ms));
            println!("null");
            continue;
        }
        let operation: Operation = serde_json::from_value(asked)?;
        if operation == (Operation::Reopen {}) {
            queue.shutdown().wait()?;
            queue = open(file, &clock)?;
            println!("{}", json!({ "answer": {} }));
            continue;
        }
        let answer = match operations::perform(&queue, &operation) {
            Ok(answer) => json!({ "answer": answer }),
            Err(error) => {
                json!({ "code": error.code(), "index": index(&error), "detail": error.to_string() })
            }
        };
        println!("{answer}");
    }
    Ok(())
}

fn instant(at_ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at_ms)
}

fn open(file: &str, clock: &TestClock) -> Result<Queue, Error> {
    Queue::open_with(file, OpenOptions::default().with_clock(clock.clone()))
}

fn index(error: &Error) -> Option<usize> {
    match error {
        Error::IdempotencyConflict { index, .. } | Error::UniqueConflict { index, .. } => {
            Some(*index)
        }
        _ => None,
    }
}
