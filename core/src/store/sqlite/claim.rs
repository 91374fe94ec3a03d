//! Claim: lease deliveries to one consumer.
//!
//! Owns the transitions pending → leased and retrying → leased, and the cursor. Does not settle.
//! Highest priority first; within one priority whatever became claimable first, be it a retry or a
//! message that nobody has seen. Invariant: a delivery has at most one live receipt.

use std::sync::Arc;

use rusqlite::{Row, Rows, params};

use super::cache::{LogId, SubscriberId, key, seq_of};
use super::encode;
use super::tx::{Step, Tx};
use crate::clock::{Millis, duration_millis, from_millis};
use crate::entropy;
use crate::limits;
use crate::model::{Delivery, IdParts, MessageId, Receipt};
use crate::op::{Claim, ClaimOutcome, Outcome};

/// A message read from its row, before anybody holds a lease on it.
struct Picked {
    key: i64,
    published_at: Millis,
    id: MessageId,
    payload: Vec<u8>,
    content_type: Option<String>,
    headers: Option<String>,
    correlation_id: Option<String>,
    ordering_key: Option<String>,
    expires_at: Option<Millis>,
    priority: i16,
    /// `None`: nobody has claimed it before.
    retry: Option<Retry>,
}

#[derive(Clone, Copy)]
struct Retry {
    ready_at: Millis,
    lease: Option<i64>,
    attempts: u32,
    failures: u32,
}

impl Picked {
    fn size(&self) -> usize {
        self.payload.len()
            + self.headers.as_ref().map_or(0, String::len)
            + self.content_type.as_ref().map_or(0, String::len)
            + self.correlation_id.as_ref().map_or(0, String::len)
    }

    /// Since when it could be claimed.
    fn since(&self) -> Millis {
        self.retry.map_or(self.published_at, |retry| retry.ready_at)
    }
}

pub(super) fn claim(tx: &mut Tx<'_>, claim: &Claim) -> Step<Outcome> {
    let mut next_due: Option<Millis> = None;
    let mut subscribers = Vec::with_capacity(claim.sources.len());
    for source in claim.sources.iter() {
        subscribers.push(tx.subscriber_id(source)?);
    }
    for id in subscribers {
        let subscriber = tx.subscriber(id)?;
        if tx.is_paused(id)? {
            continue;
        }
        let limit = claim.limit.unwrap_or(subscriber.options.claim_limit);
        let lease_ms = claim.lease_ms.unwrap_or_else(|| duration_millis(subscriber.options.lease));
        let picked = pick(tx, id, limit)?;
        let due = when_next(tx, id)?;
        next_due = [next_due, due].into_iter().flatten().min();
        if !picked.is_empty() {
            let deliveries = lease(tx, id, picked, lease_ms)?;
            return Ok(Outcome::Claimed(ClaimOutcome { deliveries, next_due }));
        }
    }
    Ok(Outcome::Claimed(ClaimOutcome { deliveries: Vec::new(), next_due }))
}

/// What a claim may still take.
struct Room {
    items: usize,
    bytes: usize,
}

impl Room {
    /// A single message may be larger than the bound.
    fn fits(&self, picked: &Picked, first: bool) -> bool {
        self.items > 0 && (first || picked.size() <= self.bytes)
    }

    fn take(&mut self, picked: &Picked) {
        self.items -= 1;
        self.bytes = self.bytes.saturating_sub(picked.size());
    }
}

/// Reads what to hand out, and moves the cursors past it.
fn pick(tx: &mut Tx<'_>, id: SubscriberId, limit: usize) -> Step<Vec<Picked>> {
    let mut room = Room { items: limit, bytes: limits::BATCH_BYTES_MAX };
    let mut picked = Vec::new();
    let logs = tx.topic(tx.subscriber(id)?.topic)?.logs.clone();
    let mut rest = logs.as_slice();
    while let Some(first) = rest.first() {
        let priority = tx.log(*first)?.priority;
        let mut same = 0;
        for log in rest {
            if tx.log(*log)?.priority != priority {
                break;
            }
            same += 1;
        }
        let (level, lower) = rest.split_at(same);
        rest = lower;
        if !pick_level(tx, id, priority, level, &mut room, &mut picked)? {
            break;
        }
    }
    Ok(picked)
}

