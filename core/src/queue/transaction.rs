//! A transaction on the queue's own connection, for programs that keep their tables in the queue's file.
//!
//! The handle's end of it. Statements and verbs travel to the writer thread one by one; the engine owns the
//! deadline, the store what statements may do.

use std::sync::{Arc, mpsc};
use std::time::{Duration, SystemTime};

use super::{Queue, Way, consume, done, publish, unexpected};
use crate::engine::{Asked, Handle, Turn};
use crate::error::{Error, Result};
use crate::model::{MessageId, Nacked, Published, Receipt, SqlRows, SqlValue};
use crate::op::{Op, Outcome, Settle, Settled, TxStep, Verb, Wanted};
use crate::options::{Message, NackOptions, TransactionOptions};
use crate::pending::Pending;

impl Queue {
    /// Begins a transaction on the queue's own connection, for statements of yours and verbs of the queue
    /// together. Other writes wait for its end; claims that wait are filled by its commit.
    ///
    /// # Errors
    /// `invalid_argument`, `locked`, `in_transaction`.
    pub fn transaction(&self, options: TransactionOptions) -> Pending<Transaction> {
        if let Err(error) = options.validate() {
            return Pending::failed(error);
        }
        let Way::One(handle) = &self.handle else {
            return Pending::failed(Error::invalid("a transaction is of one database: open it"));
        };
        let (mine, payload_bytes_max) = (Arc::clone(handle), self.payload_bytes_max);
        handle.start_transaction(options.deadline, move |steps, turn| Transaction {
            handle: mine,
            steps,
            turn,
            payload_bytes_max,
        })
    }
}

/// A transaction that holds statements of your own and verbs of the queue: all of it happens, or nothing.
///
/// From [`Queue::transaction`]. It is rolled back when it is dropped before
/// [`commit`](Self::commit), and when its deadline passes; then every method fails with
/// `transaction_ended`. Everybody else who writes to the file waits for it, so keep it short, and do not
/// wait for anything else in it.
///
/// It belongs to the thread that last waited for it, by [`Pending::wait`]: calls of the queue from that
/// thread fail with `in_transaction` instead of waiting for themselves. One that is `.await`ed belongs to no
/// thread; a task that awaits a call of the queue while it holds a transaction waits until the deadline.
///
/// A method that fails has changed nothing and the transaction goes on, unless it says
/// `transaction_ended`.
///
/// ```
/// use blockqueue::{NewTopic, Queue, TransactionOptions};
///
/// # fn main() -> blockqueue::Result<()> {
/// # let queue = Queue::open(":memory:")?;
/// # queue.create_topic(NewTopic::new("orders").with_subscriber("email")).wait()?;
/// let transaction = queue.transaction(TransactionOptions::default()).wait()?;
/// transaction.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)", []).wait()?;
/// transaction.execute("INSERT INTO orders VALUES (?1, ?2)", [42.into(), "tea".into()]).wait()?;
/// transaction.publish("orders", "order 42 is in").wait()?;
/// transaction.commit().wait()?;
/// # queue.shutdown().wait()
/// # }
/// ```
#[derive(Debug)]
pub struct Transaction {
    /// Keeps the engine alive.
    handle: Arc<Handle>,
    steps: mpsc::Sender<Asked>,
    turn: Turn,
    payload_bytes_max: usize,
}

impl Transaction {
    // --- SQL --------------------------------------------------------------------------------------

    /// Runs one statement; the answer is how many rows it changed.
    ///
    /// It may use any table but the queue's own, and the views of `docs/sql.md`. It may not begin or end
    /// transactions, use savepoints, pragmas, other files or temporary objects.
    ///
    /// # Errors
    /// `sql_failed`, `disk_full`, `transaction_ended`.
    pub fn execute(&self, sql: &str, values: impl Into<Vec<SqlValue>>) -> Pending<u64> {
        let (sql, values) = (sql.to_owned(), values.into());
        self.step(TxStep::Sql { sql, values, wanted: Wanted::Count }, |outcome| match outcome {
            Outcome::Count(changed) => Ok(changed),
            other => Err(unexpected(&other)),
        })
    }

    /// Runs one statement; the answer is its rows, at most 100,000 and 64 MiB of them.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), and `limit_exceeded`.
    pub fn query(&self, sql: &str, values: impl Into<Vec<SqlValue>>) -> Pending<SqlRows> {
        let (sql, values) = (sql.to_owned(), values.into());
        self.step(TxStep::Sql { sql, values, wanted: Wanted::Rows }, |outcome| match outcome {
            Outcome::Rows(rows) => Ok(rows),
            other => Err(unexpected(&other)),
        })
    }

    // --- the queue's verbs ------------------------------------------------------------------------

