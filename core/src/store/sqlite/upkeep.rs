//! Upkeep: remove what nobody wants any more, a bounded step per transaction.
//!
//! Trims logs up to what retention and the slowest subscriber allow, each message once; a message held
//! back by a delivery is removed later by whatever ends that delivery. Reclaims the rows of deleted
//! topics and subscribers. Forgets idempotency keys past their window, unique keys that are
//! free, and results that have expired.

use rusqlite::{OptionalExtension as _, params};
use rustc_hash::FxHashSet as HashSet;

use super::cache::{LogId, SEQ_MAX, SubscriberId, TopicId, key};
use super::tx::{Step, Tx};
use super::{expiry, position, result, schedule, settle, unique};
use crate::failpoint;
use crate::limits;
use crate::op::Outcome;
use crate::options::Retention;

/// The answer is whether there is more to do.
pub(super) fn upkeep(tx: &mut Tx<'_>) -> Step<Outcome> {
    tx.flush()?;
    let more = expiry::pass_pending(tx)?;
    tx.flush()?;
    let more = more
        || trim(tx)?
        || forget_keys(tx)?
        || unique::forget(tx)?
        || result::forget(tx)?
        || reclaim(tx)?;
    Ok(Outcome::Upkeep { more })
}

// --- trim ---------------------------------------------------------------------------------------------

fn trim(tx: &mut Tx<'_>) -> Step<bool> {
    let logs = match tx.cache.trimmable.take() {
        Some(logs) => logs,
        None => all_logs(tx)?,
    };
    let mut left = HashSet::default();
    let mut aging = HashSet::default();
    let mut room = limits::TRIM_ROWS.cast_signed() as i64;
    for log in logs {
        if room <= 0 || trim_log(tx, log, &mut room)? {
            left.insert(log);
        } else if is_aging(tx, log)? {
            aging.insert(log);
        }
    }
    let more = !left.is_empty();
    left.extend(aging);
    tx.cache.trimmable = Some(left);
    Ok(more)
}

/// Time alone will make something of this log trimmable.
fn is_aging(tx: &Tx<'_>, log: LogId) -> Step<bool> {
    let Some(kept) = tx.cache.logs.get(&log) else { return Ok(false) };
    let log = &kept.value;
    let retention = tx.topic(log.topic)?.options.retention;
    Ok(log.trim_seq < log.last_seq && matches!(retention, Retention::Duration(_)))
}

