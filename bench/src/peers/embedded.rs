//! Drives our own library through one case: what the drivers in `bench/peers` do for the others, and by
//! the same rules.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use blockqueue::{ClaimOptions, Message, Queue};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::plan::BACKLOG;
use crate::cases::{Failure, cpu_seconds, messages, topic_with};
use crate::measure::{Stopwatch, quantile, time};

/// How this program is asked to be the driver.
pub(crate) const WORD: &str = "drive-queue";

const BATCH: usize = 1_000;
const FLOW_BATCH: usize = 100;
const FLOW_WINDOW: usize = 1_000;
const ROUNDS: usize = 300;
const WAITERS: usize = 10;

/// Runs the case that these words of the command line ask for, if they do, and prints its figures.
pub(crate) fn run(words: &[String]) -> Option<Result<(), Failure>> {
    let [word, _queue, case, folder, seconds, _pid] = words else { return None };
    if word != WORD {
        return None;
    }
    let figures = seconds.parse().map_err(Failure::from).and_then(|seconds| {
        let driver = Driver {
            file: PathBuf::from(folder).join("queue.db"),
            time: Duration::from_secs_f64(seconds),
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?,
        };
        driver.measure(case)
    });
    Some(figures.map(|figures| println!("{figures}")))
}

struct Driver {
    file: PathBuf,
    time: Duration,
    runtime: Runtime,
}

impl Driver {
    fn measure(&self, case: &str) -> Result<Value, Failure> {
        let (word, number) = case.split_once(':').unwrap_or((case, "1"));
        let count: usize = number.parse()?;
        match word {
            "publish" => self.publish(count, 1),
            "publish-batch" => self.publish(1, BATCH),
            "end-to-end" => self.end_to_end(count),
            "fill" => self.fill(),
            "claim-empty" => self.claim(&created(&self.file, 1)?, true),
            "claim-filled" => self.claim(&Queue::open(&self.file)?, false),
            "wake" => self.wake(),
            "idle" => self.idle(),
            _ => Err(format!("no case {case:?}").into()),
        }
    }

    /// Callers are tasks that publish for a time, each waiting for its answer before the next.
    fn publish(&self, callers: usize, size: usize) -> Result<Value, Failure> {
        let queue = created(&self.file, 1)?;
        let watch = Stopwatch::start();
        let total = self.runtime.block_on(async {
            let calls: Vec<_> = (0..callers)
                .map(|_| tokio::spawn(publish_until(queue.clone(), size, watch, self.time)))
                .collect();
            let mut total = 0;
            for call in calls {
                total += call.await??;
            }
            Ok::<_, Failure>(total)
        })?;
        Ok(json!({"value": per_second(total, watch.elapsed())}))
    }

    /// One publisher, never more than a window ahead of the slowest subscriber, and one consumer for each
    /// subscriber. The figure counts deliveries that were acknowledged in the time.
    fn end_to_end(&self, subscribers: usize) -> Result<Value, Failure> {
        let queue = created(&self.file, subscribers)?;
        let flow = Arc::new(Flow {
            acked: (0..subscribers).map(|_| AtomicUsize::new(0)).collect(),
            changed: Notify::new(),
            ended: AtomicBool::new(false),
        });
        let watch = Stopwatch::start();
        let mut tasks = vec![self.runtime.spawn(produce(queue.clone(), Arc::clone(&flow)))];
        for subscriber in 0..subscribers {
            let consumer = consume(queue.clone(), Arc::clone(&flow), subscriber);
            tasks.push(self.runtime.spawn(consumer));
        }
        thread::sleep(self.time);
        let (took, total) = (watch.elapsed(), flow.counts().sum::<usize>());
        flow.ended.store(true, Ordering::Relaxed);
        flow.changed.notify_one();
        for task in tasks {
            self.runtime.block_on(task)??;
        }
        Ok(json!({"value": per_second(total, took)}))
    }

    /// The backlog, or as much of it as the time allows.
    fn fill(&self) -> Result<Value, Failure> {
        let queue = created(&self.file, 1)?;
        let watch = Stopwatch::start();
        let mut count = 0.0;
        while count < BACKLOG && watch.elapsed() < self.time {
            queue.publish_batch("t", messages(BATCH)).wait()?;
            count += 1_000.0;
        }
        queue.shutdown().wait()?;
        Ok(json!({"value": count}))
    }

