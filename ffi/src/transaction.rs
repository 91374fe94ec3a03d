//! A transaction on the queue's own connection: statements of the application and verbs of the queue.

use std::ffi::{c_char, c_void};
use std::sync::{Mutex, PoisonError};

use blockqueue::{Error, Pending, Result, SqlValue, Transaction, TransactionOptions};

use crate::arguments::{bytes, duration, invalid, items, optional_out, optional_text, out, text};
use crate::error::bq_error;
use crate::guard::guard;
use crate::handle::{self, object};
use crate::id::{bq_id, bq_receipt, id, receipt};
use crate::json;
use crate::message::{bq_message, bq_message_options, bq_published, message, messages};
use crate::names;
use crate::publish::{answers, fill};
use crate::queue::{Open, bq_queue};
use crate::settle::{Deferred, Extended, answer, bq_nack_options, bq_settled, nack_options};
use crate::slice::bq_slice;
use crate::status::bq_status;
use crate::text::{Text, bq_text};
use crate::token::{self, Token};

/// A transaction that holds statements of your own and verbs of the queue: all of it happens, or nothing. For
/// programs that keep their tables in the queue's file. Everybody else who writes to the file waits for it, so
/// keep it short.
///
/// A function that fails has changed nothing and the transaction goes on, unless it says `transaction_ended`:
/// then it was rolled back, because its deadline passed or a statement ended it. One thread at a time uses it.
pub struct bq_transaction(());

pub(crate) struct Begun {
    /// `None` when it has ended.
    open: Mutex<Option<Transaction>>,
    thread_bound: bool,
}

object!(Begun, bq_transaction, 8, "transaction");

impl Begun {
    fn step<T>(&self, step: impl FnOnce(&Transaction) -> Pending<T>) -> Result<T> {
        let pending = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            step(open.as_ref().ok_or(Error::TransactionEnded)?)
        };
        wait(pending, self.thread_bound)
    }

    fn end(&self, end: impl FnOnce(Transaction) -> Pending<()>) -> Result<()> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        wait(end(open.ok_or(Error::TransactionEnded)?), self.thread_bound)
    }
}

/// A transaction belongs to the thread that waits for it with the core's own means, and to none if its answer is
/// asked for otherwise.
fn wait<T>(pending: Pending<T>, thread_bound: bool) -> Result<T> {
    if thread_bound {
        return pending.wait();
    }
    token::wait(pending, Some(&Token::default()))?.ok_or(Error::TransactionEnded)
}

/// What kind of value it is.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub enum bq_value_kind {
    /// None.
    BQ_VALUE_NULL = 0,
    /// A whole number, in `integer`.
    BQ_VALUE_INTEGER = 1,
    /// A number with a fraction, in `real`.
    BQ_VALUE_REAL = 2,
    /// UTF-8, in `bytes`.
    BQ_VALUE_TEXT = 3,
    /// Bytes, in `bytes`.
    BQ_VALUE_BLOB = 4,
}

/// A value of a statement.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_value {
    /// One of bq_value_kind; it says which of the others counts.
    pub kind: i32,
    /// A whole number.
    pub integer: i64,
    /// A number with a fraction.
    pub real: f64,
    /// A text, or bytes.
    pub bytes: bq_slice,
}

/// # Safety
/// The values can be read, with all that they point to.
unsafe fn values(first: *const bq_value, count: usize) -> Result<Vec<SqlValue>> {
    // SAFETY: passed on.
    let values = unsafe { items("the array of values", first, count) }?;
    let value = |value: &bq_value| {
        Ok(match value.kind {
            0 => SqlValue::Null,
            1 => SqlValue::Integer(value.integer),
            2 => SqlValue::Real(value.real),
            // SAFETY: passed on.
            3 => SqlValue::Text(unsafe { value.bytes.text("a value") }?.to_owned()),
            // SAFETY: passed on.
            4 => SqlValue::Blob(unsafe { value.bytes.bytes("a value") }?.to_owned()),
            _ => return Err(invalid("the kind of a value must be one of bq_value_kind")),
        })
    };
    values.iter().map(value).collect()
}

