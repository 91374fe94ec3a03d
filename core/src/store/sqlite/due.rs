//! What time brings: the prologue of every write transaction.
//!
//! Carries out what the SQL contract holds, appends delayed messages that are due, and ends leases that have
//! expired: their deliveries wait for their next attempt, or are dead letters. Ends deliveries whose message
//! expired. Then schedules fire. Bounded per transaction. Invariant: whatever a transaction
//! sees afterwards, up to the bound, nothing in it is overdue.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::cache::{Next, SubscriberId, key};
use super::tx::{Step, Tx};
use super::{contract, expiry, fire, keys, limit, settle};
use crate::clock::Millis;
use crate::error::Error;
use crate::limits;

/// What the history says about an attempt whose lease expired.
const EXPIRED: &str = "lease expired";

/// The answer is whether there is more than one transaction may touch.
pub(super) fn bring(tx: &mut Tx<'_>) -> Step<bool> {
    let may_be_staged = !std::mem::replace(&mut tx.cache.nothing_staged, true);
    if may_be_staged {
        contract::sweep(tx)?;
    }
    let more_delayed = tx.cache.next_delayed.is_due(tx.now) && promote(tx)?;
    let more_expired = tx.cache.next_expiry.is_due(tx.now) && expire(tx)?;
    let more_ended = tx.cache.next_ttl.is_due(tx.now) && expiry::end_due(tx)?;
    let more_staged = may_be_staged && contract::promote(tx)?;
    tx.cache.nothing_staged = !more_staged;
    learn_next(tx)?;
    // Last: whether a message is settled may depend on the leases that ended.
    let more_queued = fire::bring(tx)?;
    Ok(more_delayed || more_expired || more_ended || more_staged || more_queued)
}

/// Looks up what is not known of when something falls due next; schedules see to themselves.
fn learn_next(tx: &mut Tx<'_>) -> Step<()> {
    if tx.cache.next_delayed == Next::Unknown {
        let next = include_str!("../../../sql/sqlite/delayed_next.sql");
        tx.cache.next_delayed = Next::known(first(tx.connection, next)?);
    }
    if tx.cache.next_expiry == Next::Unknown {
        tx.flush()?;
        let next = include_str!("../../../sql/sqlite/lease_next_expiry.sql");
        tx.cache.next_expiry = Next::known(first(tx.connection, next)?);
    }
    if tx.cache.next_ttl == Next::Unknown {
        let next = include_str!("../../../sql/sqlite/delivery_next_expiry.sql");
        tx.cache.next_ttl = Next::known(first(tx.connection, next)?);
    }
    Ok(())
}

/// When something falls due next, found without writing; now, if something waits to be brought.
pub(super) fn look(tx: &mut Tx<'_>) -> Step<Option<Millis>> {
    learn_next(tx)?;
    fire::learn_next(tx)?;
    if !tx.cache.nothing_staged && contract::holds_something(tx)? {
        return Ok(Some(tx.now));
    }
    tx.cache.nothing_staged = true;
    Ok(next(tx))
}

/// When something falls due next.
pub(super) fn next(tx: &Tx<'_>) -> Option<Millis> {
    let cache = &tx.cache;
    [cache.next_delayed, cache.next_expiry, cache.next_ttl, cache.next_schedule]
        .into_iter()
        .filter_map(Next::at)
        .min()
}

fn first(connection: &Connection, sql: &str) -> Step<Option<Millis>> {
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?)
}

/// Appends delayed messages that are due to their logs, in the order in which they fell due.
fn promote(tx: &mut Tx<'_>) -> Step<bool> {
    tx.cache.next_delayed = Next::Unknown;
    let mut due = Vec::new();
    {
        let sql = include_str!("../../../sql/sqlite/delayed_due.sql");
        let mut statement = tx.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![tx.now, limits::STEP_ROWS])?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let size: usize = row.get("size_bytes")?;
            bytes += size;
            due.push(Delayed {
                id: row.get("id")?,
                topic: row.get("topic_id")?,
                priority: row.get("priority")?,
                due_at: row.get("due_at")?,
                size,
                expires: row.get("expires")?,
            });
            if bytes > tx.step_bytes {
                break;
            }
        }
    }
    let more = due.len() >= limits::STEP_ROWS;
    for message in due {
        if tx.load_topic(message.topic)? {
            append(tx, &message)?;
        }
        tx.connection
            .prepare_cached(include_str!("../../../sql/sqlite/delayed_delete.sql"))?
            .execute([message.id])?;
    }
    Ok(more)
}

struct Delayed {
    id: i64,
    topic: i64,
    priority: i16,
    due_at: Millis,
    size: usize,
    expires: bool,
}

