//! The backlog limit of a topic: a forgotten subscriber must not fill the disk unnoticed.
//!
//! Far from the limit a publish costs a comparison: the topic's cache holds upper bounds that grow with
//! each publish, and only when they reach the limit are the subscribers looked at.

use std::collections::HashMap;

use rusqlite::params;

use super::cache::{Backlog, LogId, SubscriberId, TopicId, key};
use super::position::{self, Probe};
use super::tx::{Step, Tx};
use crate::clock::{Millis, duration_millis};
use crate::error::Error;
use crate::options::{BacklogLimit, BacklogPolicy, Message};

/// Refuses a publish beyond the limit, if that is the topic's policy and somebody could lag behind.
pub(super) fn check<'m>(
    tx: &mut Tx<'_>,
    topic: TopicId,
    messages: impl Iterator<Item = &'m Message>,
) -> Step<()> {
    let limit = tx.topic(topic)?.options.backlog_limit;
    if !limit.is_limited()
        || limit.policy != BacklogPolicy::Refuse
        || tx.topic(topic)?.subscriber_count == 0
    {
        return Ok(());
    }
    let mut added = Backlog::default();
    for message in messages {
        added.messages += 1;
        added.bytes += message.size_bytes() as u64;
    }
    if added.messages == 0 {
        return Ok(());
    }
    let known = tx.topic(topic)?.backlog;
    let fits = |backlog: Backlog| beyond(&limit, sum(backlog, added), tx.now).is_none();
    let backlog = match known {
        Some(known) if fits(known) => known,
        _ => measure(tx, topic)?.backlog,
    };
    if let Some(what) = beyond(&limit, sum(backlog, added), tx.now) {
        let topic = tx.topic(topic)?.name.to_string();
        return Err(Error::BacklogFull { topic, what }.into());
    }
    // A clock that went back makes what comes now older than what is there.
    let oldest_at = Some(backlog.oldest_at.map_or(tx.now, |oldest_at| oldest_at.min(tx.now)));
    let grown = Backlog { oldest_at, ..sum(backlog, added) };
    // The bounds are only memory, like the rest of the cache; no row is behind.
    if let Some(kept) = tx.cache.topics.get_mut(&topic) {
        kept.value.backlog = Some(grown);
    }
    Ok(())
}

/// After a publish: skips the oldest messages beyond the limit, if that is the topic's policy.
pub(super) fn enforce(tx: &mut Tx<'_>, topic: TopicId) -> Step<()> {
    let limit = tx.topic(topic)?.options.backlog_limit;
    if !limit.is_limited() || limit.policy != BacklogPolicy::DropOldest {
        return Ok(());
    }
    let mut measured = measure(tx, topic)?;
    let mut dropped = false;
    while beyond(&limit, measured.backlog, tx.now).is_some() {
        let Some((log, oldest)) = measured.oldest() else { break };
        let next = position::first_above(tx, log, oldest.seq)?;
        // What was removed right behind it goes with it.
        let end = tx.log(log)?;
        let (seq, position) =
            next.map_or((end.last_seq + 1, end.position), |next| (next.seq, next.position));
        measured.pass(log, oldest.seq, next, (seq - oldest.seq, position - oldest.position));
        dropped = true;
    }
    if dropped {
        skip(tx, topic, &measured)?;
    }
    Ok(())
}

fn sum(backlog: Backlog, added: Backlog) -> Backlog {
    Backlog {
        messages: backlog.messages + added.messages,
        bytes: backlog.bytes + added.bytes,
        oldest_at: backlog.oldest_at,
    }
}

/// Which limit is exceeded, if any.
fn beyond(limit: &BacklogLimit, backlog: Backlog, now: Millis) -> Option<&'static str> {
    let too_old =
        |age| backlog.oldest_at.is_some_and(|oldest_at| now - oldest_at > duration_millis(age));
    if limit.messages.is_some_and(|messages| backlog.messages > messages) {
        Some("messages")
    } else if limit.bytes.is_some_and(|bytes| backlog.bytes > bytes) {
        Some("bytes")
    } else if limit.age.is_some_and(too_old) {
        Some("age")
    } else {
        None
    }
}

/// How far the slowest subscribers are behind, exactly.
struct Measured {
    backlog: Backlog,
    /// The slowest cursor of each log, and the first message above it.
    floors: HashMap<LogId, (i64, Option<Probe>)>,
}

impl Measured {
    /// The oldest message that somebody has not claimed.
    fn oldest(&self) -> Option<(LogId, Probe)> {
        let heads = self.floors.iter().filter_map(|(log, (_, head))| Some((*log, (*head)?)));
        heads.min_by_key(|(log, head)| (head.published_at, *log))
    }

    /// Gives up the oldest message of a log, by which the backlog shrinks by a count and bytes.
    fn pass(&mut self, log: LogId, seq: i64, next: Option<Probe>, (count, bytes): (i64, i64)) {
        self.floors.insert(log, (seq, next));
        let less = |sum: u64, less| sum.saturating_sub(u64::try_from(less).unwrap_or(0));
        self.backlog.messages = less(self.backlog.messages, count);
        self.backlog.bytes = less(self.backlog.bytes, bytes);
        self.backlog.oldest_at = self.oldest().map(|(_, head)| head.published_at);
    }
}

fn measure(tx: &mut Tx<'_>, topic: TopicId) -> Step<Measured> {
    tx.flush()?;
    let state = tx.topic(topic)?;
    let mut messages = state.delayed_count;
    let mut bytes = state.delayed_bytes;
    let mut floors = HashMap::new();
    for log in &state.logs {
        let floor = position::claimed_by_all(tx, *log)?;
        let head = position::first_above(tx, *log, floor)?;
        let state = tx.log(*log)?;
        if let Some(head) = head {
            messages += state.last_seq - head.seq + 1;
            bytes += state.position - head.position;
        }
        floors.insert(*log, (floor, head));
    }
    let unsigned = |value: i64| u64::try_from(value).unwrap_or(0);
    let backlog = Backlog { messages: unsigned(messages), bytes: unsigned(bytes), oldest_at: None };
    let mut measured = Measured { backlog, floors };
    measured.backlog.oldest_at = measured.oldest().map(|(_, head)| head.published_at);
    Ok(measured)
}

/// Moves every cursor up to what may still be pending.
fn skip(tx: &mut Tx<'_>, topic: TopicId, measured: &Measured) -> Step<()> {
    for id in tx.subscribers_of(topic)? {
        for (log, (floor, _)) in &measured.floors {
            let cursor = tx.subscriber(id)?.cursor(*log);
            if cursor < *floor {
                let subscriber = tx.subscriber_mut(id)?;
                subscriber.move_cursor(*log, *floor);
                subscriber.counts.dropped += floor - cursor;
                tx.effects.ended.push((key(*log, cursor), key(*log, *floor)));
                pass(tx, id, key(*log, cursor), key(*log, *floor))?;
                tx.cache.may_trim(*log);
            }
        }
    }
    Ok(())
}

/// What lay ahead of the cursor is behind it: what was to be skipped holds no message any more.
fn pass(tx: &mut Tx<'_>, id: SubscriberId, from: i64, to: i64) -> Step<()> {
    if tx.subscriber(id)?.counts.ahead == 0 {
        return Ok(());
    }
    let range = params![id, from, to];
    let passed: i64 = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/rows_ahead.sql"))?
        .query_row(range, |row| row.get(0))?;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/skips_behind.sql"))?
        .execute(range)?;
    tx.counts(id)?.ahead -= passed;
    Ok(())
}
