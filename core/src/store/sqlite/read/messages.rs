//! Messages as people look at them: by id, or what comes next, without receipts.

use std::collections::BTreeMap;
use std::time::SystemTime;

use rusqlite::{OptionalExtension as _, Row, params};

use super::super::cache::{LogId, SubscriberId, key, seq_of};
use super::super::encode;
use super::super::ids::{self, Found};
use super::super::tx::{Step, Tx};
use super::place;
use crate::clock::{Millis, from_millis, to_millis};
use crate::error::Error;
use crate::limits;
use crate::model::{
    DeliveryState, DeliveryStatus, IdParts, Listed, MessageId, MessageStatus, MessageView, Peeked,
};
use crate::op::{Answer, Source};
use crate::options::{OnExpiry, SubscriberOptions};

pub(super) fn message(tx: &mut Tx<'_>, topic: &str, id: MessageId) -> Step<Answer> {
    let topic = tx.topic_id(topic)?;
    let found = ids::find(tx.connection, tx.tag, topic, id)?.ok_or(Error::UnknownMessage { id })?;
    let subscribers = tx.subscribers_of(topic)?;
    let mut deliveries = Vec::with_capacity(subscribers.len());
    let (message, delayed) = match found {
        Found::Delayed { key } => {
            let sql = include_str!("../../../../sql/sqlite/delayed_get.sql");
            let tag = tx.tag;
            let message = tx
                .connection
                .prepare_cached(sql)?
                .query_row([key], |row| view(row, tag, row.get("priority")?))?;
            for subscriber in subscribers {
                let ready_at = Some(message.deliver_at);
                deliveries.push(status(tx, subscriber, DeliveryState::Pending, ready_at)?);
            }
            (message, true)
        }
        Found::Logged { key } => {
            let message = load(tx, key)?.ok_or(Error::UnknownMessage { id })?;
            for subscriber in subscribers {
                deliveries.extend(delivery(tx, subscriber, key, &message)?);
            }
            (message, false)
        }
    };
    Ok(Answer::Message(MessageStatus { message, delayed, deliveries }))
}

/// A message by its key; `None` if it was trimmed.
pub(in super::super) fn load(tx: &mut Tx<'_>, key: i64) -> Step<Option<MessageView>> {
    let Some(log) = tx.load_log_of(key)? else { return Ok(None) };
    let (tag, priority) = (tx.tag, tx.log(log)?.priority);
    Ok(tx
        .connection
        .prepare_cached(include_str!("../../../../sql/sqlite/message_get.sql"))?
        .query_row([key], |row| view(row, tag, priority))
        .optional()?)
}

fn view(row: &Row<'_>, tag: u16, priority: i16) -> rusqlite::Result<MessageView> {
    let published_at: Millis = row.get("published_at")?;
    let origin: Option<i64> = row.get("origin")?;
    let accepted_at = row.get::<_, Option<Millis>>("accepted_at")?.unwrap_or(published_at);
    let key = origin.map_or_else(|| row.get("id"), Ok)?;
    let headers: Option<String> = row.get("headers")?;
    Ok(MessageView {
        id: MessageId::new(IdParts { at: accepted_at, key, tag }),
        payload: row.get("payload")?,
        content_type: row.get("content_type")?,
        headers: encode::headers_from_json(headers.as_deref()),
        correlation_id: row.get("correlation_id")?,
        idempotency_key: row.get("idempotency_key")?,
        ordering_key: row.get("ordering_key")?,
        priority,
        accepted_at: from_millis(accepted_at),
        deliver_at: from_millis(published_at),
        expires_at: row.get::<_, Option<Millis>>("expires_at")?.map(from_millis),
    })
}

fn status(
    tx: &Tx<'_>,
    id: SubscriberId,
    state: DeliveryState,
    ready_at: Option<SystemTime>,
) -> Step<DeliveryStatus> {
    Ok(DeliveryStatus {
        subscriber_id: u64::from(id),
        subscriber: tx.subscriber(id)?.name.to_string(),
        state,
        attempts: 0,
        failures: 0,
        ready_at,
    })
}

/// Where a message stands with a subscriber; `None` if the subscriber began after it.
fn delivery(
    tx: &Tx<'_>,
    id: SubscriberId,
    key: i64,
    message: &MessageView,
) -> Step<Option<DeliveryStatus>> {
    let row = tx
        .connection
        .prepare_cached(include_str!("../../../../sql/sqlite/delivery_status.sql"))?
        .query_row(params![key, id], |row| {
            let at: Option<Millis> = row.get(3)?;
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, at))
        })
        .optional()?;
    if let Some((state, attempts, failures, at)) = row {
        let status = status(tx, id, encode::state(state), at.map(from_millis))?;
        return Ok(Some(DeliveryStatus { attempts, failures, ..status }));
    }
    let subscriber = tx.subscriber(id)?;
    let log = super::super::cache::log_of(key);
    if subscriber.cursor(log) < seq_of(key) {
        let expires_at = message.expires_at.map(to_millis);
        if will_pass(tx, &subscriber.options, &message.headers, expires_at) {
            return status(tx, id, DeliveryState::Settled, None).map(Some);
        }
        return status(tx, id, DeliveryState::Pending, Some(message.deliver_at)).map(Some);
    }
    if from_millis(subscriber.created_at) > message.deliver_at {
        return Ok(None);
    }
    status(tx, id, DeliveryState::Settled, None).map(Some)
}