    /// The time until a consumer holds one message; with nothing else waiting, each is published first.
    fn claim(&self, queue: &Queue, empty: bool) -> Result<Value, Failure> {
        let options = ClaimOptions::default().with_limit(1).with_wait(Duration::from_secs(10));
        let watch = Stopwatch::start();
        let mut times = Vec::new();
        while times.len() < ROUNDS && watch.elapsed() < self.time {
            if empty {
                queue.publish("t", message()).wait()?;
            }
            let (took, claimed) = time(|| queue.claim("t", "s0", &options).wait());
            times.push(took.as_secs_f64() * 1e6);
            ack_one(queue, &claimed?)?;
        }
        Ok(json!({"value": quantile(times, 0.5)}))
    }

    /// From the start of a publish until a claim that was waiting is answered.
    fn wake(&self) -> Result<Value, Failure> {
        let queue = created(&self.file, 1)?;
        let options = ClaimOptions::default().with_limit(1).with_wait(Duration::from_secs(10));
        let watch = Stopwatch::start();
        let mut times = Vec::new();
        while times.len() < ROUNDS && watch.elapsed() < self.time {
            let waiting = queue.claim("t", "s0", &options);
            thread::sleep(Duration::from_micros(2_000 + 7 * (times.len() as u64 % 700)));
            let watch = Stopwatch::start();
            let published = queue.publish("t", message());
            let claimed = waiting.wait()?;
            times.push(watch.elapsed().as_secs_f64() * 1e6);
            published.wait()?;
            ack_one(&queue, &claimed)?;
        }
        Ok(json!({"p50": quantile(times.clone(), 0.5), "p99": quantile(times, 0.99)}))
    }

    /// Processor time and memory while consumers wait and nothing comes.
    fn idle(&self) -> Result<Value, Failure> {
        let queue = created(&self.file, 1)?;
        let options = ClaimOptions::default().with_wait(Duration::from_mins(1));
        let waiting: Vec<_> = (0..WAITERS).map(|_| queue.claim("t", "s0", &options)).collect();
        // What starting costs is no part of it.
        thread::sleep(Duration::from_secs(1));
        let before = cpu_seconds()?;
        thread::sleep(self.time);
        let share = (cpu_seconds()? - before) / self.time.as_secs_f64() * 100.0;
        drop(waiting);
        let status = std::fs::read_to_string("/proc/self/status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 =
            line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?.parse()?;
        Ok(json!({"cpu": share, "memory": kib / 1024.0}))
    }
}

fn created(file: &Path, subscribers: usize) -> Result<Queue, Failure> {
    let queue = Queue::open(file)?;
    topic_with(&queue, subscribers)?;
    Ok(queue)
}

fn message() -> Message {
    messages(1).remove(0)
}

fn ack_one(queue: &Queue, claimed: &[blockqueue::Delivery]) -> Result<(), Failure> {
    let [delivery] = claimed else {
        return Err(format!("claimed {} instead of 1", claimed.len()).into());
    };
    Ok(queue.ack(&delivery.receipt).wait()?)
}

#[expect(clippy::cast_precision_loss, reason = "a count of messages")]
fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

async fn publish_until(
    queue: Queue,
    size: usize,
    watch: Stopwatch,
    most: Duration,
) -> Result<usize, Failure> {
    let mut count = 0;
    while watch.elapsed() < most {
        if size == 1 {
            queue.publish("t", message()).await?;
        } else {
            queue.publish_batch("t", messages(size)).await?;
        }
        count += size;
    }
    Ok(count)
}

/// What publisher and consumers know of each other.
struct Flow {
    acked: Vec<AtomicUsize>,
    changed: Notify,
    ended: AtomicBool,
}

impl Flow {
    fn counts(&self) -> impl Iterator<Item = usize> {
        self.acked.iter().map(|count| count.load(Ordering::Relaxed))
    }

    fn is_over(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

async fn produce(queue: Queue, flow: Arc<Flow>) -> Result<(), Failure> {
    let mut published = 0;
    while !flow.is_over() {
        let slowest = flow.counts().min().unwrap_or_default();
        if published - slowest > FLOW_WINDOW - FLOW_BATCH {
            flow.changed.notified().await;
            continue;
        }
        queue.publish_batch("t", messages(FLOW_BATCH)).await?;
        published += FLOW_BATCH;
    }
    Ok(())
}

async fn consume(queue: Queue, flow: Arc<Flow>, subscriber: usize) -> Result<(), Failure> {
    let name = format!("s{subscriber}");
    let wait = Duration::from_millis(200);
    let options = ClaimOptions::default().with_limit(FLOW_BATCH).with_wait(wait);
    while !flow.is_over() {
        let claimed = queue.claim("t", &name, &options).await?;
        let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
        if receipts.is_empty() {
            continue;
        }
        for acked in queue.ack_batch(&receipts).await? {
            acked?;
        }
        if let Some(count) = flow.acked.get(subscriber) {
            count.fetch_add(receipts.len(), Ordering::Relaxed);
        }
        flow.changed.notify_one();
    }
    Ok(())
}
