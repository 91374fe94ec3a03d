//! Fire: what time brings to schedules, and what the settlement of a message brings to those that wait.
//!
//! Owns the overlap policies; [`crate::firing`] owns what is missed. An occurrence, its message and its
//! place in the history are one transaction. Invariant: a schedule decides about each occurrence once, in
//! order, whatever processes, clocks and crashes do.

use rusqlite::params;

use super::cache::{Next, Queued, TopicId};
use super::expiry::Life;
use super::schedule::{self, Entry, Stored};
use super::standing;
use super::tx::{Step, Stop, Tx};
use crate::clock::Millis;
use crate::error::Error;
use crate::failpoint;
use crate::firing;
use crate::limits;
use crate::model::RunStatus;
use crate::options::OverlapPolicy;
use crate::recurrence::Recurrence;

/// Fires what waited, then what is due, a bounded number of schedules; when the next one is due is known
/// afterwards. The answer is whether more waited than one transaction may fire.
pub(super) fn bring(tx: &mut Tx<'_>) -> Step<bool> {
    learn_next(tx)?;
    let more = fire_queued(tx)?;
    if tx.cache.next_schedule.is_due(tx.now) {
        fire_due(tx)?;
    }
    Ok(more)
}

pub(super) fn learn_next(tx: &mut Tx<'_>) -> Step<()> {
    if tx.cache.next_schedule == Next::Unknown {
        look(tx)?;
    }
    Ok(())
}