/// Begins a transaction. Blocks until those before it have ended. It is rolled back if it is not committed after
/// `deadline_ms`, which is 5 s if 0, and at most 1 min.
///
/// With `thread_bound`, other calls of the queue by the thread that uses the transaction fail with
/// `in_transaction` instead of waiting for themselves until the deadline; pass false if what you call a task may
/// change its thread. `transaction` gets a handle that belongs to the caller: free it with bq_transaction_free.
///
/// Errors: `invalid_argument`, `locked`, `in_transaction`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_begin(
    queue: *mut bq_queue,
    deadline_ms: i64,
    thread_bound: bool,
    transaction: *mut *mut bq_transaction,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes a place for the handle.
        let place = unsafe { out("the place for the transaction", transaction) }?;
        let mut options = TransactionOptions::default();
        if deadline_ms != 0 {
            options.deadline = duration("deadline_ms", deadline_ms)?;
        }
        let open = Mutex::new(Some(wait(queue.0.transaction(options), thread_bound)?));
        *place = handle::give(Begun { open, thread_bound });
        Ok(())
    })
}

/// Runs one statement; `changed`, which may be NULL, gets how many rows it changed. It may use any table but the
/// queue's own, and may not begin or end transactions, use savepoints, pragmas, other files or temporary objects.
///
/// Errors: `sql_failed`, `disk_full`, `transaction_ended`, `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_execute(
    transaction: *mut bq_transaction,
    sql: *const c_char,
    sql_len: usize,
    values: *const bq_value,
    value_count: usize,
    changed: *mut u64,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let transaction = handle::get::<Begun>(transaction)?;
        // SAFETY: the caller passes a text, an array of values, and NULL or a place for the count.
        let (sql, values, place) = unsafe {
            let values = self::values(values, value_count)?;
            (text("sql", sql, sql_len)?, values, optional_out(changed))
        };
        let count = transaction.step(|open| open.execute(sql, values))?;
        if let Some(place) = place {
            *place = count;
        }
        Ok(())
    })
}

/// Runs one statement; `answer` gets its rows, as JSON: {"columns": [TEXT], "rows": [[VALUE]]}, where a value is
/// null, a number, a text, or {"base64": TEXT} for bytes. At most 100,000 rows and 64 MiB of them.
///
/// Errors: as bq_transaction_execute, and `limit_exceeded`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_query(
    transaction: *mut bq_transaction,
    sql: *const c_char,
    sql_len: usize,
    values: *const bq_value,
    value_count: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let transaction = handle::get::<Begun>(transaction)?;
        // SAFETY: the caller passes a text, an array of values and a place for the answer.
        let (sql, values, place) = unsafe {
            let values = self::values(values, value_count)?;
            (text("sql", sql, sql_len)?, values, out("the place for the answer", answer)?)
        };
        let rows = transaction.step(|open| open.query(sql, values))?;
        *place = handle::give(Text::new(json::text(&rows)));
        Ok(())
    })
}

/// Publishes a message, as bq_queue_publish; its id is known at once.
///
/// Errors: those of bq_queue_publish, and `transaction_ended`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_publish(
    transaction: *mut bq_transaction,
    topic: *const c_char,
    topic_len: usize,
    payload: *const c_void,
    payload_len: usize,
    options: *const bq_message_options,
    published: *mut bq_published,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let transaction = handle::get::<Begun>(transaction)?;
        // SAFETY: the caller passes texts, bytes, options or NULL, and NULL or a place for the answer.
        let (topic, message, place) = unsafe {
            let message = message(bytes("the payload", payload, payload_len)?, options)?;
            (names::topic(topic, topic_len)?, message, optional_out(published))
        };
        let published = transaction.step(|open| open.publish(topic, message))?;
        if let Some(place) = place {
            *place = published.into();
        }
        Ok(())
    })
}

/// Publishes 1 to 1,000 messages, as bq_queue_publish_batch.
///
/// Errors: those of bq_queue_publish_batch, and `transaction_ended`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_publish_batch(
    transaction: *mut bq_transaction,
    topic: *const c_char,
    topic_len: usize,
    messages: *const bq_message,
    count: usize,
    published: *mut bq_published,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let transaction = handle::get::<Begun>(transaction)?;
        // SAFETY: the caller passes a text, an array of messages, and NULL or an array for the answers.
        let (topic, batch, places) = unsafe {
            let batch = self::messages(messages, count)?;
            (names::topic(topic, topic_len)?, batch, answers(published, count)?)
        };
        fill(places, transaction.step(|open| open.publish_batch(topic, batch))?);
        Ok(())
    })
}

