//! Places in a log: by time, by bytes, by what retention keeps.
//!
//! Sequence numbers may have gaps, but times and positions never go back, so places are found by
//! halving with one key probe each. Needs a flushed cache.

use rusqlite::{OptionalExtension as _, params};

use super::cache::{LogId, TopicId, key, seq_of};
use super::tx::{Step, Tx};
use crate::clock::{Millis, duration_millis};
use crate::options::Retention;

/// The first message above a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    pub seq: i64,
    pub published_at: Millis,
    pub position: i64,
}

/// The first message of a log with a sequence number above `seq`.
pub(super) fn first_above(tx: &Tx<'_>, log: LogId, seq: i64) -> Step<Option<Probe>> {
    let last = tx.log(log)?.last_seq;
    Ok(tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/message_first_above.sql"))?
        .query_row(params![key(log, seq), key(log, last)], |row| {
            Ok(Probe { seq: seq_of(row.get(0)?), published_at: row.get(1)?, position: row.get(2)? })
        })
        .optional()?)
}

/// The sequence number of the last message before the first one for which `wanted` holds; `wanted` must
/// hold for all messages after the first for which it does.
pub(super) fn last_before(tx: &Tx<'_>, log: LogId, wanted: impl Fn(&Probe) -> bool) -> Step<i64> {
    let state = tx.log(log)?;
    // Everything at or below `low` is unwanted, everything above `high` wanted.
    let (mut low, mut high) = (state.trim_seq, state.last_seq);
    while low < high {
        let middle = low + (high - low) / 2;
        match first_above(tx, log, middle)? {
            Some(probe) if !wanted(&probe) => low = probe.seq,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Everything in the log at or below this was published before `at`.
pub(super) fn before_time(tx: &Tx<'_>, log: LogId, at: Millis) -> Step<i64> {
    last_before(tx, log, |probe| probe.published_at >= at)
}

/// Whether something of the log that was published at or after `at` has been trimmed.
pub(super) fn is_trimmed(tx: &Tx<'_>, log: LogId, at: Millis) -> Step<bool> {
    let sql = include_str!("../../../sql/sqlite/log_trimmed_at.sql");
    let trimmed_at: Millis =
        tx.connection.prepare_cached(sql)?.query_row([log], |row| row.get(0))?;
    Ok(at <= trimmed_at)
}

/// What all subscribers of a topic have claimed or skipped of a log.
pub(super) fn claimed_by_all(tx: &Tx<'_>, log: LogId) -> Step<i64> {
    let state = tx.log(log)?;
    let lowest: Option<i64> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/cursor_lowest.sql"))?
        .query_row(params![state.topic, log], |row| row.get(0))?;
    Ok(lowest.unwrap_or(state.last_seq))
}

/// Everything in the log at or below this is not kept: retention has passed, and nobody wants it.
pub(super) fn floor(tx: &Tx<'_>, topic: TopicId, log: LogId) -> Step<i64> {
    let claimed = claimed_by_all(tx, log)?;
    let state = tx.log(log)?;
    let allowed = match tx.topic(topic)?.options.retention {
        Retention::None => state.last_seq,
        Retention::Duration(duration) => {
            let cutoff = tx.now - duration_millis(duration);
            last_before(tx, log, |probe| probe.published_at > cutoff)?
        }
        Retention::Count(count) => surplus(tx, topic, log, Measure::Count, count)?,
        Retention::Bytes(bytes) => surplus(tx, topic, log, Measure::Bytes, bytes)?,
    };
    Ok(allowed.min(claimed).max(state.trim_seq))
}

#[derive(Clone, Copy)]
enum Measure {
    Count,
    Bytes,
}

/// The part of a log that a topic holds beyond its newest `kept` messages or bytes. The logs of
/// different priorities are one by the time of their messages.
fn surplus(tx: &Tx<'_>, topic: TopicId, log: LogId, measure: Measure, kept: u64) -> Step<i64> {
    let logs = &tx.topic(topic)?.logs;
    let kept = i64::try_from(kept).unwrap_or(i64::MAX);
    if let [_only] = logs.as_slice() {
        return behind(tx, log, measure, kept);
    }
    // The first time since which all logs together hold no more than is kept.
    let newest = tx.log(log)?.published_at;
    let (mut low, mut high) = (0, newest.saturating_add(2));
    while low < high {
        let middle = low + (high - low) / 2;
        let mut held = 0;
        for log in logs {
            held += held_since(tx, *log, measure, middle)?;
        }
        let fits = match measure {
            Measure::Count => held < kept,
            Measure::Bytes => held <= kept,
        };
        if fits {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    match measure {
        // So many are kept at least: those of one time are kept together.
        Measure::Count => before_time(tx, log, low - 1),
        Measure::Bytes => before_time(tx, log, low),
    }
}

/// The part of one log beyond its newest `kept`.
fn behind(tx: &Tx<'_>, log: LogId, measure: Measure, kept: i64) -> Step<i64> {
    let state = tx.log(log)?;
    match measure {
        Measure::Count => Ok((state.last_seq - kept).max(0)),
        Measure::Bytes => {
            let position = state.position;
            last_before(tx, log, |probe| position - probe.position <= kept)
        }
    }
}

/// How much a log holds that was published at or after a time.
fn held_since(tx: &Tx<'_>, log: LogId, measure: Measure, at: Millis) -> Step<i64> {
    let seq = before_time(tx, log, at)?;
    let state = tx.log(log)?;
    Ok(match measure {
        Measure::Count => state.last_seq - seq,
        Measure::Bytes => {
            first_above(tx, log, seq)?.map_or(0, |probe| state.position - probe.position)
        }
    })
}
