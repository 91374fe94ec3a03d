//! The queue's side of the SQL contract: what applications staged and settled in transactions of their own.
//!
//! Part of the prologue of every write transaction. Settlements come first and all of them, so that nothing
//! else meets a delivery that has one; staged messages are promoted in the order of their statements,
//! bounded per transaction. Costs nothing unless another connection has committed or a transaction of ours
//! ran somebody's SQL. Invariant: no row in these tables, whatever is in it, fails a transaction.

use std::time::Duration;

use rusqlite::Row;
use rusqlite::params;
use rusqlite::types::ValueRef;

use super::cache::TopicId;
use super::publish;
use super::settle;
use super::tx::{Step, Tx};
use crate::clock::from_millis;
use crate::error::Error;
use crate::limits;
use crate::model::Receipt;
use crate::op::{Settle, Verb};
use crate::options::{Message, Reply, cut};

/// Staged messages that could not be promoted are kept, the newest of them.
const REJECTED_KEPT: usize = 1_000;

// --- settlements --------------------------------------------------------------------------------------

/// Whether applications have staged or marked something.
pub(super) fn holds_something(tx: &Tx<'_>) -> Step<bool> {
    let settling = include_str!("../../../sql/sqlite/settling_all.sql");
    let staged = include_str!("../../../sql/sqlite/staged_oldest.sql");
    let has_marks = tx.connection.prepare_cached(settling)?.exists([])?;
    Ok(has_marks || tx.connection.prepare_cached(staged)?.exists([1])?)
}

/// Carries out what was acked and nacked. It was checked when it was written, and counts although its lease
/// may have expired since.
pub(super) fn sweep(tx: &mut Tx<'_>) -> Step<()> {
    let mut items = Vec::new();
    let mut is_empty = true;
    {
        let sql = include_str!("../../../sql/sqlite/settling_all.sql");
        let mut statement = tx.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            is_empty = false;
            items.extend(settlement(row)?);
        }
    }
    if is_empty {
        return Ok(());
    }
    // A subscriber that was deleted meanwhile has lost its leases; nobody is left to tell.
    settle::settle(tx, &items)?;
    let sql = include_str!("../../../sql/sqlite/settling_clear.sql");
    tx.connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn settlement(row: &Row<'_>) -> rusqlite::Result<Option<Settle>> {
    let receipt = text(row.get_ref(0)?).ok().flatten();
    let Some(receipt) = receipt.and_then(|text| text.parse::<Receipt>().ok()) else {
        return Ok(None);
    };
    let verb = match integer(row.get_ref(1)?) {
        Some(0) => reply(row)?.map_or(Verb::Ack, Verb::Reply),
        _ => Verb::Nack {
            delay_ms: integer(row.get_ref(2)?),
            error: lossy_text(row.get_ref(3)?).map(cut),
            give_up: integer(row.get_ref(4)?) == Some(1),
        },
    };
    Ok(Some(Settle { receipt, verb }))
}

fn reply(row: &Row<'_>) -> rusqlite::Result<Option<Reply>> {
    let (ValueRef::Text(payload) | ValueRef::Blob(payload)) = row.get_ref(5)? else {
        return Ok(None);
    };
    let mut reply = Reply::new(payload);
    reply.content_type = lossy_text(row.get_ref(6)?);
    reply.ttl = integer(row.get_ref(7)?).and_then(duration);
    Ok(Some(reply))
}

// --- staged messages ----------------------------------------------------------------------------------

struct Staged {
    id: i64,
    topic: TopicId,
    /// Or why it cannot be a message.
    message: Result<Message, Error>,
}

/// Moves staged messages into their topics; the answer is whether there are more.
pub(super) fn promote(tx: &mut Tx<'_>) -> Step<bool> {
    let (staged, more) = oldest(tx)?;
    let Some(last) = staged.last().map(|staged| staged.id) else { return Ok(false) };
    for run in staged.chunk_by(|a, b| a.topic == b.topic) {
        let [first, ..] = run else { continue };
        // What was staged for a topic that was deleted went with it.
        if tx.load_topic(first.topic)? {
            promote_run(tx, first.topic, run)?;
        }
    }
    let sql = include_str!("../../../sql/sqlite/staged_delete.sql");
    tx.connection.prepare_cached(sql)?.execute([last])?;
    Ok(more)
}

