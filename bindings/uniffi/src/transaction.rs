//! Transactions on the queue's own connection: statements of the application and verbs of the queue.

use std::sync::{Mutex, MutexGuard, PoisonError};

use blockqueue::{Error, Pending, Queue, TransactionOptions};

use crate::bytes::Bytes;
use crate::delivery::{NackOptions, Nacked};
use crate::error::{Result, invalid};
use crate::message::{Message, Published};
use crate::number::{duration, maybe_duration, millis, signed};

/// A value in a database.
#[derive(Debug, Clone, uniffi::Enum)]
pub enum SqlValue {
    /// None.
    Null,
    /// A whole number.
    Integer {
        /// The number.
        value: i64,
    },
    /// A number with a fraction.
    Real {
        /// The number.
        value: f64,
    },
    /// Text.
    Text {
        /// The text.
        value: String,
    },
    /// Bytes.
    Blob {
        /// The bytes.
        value: Bytes,
    },
}

impl SqlValue {
    fn into_core(self) -> blockqueue::SqlValue {
        match self {
            Self::Null => blockqueue::SqlValue::Null,
            Self::Integer { value } => blockqueue::SqlValue::Integer(value),
            Self::Real { value } => blockqueue::SqlValue::Real(value),
            Self::Text { value } => blockqueue::SqlValue::Text(value),
            Self::Blob { value } => blockqueue::SqlValue::Blob(value.0),
        }
    }

    fn from_core(value: blockqueue::SqlValue) -> Self {
        match value {
            blockqueue::SqlValue::Null => Self::Null,
            blockqueue::SqlValue::Integer(value) => Self::Integer { value },
            blockqueue::SqlValue::Real(value) => Self::Real { value },
            blockqueue::SqlValue::Text(value) => Self::Text { value },
            blockqueue::SqlValue::Blob(value) => Self::Blob { value: Bytes(value) },
        }
    }
}

/// What a query answered.
#[derive(Debug, Clone, uniffi::Record)]
pub struct SqlRows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a value for every column.
    pub rows: Vec<Vec<SqlValue>>,
}

/// A transaction that holds statements of your own and verbs of the queue: all of it happens, or nothing.
///
/// It is rolled back when it goes away before it is committed, and when its deadline passes. Everybody else
/// who writes to the file waits for it, also a call of the queue that is awaited while it is open: use the
/// methods of the transaction.
#[derive(Debug, uniffi::Object)]
pub struct Transaction {
    queue: Queue,
    options: TransactionOptions,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    New,
    Open(blockqueue::Transaction),
    Ended,
}

