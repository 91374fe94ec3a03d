//! Expiry: messages that are not delivered any more.
//!
//! Ends retrying and parked deliveries when their message expires, and passes over pending ones, at a claim
//! or, for subscribers that never claim, in upkeep. Never touches what is leased or dead-lettered.

use rusqlite::{OptionalExtension as _, params};
use rustc_hash::FxHashSet as HashSet;

use super::cache::{LogId, Next, SubscriberId, key, log_of, seq_of};
use super::claim::select;
use super::keys::{self, Rule};
use super::tx::{Step, Tx};
use super::{encode, limit, settle};
use crate::clock::Millis;
use crate::limits;
use crate::options::OnExpiry;

/// What the history says about a message that expired.
const EXPIRED: &str = "expired";

/// When a message expires, if it does.
pub(super) fn of(tx: &mut Tx<'_>, message: i64) -> Step<Option<Millis>> {
    match tx.load_log_of(message)? {
        Some(log) if tx.log(log)?.expiring => {}
        _ => return Ok(None),
    }
    Ok(life(tx, message)?.and_then(|life| life.expires_at))
}

/// How long a message is delivered.
#[derive(Clone, Copy)]
pub(super) struct Life {
    /// `None`: for ever.
    pub expires_at: Option<Millis>,
}

/// The life of a message, if it is there.
pub(super) fn life(tx: &Tx<'_>, message: i64) -> Step<Option<Life>> {
    Ok(tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/message_life.sql"))?
        .query_row([message], |row| Ok(Life { expires_at: row.get(0)? }))
        .optional()?)
}

/// A retrying or parked delivery ends at `expires_at`.
pub(super) fn note(tx: &mut Tx<'_>, expires_at: Option<Millis>) {
    if let Some(at) = expires_at {
        tx.cache.next_ttl.note(at);
    }
}

// --- in flight ------------------------------------------------------------------------------------------

struct Expired {
    subscriber: SubscriberId,
    message: i64,
    state: i64,
    lease: Option<i64>,
    failures: u32,
    key: Option<String>,
}