/// The oldest staged messages, and whether there may be more.
fn oldest(tx: &Tx<'_>) -> Step<(Vec<Staged>, bool)> {
    let sql = include_str!("../../../sql/sqlite/staged_oldest.sql");
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut rows = statement.query([limits::STEP_ROWS])?;
    let mut staged = Vec::new();
    let mut bytes = 0;
    while bytes < limits::BATCH_BYTES_MAX {
        let Some(row) = rows.next()? else { break };
        let message = message(row)?;
        bytes += message.as_ref().map_or(0, Message::size_bytes);
        staged.push(Staged { id: row.get(0)?, topic: row.get(1)?, message });
    }
    let more = staged.len() == limits::STEP_ROWS || bytes >= limits::BATCH_BYTES_MAX;
    Ok((staged, more))
}

/// Columns of text, in the order in which a message takes them.
const TEXTS: [&str; 6] =
    ["content_type", "correlation_id", "idempotency_key", "ordering_key", "unique_key", "headers"];

/// The triggers have checked what SQL can check: all but the encoding of texts.
fn message(row: &Row<'_>) -> rusqlite::Result<Result<Message, Error>> {
    let payload = match row.get_ref("payload")? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_owned(),
        _ => Vec::new(),
    };
    let mut message = Message::new(payload);
    let priority = integer(row.get_ref("priority")?).and_then(|priority| priority.try_into().ok());
    message.priority = priority.unwrap_or(0);
    message.delay = integer(row.get_ref("delay_ms")?).and_then(duration);
    message.ttl = integer(row.get_ref("ttl_ms")?).and_then(duration);
    message.deliver_at = integer(row.get_ref("deliver_at")?).map(from_millis);
    let mut texts = Vec::with_capacity(TEXTS.len());
    for column in TEXTS {
        match text(row.get_ref(column)?) {
            Ok(text) => texts.push(text),
            Err(error) => return Ok(Err(error)),
        }
    }
    let mut texts = texts.into_iter();
    let mut next = || texts.next().flatten();
    message.content_type = next();
    message.correlation_id = next();
    message.idempotency_key = next();
    message.ordering_key = next();
    message.unique_key = next();
    let Some(headers) = next() else { return Ok(Ok(message)) };
    let headers = serde_json::from_str(&headers);
    let not_headers = |_| Error::invalid("headers are not a JSON object of strings");
    Ok(headers.map_err(not_headers).map(|headers| Message { headers, ..message }))
}

fn promote_run(tx: &mut Tx<'_>, topic: TopicId, run: &[Staged]) -> Step<()> {
    let messages = run.iter().filter_map(|staged| staged.message.as_ref().ok());
    let mut outcomes = publish::publish_staged(tx, topic, messages)?.into_iter();
    for staged in run {
        let refused = match &staged.message {
            Ok(_) => outcomes.next().and_then(Result::err),
            Err(error) => Some(error.clone()),
        };
        if let Some(error) = refused {
            reject(tx, staged, &error)?;
        }
    }
    Ok(())
}

/// Its transaction is committed and nobody waits for an answer: it is kept for people to see.
fn reject(tx: &Tx<'_>, staged: &Staged, error: &Error) -> Step<()> {
    let topic = &*tx.topic(staged.topic)?.name;
    let reason = params![staged.id, topic, tx.now, error.code(), error.to_string()];
    let sql = include_str!("../../../sql/sqlite/staged_reject.sql");
    tx.connection.prepare_cached(sql)?.execute(reason)?;
    let sql = include_str!("../../../sql/sqlite/rejected_forget.sql");
    tx.connection.prepare_cached(sql)?.execute([REJECTED_KEPT])?;
    Ok(())
}

// --- values -------------------------------------------------------------------------------------------

fn integer(value: ValueRef<'_>) -> Option<i64> {
    value.as_i64().ok()
}

fn duration(millis: i64) -> Option<Duration> {
    millis.try_into().ok().map(Duration::from_millis)
}

/// SQLite lets anybody store any bytes as text.
fn text(value: ValueRef<'_>) -> Result<Option<String>, Error> {
    match value {
        ValueRef::Text(bytes) => {
            let text = String::from_utf8(bytes.to_owned());
            text.map(Some).map_err(|_| Error::invalid("a text is not UTF-8"))
        }
        _ => Ok(None),
    }
}

fn lossy_text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}