/// Settles a delivery: done. Errors: `lease_lost`, `invalid_receipt`, `transaction_ended`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_ack(
    transaction: *mut bq_transaction,
    receipt: *const bq_receipt,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let transaction = handle::get::<Begun>(transaction)?;
        // SAFETY: the caller passes a receipt.
        let receipt = unsafe { self::receipt(receipt) }?;
        transaction.step(|open| open.ack(&receipt))
    })
}

/// Reports a failure, as bq_queue_nack. Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`,
/// `transaction_ended`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_nack(
    transaction: *mut bq_transaction,
    receipt: *const bq_receipt,
    options: *const bq_nack_options,
    result: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let transaction = handle::get::<Begun>(transaction)?;
        // SAFETY: the caller passes a receipt, options or NULL, and NULL or a place for the answer.
        let (receipt, options, place) =
            unsafe { (self::receipt(receipt)?, nack_options(options)?, optional_out(result)) };
        answer(transaction.step(|open| open.nack(&receipt, &options))?, place);
        Ok(())
    })
}

/// Makes the lease last until this long after the transaction began, as bq_queue_extend. Errors: `lease_lost`,
/// `invalid_receipt`, `invalid_argument`, `transaction_ended`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_extend(
    transaction: *mut bq_transaction,
    receipt: *const bq_receipt,
    lease_ms: i64,
    result: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let transaction = handle::get::<Begun>(transaction)?;
        // SAFETY: the caller passes a receipt, and NULL or a place for the answer.
        let (receipt, place) = unsafe { (self::receipt(receipt)?, optional_out(result)) };
        let lease = duration("lease_ms", lease_ms)?;
        answer(Extended(transaction.step(|open| open.extend(&receipt, lease))?), place);
        Ok(())
    })
}

/// Puts a delivery back, as bq_queue_defer. Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`,
/// `transaction_ended`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_defer(
    transaction: *mut bq_transaction,
    receipt: *const bq_receipt,
    delay_ms: i64,
    result: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let transaction = handle::get::<Begun>(transaction)?;
        // SAFETY: the caller passes a receipt, and NULL or a place for the answer.
        let (receipt, place) = unsafe { (self::receipt(receipt)?, optional_out(result)) };
        let delay = duration("delay_ms", delay_ms)?;
        answer(Deferred(transaction.step(|open| open.defer(&receipt, delay))?), place);
        Ok(())
    })
}

/// Ends a leased delivery for good, as bq_queue_cancel. Errors: `lease_lost`, `invalid_receipt`,
/// `transaction_ended`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_cancel(
    transaction: *mut bq_transaction,
    receipt: *const bq_receipt,
    reason: *const c_char,
    reason_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let transaction = handle::get::<Begun>(transaction)?;
        // SAFETY: the caller passes a receipt, and a text or NULL.
        let (receipt, reason) =
            unsafe { (self::receipt(receipt)?, optional_text("reason", reason, reason_len)?) };
        transaction.step(|open| open.cancel(&receipt, reason))
    })
}

/// Ends a message for every subscriber, as bq_message_cancel. Errors: `unknown_topic`, `unknown_message`,
/// `transaction_ended`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_message_cancel(
    transaction: *mut bq_transaction,
    topic: *const c_char,
    topic_len: usize,
    message_id: *const bq_id,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let transaction = handle::get::<Begun>(transaction)?;
        // SAFETY: the caller passes a text and an id.
        let (topic, id) = unsafe { (names::topic(topic, topic_len)?, id(message_id)?) };
        transaction.step(|open| open.cancel_message(topic, id))
    })
}

/// Makes all of it happen. Blocks until that is on disk. The handle stays, and is to be freed.
///
/// Errors: `transaction_ended`, `outcome_unknown`, `disk_full`; nothing of it happened but perhaps with
/// `outcome_unknown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_commit(
    transaction: *mut bq_transaction,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || handle::get::<Begun>(transaction)?.end(Transaction::commit))
}

/// Undoes all of it. The handle stays, and is to be freed. Errors: `transaction_ended`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_rollback(
    transaction: *mut bq_transaction,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || handle::get::<Begun>(transaction)?.end(Transaction::rollback))
}

/// Frees a transaction; one that has not ended is rolled back, without waiting for it. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_transaction_free(transaction: *mut bq_transaction) -> bq_status {
    guard(std::ptr::null_mut(), || handle::free::<Begun>(transaction))
}