impl Transaction {
    pub(crate) fn new(queue: Queue, deadline_ms: Option<i64>) -> blockqueue::Result<Self> {
        let mut options = TransactionOptions::default();
        if let Some(deadline) = maybe_duration("deadline", deadline_ms)? {
            options.deadline = deadline;
        }
        Ok(Self { queue, options, state: Mutex::new(State::New) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step<T>(
        &self,
        step: impl FnOnce(&blockqueue::Transaction) -> Pending<T>,
    ) -> blockqueue::Result<Pending<T>> {
        match &*self.state() {
            State::Open(open) => Ok(step(open)),
            State::New => Err(invalid("the transaction has not begun")),
            State::Ended => Err(Error::TransactionEnded),
        }
    }

    fn take(&self) -> blockqueue::Result<blockqueue::Transaction> {
        match std::mem::replace(&mut *self.state(), State::Ended) {
            State::Open(open) => Ok(open),
            State::New | State::Ended => Err(Error::TransactionEnded),
        }
    }
}

#[uniffi::export]
impl Transaction {
    /// Begins it, when all that was handed over before is written. Its deadline counts from here.
    pub async fn begin(&self) -> Result<()> {
        if !matches!(*self.state(), State::New) {
            return Err(invalid("the transaction has begun already").into());
        }
        let begun = self.queue.transaction(self.options).await?;
        let mut state = self.state();
        if matches!(*state, State::New) {
            *state = State::Open(begun);
            return Ok(());
        }
        // It was begun twice, or ended, while this waited.
        Err(Error::TransactionEnded.into())
    }

    /// Runs one statement; the answer is how many rows it changed.
    pub async fn execute(&self, sql: String, values: Vec<SqlValue>) -> Result<i64> {
        let values: Vec<_> = values.into_iter().map(SqlValue::into_core).collect();
        Ok(signed(self.step(|open| open.execute(&sql, values))?.await?))
    }

    /// Runs one statement; the answer is its rows, at most 100,000 and 64 MiB of them.
    pub async fn query(&self, sql: String, values: Vec<SqlValue>) -> Result<SqlRows> {
        let values: Vec<_> = values.into_iter().map(SqlValue::into_core).collect();
        let found = self.step(|open| open.query(&sql, values))?.await?;
        let row = |row: Vec<_>| row.into_iter().map(SqlValue::from_core).collect();
        Ok(SqlRows { columns: found.columns, rows: found.rows.into_iter().map(row).collect() })
    }

    /// Publishes a message, with its id at once.
    pub async fn publish(&self, topic: String, message: Message) -> Result<Published> {
        let message = message.into_core()?;
        Ok(self.step(|open| open.publish(&topic, message))?.await?.into())
    }

    /// Publishes 1 to 1,000 messages, all or none, in order.
    pub async fn publish_batch(
        &self,
        topic: String,
        messages: Vec<Message>,
    ) -> Result<Vec<Published>> {
        let messages: blockqueue::Result<_> =
            messages.into_iter().map(Message::into_core).collect();
        let messages = messages?;
        let published = self.step(|open| open.publish_batch(&topic, messages))?.await?;
        Ok(published.into_iter().map(Into::into).collect())
    }

    /// Settles a delivery: done.
    pub async fn ack(&self, receipt: String) -> Result<()> {
        let receipt = receipt.parse()?;
        Ok(self.step(|open| open.ack(&receipt))?.await?)
    }

    /// Reports a failure.
    pub async fn nack(&self, receipt: String, options: NackOptions) -> Result<Nacked> {
        let (receipt, options) = (receipt.parse()?, options.into_core()?);
        let nacked = self.step(|open| open.nack(&receipt, &options))?.await?;
        Ok(Nacked::from_core(nacked)?)
    }

    /// Makes the lease last until this long after the transaction began; the answer is its new expiry.
    pub async fn extend(&self, receipt: String, lease_ms: i64) -> Result<i64> {
        let (receipt, lease) = (receipt.parse()?, duration("lease", lease_ms)?);
        Ok(millis(self.step(|open| open.extend(&receipt, lease))?.await?))
    }

    /// Puts a delivery back for this long; the answer is when it is ready. The attempt does not count.
    pub async fn defer(&self, receipt: String, delay_ms: i64) -> Result<i64> {
        let (receipt, delay) = (receipt.parse()?, duration("delay", delay_ms)?);
        Ok(millis(self.step(|open| open.defer(&receipt, delay))?.await?))
    }

    /// Ends a leased delivery for good, and keeps the reason with its failures.
    pub async fn cancel(&self, receipt: String, reason: Option<String>) -> Result<()> {
        let receipt = receipt.parse()?;
        Ok(self.step(|open| open.cancel(&receipt, reason.as_deref()))?.await?)
    }

    /// Ends a message for every subscriber.
    pub async fn cancel_message(&self, topic: String, message_id: String) -> Result<()> {
        let id = message_id.parse()?;
        Ok(self.step(|open| open.cancel_message(&topic, id))?.await?)
    }

    /// Makes all of it happen. It is durable when this returns.
    pub async fn commit(&self) -> Result<()> {
        let open = self.take()?;
        Ok(open.commit().await?)
    }

    /// Undoes all of it.
    pub async fn rollback(&self) -> Result<()> {
        let open = self.take()?;
        Ok(open.rollback().await?)
    }
}
