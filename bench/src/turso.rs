//! The cases on Turso's own server, which `cargo xtask bench` starts: loopback is the network.
//!
//! It serves one connection at a time, and closes it behind its answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use blockqueue::{Message, Queue};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::cases::{Failure, PAYLOAD, Rows, at_least, topic_with};
use crate::measure::{compare, time};

/// Host and port of the server; nothing, if there is none for this system.
fn server() -> Result<String, Failure> {
    let refusal = "there is no server: `cargo xtask bench turso-publish` starts one";
    std::env::var("BLOCKQUEUE_BENCH_TURSO").map_err(|_| refusal.into())
}

fn open() -> Result<Queue, Failure> {
    Ok(Queue::open(format!("libsql://{}?tls=0&close=0", server()?))?)
}

/// The least that must be done for the same durable work, by hand: a statement in a request.
fn insert(rows: usize) -> Result<(), Failure> {
    let sql = format!("INSERT INTO by_hand (payload) VALUES {}", vec!["(?)"; rows].join(", "));
    let text = json!({ "type": "text", "value": str::from_utf8(&PAYLOAD)? });
    run(&sql, &vec![text; rows])
}

fn run(sql: &str, args: &[Value]) -> Result<(), Failure> {
    let place = server()?;
    let batch = json!({ "steps": [{ "stmt": { "sql": sql, "args": args } }] });
    let body = json!({ "requests": [{ "type": "batch", "batch": batch }] }).to_string();
    let length = body.len();
    let head =
        format!("POST /v2/pipeline HTTP/1.1\r\nhost: {place}\r\ncontent-length: {length}\r\n\r\n");
    let mut stream = TcpStream::connect(place)?;
    stream.write_all((head + &body).as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.contains("\"step_errors\":[null]") { Ok(()) } else { Err(answer.into()) }
}

/// Single publishes of some callers at a time.
fn publish(runtime: &Runtime, callers: usize, each: usize) -> Result<(Duration, usize), Failure> {
    let queue = open()?;
    let publish = async || {
        for _ in 0..each {
            queue.publish("t", Message::new(PAYLOAD)).await.expect("publishes");
        }
    };
    let before = queue.engine_stats()?;
    let (took, _) =
        time(|| runtime.block_on(async { join_all((0..callers).map(|_| publish())).await }));
    let after = queue.engine_stats()?;
    queue.shutdown().wait()?;
    let groups = after.commits - before.commits;
    Ok((took, usize::try_from((after.operations - before.operations) / groups.max(1))?))
}

pub(crate) fn cases(_: &Path) -> Rows {
    const COUNT: usize = 320;
    const CALLERS: usize = 64;
    if server()?.is_empty() {
        eprintln!("SKIPPED: there is no server of Turso for this system");
        return Ok(Vec::new());
    }
    let queue = open()?;
    topic_with(&queue, 1)?;
    queue.shutdown().wait()?;
    run("CREATE TABLE by_hand (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)", &[])?;
    let runtime = Builder::new_multi_thread().worker_threads(1).build()?;
    let row = |callers: usize, size: usize, case: &str, target: f64| -> Result<_, Failure> {
        let ours = || publish(&runtime, callers, COUNT / callers).expect("publishes").0;
        let by_hand = || time(|| (0..COUNT / size).for_each(|_| insert(size).expect("inserts"))).0;
        Ok(at_least(case, compare(COUNT, ours, by_hand), target))
    };
    let (_, size) = publish(&runtime, CALLERS, COUNT / CALLERS)?;
    let single = "Turso: single publishes from one caller / an INSERT in a request";
    let many = "Turso: single publishes from 64 concurrent callers / an INSERT in a request";
    let groups = format!(
        "Turso: single publishes from 64 concurrent callers / an INSERT of {size} rows in a request"
    );
    Ok(vec![
        row(1, 1, single, 0.60)?,
        row(CALLERS, 1, many, 10.0)?,
        row(CALLERS, size.max(1), &groups, 0.60)?,
    ])
}