fn append(tx: &mut Tx<'_>, message: &Delayed) -> Step<()> {
    let log = tx.log_for(message.topic, message.priority, 1)?;
    let connection = tx.connection;
    let size = message.size.cast_signed() as i64;
    let state = tx.log_mut(log)?;
    state.published_at = state.published_at.max(message.due_at);
    state.last_seq += 1;
    connection.prepare_cached(include_str!("../../../sql/sqlite/message_promote.sql"))?.execute(
        params![key(log, state.last_seq), state.published_at, state.position, message.id],
    )?;
    state.position += size;
    state.expiring |= message.expires;
    // It keeps its first id.
    state.is_plain = false;
    if message.expires {
        tx.cache.may_expire(log);
    }
    let topic = tx.topic_mut(message.topic)?;
    topic.delayed_count -= 1;
    topic.delayed_bytes -= size;
    let name = std::sync::Arc::clone(&topic.name);
    tx.effects.appended.push((name, 1));
    Ok(())
}

/// Ends leases that have expired, of any subscriber, oldest first.
fn expire(tx: &mut Tx<'_>) -> Step<bool> {
    tx.cache.next_expiry = Next::Unknown;
    let mut leases: Vec<(SubscriberId, i64, Millis, String)> = Vec::new();
    {
        let sql = include_str!("../../../sql/sqlite/lease_expired.sql");
        let mut statement = tx.connection.prepare_cached(sql)?;
        let mut rows = statement.query([tx.now])?;
        while let Some(row) = rows.next()? {
            leases.push((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        }
    }
    let mut touched = 0;
    for (subscriber, id, expired_at, runs) in leases {
        if touched >= limits::STEP_ROWS {
            return Ok(true);
        }
        touched += expire_lease(tx, subscriber, id, expired_at, &runs)?;
    }
    // As many leases as the statement returns at once may mean that there are more; `next_expiry`,
    // which is read anew now, says so.
    Ok(false)
}

fn expire_lease(
    tx: &mut Tx<'_>,
    subscriber: SubscriberId,
    id: i64,
    expired_at: Millis,
    runs: &str,
) -> Step<usize> {
    let Some(lease) = tx.lease(subscriber, id)? else { return Ok(0) };
    lease.expires_at = None;
    lease.dirty = true;
    if !tx.load_subscriber(subscriber)? {
        // Deleted: its deliveries are being reclaimed.
        return Ok(1);
    }
    let max_attempts = tx.subscriber(subscriber)?.options.max_attempts;
    let deliveries = leased(tx, subscriber, id, runs)?;
    let mut retrying = 0;
    for delivery in &deliveries {
        settle::record_failure(
            tx,
            subscriber,
            delivery.message,
            delivery.failures + 1,
            Some(EXPIRED),
        )?;
        if delivery.attempts >= max_attempts {
            settle::bury(tx, subscriber, delivery.message, delivery.failures + 1)?;
            tx.leave_lease(subscriber, id)?;
            keys::freed(tx, subscriber, delivery.key.as_deref())?;
        } else {
            retrying += 1;
            let wait = settle::Wait {
                lease: Some(id),
                ready_at: expired_at,
                attempts: delivery.attempts,
                failures: delivery.failures + 1,
            };
            settle::retry(tx, subscriber, delivery.message, &wait)?;
        }
    }
    let count = deliveries.len().cast_signed() as i64;
    let counts = tx.counts(subscriber)?;
    counts.leased -= count;
    counts.retrying += retrying;
    counts.lapsed += retrying;
    counts.dead += count - retrying;
    counts.expired += count;
    limit::freed(tx, subscriber)?;
    if retrying > 0 {
        tx.note_ready(subscriber, expired_at)?;
    }
    Ok(deliveries.len() + 1)
}

/// A delivery that a lease still holds.
pub(super) struct Leased {
    pub message: i64,
    pub attempts: u32,
    pub failures: u32,
    pub key: Option<String>,
}

/// The deliveries that name this lease and are leased.
pub(super) fn leased(
    tx: &Tx<'_>,
    subscriber: SubscriberId,
    lease: i64,
    runs: &str,
) -> Step<Vec<Leased>> {
    let runs: Vec<i64> =
        serde_json::from_str(runs).map_err(|_| Error::internal("a lease has no runs"))?;
    let sql = include_str!("../../../sql/sqlite/delivery_of_lease.sql");
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut found = Vec::new();
    for run in runs.chunks_exact(2) {
        let [first, last] = run else { continue };
        let mut rows = statement.query(params![first, last, subscriber, lease])?;
        while let Some(row) = rows.next()? {
            found.push(Leased {
                message: row.get(0)?,
                attempts: row.get(1)?,
                failures: row.get(2)?,
                key: row.get(3)?,
            });
        }
    }
    Ok(found)
}
