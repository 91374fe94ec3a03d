//! Publish and settle in a transaction of the caller's own, through the views of the SQL contract.

use rusqlite::{Transaction, params};

use super::encode;
use super::error::{Subject, from_contract};
use super::migrate::PAYLOAD_BYTES_MAX;
use crate::clock::{duration_millis, to_millis};
use crate::error::{Error, Result};
use crate::limits;
use crate::model::Receipt;
use crate::options::{Message, NackOptions, Reply, cut};

/// Publishes a message in the caller's transaction: it exists if and only if that commits.
///
/// The connection must be open on a queue's file, and the transaction should have begun `IMMEDIATE`. The
/// message gets its id when a process that has the queue open next writes to it, which is at once if a
/// claim waits there. `docs/sql.md` says what is checked now and what happens later.
///
/// ```no_run
/// use blockqueue::rusqlite::{Connection, TransactionBehavior};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut connection = Connection::open("app.db")?;
/// let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
/// transaction.execute("INSERT INTO orders (id) VALUES (42)", [])?;
/// blockqueue::publish_in(&transaction, "orders", "order 42")?;
/// transaction.commit()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `unknown_topic`, `invalid_argument`, `limit_exceeded`, `idempotency_conflict`, `unique_conflict`,
/// `backlog_full`; `sql_failed` if the file holds no queue. The transaction goes on, without the message.
pub fn publish_in(
    transaction: &Transaction<'_>,
    topic: &str,
    message: impl Into<Message>,
) -> Result<()> {
    let message = message.into();
    message.validate(limits::PAYLOAD_BYTES_MAX)?;
    let subject = Subject { topic, message: Some(&message), receipt: None };
    transaction
        .prepare_cached(include_str!("../../../sql/sqlite/contract_publish.sql"))
        .and_then(|mut statement| {
            statement.execute(params![
                topic,
                message.payload,
                message.content_type,
                encode::headers_to_json(&message.headers),
                message.correlation_id,
                message.priority,
                message.delay.map(duration_millis),
                message.deliver_at.map(to_millis),
                message.idempotency_key,
                message.ordering_key,
                message.ttl.map(duration_millis),
                message.unique_key,
            ])
        })
        .map(drop)
        .map_err(|error| match from_contract(error, &subject) {
            Error::LimitExceeded { what, actual, .. } => {
                Error::LimitExceeded { what, actual, limit: payload_bytes_max(transaction) }
            }
            error => error,
        })
}

fn payload_bytes_max(transaction: &Transaction<'_>) -> u64 {
    let sql = include_str!("../../../sql/sqlite/meta_get.sql");
    let limit = transaction.query_row(sql, [PAYLOAD_BYTES_MAX], |row| row.get(0));
    limit.unwrap_or(limits::PAYLOAD_BYTES_DEFAULT as u64)
}

/// Settles a delivery in the caller's transaction: it is done if and only if that commits.
///
/// # Errors
/// `lease_lost`; `sql_failed` if the file holds no queue. The transaction goes on; roll it back, for the
/// work belongs to somebody else now.
pub fn ack_in(transaction: &Transaction<'_>, receipt: &Receipt) -> Result<()> {
    ack(transaction, receipt, None)
}

/// As [`ack_in`], with a reply for whoever waits for the result of the message.
///
/// # Errors
/// As [`ack_in`], and `limit_exceeded`, `invalid_argument` for the reply.
pub fn ack_with_result_in(
    transaction: &Transaction<'_>,
    receipt: &Receipt,
    reply: &Reply,
) -> Result<()> {
    reply.validate()?;
    ack(transaction, receipt, Some(reply))
}

fn ack(transaction: &Transaction<'_>, receipt: &Receipt, reply: Option<&Reply>) -> Result<()> {
    let subject = Subject { topic: "", message: None, receipt: Some(receipt) };
    transaction
        .prepare_cached(include_str!("../../../sql/sqlite/contract_ack.sql"))
        .and_then(|mut statement| {
            statement.execute(params![
                receipt.to_string(),
                reply.map(|reply| &reply.payload),
                reply.and_then(|reply| reply.content_type.as_ref()),
                reply.and_then(|reply| reply.ttl).map(duration_millis),
            ])
        })
        .map(drop)
        .map_err(|error| from_contract(error, &subject))
}

/// Reports a failure in the caller's transaction: it is known if and only if that commits.
///
/// # Errors
/// `lease_lost`, `invalid_argument`; `sql_failed` if the file holds no queue.
pub fn nack_in(
    transaction: &Transaction<'_>,
    receipt: &Receipt,
    options: &NackOptions,
) -> Result<()> {
    options.validate()?;
    let subject = Subject { topic: "", message: None, receipt: Some(receipt) };
    transaction
        .prepare_cached(include_str!("../../../sql/sqlite/contract_nack.sql"))
        .and_then(|mut statement| {
            statement.execute(params![
                receipt.to_string(),
                options.delay.map(duration_millis),
                options.error.clone().map(cut),
                options.give_up,
            ])
        })
        .map(drop)
        .map_err(|error| from_contract(error, &subject))
}
