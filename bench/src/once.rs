//! What `bench/python` holds the Python package against: the same work with the library in Rust, once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use blockqueue::{ClaimOptions, Delivery, Message, Queue};

use crate::cases::{Failure, fill, messages, topic_with};
use crate::measure::time;

/// Runs `once CASE FILE`, if that is what the words say, and prints how many messages a second it made.
pub fn run(words: &[String]) -> Option<Result<(), Failure>> {
    let [first, case, file] = words else { return None };
    (first == "once").then(|| {
        let (count, took) = measure(case, &PathBuf::from(file))?;
        #[expect(clippy::cast_precision_loss, reason = "a count of messages")]
        let speed = count as f64 / took.as_secs_f64();
        println!("{speed}");
        Ok(())
    })
}

fn measure(case: &str, file: &Path) -> Result<(usize, Duration), Failure> {
    let queue = Queue::open(file)?;
    topic_with(&queue, 1)?;
    match case {
        "publish-batch" => publish_batch(&queue),
        "publish-tasks" => publish_tasks(&queue),
        "claim-ack" => claim_ack(&queue),
        _ => Err(format!("no case {case:?}").into()),
    }
}

fn publish_batch(queue: &Queue) -> Result<(usize, Duration), Failure> {
    const BATCHES: usize = 200;
    let (took, done) = time(|| -> Result<(), Failure> {
        for _ in 0..BATCHES {
            queue.publish_batch("t", messages(1_000)).wait()?;
        }
        Ok(())
    });
    done.map(|()| (BATCHES * 1_000, took))
}

fn publish_tasks(queue: &Queue) -> Result<(usize, Duration), Failure> {
    const TASKS: usize = 64;
    const EACH: usize = 500;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let publish = |queue: Queue| async move {
        for _ in 0..EACH {
            queue.publish("t", Message::new([b'x'; 100])).await?;
        }
        Ok::<_, Failure>(())
    };
    let (took, done) = time(|| {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(publish(queue.clone()))).collect();
            for task in tasks {
                task.await??;
            }
            Ok::<_, Failure>(())
        })
    });
    done.map(|()| (TASKS * EACH, took))
}

fn claim_ack(queue: &Queue) -> Result<(usize, Duration), Failure> {
    const COUNT: usize = 100_000;
    fill(queue, COUNT)?;
    let options = ClaimOptions::default().with_limit(100);
    let (took, done) = time(|| -> Result<(), Failure> {
        for _ in 0..COUNT / 100 {
            let claimed = queue.claim("t", "s0", &options).wait()?;
            let receipts: Vec<_> = claimed.iter().map(|d: &Delivery| d.receipt).collect();
            for acked in queue.ack_batch(&receipts).wait()? {
                acked?;
            }
        }
        Ok(())
    });
    done.map(|()| (COUNT, took))
}