/// Whether a pending message will be passed over rather than delivered.
fn will_pass(
    tx: &Tx<'_>,
    options: &SubscriberOptions,
    headers: &BTreeMap<String, String>,
    expires_at: Option<Millis>,
) -> bool {
    let expired = expires_at.is_some_and(|at| at <= tx.now);
    let filtered = options.filter.as_ref().is_some_and(|filter| !filter.matches(headers));
    filtered || (expired && options.on_expiry == OnExpiry::Skip)
}

// --- peek ---------------------------------------------------------------------------------------------

/// A page of a peek goes through deliveries in flight first, then through the logs.
enum Part {
    InFlight,
    Pending(LogId),
}

pub(super) fn peek(
    tx: &mut Tx<'_>,
    source: &Source,
    limit: usize,
    after: Option<&str>,
) -> Step<Answer> {
    let id = tx.subscriber_id(source)?;
    let logs = tx.topic(tx.subscriber(id)?.topic)?.logs.clone();
    let mut parts = vec![Part::InFlight];
    parts.extend(logs.into_iter().map(Part::Pending));
    let (mut skip, mut last) = (0, 0);
    if let Some(after) = after
        && let [part, key] = place(after, 2)?.as_slice()
    {
        (skip, last) = (usize::try_from(*part).unwrap_or(usize::MAX), *key);
    }
    let mut page = Page { items: Vec::new(), limit, bytes: 0 };
    for (number, part) in parts.iter().enumerate().skip(skip) {
        if let Some(end) = peek_part(tx, id, part, last, &mut page)? {
            let next = Some(format!("{number}.{end}"));
            return Ok(Answer::Peeked(Listed { items: page.items, next }));
        }
        last = 0;
    }
    Ok(Answer::Peeked(Listed { items: page.items, next: None }))
}

struct Page {
    items: Vec<Peeked>,
    limit: usize,
    bytes: usize,
}

/// Adds a part to the page; the answer is where the page ended, if it did.
fn peek_part(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    part: &Part,
    after: i64,
    page: &mut Page,
) -> Step<Option<i64>> {
    let room = page.limit - page.items.len() + 1;
    let mut beyond = None;
    let keys: Vec<i64> = match part {
        Part::InFlight => tx
            .connection
            .prepare_cached(include_str!("../../../../sql/sqlite/peek_in_flight.sql"))?
            .query_map(params![id, after, room], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?,
        Part::Pending(log) => {
            let from = key(*log, tx.subscriber(id)?.cursor(*log)).max(after);
            let to = key(*log, tx.log(*log)?.last_seq);
            let keys = peek_pending(tx, id, (from, to), room)?;
            beyond = keys.1;
            keys.0
        }
    };
    let full = keys.len() == room;
    let mut last = after;
    for key in keys {
        if page.items.len() == page.limit {
            return Ok(Some(last));
        }
        last = key;
        let Some(message) = load(tx, key)? else { continue };
        let Some(status) = delivery(tx, id, key, &message)? else { continue };
        if matches!(part, Part::Pending(_)) && status.state != DeliveryState::Pending {
            continue;
        }
        page.bytes += message.payload.len();
        page.items.push(Peeked { message, status });
        if page.bytes >= limits::BATCH_BYTES_MAX {
            return Ok(Some(last));
        }
    }
    Ok(if full { Some(last) } else { beyond })
}

/// Pending messages that will be delivered, and where the search was given up, if it came to no end.
fn peek_pending(
    tx: &Tx<'_>,
    id: SubscriberId,
    (from, to): (i64, i64),
    room: usize,
) -> Step<(Vec<i64>, Option<i64>)> {
    let options = &tx.subscriber(id)?.options;
    let sql = include_str!("../../../../sql/sqlite/claim_look.sql");
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![from, to])?;
    let (mut keys, mut passed) = (Vec::new(), 0);
    while keys.len() < room
        && let Some(row) = rows.next()?
    {
        let key = row.get(0)?;
        let headers: Option<String> = row.get(4)?;
        let headers = encode::headers_from_json(headers.as_deref());
        if !will_pass(tx, options, &headers, row.get(2)?) {
            keys.push(key);
            continue;
        }
        passed += 1;
        if passed == limits::SCAN_ROWS {
            return Ok((keys, Some(key)));
        }
    }
    Ok((keys, None))
}