/// Ends deliveries whose message has expired, of any subscriber. The answer is whether there are more.
pub(super) fn end_due(tx: &mut Tx<'_>) -> Step<bool> {
    tx.cache.next_ttl = Next::Unknown;
    let due: Vec<Expired> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_expired.sql"))?
        .query_map(params![tx.now, limits::STEP_ROWS], |row| {
            Ok(Expired {
                subscriber: row.get(0)?,
                message: row.get(1)?,
                state: row.get(2)?,
                lease: row.get(3)?,
                failures: row.get(4)?,
                key: row.get(5)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let more = due.len() == limits::STEP_ROWS;
    let mut keys = Vec::new();
    for delivery in due {
        if tx.load_subscriber(delivery.subscriber)? {
            end(tx, &delivery)?;
            if delivery.state != encode::PARKED {
                keys.push((delivery.subscriber, delivery.key));
            }
        } else {
            tx.connection
                .prepare_cached(include_str!("../../../sql/sqlite/delivery_forget_expiry.sql"))?
                .execute(params![delivery.message, delivery.subscriber])?;
        }
    }
    // Not before all have ended: the next of a key may be one of them.
    for (subscriber, key) in keys {
        keys::freed(tx, subscriber, key.as_deref())?;
    }
    Ok(more)
}

fn end(tx: &mut Tx<'_>, delivery: &Expired) -> Step<()> {
    let (id, message) = (delivery.subscriber, delivery.message);
    let counts = tx.counts(id)?;
    counts.ttl_expired += 1;
    if delivery.state == encode::PARKED {
        counts.parked -= 1;
    } else {
        counts.retrying -= 1;
    }
    if let Some(lease) = delivery.lease {
        tx.counts(id)?.lapsed -= 1;
        tx.leave_lease(id, lease)?;
        limit::freed(tx, id)?;
    }
    if tx.subscriber(id)?.options.on_expiry == OnExpiry::DeadLetter {
        let failures = delivery.failures + 1;
        settle::record_failure(tx, id, message, failures, Some(EXPIRED))?;
        settle::bury(tx, id, message, failures)?;
        tx.counts(id)?.dead += 1;
    } else {
        settle::delete(tx, id, message)?;
    }
    Ok(())
}

// --- pending --------------------------------------------------------------------------------------------

/// Passes over a message that nobody has claimed; the cursor is the caller's.
pub(super) fn pass(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    message: i64,
    ordering_key: Option<&str>,
) -> Step<()> {
    tx.counts(id)?.ttl_expired += 1;
    let options = &tx.subscriber(id)?.options;
    if options.on_expiry == OnExpiry::DeadLetter {
        let ordering_key = Rule::of(options).and(ordering_key);
        let priority = tx.log(log_of(message))?.priority;
        tx.connection
            .prepare_cached(include_str!("../../../sql/sqlite/delivery_expire_new.sql"))?
            .execute(params![message, id, priority, tx.now, ordering_key])?;
        settle::record_failure(tx, id, message, 1, Some(EXPIRED))?;
        tx.counts(id)?.dead += 1;
    }
    Ok(())
}

/// Moves cursors over what has expired right above them, so that a subscriber that never claims holds no
/// message for ever. The answer is whether there is more.
pub(super) fn pass_pending(tx: &mut Tx<'_>) -> Step<bool> {
    let logs = match &tx.cache.expiring {
        Some(logs) => logs.clone(),
        None => load_expiring(tx)?,
    };
    let mut room = limits::STEP_ROWS;
    for log in logs {
        if tx.load_log_of(key(log, 0))?.is_none() {
            if let Some(known) = &mut tx.cache.expiring {
                known.remove(&log);
            }
            continue;
        }
        let topic = tx.log(log)?.topic;
        for id in tx.subscribers_of(topic)? {
            if tx.subscriber(id)?.cursor(log) < tx.log(log)?.last_seq {
                pass_prefix(tx, id, log, &mut room)?;
            }
            if room == 0 {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn load_expiring(tx: &mut Tx<'_>) -> Step<HashSet<LogId>> {
    let sql = include_str!("../../../sql/sqlite/logs_expiring.sql");
    let mut statement = tx.connection.prepare_cached(sql)?;
    let logs: HashSet<LogId> =
        statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    tx.cache.expiring = Some(logs.clone());
    Ok(logs)
}

fn pass_prefix(tx: &mut Tx<'_>, id: SubscriberId, log: LogId, room: &mut usize) -> Step<()> {
    // Rows ahead of the cursor are left to a claim.
    if tx.subscriber(id)?.counts.ahead > 0 {
        return Ok(());
    }
    let cursor = tx.subscriber(id)?.cursor(log);
    let mut moved = cursor;
    let connection = tx.connection;
    let mut statement =
        connection.prepare_cached(include_str!("../../../sql/sqlite/claim_look.sql"))?;
    let mut rows = statement.query(params![key(log, cursor), key(log, tx.log(log)?.last_seq)])?;
    while *room > 0
        && let Some(row) = rows.next()?
    {
        let message: i64 = row.get(0)?;
        let expires_at: Option<Millis> = row.get(2)?;
        if expires_at.is_none_or(|at| at > tx.now) {
            break;
        }
        if select::wants(tx, id, message)? {
            let ordering_key: Option<String> = row.get(3)?;
            pass(tx, id, message, ordering_key.as_deref())?;
        } else {
            tx.counts(id)?.filtered += 1;
        }
        moved = seq_of(message);
        *room -= 1;
    }
    if moved != cursor {
        tx.subscriber_mut(id)?.move_cursor(log, moved);
        tx.cache.may_trim(log);
    }
    Ok(())
}
