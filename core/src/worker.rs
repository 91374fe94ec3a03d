//! Worker: claims, runs a handler for each delivery on plain threads, and settles.
//!
//! Uses nothing but the public operations of the queue. Leases of everything that it holds are extended
//! together, in one operation, at a third of the lease. Invariant: a delivery is acked only after its
//! handler has returned, and what was claimed and not begun is given back when the worker stops.
//!
//! ```
//! use std::time::Duration;
//! use blockqueue::{HandlerError, NewTopic, Queue, Worker};
//!
//! # fn main() -> blockqueue::Result<()> {
//! let queue = Queue::open(":memory:")?;
//! queue.create_topic(NewTopic::new("orders").with_subscriber("email")).wait()?;
//! queue.publish("orders", "42").wait()?;
//!
//! let worker = Worker::new(&queue, "orders", "email").with_concurrency(4).start(|delivery| {
//!     let order: u64 = std::str::from_utf8(&delivery.payload)?.parse()?;
//!     if order == 0 {
//!         return Err(HandlerError::give_up("no such order"));
//!     }
//!     Ok(())
//! })?;
//! # while queue.subscriber_stats("orders", "email").wait()?.acked_count == 0 {}
//! let report = worker.shutdown(Duration::from_secs(10))?;
//! assert_eq!(report.acked, 1);
//! # Ok(())
//! # }
//! ```

mod claimer;
mod hands;
mod held;

use std::fmt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::clock::monotonic;
use crate::error::{Error, Result};
use crate::limits;
use crate::model::Delivery;
use crate::options::{self, Reply};
use crate::process::fork::Birth;
use crate::queue::Queue;

use held::Held;

/// Why a handler failed, and what should become of the delivery.
///
/// Made from any error by `?`, which means: try again as the subscriber's retry policy says.
#[derive(Debug)]
pub struct HandlerError {
    text: String,
    next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Retry,
    RetryAfter(Duration),
    GiveUp,
}

impl HandlerError {
    /// Try again as the subscriber's retry policy says.
    pub fn retry(text: impl Into<String>) -> Self {
        Self { text: text.into(), next: Next::Retry }
    }

    /// Try again after this long.
    pub fn retry_after(text: impl Into<String>, delay: Duration) -> Self {
        Self { text: text.into(), next: Next::RetryAfter(delay) }
    }

    /// Make it a dead letter now: it will never work.
    pub fn give_up(text: impl Into<String>) -> Self {
        Self { text: text.into(), next: Next::GiveUp }
    }
}

impl<E: std::error::Error> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self::retry(error.to_string())
    }
}

/// What a handler returns.
pub type HandlerResult<T = ()> = std::result::Result<T, HandlerError>;

/// What a worker has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WorkerReport {
    /// Deliveries whose handler succeeded, and that were acked.
    pub acked: u64,
    /// Deliveries whose handler failed or panicked.
    pub failed: u64,
    /// Deliveries whose lease was lost before they could be settled: somebody else has them.
    pub lost: u64,
    /// Handlers that had not returned when the time to stop was up.
    pub unfinished: u64,
}

/// Settings of a worker, before it starts.
#[derive(Debug, Clone)]
pub struct Worker {
    queue: Queue,
    topic: String,
    subscriber: String,
    concurrency: usize,
    batch: Option<usize>,
    lease: Option<Duration>,
}

impl Worker {
    /// A worker for one subscriber, with one thread.
    pub fn new(queue: &Queue, topic: &str, subscriber: &str) -> Self {
        Self {
            queue: queue.clone(),
            topic: topic.to_owned(),
            subscriber: subscriber.to_owned(),
            concurrency: 1,
            batch: None,
            lease: None,
        }
    }

    /// Sets how many handlers run at a time; 1 to 1,000. Default 1.
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Sets how many deliveries are claimed at once; 1 to 1,000. Default: the concurrency. They wait for
    /// a free thread under their leases, which are extended.
    #[must_use]
    pub fn with_batch(mut self, batch: usize) -> Self {
        self.batch = Some(batch);
        self
    }

    /// Sets how long deliveries are leased, at least 3 ms. Default: the subscriber's lease. A worker that
    /// dies holds its deliveries back for this long.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `io` if a thread cannot be made.
    pub fn start<H>(self, handler: H) -> Result<WorkerHandle>
    where
        H: Fn(&Delivery) -> HandlerResult + Send + Sync + 'static,
    {
        self.start_replying(move |delivery| handler(delivery).map(|()| None))
    }