/// Takes from one priority; the answer is whether there is room for a lower one.
fn pick_level(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    priority: i16,
    logs: &[LogId],
    room: &mut Room,
    picked: &mut Vec<Picked>,
) -> Step<bool> {
    let connection = tx.connection;
    let has_retries = tx.subscriber(id)?.counts.retrying > 0;
    let retries_sql = include_str!("../../../sql/sqlite/claim_retries.sql");
    let mut retries_statement = connection.prepare_cached(retries_sql)?;
    let mut retries = Head::default();
    if has_retries {
        let rows = retries_statement.query(params![id, priority, tx.now, room.items])?;
        retries.open(rows, Picked::from_retry, tx, priority)?;
    }
    for &log in logs {
        let (cursor, last_seq) = (tx.subscriber(id)?.cursor(log), tx.log(log)?.last_seq);
        let ahead = tx.subscriber(id)?.counts.ahead > 0;
        // The rest of the room, and one more to see whether the log goes on.
        let rows_max = if ahead { -1 } else { room.items.cast_signed() as i64 };
        let new_sql = include_str!("../../../sql/sqlite/claim_new.sql");
        let mut new_statement = connection.prepare_cached(new_sql)?;
        let mut new = Head::default();
        if cursor < last_seq {
            let range = params![key(log, cursor), key(log, last_seq), rows_max];
            new.open(new_statement.query(range)?, Picked::from_new, tx, priority)?;
        }
        let mut moved = cursor;
        let full = loop {
            let retry_first = match (&retries.item, &new.item) {
                (Some(retry), Some(new)) => retry.since() <= new.since(),
                (retry, new) => {
                    if new.is_none() {
                        // Retries go on with the next log of this priority, or after the last one.
                        break room.items == 0;
                    }
                    retry.is_some()
                }
            };
            if retry_first {
                if !hand_over(&mut retries, room, picked, tx, priority)? {
                    break true;
                }
                continue;
            }
            let Some(item) = new.item.as_ref().filter(|item| room.fits(item, picked.is_empty()))
            else {
                break true;
            };
            moved = seq_of(item.key);
            if ahead && skip_ahead(tx, id, &mut new)? {
                new.advance(tx, priority)?;
            } else {
                hand_over(&mut new, room, picked, tx, priority)?;
            }
        };
        // Read to its end: what was removed behind the last message is passed, too.
        if !full && new.item.is_none() && room.items > 0 {
            moved = last_seq;
        }
        tx.subscriber_mut(id)?.move_cursor(log, moved);
        if moved != cursor {
            tx.cache.may_trim(log);
        }
        if full {
            return Ok(false);
        }
    }
    while retries.item.is_some() {
        if !hand_over(&mut retries, room, picked, tx, priority)? {
            return Ok(false);
        }
    }
    Ok(room.items > 0)
}

/// Moves the next row into the claim; the answer is whether there was room for it.
fn hand_over(
    head: &mut Head<'_>,
    room: &mut Room,
    picked: &mut Vec<Picked>,
    tx: &Tx<'_>,
    priority: i16,
) -> Step<bool> {
    let Some(item) = head.item.take_if(|item| room.fits(item, picked.is_empty())) else {
        return Ok(false);
    };
    room.take(&item);
    picked.push(item);
    head.advance(tx, priority)?;
    Ok(true)
}