fn fire_due(tx: &mut Tx<'_>) -> Step<()> {
    let due: Vec<i64> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedules_due.sql"))?
        .query_map(params![tx.now, limits::STEP_SCHEDULES], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut cost = 0;
    for id in due {
        if cost < tx.step_bytes {
            cost += fire(tx, id)?;
        }
    }
    // What is left is due at once, and makes the next group.
    look(tx)
}

fn look(tx: &mut Tx<'_>) -> Step<()> {
    let (next, waiting): (Option<Millis>, bool) = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedules_next.sql"))?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    tx.cache.next_schedule = Next::known(next);
    tx.cache.queued = if waiting { None } else { Some(Vec::new()) };
    Ok(())
}

/// Fires one schedule; the answer is what that cost, in bytes.
fn fire(tx: &mut Tx<'_>, id: i64) -> Step<usize> {
    let mut stored = schedule::get(tx, id)?;
    let Some(first) = stored.next_at else { return Ok(0) };
    if !tx.load_topic(stored.topic)? {
        schedule::plan(tx, &stored, false, None)?;
        return Ok(0);
    }
    let recurrence = match Recurrence::new(&stored.options, stored.created_at) {
        Ok(recurrence) => recurrence,
        Err(error) => return stop(tx, &mut stored, first, &error).map(|()| 0),
    };
    let who = stored.identity(tx.tag);
    let mut firing = firing::decide(&stored.options, &recurrence, who, first, tx.now);
    // Messages of no bytes cost time, too.
    let cost = stored.options.message.size_bytes().max(tx.step_bytes / limits::STEP_ROWS);
    firing.fire.truncate((tx.step_bytes / cost).max(1));
    // What there is no room for is still to come.
    let decided = firing.fire.last().map_or(firing.newest, |last| *last);
    if !advance(tx, &stored, first, decided, recurrence.after(decided))? {
        return Ok(0);
    }
    failpoint::hit("in_schedule");
    if let Some((from, until)) = firing.missed {
        let until = Some(until).filter(|until| *until > from);
        let entry = Entry { until, ..Entry::of(RunStatus::SkippedMisfire, from) };
        schedule::record(tx, &mut stored, &entry)?;
    }
    for occurrence in &firing.fire {
        fire_occurrence(tx, &mut stored, *occurrence)?;
    }
    schedule::write_progress(tx, &stored)?;
    Ok(cost * firing.fire.len())
}

/// Compare and set: whoever finds another next occurrence than it has decided about does nothing.
fn advance(
    tx: &mut Tx<'_>,
    stored: &Stored,
    first: Millis,
    decided: Millis,
    next: Option<Millis>,
) -> Step<bool> {
    let due = schedule::due_of(tx, stored, next);
    let changed = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedule_advance.sql"))?
        .execute(params![stored.id, first, next, due, decided])?;
    Ok(changed == 1)
}

/// A rule that cannot be read any more, for example because a time zone is gone, must not stop others.
fn stop(tx: &mut Tx<'_>, stored: &mut Stored, first: Millis, error: &Error) -> Step<()> {
    schedule::plan(tx, stored, false, None)?;
    let error = error.to_string();
    let entry = Entry { error: Some(&error), ..Entry::of(RunStatus::Stopped, first) };
    schedule::record(tx, stored, &entry)?;
    schedule::write_progress(tx, stored)
}

fn fire_occurrence(tx: &mut Tx<'_>, stored: &mut Stored, occurrence: Millis) -> Step<()> {
    let status = match stored.options.overlap {
        OverlapPolicy::Allow => return publish(tx, stored, occurrence),
        // Who waits goes first.
        _ if stored.queued_at.is_some() => RunStatus::SkippedOverlap,
        _ if running(tx, stored.topic, stored.message.map(|(key, _)| key))?.is_none() => {
            return publish(tx, stored, occurrence);
        }
        OverlapPolicy::Skip => RunStatus::SkippedOverlap,
        OverlapPolicy::Queue => {
            stored.queued_at = Some(occurrence);
            RunStatus::Queued
        }
    };
    schedule::record(tx, stored, &Entry::of(status, occurrence))?;
    Ok(())
}

/// Publishes the message of an occurrence. What the topic refuses is in the history, and not tried again.
fn publish(tx: &mut Tx<'_>, stored: &mut Stored, occurrence: Millis) -> Step<()> {
    match schedule::publish_message(tx, stored, Some(occurrence)) {
        Ok(()) => schedule::record(tx, stored, &Entry::of(RunStatus::Fired, occurrence))?,
        Err(Stop::Refused(error)) if !matches!(error, Error::Internal { .. }) => {
            let error = error.to_string();
            let entry = Entry { error: Some(&error), ..Entry::of(RunStatus::Refused, occurrence) };
            schedule::record(tx, stored, &entry)?
        }
        Err(broken) => return Err(broken),
    };
    Ok(())
}

/// The message before, if some subscriber has not settled it.
fn running(tx: &mut Tx<'_>, topic: TopicId, message: Option<i64>) -> Step<Option<Life>> {
    message.map_or(Ok(None), |key| standing::open(tx, topic, key))
}

// --- what waits ---------------------------------------------------------------------------------------

/// Fires occurrences that waited for a message which is settled now. The answer is whether there are more
/// than one transaction may fire.
pub(super) fn fire_queued(tx: &mut Tx<'_>) -> Step<bool> {
    let waiting = match tx.cache.queued.take() {
        Some(waiting) => waiting,
        None => all_queued(tx)?,
    };
    let mut left = Vec::with_capacity(waiting.len());
    let (mut bytes, mut more) = (0, false);
    for queued in waiting {
        if let Some(Life { expires_at }) = running(tx, queued.topic, queued.message)? {
            // Its end may be all that happens.
            if let Some(at) = expires_at {
                tx.cache.next_schedule.note(at);
            }
            left.push(queued);
        } else if bytes >= tx.step_bytes {
            left.push(queued);
            more = true;
        } else {
            bytes += release(tx, queued.schedule)?;
        }
    }
    tx.cache.queued = Some(left);
    Ok(more)
}

fn all_queued(tx: &Tx<'_>) -> Step<Vec<Queued>> {
    let sql = include_str!("../../../sql/sqlite/schedules_queued.sql");
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(Queued { schedule: row.get(0)?, topic: row.get(1)?, message: row.get(2)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn release(tx: &mut Tx<'_>, id: i64) -> Step<usize> {
    let mut stored = schedule::get(tx, id)?;
    let Some(occurrence) = stored.queued_at.take() else { return Ok(0) };
    publish(tx, &mut stored, occurrence)?;
    schedule::write_progress(tx, &stored)?;
    Ok(stored.options.message.size_bytes())
}
