//! Batches of 100 messages of 1 KiB in Rust, one caller, durable: what packages of other languages are measured
//! against, in one run with them. Prints how many messages a second were published, and claimed and acked.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use blockqueue::{ClaimOptions, Message, NewTopic, Queue, Result};

const BATCH: usize = 100;
const BATCHES: u32 = 200;

fn main() -> Result<()> {
    let file = std::env::args().nth(1).map_or_else(|| "batches.db".into(), PathBuf::from);
    let queue = Queue::open(file)?;
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait()?;
    let published = timed(|| {
        let messages = (0..BATCH).map(|_| Message::new(vec![b'x'; 1024])).collect();
        queue.publish_batch("t", messages).wait().map(drop)
    })?;
    let claimed = timed(|| {
        let options = ClaimOptions::default().with_limit(BATCH);
        let claimed = queue.claim("t", "s", &options).wait()?;
        let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
        queue.ack_batch(&receipts).wait().map(drop)
    })?;
    println!("{} {}", per_second(published), per_second(claimed));
    queue.shutdown().wait()
}

#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn timed(mut batch: impl FnMut() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    for _ in 0..BATCHES {
        batch()?;
    }
    Ok(start.elapsed())
}

fn per_second(took: Duration) -> u64 {
    let messages = u128::from(BATCHES) * BATCH as u128 * 1_000_000_000;
    u64::try_from(messages / took.as_nanos().max(1)).unwrap_or(u64::MAX)
}