fn all_logs(tx: &Tx<'_>) -> Step<HashSet<LogId>> {
    let sql = include_str!("../../../sql/sqlite/logs_untrimmed.sql");
    let mut statement = tx.connection.prepare_cached(sql)?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// The answer is whether there is more to trim in this log.
fn trim_log(tx: &mut Tx<'_>, log: LogId, room: &mut i64) -> Step<bool> {
    if tx.load_log_of(key(log, 0))?.is_none() {
        return Ok(false);
    }
    let topic = tx.log(log)?.topic;
    let floor = position::floor(tx, topic, log)?;
    let from = tx.log(log)?.trim_seq;
    let to = floor.min(from + *room);
    if to > from {
        *room -= to - from;
        tx.connection
            .prepare_cached(include_str!("../../../sql/sqlite/log_trimmed.sql"))?
            .execute(params![log, key(log, from), key(log, to)])?;
        trim_range(tx, topic, key(log, from), key(log, to))?;
        failpoint::hit("in_upkeep");
        let state = tx.log_mut(log)?;
        state.trim_seq = to;
        if to == state.last_seq {
            state.gap_count = 0;
        }
    }
    Ok(to < floor)
}

/// Deletes messages above `from` up to `to`, but for those that a delivery holds.
fn trim_range(tx: &Tx<'_>, topic: TopicId, from: i64, to: i64) -> Step<()> {
    let held_sql = include_str!("../../../sql/sqlite/delivery_held.sql");
    let mut held = tx
        .connection
        .prepare_cached(held_sql)?
        .query_map(params![from, to, topic], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    held.sort_unstable();
    let mut start = from;
    for end in held.into_iter().chain([to + 1]) {
        if end - 1 > start {
            for sql in [
                include_str!("../../../sql/sqlite/trim_messages.sql"),
                include_str!("../../../sql/sqlite/trim_failures.sql"),
            ] {
                tx.connection.prepare_cached(sql)?.execute([start, end - 1])?;
            }
        }
        start = end;
    }
    Ok(())
}

fn forget_keys(tx: &Tx<'_>) -> Step<bool> {
    let forgotten = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/idempotency_forget.sql"))?
        .execute(params![tx.now, limits::STEP_ROWS])?;
    Ok(forgotten == limits::STEP_ROWS)
}

// --- reclaim ------------------------------------------------------------------------------------------

fn reclaim(tx: &mut Tx<'_>) -> Step<bool> {
    let subscriber: Option<(SubscriberId, TopicId)> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/subscriber_deleted.sql"))?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((id, topic)) = subscriber {
        reclaim_subscriber(tx, id, topic)?;
        return Ok(true);
    }
    let topic: Option<TopicId> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/topic_deleted.sql"))?
        .query_row([], |row| row.get(0))
        .optional()?;
    match topic {
        Some(id) => reclaim_topic(tx, id).map(|()| true),
        None => Ok(false),
    }
}

/// One step: a number of deliveries and what only they held back, or the rest.
fn reclaim_subscriber(tx: &mut Tx<'_>, id: SubscriberId, topic: TopicId) -> Step<()> {
    let held = held_by(tx, id, topic)?;
    let sql = include_str!("../../../sql/sqlite/deliveries_delete.sql");
    let deleted = tx.connection.prepare_cached(sql)?.execute(params![id, limits::STEP_ROWS])?;
    for message in held {
        settle::let_go(tx, message)?;
    }
    if deleted < limits::STEP_ROWS {
        for sql in [
            include_str!("../../../sql/sqlite/leases_delete.sql"),
            include_str!("../../../sql/sqlite/cursors_delete.sql"),
            include_str!("../../../sql/sqlite/subscriber_remove.sql"),
        ] {
            tx.connection.prepare_cached(sql)?.execute([id])?;
        }
        tx.leases.retain(|(subscriber, _), _| *subscriber != id);
    }
    Ok(())
}

/// The messages behind the trim frontier that the next step's deliveries hold, perhaps alone.
fn held_by(tx: &mut Tx<'_>, id: SubscriberId, topic: TopicId) -> Step<Vec<i64>> {
    if !tx.load_topic(topic)? {
        return Ok(Vec::new());
    }
    let sql = include_str!("../../../sql/sqlite/deliveries_first.sql");
    let keys = tx
        .connection
        .prepare_cached(sql)?
        .query_map(params![id, limits::STEP_ROWS], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    Ok(keys)
}

/// One step: a schedule, some messages of a log, or the rest. Its subscribers are reclaimed before it.
fn reclaim_topic(tx: &mut Tx<'_>, id: TopicId) -> Step<()> {
    let schedule: Option<i64> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedule_first.sql"))?
        .query_row([id], |row| row.get(0))
        .optional()?;
    if let Some(schedule) = schedule {
        return schedule::remove(tx, schedule);
    }
    let log: Option<(LogId, i64)> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/log_first.sql"))?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((log, kind)) = log {
        let range = params![key(log, 0), key(log, SEQ_MAX), limits::STEP_ROWS];
        let sql = if kind == 0 {
            include_str!("../../../sql/sqlite/reclaim_messages.sql")
        } else {
            include_str!("../../../sql/sqlite/reclaim_delayed.sql")
        };
        if tx.connection.prepare_cached(sql)?.execute(range)? < limits::STEP_ROWS {
            for sql in [
                include_str!("../../../sql/sqlite/reclaim_failures.sql"),
                include_str!("../../../sql/sqlite/log_delete.sql"),
            ] {
                tx.connection.prepare_cached(sql)?.execute([log])?;
            }
        }
        return Ok(());
    }
    let sql = include_str!("../../../sql/sqlite/reclaim_keys.sql");
    let keys = tx.connection.prepare_cached(sql)?.execute(params![id, limits::STEP_ROWS])?;
    if keys < limits::STEP_ROWS {
        let sql = include_str!("../../../sql/sqlite/topic_remove.sql");
        tx.connection.prepare_cached(sql)?.execute([id])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
