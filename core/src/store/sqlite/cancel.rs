//! Cancel without a receipt: end a message, or one of its deliveries, whatever its state.

use rusqlite::{OptionalExtension as _, params};

use super::cache::{LogId, SubscriberId, TopicId, log_of, seq_of};
use super::encode;
use super::ids::{self, Found};
use super::tx::{Step, Tx};
use super::{keys, limit, settle};
use crate::clock::{Millis, from_millis};
use crate::error::Error;
use crate::model::{DeliveryState, DeliveryStatus, MessageId};
use crate::op::{Outcome, Source};
use crate::store::EVERYTHING;

/// A delivery that has a row.
struct InFlight {
    state: i64,
    lease: Option<i64>,
    attempts: u32,
    failures: u32,
    ready_at: Option<Millis>,
    key: Option<String>,
}

/// Ends a message for every subscriber, by removing it.
pub(super) fn cancel_message(tx: &mut Tx<'_>, topic: &str, id: MessageId) -> Step<Outcome> {
    let topic = tx.topic_id(topic)?;
    let found = ids::find(tx.connection, tx.tag, topic, id)?.ok_or(Error::UnknownMessage { id })?;
    let subscribers = tx.subscribers_of(topic)?;
    let mut deliveries = Vec::with_capacity(subscribers.len());
    match found {
        Found::Delayed { key } => {
            for subscriber in subscribers {
                deliveries.push(status(tx, subscriber, DeliveryState::Pending, None)?);
            }
            cancel_delayed(tx, topic, key)?;
        }
        Found::Logged { key } => {
            let log = load_log(tx, key)?;
            for subscriber in subscribers {
                let row = in_flight(tx, subscriber, key)?;
                let state = match &row {
                    Some(row) => encode::state(row.state),
                    None if tx.subscriber(subscriber)?.cursor(log) < seq_of(key) => {
                        DeliveryState::Pending
                    }
                    None => DeliveryState::Settled,
                };
                deliveries.push(status(tx, subscriber, state, row.as_ref())?);
                if let Some(row) = row {
                    end(tx, subscriber, key, &row)?;
                }
            }
            remove(tx, log, key)?;
        }
    }
    Ok(Outcome::Cancelled(deliveries))
}

fn cancel_delayed(tx: &mut Tx<'_>, topic: TopicId, key: i64) -> Step<()> {
    let size: i64 = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/delayed_size.sql"))?
        .query_row([key], |row| row.get(0))?;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/delayed_delete.sql"))?
        .execute([key])?;
    tx.effects.ended.push(EVERYTHING);
    let state = tx.topic_mut(topic)?;
    state.delayed_count -= 1;
    state.delayed_bytes -= size;
    state.delayed_cancelled_count += 1;
    Ok(())
}

fn remove(tx: &mut Tx<'_>, log: LogId, key: i64) -> Step<()> {
    tx.effects.ended.push((key, key));
    settle::remove_message(tx, key)?;
    if seq_of(key) > tx.log(log)?.trim_seq {
        tx.log_mut(log)?.gap_count += 1;
    }
    Ok(())
}

/// Ends a message for one subscriber.
pub(super) fn cancel_delivery(
    tx: &mut Tx<'_>,
    source: &Source,
    id: MessageId,
    reason: Option<&str>,
) -> Step<Outcome> {
    let subscriber = tx.subscriber_id(source)?;
    let topic = tx.subscriber(subscriber)?.topic;
    let key = match ids::find(tx.connection, tx.tag, topic, id)? {
        Some(Found::Logged { key }) => key,
        Some(Found::Delayed { .. }) => {
            let detail = "a delayed message can only be cancelled for all subscribers";
            return Err(Error::invalid(detail).into());
        }
        None => return Err(Error::UnknownMessage { id }.into()),
    };
    let log = load_log(tx, key)?;
    let row = in_flight(tx, subscriber, key)?;
    let failures = row.as_ref().map_or(0, |row| row.failures);
    let had_row = row.is_some();
    let is_ahead = tx.subscriber(subscriber)?.cursor(log) < seq_of(key);
    match row {
        Some(row) if row.state == encode::SKIPPED => return Ok(Outcome::Done),
        Some(row) => end(tx, subscriber, key, &row)?,
        // Settled already: there is nothing left to end.
        None if !is_ahead => return Ok(Outcome::Done),
        None => {}
    }
    if is_ahead {
        tx.effects.ended.push((key, key));
        // The cursor will get to it, and must pass over it.
        let priority = tx.log(log)?.priority;
        tx.connection
            .prepare_cached(include_str!("../../../sql/sqlite/delivery_skip.sql"))?
            .execute(params![key, subscriber, priority])?;
        tx.counts(subscriber)?.ahead += i64::from(!had_row);
    }
    if reason.is_some() {
        settle::record_failure(tx, subscriber, key, failures + 1, reason)?;
    }
    tx.counts(subscriber)?.cancelled += 1;
    Ok(Outcome::Done)
}

fn load_log(tx: &mut Tx<'_>, key: i64) -> Step<LogId> {
    tx.load_log_of(key)?
        .ok_or_else(|| Error::internal(format!("log {} is gone", log_of(key))).into())
}

/// Ends a delivery that has a row, with everything that counts it.
fn end(tx: &mut Tx<'_>, id: SubscriberId, key: i64, row: &InFlight) -> Step<()> {
    if let Some(lease) = row.lease {
        tx.leave_lease(id, lease)?;
    }
    let counts = tx.counts(id)?;
    match row.state {
        encode::LEASED => counts.leased -= 1,
        encode::RETRYING => counts.retrying -= 1,
        encode::PARKED => counts.parked -= 1,
        encode::DEAD => counts.dead -= 1,
        _ => counts.ahead -= 1,
    }
    if let (encode::RETRYING, Some(_)) = (row.state, row.lease) {
        counts.lapsed -= 1;
    }
    settle::delete(tx, id, key)?;
    limit::freed(tx, id)?;
    keys::freed(tx, id, row.key.as_deref())
}

/// The row of a delivery. A leased one is ready when its lease expires.
fn in_flight(tx: &mut Tx<'_>, id: SubscriberId, key: i64) -> Step<Option<InFlight>> {
    let row = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_get.sql"))?
        .query_row(params![key, id], |row| {
            Ok(InFlight {
                state: row.get(0)?,
                lease: row.get(1)?,
                attempts: row.get(2)?,
                failures: row.get(3)?,
                ready_at: row.get(4)?,
                key: row.get(5)?,
            })
        })
        .optional()?;
    let Some(mut row) = row else { return Ok(None) };
    if let (encode::LEASED, Some(lease)) = (row.state, row.lease) {
        row.ready_at = tx.lease(id, lease)?.and_then(|lease| lease.expires_at);
    }
    Ok(Some(row))
}

fn status(
    tx: &Tx<'_>,
    id: SubscriberId,
    state: DeliveryState,
    row: Option<&InFlight>,
) -> Step<DeliveryStatus> {
    Ok(DeliveryStatus {
        subscriber_id: u64::from(id),
        subscriber: tx.subscriber(id)?.name.to_string(),
        state,
        attempts: row.map_or(0, |row| row.attempts),
        failures: row.map_or(0, |row| row.failures),
        ready_at: row.and_then(|row| row.ready_at).map(from_millis),
    })
}