    /// As [`start`](Self::start), with a handler that may reply: the reply is stored with the ack, for
    /// whoever waits for the result of the message. One that is over its limits is a failure.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_replying<H>(self, handler: H) -> Result<WorkerHandle>
    where
        H: Fn(&Delivery) -> HandlerResult<Option<Reply>> + Send + Sync + 'static,
    {
        options::count("concurrency", self.concurrency, limits::CLAIM_MAX)?;
        let batch = self.batch.unwrap_or(self.concurrency);
        options::count("batch", batch, limits::CLAIM_MAX)?;
        let subscriber = self.queue.subscriber(&self.topic, &self.subscriber).wait()?;
        let lease = self.lease.unwrap_or(subscriber.options.lease);
        options::lease("lease", lease)?;
        if lease < Duration::from_millis(3) {
            return Err(Error::invalid("the lease of a worker must be at least 3 ms"));
        }
        let held = Arc::new(Held::new(self.queue.clone(), batch, lease));
        let birth = Birth::now();
        let handle = WorkerHandle { birth, held: Arc::clone(&held), threads: Vec::new() };
        handle.with_threads(self, handler)
    }
}

/// A running worker. Dropping it stops it without waiting.
pub struct WorkerHandle {
    birth: Birth,
    held: Arc<Held>,
    threads: Vec<JoinHandle<()>>,
}

impl WorkerHandle {
    fn with_threads<H>(mut self, worker: Worker, handler: H) -> Result<Self>
    where
        H: Fn(&Delivery) -> HandlerResult<Option<Reply>> + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        for number in 0..worker.concurrency {
            let (held, handler) = (Arc::clone(&self.held), Arc::clone(&handler));
            self.spawn(&format!("handler-{number}"), move || hands::run(&held, &*handler))?;
        }
        let held = Arc::clone(&self.held);
        self.spawn("heartbeat", move || held.keep_alive())?;
        let held = Arc::clone(&self.held);
        self.spawn("claimer", move || claimer::run(&held, &worker.topic, &worker.subscriber))?;
        Ok(self)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = thread::Builder::new().name(format!("blockqueue-{name}")).spawn(work);
        // What has been started already stops when the handle is dropped.
        self.threads.push(thread.map_err(|error| Error::Io { detail: error.to_string() })?);
        Ok(())
    }

    /// Stops claiming. What is claimed and not begun is given back; handlers that run go on.
    pub fn stop(&self) {
        if self.check_birth().is_ok() {
            self.held.stop();
        }
    }

    /// In a forked child its threads are not there, and its locks may be held for ever.
    fn check_birth(&self) -> Result<()> {
        if self.birth.is_inherited() { Err(Error::Forked) } else { Ok(()) }
    }

    /// Stops, and waits for running handlers up to this long. Those that take longer are left alone; what
    /// they hold expires.
    ///
    /// # Errors
    /// What ended the worker before it was asked to: `unknown_subscriber`, `unknown_topic`, `shutdown`,
    /// or damage of the file. `forked` in a child process, which has none of its threads.
    pub fn shutdown(mut self, patience: Duration) -> Result<WorkerReport> {
        self.check_birth()?;
        self.stop();
        let unfinished = self.held.wait_until_idle(monotonic() + patience);
        if unfinished == 0 {
            for thread in self.threads.drain(..) {
                // A panic of one of them has been counted as a failure of its delivery.
                let _ = thread.join();
            }
        }
        self.held.outcome(unfinished)
    }

    /// Waits until the worker has ended by itself or was stopped elsewhere.
    ///
    /// # Errors
    /// As [`shutdown`](Self::shutdown).
    pub fn join(mut self) -> Result<WorkerReport> {
        self.check_birth()?;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        self.held.outcome(0)
    }

    /// What it has done so far.
    pub fn report(&self) -> WorkerReport {
        self.held.report()
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        if self.check_birth().is_err() {
            // Threads that are not there cannot be let go of either.
            std::mem::forget(std::mem::take(&mut self.threads));
        }
        self.stop();
    }
}

impl fmt::Debug for WorkerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerHandle").field("report", &self.report()).finish_non_exhaustive()
    }
}

/// Several workers that stop together.
#[derive(Debug, Default)]
pub struct WorkerGroup(Vec<WorkerHandle>);

impl WorkerGroup {
    /// No workers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a running worker.
    pub fn add(&mut self, worker: WorkerHandle) {
        self.0.push(worker);
    }

    /// Stops all, and waits for their running handlers up to this long altogether.
    ///
    /// # Errors
    /// The first of those that [`WorkerHandle::shutdown`] reports.
    pub fn shutdown(self, patience: Duration) -> Result<Vec<WorkerReport>> {
        let deadline = monotonic() + patience;
        for worker in &self.0 {
            worker.stop();
        }
        let left = || deadline.saturating_duration_since(monotonic());
        self.0.into_iter().map(|worker| worker.shutdown(left())).collect()
    }
}
