//! The cases: each does the same durable work with the queue and with the bare database.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use blockqueue::{ClaimOptions, Delivery, Message, NewTopic, Queue, Retention, TopicChange};

use crate::measure::{Row, compare, per_second, quantile, time};
use crate::raw::Raw;
use crate::{faces, http, postgres, processes, selection, turso};

/// Why a case did not run.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
/// The rows that a case adds to the table.
pub type Rows = Result<Vec<Row>, Failure>;

pub(crate) const PAYLOAD: [u8; 100] = [b'x'; 100];

/// A name and what it runs.
pub type Case = (&'static str, fn(&Path) -> Rows);

/// Every case by its name.
pub const CASES: &[Case] = &[
    ("publish-batch", publish_batch),
    ("publish-concurrent", publish_concurrent),
    ("publish-single", publish_single),
    ("claim-ack", claim_ack),
    ("fan-out", fan_out),
    ("backlog", backlog),
    ("ordered", selection::ordered),
    ("skip", selection::skip),
    ("wake", wake),
    ("idle", idle),
    ("processes-wake", processes::wake),
    ("processes-idle", processes::idle),
    ("processes-load", processes::shared_load),
    ("processes-turns", processes::turns_of_many),
    ("postgres-publish", postgres::publish),
    ("postgres-engines", postgres::engines),
    ("postgres-wake", postgres::wake),
    ("turso-publish", turso::cases),
    ("http", http::publish),
    ("memory", http::memory),
    ("c", faces::c),
    ("go", faces::go),
    ("php", faces::php),
];

static FILES: AtomicU64 = AtomicU64::new(0);

/// A path that no other run of this process has used.
pub(crate) fn fresh(directory: &Path) -> PathBuf {
    directory.join(format!("{}.db", FILES.fetch_add(1, Ordering::Relaxed)))
}

pub(crate) fn topic_with(queue: &Queue, subscribers: usize) -> Result<(), Failure> {
    let new = (0..subscribers)
        .fold(NewTopic::new("t"), |new, n| new.with_subscriber(format!("s{n}").as_str()));
    queue.create_topic(new).wait()?;
    Ok(())
}

pub(crate) fn messages(count: usize) -> Vec<Message> {
    (0..count).map(|_| Message::new(PAYLOAD)).collect()
}

pub(crate) fn fill(queue: &Queue, count: usize) -> Result<(), Failure> {
    let batches: Vec<_> =
        (0..count / 1_000).map(|_| queue.publish_batch("t", messages(1_000))).collect();
    for batch in batches {
        batch.wait()?;
    }
    Ok(())
}

pub(crate) fn at_least(case: &str, (ours, base, ratio): (f64, f64, f64), target: f64) -> Row {
    Row {
        case: case.to_owned(),
        ours: per_second(ours),
        base: per_second(base),
        ratio: format!("{ratio:.2}"),
        target: format!("≥ {target:.2}"),
        reached: ratio >= target,
    }
}

fn publish_batch(directory: &Path) -> Rows {
    const BATCHES: usize = 200;
    let queue = Queue::open(fresh(directory))?;
    topic_with(&queue, 1)?;
    let mut raw = Raw::create(&fresh(directory))?;
    let result = compare(
        BATCHES * 1_000,
        || {
            let work: Vec<_> = (0..BATCHES).map(|_| messages(1_000)).collect();
            time(|| {
                for batch in work {
                    queue.publish_batch("t", batch).wait().expect("publishes");
                }
            })
            .0
        },
        || {
            time(|| {
                for _ in 0..BATCHES {
                    raw.insert(1_000, &PAYLOAD).expect("inserts");
                }
            })
            .0
        },
    );
    Ok(vec![at_least("publish_batch of 1,000 × 100 B, one caller / raw inserts", result, 0.70)])
}

fn publish_concurrent(directory: &Path) -> Rows {
    const CALLERS: usize = 64;
    const EACH: usize = 500;
    let queue = Queue::open(fresh(directory))?;
    topic_with(&queue, 1)?;
    let mut raw = Raw::create(&fresh(directory))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let result = compare(
        CALLERS * EACH,
        || {
            time(|| {
                runtime.block_on(async {
                    let tasks: Vec<_> = (0..CALLERS)
                        .map(|_| {
                            let queue = queue.clone();
                            tokio::spawn(async move {
                                for _ in 0..EACH {
                                    let message = Message::new(PAYLOAD);
                                    queue.publish("t", message).await.expect("publishes");
                                }
                            })
                        })
                        .collect();
                    for task in tasks {
                        task.await.expect("ends");
                    }
                });
            })
            .0
        },
        || {
            time(|| {
                for _ in 0..EACH {
                    raw.insert(CALLERS, &PAYLOAD).expect("inserts");
                }
            })
            .0
        },
    );
    let case = "single publishes from 64 concurrent callers / raw transactions of 64";
    Ok(vec![at_least(case, result, 0.50)])
}

fn publish_single(directory: &Path) -> Rows {
    const COUNT: usize = 3_000;
    let queue = Queue::open(fresh(directory))?;
    topic_with(&queue, 1)?;
    let mut raw = Raw::create(&fresh(directory))?;
    let result = compare(
        COUNT,
        || {
            time(|| {
                for _ in 0..COUNT {
                    queue.publish("t", Message::new(PAYLOAD)).wait().expect("publishes");
                }
            })
            .0
        },
        || {
            time(|| {
                for _ in 0..COUNT {
                    raw.insert(1, &PAYLOAD).expect("inserts");
                }
            })
            .0
        },
    );
    Ok(vec![at_least("one caller, one publish at a time / raw commits", result, 0.85)])
}

fn claim_ack(directory: &Path) -> Rows {
    let keep = Retention::Count(u64::MAX >> 1);
    let kept =
        claim_and_ack(directory, keep, "claim 1,000 + ack 1,000 / raw insert small row + delete")?;
    let removed = claim_and_ack(
        directory,
        Retention::None,
        "the same, and settled messages are removed / raw, and deletes the messages",
    )?;
    Ok(vec![kept, removed])
}

fn claim_and_ack(directory: &Path, retention: Retention, case: &str) -> Result<Row, Failure> {
    const ROUNDS: usize = 100;
    let queue = Queue::open(fresh(directory))?;
    topic_with(&queue, 1)?;
    queue.update_topic("t", TopicChange::default().with_retention(retention)).wait()?;
    let mut raw = Raw::create(&fresh(directory))?;
    let mut last = 0;
    let options = ClaimOptions::default().with_limit(1_000);
    let result = compare(
        ROUNDS * 1_000,
        || {
            fill(&queue, ROUNDS * 1_000).expect("publishes");
            time(|| {
                for _ in 0..ROUNDS {
                    let claimed = queue.claim("t", "s0", &options).wait().expect("claims");
                    assert_eq!(claimed.len(), 1_000);
                    let receipts: Vec<_> = claimed.iter().map(|d: &Delivery| d.receipt).collect();
                    let acked = queue.ack_batch(&receipts).wait().expect("acks");
                    assert!(acked.iter().all(Result::is_ok));
                }
            })
            .0
        },
        || {
            for _ in 0..ROUNDS {
                raw.insert(1_000, &PAYLOAD).expect("inserts");
            }
            time(|| {
                for _ in 0..ROUNDS {
                    let claimed = raw.claim(last, 1_000).expect("claims");
                    last = claimed.last().map_or(last, |(id, _)| *id);
                    raw.ack(&claimed, retention == Retention::None).expect("acks");
                }
            })
            .0
        },
    );
    Ok(at_least(case, result, 0.60))
}

pub(crate) fn at_most(case: &str, (ours, base, ratio): (f64, f64, f64), target: f64) -> Row {
    Row {
        case: case.to_owned(),
        ours: per_second(ours),
        base: per_second(base),
        ratio: format!("{:.2}", 1.0 / ratio),
        target: format!("≤ {target:.2} × the time"),
        reached: 1.0 / ratio <= target,
    }
}

fn fan_out(directory: &Path) -> Rows {
    const BATCHES: usize = 100;
    let run = |queue: &Queue| {
        let work: Vec<_> = (0..BATCHES).map(|_| messages(1_000)).collect();
        time(|| {
            for batch in work {
                queue.publish_batch("t", batch).wait().expect("publishes");
            }
        })
        .0
    };
    let many = Queue::open(fresh(directory))?;
    topic_with(&many, 100)?;
    let one = Queue::open(fresh(directory))?;
    topic_with(&one, 1)?;
    let result = compare(BATCHES * 1_000, || run(&many), || run(&one));
    Ok(vec![at_most("publish with 100 subscribers / with 1", result, 1.10)])
}

fn backlog(directory: &Path) -> Rows {
    const ROUNDS: usize = 100;
    let options = ClaimOptions::default().with_limit(100);
    let run = |queue: &Queue, refill: bool| {
        let mut took = Duration::ZERO;
        for _ in 0..ROUNDS {
            took += time(|| {
                let claimed = queue.claim("t", "s0", &options).wait().expect("claims");
                assert_eq!(claimed.len(), 100);
            })
            .0;
            if refill {
                queue.publish_batch("t", messages(100)).wait().expect("publishes");
            }
        }
        took
    };
    let deep = Queue::open(fresh(directory))?;
    topic_with(&deep, 1)?;
    fill(&deep, 5_000_000)?;
    let shallow = Queue::open(fresh(directory))?;
    topic_with(&shallow, 1)?;
    fill(&shallow, 1_000)?;
    let result = compare(ROUNDS * 100, || run(&deep, true), || run(&shallow, true));
    Ok(vec![at_most("claim 100 with 5,000,000 waiting / with 1,000 waiting", result, 1.20)])
}

fn wake(directory: &Path) -> Rows {
    const COUNT: usize = 500;
    let queue = Queue::open(fresh(directory))?;
    topic_with(&queue, 1)?;
    let mut raw = Raw::create(&fresh(directory))?;
    let options = ClaimOptions::default().with_limit(1).with_wait(Duration::from_secs(30));
    let (mut ours, mut base) = (Vec::new(), Vec::new());
    for _ in 0..COUNT {
        let waiting = queue.claim("t", "s0", &options);
        // The claim is parked when an operation behind it has been answered.
        queue.pause_topic("none").wait().expect_err("does not exist");
        let publish = Message::new(PAYLOAD);
        let (took, claimed) = time(|| {
            let published = queue.publish("t", publish);
            let claimed = waiting.wait().expect("claims");
            published.wait().expect("publishes");
            claimed
        });
        ours.push(took.as_secs_f64());
        for delivery in claimed {
            queue.ack(&delivery.receipt).wait()?;
        }
        let (took, inserted) = time(|| raw.insert(1, &PAYLOAD));
        inserted?;
        base.push(took.as_secs_f64());
    }
    let mut rows = Vec::new();
    for (name, share, target) in [("p50", 0.5, 1.5), ("p99", 0.99, 2.0)] {
        let (a, b) = (quantile(ours.clone(), share), quantile(base.clone(), share));
        rows.push(Row {
            case: format!("publish → waiting claim answered, {name} / raw commit, {name}"),
            ours: format!("{:.0} µs", a * 1e6),
            base: format!("{:.0} µs", b * 1e6),
            ratio: format!("{:.2}", a / b),
            target: format!("≤ {target:.1}"),
            reached: a / b <= target,
        });
    }
    Ok(rows)
}

fn idle(directory: &Path) -> Rows {
    const SECONDS: u64 = 30;
    let queue = Queue::open(fresh(directory))?;
    topic_with(&queue, 100)?;
    let options = ClaimOptions::default().with_wait(Duration::from_mins(10));
    let waiting: Vec<_> =
        (0..1_000).map(|n| queue.claim("t", &format!("s{}", n % 100), &options)).collect();
    // Long enough for upkeep to have come to rest.
    std::thread::sleep(Duration::from_secs(1));
    let before = cpu_seconds()?;
    std::thread::sleep(Duration::from_secs(SECONDS));
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let share = (cpu_seconds()? - before) / SECONDS as f64;
    drop(waiting);
    Ok(vec![Row {
        case: "1,000 waiting claims, nothing to do, 30 s".to_owned(),
        ours: format!("{:.2} % of one core", share * 100.0),
        base: "–".to_owned(),
        ratio: "–".to_owned(),
        target: "< 1 % of one core".to_owned(),
        reached: share < 0.01,
    }])
}

/// Processor time of this process so far.
pub(crate) fn cpu_seconds() -> Result<f64, Failure> {
    cpu_seconds_of("self")
}

/// Processor time of a process so far, by its number.
pub(crate) fn cpu_seconds_of(process: &str) -> Result<f64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in the second field may hold spaces; the fields are counted behind it.
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok((user + system) / 100.0),
        _ => Err("no processor time in /proc".into()),
    }
}
