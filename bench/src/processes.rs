//! The cases with many processes on one file: this program, started again, and Python.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use blockqueue::{ClaimOptions, Message, Queue};

use crate::cases::{Failure, PAYLOAD, Rows, cpu_seconds_of, fresh, topic_with};
use crate::measure::{Row, Stopwatch, median, per_second, quantile, time, wall_nanoseconds};
use crate::raw::Raw;

/// A process that shares the queue, talked to by lines.
pub(crate) struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// This program in a role of [`run`].
    pub(crate) fn start(file: &Path, role: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("share").arg(file).args(role);
        Self::spawn(&mut command)
    }

    fn spawn(command: &mut Command) -> Result<Self, Failure> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take().ok_or("no output")?);
        let mut peer = Self { child, input, output: BufReader::new(output) };
        match peer.line()?.as_str() {
            "ready" => Ok(peer),
            other => Err(format!("a process said {other:?}").into()),
        }
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    pub(crate) fn say_go(&mut self) -> Result<(), Failure> {
        Ok(writeln!(self.input.as_ref().ok_or("no input")?, "go")?)
    }

    pub(crate) fn nanoseconds(&mut self) -> Result<u64, Failure> {
        Ok(self.line()?.parse()?)
    }

    pub(crate) fn figures(&mut self) -> Result<Vec<f64>, Failure> {
        Ok(self.line()?.split(' ').map(str::parse).collect::<Result<_, _>>()?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Nothing to do about a process that cannot be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// --- roles --------------------------------------------------------------------------------------------

/// Plays the role that these words of the command line ask for, if they do.
pub fn run(words: &[String]) -> Option<Result<(), Failure>> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ["share", file, role @ ..] = words.as_slice() else { return None };
    Some(Queue::open(file).map_err(Failure::from).and_then(|queue| {
        println!("ready");
        match role {
            ["consume"] => consume(&queue),
            ["load", publishing, consuming, seconds] => {
                wait_for_go()?;
                let seconds = Duration::from_secs_f64(seconds.parse()?);
                println!("{}", load(&queue, publishing.parse()?, consuming.parse()?, seconds)?);
                Ok(())
            }
            ["drain", consumers] => {
                wait_for_go()?;
                println!("{}", drain(&queue, consumers.parse()?)?);
                Ok(())
            }
            ["turns", seconds] => {
                wait_for_go()?;
                turns(&queue, Duration::from_secs_f64(seconds.parse()?))
            }
            _ => Err("no such role".into()),
        }
    }))
}

fn wait_for_go() -> Result<(), Failure> {
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

/// Says when each claim was answered.
fn consume(queue: &Queue) -> Result<(), Failure> {
    let options = ClaimOptions::default().with_limit(1).with_wait(Duration::from_mins(10));
    loop {
        for delivery in queue.claim("t", "s0", &options).wait()? {
            println!("{}", wall_nanoseconds());
            queue.ack(&delivery.receipt).wait()?;
        }
    }
}

/// So many callers publish, and so many claim and ack. The answer is how many messages were published or
/// acked.
fn load(
    queue: &Queue,
    publishing: usize,
    consuming: usize,
    span: Duration,
) -> Result<u64, Failure> {
    let done = &*Box::leak(Box::new(AtomicU64::new(0)));
    let watch = Stopwatch::start();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let publish = |_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                while watch.elapsed() < span {
                    queue.publish("t", Message::new(PAYLOAD)).await.expect("publishes");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let options = ClaimOptions::default().with_limit(1).with_wait(Duration::from_millis(100));
        let consume = |_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                while watch.elapsed() < span {
                    for delivery in queue.claim("t", "s0", &options).await.expect("claims") {
                        queue.ack(&delivery.receipt).await.expect("acks");
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        };
        let tasks: Vec<_> =
            (0..publishing).map(publish).chain((0..consuming).map(consume)).collect();
        for task in tasks {
            task.await.expect("ends");
        }
    });
    Ok(done.load(Ordering::Relaxed))
}

/// So many callers claim and ack until nothing is left. The answer is how many messages were acked.
fn drain(queue: &Queue, consumers: usize) -> Result<usize, Failure> {
    let options = ClaimOptions::default().with_limit(100);
    let consume = || -> Result<usize, Failure> {
        let mut count = 0;
        loop {
            let claimed = queue.claim("t", "s0", &options).wait()?;
            if claimed.is_empty() {
                return Ok(count);
            }
            let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
            queue.ack_batch(&receipts).wait()?.into_iter().collect::<Result<(), _>>()?;
            count += receipts.len();
        }
    };
    std::thread::scope(|scope| {
        let consumers: Vec<_> = (0..consumers).map(|_| scope.spawn(consume)).collect();
        consumers.into_iter().map(|consumer| consumer.join().expect("ends")).sum()
    })
}

/// Publishes one message after another; says how many, how long one takes by the median, and the longest.
fn turns(queue: &Queue, span: Duration) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let mut took = Vec::new();
    while watch.elapsed() < span {
        let (each, published) = time(|| queue.publish("t", Message::new(PAYLOAD)).wait());
        published?;
        took.push(each.as_secs_f64());
    }
    println!("{} {} {}", took.len(), median(took.clone()), quantile(took, 1.0));
    Ok(())
}

// --- waking -------------------------------------------------------------------------------------------

/// Publishes by plain SQL when told to, and says when that was committed.
const PYTHON: &str = "
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
print('ready', flush=True)
for _ in sys.stdin:
    connection.execute('BEGIN IMMEDIATE')
    connection.execute(\"INSERT INTO blockqueue_publish (topic, payload) VALUES ('t', 'x')\")
    connection.execute('COMMIT')
    print(time.time_ns(), flush=True)
";

pub(crate) fn wake(directory: &Path) -> Rows {
    let file = fresh(directory);
    let queue = Queue::open(&file)?;
    topic_with(&queue, 1)?;
    let mut rows = wake_by(directory, &file, "publish", || {
        queue.publish("t", Message::new(PAYLOAD)).wait()?;
        Ok(wall_nanoseconds())
    })?;
    let mut command = Command::new("python3");
    let mut python = Peer::spawn(command.args(["-c", PYTHON]).arg(&file))
        .map_err(|error| format!("python3: {error}"))?;
    rows.extend(wake_by(directory, &file, "commit by Python's sqlite3", || {
        python.say_go()?;
        python.nanoseconds()
    })?);
    Ok(rows)
}

/// From the answer to whoever publishes until a claim is answered that waits in another process.
fn wake_by(
    directory: &Path,
    file: &Path,
    what: &str,
    mut publish: impl FnMut() -> Result<u64, Failure>,
) -> Rows {
    const COUNT: usize = 500;
    let mut raw = Raw::create(&fresh(directory))?;
    let mut consumer = Peer::start(file, &["consume"])?;
    let (mut ours, mut base) = (Vec::new(), Vec::new());
    for _ in 0..COUNT {
        // Until it waits.
        std::thread::sleep(Duration::from_millis(5));
        let published = publish()?;
        let claimed = consumer.nanoseconds()?;
        ours.push(Duration::from_nanos(claimed.saturating_sub(published)).as_secs_f64());
        let (took, inserted) = time(|| raw.insert(1, &PAYLOAD));
        inserted?;
        base.push(took.as_secs_f64());
    }
    let row = |(name, share, target): (&str, f64, f64)| {
        let (a, b) = (quantile(ours.clone(), share), quantile(base.clone(), share));
        Row {
            case: format!(
                "{what} → waiting claim of another process answered, {name} / raw commit, {name}"
            ),
            ours: format!("{:.0} µs", a * 1e6),
            base: format!("{:.0} µs", b * 1e6),
            ratio: format!("{:.2}", a / b),
            target: format!("≤ {target:.1}"),
            reached: a / b <= target,
        }
    };
    Ok([("p50", 0.5, 2.0), ("p99", 0.99, 3.0)].into_iter().map(row).collect())
}

pub(crate) fn idle(directory: &Path) -> Rows {
    const PROCESSES: usize = 50;
    const SECONDS: u64 = 10;
    let file = fresh(directory);
    let queue = Queue::open(&file)?;
    topic_with(&queue, 1)?;
    let start = |_| Peer::start(&file, &["consume"]);
    let peers: Vec<Peer> = (0..PROCESSES).map(start).collect::<Result<_, _>>()?;
    let used = || -> Result<f64, Failure> {
        peers.iter().map(|peer| cpu_seconds_of(&peer.child.id().to_string())).sum()
    };
    // Long enough for upkeep to have come to rest.
    std::thread::sleep(Duration::from_secs(6));
    let before: f64 = used()?;
    std::thread::sleep(Duration::from_secs(SECONDS));
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let share = (used()? - before) / SECONDS as f64;
    Ok(vec![Row {
        case: format!(
            "{PROCESSES} processes with a waiting claim each, nothing to do, {SECONDS} s"
        ),
        ours: format!("{:.2} % of one core", share * 100.0),
        base: "–".to_owned(),
        ratio: "–".to_owned(),
        target: "< 1 % of one core".to_owned(),
        reached: share < 0.01,
    }])
}

// --- writing in turn ----------------------------------------------------------------------------------

pub(crate) fn shared_load(directory: &Path) -> Rows {
    const RUNS: usize = 3;
    const SECONDS: f64 = 4.0;
    let span = Duration::from_secs_f64(SECONDS);
    let (mut ours, mut base, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let file = fresh(directory);
        topic_with(&Queue::open(&file)?, 1)?;
        let seconds = SECONDS.to_string();
        let roles = [["load", "64", "0", &seconds], ["load", "0", "64", &seconds]];
        let start = |n: usize| Peer::start(&file, roles.get(n % 2).ok_or("no role")?);
        let mut peers: Vec<Peer> = (0..8).map(start).collect::<Result<_, _>>()?;
        peers.iter_mut().try_for_each(Peer::say_go)?;
        let mut many = 0.0;
        for peer in &mut peers {
            many += peer.figures()?.first().ok_or("no figure")? / SECONDS;
        }
        let queue = Queue::open(fresh(directory))?;
        topic_with(&queue, 1)?;
        #[expect(clippy::cast_precision_loss, reason = "a count of messages")]
        let one = load(&queue, 256, 256, span)? as f64 / SECONDS;
        ours.push(many);
        base.push(one);
        ratios.push(many / one);
    }
    let ratio = median(ratios);
    Ok(vec![Row {
        case: "published and acked by 4 + 4 processes with 64 callers each / by one with 512"
            .to_owned(),
        ours: per_second(median(ours)),
        base: per_second(median(base)),
        ratio: format!("{ratio:.2}"),
        target: "≥ 0.60".to_owned(),
        reached: ratio >= 0.60,
    }])
}

pub(crate) fn turns_of_many(directory: &Path) -> Rows {
    let file = fresh(directory);
    topic_with(&Queue::open(&file)?, 1)?;
    let start = |_| Peer::start(&file, &["turns", "8"]);
    let mut peers: Vec<Peer> = (0..8).map(start).collect::<Result<_, _>>()?;
    peers.iter_mut().try_for_each(Peer::say_go)?;
    let (mut medians, mut longest) = (Vec::new(), 0.0_f64);
    for peer in &mut peers {
        let [_, middle, most] = peer.figures()?[..] else { return Err("no figures".into()) };
        medians.push(middle);
        longest = longest.max(most);
    }
    let middle = median(medians);
    let ratio = longest / middle;
    Ok(vec![Row {
        case: "8 processes publish one at a time, 8 s: the longest publish / the median".to_owned(),
        ours: format!("{:.1} ms", longest * 1e3),
        base: format!("{:.1} ms", middle * 1e3),
        ratio: format!("{ratio:.1}"),
        target: "≤ 20".to_owned(),
        reached: ratio <= 20.0,
    }])
}
