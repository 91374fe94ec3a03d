//! The handle.

mod consume;
mod letters;
mod look;
mod publish;
mod schedule;
mod topology;

use std::sync::Arc;

pub use consume::{Deferral, Nack};

use crate::clock::TestClock;
use crate::error::Result;
use crate::open::OpenOptions;
use crate::transaction::Transaction;

/// A handle to an open queue. The last one that goes away shuts it down.
///
/// A call that is given up is carried out all the same, except for a claim, see `PendingClaim`.
#[derive(Debug, uniffi::Object)]
pub struct Queue(blockqueue::Queue);

#[uniffi::export]
impl Queue {
    /// Opens the queue in this file, and creates the file if there is none; `:memory:` is a queue that lives
    /// and dies with this handle. May block for a moment.
    #[uniffi::constructor]
    pub fn open(path: String, options: OpenOptions) -> Result<Arc<Self>> {
        let queue = blockqueue::Queue::open_with(path, options.into_core()?)?;
        Ok(Arc::new(Self(queue)))
    }

    /// Opens the queue with a clock that a test moves.
    #[uniffi::constructor]
    pub fn open_with_clock(
        path: String,
        options: OpenOptions,
        clock: Arc<TestClock>,
    ) -> Result<Arc<Self>> {
        let options = clock.given_to(options.into_core()?);
        Ok(Arc::new(Self(blockqueue::Queue::open_with(path, options)?)))
    }

    /// A transaction for statements of yours and verbs of the queue, which is yet to begin.
    pub fn transaction(&self, deadline_ms: Option<i64>) -> Result<Arc<Transaction>> {
        Ok(Arc::new(Transaction::new(self.0.clone(), deadline_ms)?))
    }

    /// Finishes what was handed over, ends waiting claims with `shutdown`, and closes the file. Later calls
    /// fail with `shutdown`; a second shutdown succeeds.
    pub async fn shutdown(&self) -> Result<()> {
        Ok(self.0.shutdown().await?)
    }
}
