//! Topics and subscribers in numbers: counters and key probes, no scans.

use std::time::Duration;

use rusqlite::params;

use super::super::cache::{SubscriberId, TopicId};
use super::super::position::first_above;
use super::super::tx::{Step, Tx};
use crate::clock::Millis;
use crate::model::{CursorStats, LogStats, SubscriberStats, TopicStats};
use crate::op::{Answer, Source};

/// Due retries are counted up to this; beyond it all retries count as due.
const DUE_MAX: i64 = 10_000;

pub(super) fn topic(tx: &mut Tx<'_>, name: &str) -> Step<Answer> {
    let id = tx.topic_id(name)?;
    let mut subscribers = Vec::new();
    for subscriber in tx.subscribers_of(id)? {
        subscribers.push(of_subscriber(tx, subscriber)?);
    }
    let topic = tx.topic(id)?;
    let mut logs = Vec::with_capacity(topic.logs.len());
    let mut published = topic.delayed_count + topic.delayed_cancelled_count;
    let (mut retained, mut retained_bytes) = (0, 0);
    for log in &topic.logs {
        let log = tx.log(*log)?;
        published += log.last_seq;
        retained += log.last_seq - log.trim_seq;
        retained_bytes += bytes_above(tx, log.id, log.trim_seq)?;
        logs.push(LogStats {
            priority: log.priority,
            last_sequence: unsigned(log.last_seq),
            trimmed_sequence: unsigned(log.trim_seq),
        });
    }
    Ok(Answer::TopicStats(TopicStats {
        topic: topic.name.to_string(),
        paused: topic.paused,
        published_count: unsigned(published),
        delayed_count: unsigned(topic.delayed_count),
        retained_count: unsigned(retained),
        retained_bytes: unsigned(retained_bytes),
        logs,
        subscribers,
    }))
}

pub(super) fn subscriber(tx: &mut Tx<'_>, source: &Source) -> Step<Answer> {
    let id = tx.subscriber_id(source)?;
    Ok(Answer::SubscriberStats(of_subscriber(tx, id)?))
}

fn of_subscriber(tx: &Tx<'_>, id: SubscriberId) -> Step<SubscriberStats> {
    let subscriber = tx.subscriber(id)?;
    let counts = &subscriber.counts;
    let pending = pending(tx, id, subscriber.topic)?;
    let due = due_retries(tx, id, subscriber.topic)?;
    let age = pending.oldest_at.map(|at| u64::try_from(tx.now - at).unwrap_or(0));
    Ok(SubscriberStats {
        topic: subscriber.topic_name.to_string(),
        subscriber: subscriber.name.to_string(),
        paused: subscriber.paused,
        pending_count: unsigned(pending.count),
        pending_bytes: unsigned(pending.bytes),
        ready_count: unsigned(pending.count + due),
        leased_count: unsigned(counts.leased),
        retrying_count: unsigned(counts.retrying),
        parked_count: unsigned(counts.parked),
        dead_count: unsigned(counts.dead),
        exact: pending.exact && counts.ahead == 0,
        oldest_age: age.map(Duration::from_millis),
        cursors: pending.cursors,
        claimed_count: unsigned(counts.claimed),
        acked_count: unsigned(counts.acked),
        nacked_count: unsigned(counts.nacked),
        expired_count: unsigned(counts.expired),
        ttl_expired_count: unsigned(counts.ttl_expired),
        filtered_count: unsigned(counts.filtered),
        dropped_count: unsigned(counts.dropped),
    })
}

struct Pending {
    count: i64,
    bytes: i64,
    oldest_at: Option<Millis>,
    exact: bool,
    cursors: Vec<CursorStats>,
}

/// What is between the cursors of a subscriber and the ends of the logs.
fn pending(tx: &Tx<'_>, id: SubscriberId, topic: TopicId) -> Step<Pending> {
    let subscriber = tx.subscriber(id)?;
    let mut pending =
        Pending { count: 0, bytes: 0, oldest_at: None, exact: true, cursors: Vec::new() };
    for log in &tx.topic(topic)?.logs {
        let log = tx.log(*log)?;
        let cursor = subscriber.cursor(log.id);
        pending.cursors.push(CursorStats {
            priority: log.priority,
            sequence: unsigned(cursor),
            last_sequence: unsigned(log.last_seq),
        });
        if cursor >= log.last_seq {
            continue;
        }
        // With no message above the cursor, what is left of the log was cancelled.
        let Some(first) = first_above(tx, log.id, cursor)? else { continue };
        pending.count += log.last_seq - (first.seq - 1);
        pending.bytes += log.position - first.position;
        // Some of it may be skipped.
        let may_skip = log.expiring || subscriber.options.filter.is_some();
        pending.exact &= log.gap_count == 0 && !may_skip;
        let oldest = [pending.oldest_at, Some(first.published_at)];
        pending.oldest_at = oldest.into_iter().flatten().min();
    }
    Ok(pending)
}

fn due_retries(tx: &Tx<'_>, id: SubscriberId, topic: TopicId) -> Step<i64> {
    let retrying = tx.subscriber(id)?.counts.retrying;
    if retrying == 0 {
        return Ok(0);
    }
    let mut priorities = Vec::new();
    for log in &tx.topic(topic)?.logs {
        priorities.push(tx.log(*log)?.priority);
    }
    priorities.dedup();
    let mut due = 0;
    for priority in priorities {
        let counted: i64 = tx
            .connection
            .prepare_cached(include_str!("../../../../sql/sqlite/retries_due_count.sql"))?
            .query_row(params![id, priority, tx.now, DUE_MAX], |row| row.get(0))?;
        due += counted;
    }
    Ok(if due >= DUE_MAX { retrying } else { due })
}

fn bytes_above(tx: &Tx<'_>, log: i64, seq: i64) -> Step<i64> {
    let position = tx.log(log)?.position;
    Ok(first_above(tx, log, seq)?.map_or(0, |first| position - first.position))
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