/// Reads a row, given the database's tag and the priority.
type ReadRow = fn(&Row<'_>, u16, i16) -> rusqlite::Result<Picked>;

/// The next row of a statement, read ahead by one so that two statements can be merged.
#[derive(Default)]
struct Head<'s> {
    rows: Option<(Rows<'s>, ReadRow)>,
    item: Option<Picked>,
}

impl<'s> Head<'s> {
    fn open(&mut self, rows: Rows<'s>, read: ReadRow, tx: &Tx<'_>, priority: i16) -> Step<()> {
        self.rows = Some((rows, read));
        self.advance(tx, priority)
    }

    fn advance(&mut self, tx: &Tx<'_>, priority: i16) -> Step<()> {
        self.item = match &mut self.rows {
            Some((rows, read)) => match rows.next()? {
                Some(row) => Some(read(row, tx.tag, priority)?),
                None => None,
            },
            None => None,
        };
        Ok(())
    }
}

impl Picked {
    fn from_new(row: &Row<'_>, tag: u16, priority: i16) -> rusqlite::Result<Self> {
        let (key, published_at) = (row.get(0)?, row.get(1)?);
        let origin: Option<i64> = row.get(2)?;
        let id = match origin {
            Some(origin) => MessageId::new(IdParts { at: row.get(3)?, key: origin, tag }),
            None => MessageId::new(IdParts { at: published_at, key, tag }),
        };
        Ok(Self {
            key,
            published_at,
            id,
            content_type: row.get(4)?,
            headers: row.get(5)?,
            correlation_id: row.get(6)?,
            payload: row.get(7)?,
            ordering_key: row.get(8)?,
            expires_at: row.get(9)?,
            priority,
            retry: None,
        })
    }

    fn from_retry(row: &Row<'_>, tag: u16, priority: i16) -> rusqlite::Result<Self> {
        let retry = Retry {
            ready_at: row.get(10)?,
            lease: row.get(11)?,
            attempts: row.get(12)?,
            failures: row.get(13)?,
        };
        Ok(Self { retry: Some(retry), ..Self::from_new(row, tag, priority)? })
    }
}

/// A message ahead of the cursor that has a row already: cancelled, in flight, or a dead letter that a
/// seek went back behind, which comes alive again. The answer is whether to pass over it.
fn skip_ahead(tx: &mut Tx<'_>, id: SubscriberId, head: &mut Head<'_>) -> Step<bool> {
    let Some(item) = &mut head.item else { return Ok(false) };
    let Some((state, failures)) = encode::delivery_state(tx.connection, item.key, id)? else {
        return Ok(false);
    };
    tx.counts(id)?.ahead -= 1;
    match state {
        encode::SKIPPED => {
            tx.connection
                .prepare_cached(include_str!("../../../sql/sqlite/delivery_delete.sql"))?
                .execute(params![item.key, id])?;
            Ok(true)
        }
        encode::DEAD => {
            let counts = tx.counts(id)?;
            counts.dead -= 1;
            counts.retrying += 1;
            let ready_at = item.published_at;
            item.retry = Some(Retry { ready_at, lease: None, attempts: 0, failures });
            Ok(false)
        }
        _ => Ok(true),
    }
}

/// When the next delivery can be claimed, if that is known; now, if one could be at once.
pub(super) fn when_next(tx: &Tx<'_>, id: SubscriberId) -> Step<Option<Millis>> {
    let subscriber = tx.subscriber(id)?;
    let mut next: Option<Millis> = None;
    let mut last_priority = None;
    for log in &tx.topic(subscriber.topic)?.logs {
        let log = tx.log(*log)?;
        if subscriber.cursor(log.id) < log.last_seq {
            return Ok(Some(tx.now));
        }
        if subscriber.counts.retrying > 0 && last_priority != Some(log.priority) {
            last_priority = Some(log.priority);
            let due = encode::next_retry(tx.connection, id, log.priority)?;
            next = [next, due].into_iter().flatten().min();
        }
    }
    Ok(next)
}

/// Writes the lease and the deliveries under it.
fn lease(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    picked: Vec<Picked>,
    lease_ms: Millis,
) -> Step<Vec<Delivery>> {
    let token = entropy::bytes::<16>();
    let expires_at = tx.now + lease_ms;
    let count = picked.len().cast_signed() as i64;
    let retried = picked.iter().filter(|item| item.retry.is_some()).count().cast_signed() as i64;
    let counts = tx.counts(id)?;
    counts.lease_seq += 1;
    counts.claimed += count;
    counts.leased += count;
    counts.retrying -= retried;
    let lease = counts.lease_seq;
    insert_lease(tx, id, lease, &token, expires_at, &runs(picked.iter().map(|item| item.key)))?;
    write_deliveries(tx, id, lease, &picked)?;
    finish_ahead(tx, id)?;
    let subscriber = tx.subscriber(id)?;
    let (topic, name) = (Arc::clone(&subscriber.topic_name), Arc::clone(&subscriber.name));
    let lease_expires_at = from_millis(expires_at);
    let deliveries = picked.into_iter().map(|item| Delivery {
        topic: Arc::clone(&topic),
        subscriber: Arc::clone(&name),
        message_id: item.id,
        receipt: Receipt { key: item.key, message: item.id, subscriber: id, lease, token },
        payload: item.payload,
        content_type: item.content_type,
        headers: encode::headers_from_json(item.headers.as_deref()),
        correlation_id: item.correlation_id,
        ordering_key: item.ordering_key,
        priority: item.priority,
        attempt: item.retry.map_or(0, |retry| retry.attempts) + 1,
        failures: item.retry.map_or(0, |retry| retry.failures),
        published_at: from_millis(item.published_at),
        expires_at: item.expires_at.map(from_millis),
        lease_expires_at,
    });
    Ok(deliveries.collect())
}

/// Writes a lease row for deliveries whose keys are in these runs.
pub(super) fn insert_lease(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    lease: i64,
    token: &[u8; 16],
    expires_at: Millis,
    (runs, live): &(Vec<i64>, i64),
) -> Step<()> {
    let runs = encode::runs_to_json(runs);
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/lease_insert.sql"))?
        .execute(params![id, lease, token, expires_at, live, runs])?;
    tx.cache.next_expiry.note(expires_at);
    Ok(())
}

/// First and last key of each run of neighbours, and how many keys there are.
pub(super) fn runs(keys: impl Iterator<Item = i64>) -> (Vec<i64>, i64) {
    let mut runs: Vec<i64> = Vec::new();
    let mut count = 0;
    for key in keys {
        count += 1;
        match runs.last_mut() {
            Some(last) if *last + 1 == key => *last = key,
            _ => runs.extend([key, key]),
        }
    }
    (runs, count)
}

fn write_deliveries(tx: &mut Tx<'_>, id: SubscriberId, lease: i64, picked: &[Picked]) -> Step<()> {
    let insert_sql = include_str!("../../../sql/sqlite/delivery_insert_run.sql");
    let again_sql = include_str!("../../../sql/sqlite/delivery_claim_again.sql");
    let is_run = |a: &Picked, b: &Picked| {
        a.retry.is_none() && b.retry.is_none() && a.priority == b.priority && a.key + 1 == b.key
    };
    for run in picked.chunk_by(is_run) {
        let [first, ..] = run else { continue };
        if let Some(retry) = first.retry {
            let again = params![first.key, id, lease, retry.attempts + 1];
            tx.connection.prepare_cached(again_sql)?.execute(again)?;
            if let Some(old) = retry.lease {
                tx.leave_lease(id, old)?;
            }
        } else {
            let last = first.key + run.len().cast_signed() as i64 - 1;
            let range = params![first.key - 1, last, id, lease, first.priority];
            tx.connection.prepare_cached(insert_sql)?.execute(range)?;
        }
    }
    Ok(())
}

/// With every cursor at its end nothing is ahead, whatever was removed meanwhile.
fn finish_ahead(tx: &mut Tx<'_>, id: SubscriberId) -> Step<()> {
    let subscriber = tx.subscriber(id)?;
    if subscriber.counts.ahead == 0 {
        return Ok(());
    }
    for log in &tx.topic(subscriber.topic)?.logs {
        if subscriber.cursor(*log) < tx.log(*log)?.last_seq {
            return Ok(());
        }
    }
    tx.counts(id)?.ahead = 0;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_run() {
        assert_eq!(runs([5, 6, 7, 9, 3, 4].into_iter()), (vec![5, 7, 9, 9, 3, 4], 6));
        assert_eq!(runs([].into_iter()), (vec![], 0));
    }
}
