//! Claim: lease deliveries to one consumer.
//!
//! Owns the transitions pending → leased and retrying → leased, and the cursor. Does not settle.
//! Highest priority first; within one priority whatever became claimable first, be it a retry or a
//! message that nobody has seen. Invariant: a delivery has at most one live receipt.

mod pick;
pub(super) mod select;

use std::sync::Arc;

use rusqlite::params;

use super::cache::{LogId, SubscriberId};
use super::keys::{self, Rule};
use super::tx::{Step, Tx};
use super::{encode, limit};
use crate::clock::{Millis, duration_millis, from_millis};
use crate::entropy;
use crate::model::{Delivery, Receipt};
use crate::op::{Claim, ClaimOutcome, Ends, Outcome};
use pick::Picked;
use select::Selection;

pub(super) fn claim(tx: &mut Tx<'_>, claim: &Claim) -> Step<Outcome> {
    let mut outcome = ClaimOutcome::default();
    let mut subscribers = Vec::with_capacity(claim.sources.len());
    for source in claim.sources.iter() {
        subscribers.push(tx.subscriber_id(source)?);
    }
    for &id in &subscribers {
        let subscriber = tx.subscriber(id)?;
        if tx.is_paused(id)? {
            continue;
        }
        let limit = claim.limit.unwrap_or(subscriber.options.claim_limit);
        let lease_ms = claim.lease_ms.unwrap_or_else(|| duration_millis(subscriber.options.lease));
        let sifts_on = keys::sift(tx, id)?;
        let mut selection = Selection::of(tx, id)?;
        let picked = pick::pick(tx, &mut selection, limit)?;
        finish_ahead(tx, id)?;
        if !picked.is_empty() {
            outcome.deliveries = lease(tx, id, picked, lease_ms)?;
        }
        let due = if sifts_on { Some(tx.now) } else { when_next(tx, id, &selection.stuck)? };
        outcome.next_due = [outcome.next_due, due].into_iter().flatten().min();
        if !outcome.deliveries.is_empty() {
            break;
        }
        // Subscribers after this one wait for it, as they would if it had something.
        let scans_on = selection.unfinished && !has_reached(tx, id, claim.ends.as_ref())?;
        if scans_on || sifts_on {
            let ends = claim.ends.clone().map_or_else(|| ends(tx, &subscribers), Ok)?;
            outcome.go_on = Some(ends);
            break;
        }
    }
    Ok(Outcome::Claimed(outcome))
}

/// Where the logs of these subscribers end now.
fn ends(tx: &Tx<'_>, subscribers: &[SubscriberId]) -> Step<Ends> {
    let mut ends = Vec::new();
    for id in subscribers {
        for log in &tx.topic(tx.subscriber(*id)?.topic)?.logs {
            ends.push((*log, tx.log(*log)?.last_seq));
        }
    }
    Ok(ends.into())
}

/// The cursors are where the logs ended when the claim began.
fn has_reached(tx: &Tx<'_>, id: SubscriberId, ends: Option<&Ends>) -> Step<bool> {
    let Some(ends) = ends else { return Ok(false) };
    let subscriber = tx.subscriber(id)?;
    let logs = &tx.topic(subscriber.topic)?.logs;
    let mut own = ends.iter().filter(|(log, _)| logs.contains(log));
    Ok(own.all(|(log, end)| subscriber.cursor(*log) >= *end))
}

/// When the next delivery can be claimed, as far as that can be told without a claim.
pub(super) fn look_next(tx: &Tx<'_>, id: SubscriberId) -> Step<Option<Millis>> {
    // What is parked may be let go by a claim.
    let sifts = tx.subscriber(id)?.sifted_key.is_some();
    if sifts { Ok(Some(tx.now)) } else { when_next(tx, id, &[]) }
}

/// When the next delivery can be claimed, if that is known; now, if one could be at once. `stuck`: logs in
/// which nothing new is read until a key is free.
fn when_next(tx: &Tx<'_>, id: SubscriberId, stuck: &[LogId]) -> Step<Option<Millis>> {
    let next = if limit::allowance(tx, id)?.slots == Some(0) {
        // The end of a lease says so itself; one that has expired can be taken over.
        (tx.subscriber(id)?.counts.lapsed > 0).then_some(tx.now)
    } else {
        next_in_logs(tx, id, stuck)?
    };
    let token = limit::next_token(tx, id)?;
    Ok(next.map(|next| token.map_or(next, |token| next.max(token))))
}

fn next_in_logs(tx: &Tx<'_>, id: SubscriberId, stuck: &[LogId]) -> Step<Option<Millis>> {
    let subscriber = tx.subscriber(id)?;
    let mut next: Option<Millis> = None;
    let mut last_priority = None;
    for log in &tx.topic(subscriber.topic)?.logs {
        let log = tx.log(*log)?;
        if subscriber.cursor(log.id) < log.last_seq && !stuck.contains(&log.id) {
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
    let lapsed = picked.iter().filter(|item| item.is_lapsed()).count().cast_signed() as i64;
    let counts = tx.counts(id)?;
    counts.lease_seq += 1;
    counts.claimed += count;
    counts.leased += count;
    counts.retrying -= retried;
    counts.lapsed -= lapsed;
    let lease = counts.lease_seq;
    insert_lease(tx, id, lease, &token, expires_at, &runs(picked.iter().map(|item| item.key)))?;
    write_deliveries(tx, id, lease, &picked)?;
    limit::spend(tx, id, count)?;
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
    let insert_sql = match Rule::of(&tx.subscriber(id)?.options) {
        None => include_str!("../../../sql/sqlite/delivery_insert_run.sql"),
        Some(_) => include_str!("../../../sql/sqlite/delivery_insert_keyed_run.sql"),
    };
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