    /// Publishes a message, with its id at once.
    ///
    /// # Errors
    /// As [`Queue::publish`], and `transaction_ended`.
    pub fn publish(&self, topic: &str, message: impl Into<Message>) -> Pending<Published> {
        self.publish_mapped(topic, vec![message.into()], publish::into_one_published)
    }

    /// Publishes 1 to 1,000 messages, all or none, in order.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub fn publish_batch(&self, topic: &str, messages: Vec<Message>) -> Pending<Vec<Published>> {
        self.publish_mapped(topic, messages, publish::into_published)
    }

    fn publish_mapped<T: 'static>(
        &self,
        topic: &str,
        messages: Vec<Message>,
        map: fn(Outcome) -> Result<T>,
    ) -> Pending<T> {
        match publish::validate_messages(&messages, self.payload_bytes_max) {
            Ok(()) => self.step(TxStep::Op(Op::Publish { topic: topic.into(), messages }), map),
            Err(error) => Pending::failed(error),
        }
    }

    /// Settles a delivery: done.
    ///
    /// # Errors
    /// `lease_lost`, `transaction_ended`.
    pub fn ack(&self, receipt: &Receipt) -> Pending<()> {
        self.settle(receipt, Ok(Verb::Ack), consume::into_acked)
    }

    /// Reports a failure.
    ///
    /// # Errors
    /// `lease_lost`, `invalid_argument`, `transaction_ended`.
    pub fn nack(&self, receipt: &Receipt, options: &NackOptions) -> Pending<Nacked> {
        self.settle(receipt, consume::nack_verb(options), consume::into_nacked)
    }

    /// Makes the lease last until this long after the transaction began; the answer is its new expiry.
    ///
    /// # Errors
    /// `lease_lost`, `invalid_argument`, `transaction_ended`.
    pub fn extend(&self, receipt: &Receipt, lease: Duration) -> Pending<SystemTime> {
        self.settle(receipt, consume::extend_verb(lease), consume::into_extended)
    }

    /// Puts a delivery back for this long. The attempt does not count.
    ///
    /// # Errors
    /// `lease_lost`, `invalid_argument`, `transaction_ended`.
    pub fn defer(&self, receipt: &Receipt, delay: Duration) -> Pending<SystemTime> {
        self.settle(receipt, consume::defer_verb(delay), consume::into_deferred)
    }

    /// Ends a leased delivery for good, and keeps the reason with its failures.
    ///
    /// # Errors
    /// `lease_lost`, `transaction_ended`.
    pub fn cancel(&self, receipt: &Receipt, reason: Option<&str>) -> Pending<()> {
        self.settle(receipt, Ok(consume::cancel_verb(reason)), consume::into_cancelled)
    }

    /// Ends a message for every subscriber; unknown ones are an error.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_message`, `transaction_ended`.
    pub fn cancel_message(&self, topic: &str, id: MessageId) -> Pending<()> {
        let op = Op::CancelMessage { topic: topic.into(), id };
        self.step(TxStep::Op(op), |outcome| match outcome {
            Outcome::Cancelled(_) => Ok(()),
            other => Err(unexpected(&other)),
        })
    }

    fn settle<T: 'static>(
        &self,
        receipt: &Receipt,
        verb: Result<Verb>,
        pick: fn(Settled) -> Option<T>,
    ) -> Pending<T> {
        match verb {
            Ok(verb) => {
                let op = Op::Settle(vec![Settle { receipt: *receipt, verb }]);
                self.step(TxStep::Op(op), move |outcome| consume::one_settled(outcome, pick))
            }
            Err(error) => Pending::failed(error),
        }
    }

    // --- the end ----------------------------------------------------------------------------------

    /// Makes all of it happen. The answer comes when it is durable.
    ///
    /// # Errors
    /// `transaction_ended`, `outcome_unknown`, `disk_full`; nothing of it happened but perhaps with
    /// `outcome_unknown`.
    pub fn commit(self) -> Pending<()> {
        self.send(TxStep::Commit, done)
    }

    /// Undoes all of it. So does dropping the transaction, without waiting for it.
    ///
    /// # Errors
    /// `transaction_ended`.
    pub fn rollback(self) -> Pending<()> {
        self.send(TxStep::RollBack, done)
    }

    fn step<T>(
        &self,
        step: TxStep,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        self.send(step, map).with_turn(self.turn.clone())
    }

    fn send<T>(
        &self,
        step: TxStep,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let (reply, answer) = self.handle.reply_to();
        match self.steps.send(Asked { step, reply }) {
            Ok(()) => Pending::in_transaction(answer, map),
            Err(_) => Pending::failed(Error::TransactionEnded),
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // Not when the writer gets to it: this thread may call the queue at once.
        self.turn.end();
    }
}
