//! One connection and the runtime that drives it, for the thread that owns both.
//!
//! Everything has a deadline: a server that does not answer is a lost connection.

use std::future::Future;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::time::error::Elapsed;
use tokio_postgres::{Client, Statement, Transaction};

use super::address::Address;
use super::error::{detail, from_statement, is_answer};
use crate::clock::monotonic;
use crate::entropy;
use crate::error::{Error, Result};
use crate::options::Durability;

/// The longest wait for the answer to anything.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// The oldest server, as it numbers itself.
const VERSION_MIN: i32 = 150_000;
/// The first and the longest pause between attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

pub(super) struct Link {
    pub client: Client,
    /// The statement that the owner runs all the time.
    pub statement: Option<Statement>,
    /// The number of the server's process.
    process: i32,
    driver: Driver,
}

/// The runtime that drives the connection.
struct Driver(Option<Runtime>);

impl Driver {
    fn block_on<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.0.as_ref().map(|runtime| runtime.block_on(work))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Whoever drops it may be on another runtime, which must not wait for this one.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// What became of a request.
pub(super) enum Lost {
    /// The server answered with an error, or the driver refused to send it.
    Answered(tokio_postgres::Error),
    /// Nobody knows whether the server has carried it out.
    Unanswered(String),
}

impl Link {
    pub(super) fn connect(address: &Address) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Io { detail: error.to_string() })?;
        let opened = runtime.block_on(async {
            tokio::time::timeout(ANSWER_WITHIN, address.config.connect(address.tls())).await
        });
        let (client, connection) = opened
            .map_err(|_| Error::Io { detail: "the server does not answer".into() })?
            .map_err(|error| from_statement(&error))?;
        // Its end shows in the next request.
        runtime.spawn(connection);
        let driver = Driver(Some(runtime));
        let mut link = Self { client, statement: None, process: 0, driver };
        link.set_up(address)?;
        Ok(link)
    }

    /// Names are found in the queue's schema, and nowhere else.
    fn set_up(&mut self, address: &Address) -> Result<()> {
        let commit = match address.durability {
            Durability::Full => "on",
            Durability::Balanced => "off",
        };
        let set_up = include_str!("../../../sql/postgres/session.sql");
        let done = self.wait(self.client.query_one(set_up, &[&address.schema, &commit]));
        match done {
            Ok(row) => {
                self.process = row.get(0);
                verify(row.get(1))
            }
            Err(Lost::Answered(error)) => Err(from_statement(&error)),
            Err(Lost::Unanswered(detail)) => Err(Error::Io { detail }),
        }
    }

    /// Prepares the statement that the owner runs all the time.
    pub(super) fn prepare(&mut self, sql: &str) -> Result<()> {
        match self.wait(self.client.prepare(sql)) {
            Ok(statement) => {
                self.statement = Some(statement);
                Ok(())
            }
            Err(Lost::Answered(error)) => Err(from_statement(&error)),
            Err(Lost::Unanswered(detail)) => Err(Error::Io { detail }),
        }
    }

    /// Runs something in one transaction, which is rolled back if it fails.
    pub(super) fn transaction<T>(
        &mut self,
        body: impl AsyncFnOnce(&Transaction<'_>) -> Result<Result<T>, tokio_postgres::Error>,
    ) -> Result<Result<T>, Lost> {
        let Self { client, driver, .. } = self;
        let done = driver.block_on(async {
            tokio::time::timeout(ANSWER_WITHIN, async {
                let transaction = client.transaction().await?;
                let answer = body(&transaction).await?;
                if answer.is_ok() {
                    transaction.commit().await?;
                }
                Ok(answer)
            })
            .await
        });
        sort(done)
    }

    pub(super) const fn process_id(&self) -> i32 {
        self.process
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Waits for an answer, as long as anybody would.
    pub(super) fn wait<T>(
        &self,
        request: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Lost> {
        self.wait_for(ANSWER_WITHIN, request)
    }

    pub(super) fn wait_for<T>(
        &self,
        patience: Duration,
        request: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Lost> {
        sort(self.driver.block_on(async { tokio::time::timeout(patience, request).await }))
    }
}

type Timed<T> = Result<Result<T, tokio_postgres::Error>, Elapsed>;

fn sort<T>(answer: Option<Timed<T>>) -> Result<T, Lost> {
    match answer {
        Some(Ok(Ok(answer))) => Ok(answer),
        Some(Ok(Err(error))) if is_answer(&error) => Err(Lost::Answered(error)),
        Some(Ok(Err(error))) => Err(Lost::Unanswered(detail(&error))),
        Some(Err(_)) | None => Err(Lost::Unanswered("the server does not answer".into())),
    }
}

/// The server must know what our functions are written in.
fn verify(version: i32) -> Result<()> {
    if version >= VERSION_MIN {
        return Ok(());
    }
    let (wanted, found) = (VERSION_MIN / 10_000, version / 10_000);
    let detail =
        format!("the server is PostgreSQL {found}, or like it: {wanted} or later is needed");
    Err(Error::CannotOpen { detail })
}

/// How long, and how often, something is tried again.
pub(super) struct Patience {
    until: Instant,
    pause: Duration,
}

impl Patience {
    pub(super) fn of(span: Duration) -> Self {
        Self { until: monotonic() + span, pause: PAUSES.0 }
    }

    /// Whether to try again, after a pause.
    pub(super) fn pause(&mut self) -> bool {
        if monotonic() >= self.until {
            return false;
        }
        // Whoever lost the same server does not come back at the same moment.
        thread::sleep(self.pause.mul_f64(0.5 + entropy::unit() / 2.0));
        self.pause = (self.pause * 2).min(PAUSES.1);
        true
    }
}

/// Runs something that blocks on a runtime where no other runtime is in the way.
pub(super) fn on_own_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("blockqueue-open".into())
            .spawn_scoped(scope, work)
            .map_err(|error| Error::Io { detail: error.to_string() })?;
        thread.join().unwrap_or_else(|_| Err(Error::internal("opening panicked")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_server_is_refused() {
        assert!(verify(150_000).is_ok());
        // What CockroachDB says it is.
        assert_eq!(verify(130_000).unwrap_err().code(), "cannot_open");
    }
}
