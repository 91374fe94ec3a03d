//! Settle: what the holder of a live receipt decides about its delivery.
//!
//! Owns ack, nack, defer, cancel and release; [`super::extend`] owns extension. A receipt is live while
//! its delivery names the lease that the receipt's token belongs to. Invariant: a receipt that is not
//! live changes nothing.

use rusqlite::{OptionalExtension as _, params};

use super::cache::{SubscriberId, log_of, seq_of};
use super::extend::{self, Extension};
use super::tx::{Step, Tx};
use super::{encode, expiry, keys, limit, result};
use crate::backoff;
use crate::clock::{Millis, from_millis};
use crate::entropy;
use crate::error::{Error, Result};
use crate::limits;
use crate::model::{DeliveryState, Nacked, Receipt};
use crate::op::{Outcome, Settle, Settled, Verb};
use crate::options::Reply;

/// A delivery under a live receipt.
pub(super) struct Live {
    pub lease: i64,
    /// Its lease expired, and nobody has taken it over yet.
    pub expired: bool,
    pub attempts: u32,
    pub failures: u32,
    pub key: Option<String>,
}

pub(super) fn settle(tx: &mut Tx<'_>, items: &[Settle]) -> Step<Outcome> {
    let mut results = Vec::with_capacity(items.len());
    let mut extensions = Vec::new();
    let mut rest = items;
    while let [Settle { receipt, verb }, others @ ..] = rest {
        let run = ack_run(tx, rest)?;
        if run > 0 {
            results.extend((0..run).map(|_| Ok(Settled::Acked)));
            rest = rest.get(run..).unwrap_or_default();
            continue;
        }
        rest = others;
        let result = match verb {
            Verb::Ack => ack(tx, receipt, None)?,
            Verb::Reply(reply) => ack(tx, receipt, Some(reply))?,
            Verb::Nack { delay_ms, error, give_up } => {
                nack(tx, receipt, *delay_ms, error.as_deref(), *give_up)?
            }
            Verb::Defer { delay_ms } => defer(tx, receipt, *delay_ms)?,
            Verb::Cancel { reason } => cancel(tx, receipt, reason.as_deref())?,
            Verb::Extend { lease_ms } => match live(tx, receipt)? {
                Some(live) => {
                    let expires_at = tx.now + lease_ms;
                    extensions.push(Extension { receipt: *receipt, live, expires_at });
                    Ok(Settled::Extended { expires_at })
                }
                None => Err(Error::LeaseLost { id: receipt.message }),
            },
        };
        results.push(result);
    }
    extend::extend(tx, extensions)?;
    Ok(Outcome::Settled(results))
}

/// Acks neighbours that one claim handed out in two statements instead of one each. The answer is how
/// many items at the front that was; none unless all of them are as their claim left them.
fn ack_run(tx: &mut Tx<'_>, items: &[Settle]) -> Step<usize> {
    let is_next = |a: &Settle, b: &Settle| {
        let (a, b) = (&a.receipt, &b.receipt);
        a.key + 1 == b.key && (a.subscriber, a.lease, a.token) == (b.subscriber, b.lease, b.token)
    };
    let is_ack = |item: &Settle| item.verb == Verb::Ack;
    let mut runs = items.chunk_by(|a, b| is_ack(a) && is_ack(b) && is_next(a, b));
    let run = runs.next().unwrap_or_default();
    let [first, _, .., last] = run else { return Ok(0) };
    let (receipt, last) = (&first.receipt, &last.receipt);
    let count = run.len().cast_signed() as i64;
    // Where keys matter, each one that ends may set another one free.
    if !holds(tx, receipt)? || keys::rule(tx, receipt.subscriber)?.is_some() {
        return Ok(0);
    }
    let range = params![receipt.key, last.key, receipt.subscriber, receipt.lease];
    if !is_whole_lease(tx, receipt, last.key, count)? {
        let sql = include_str!("../../../sql/sqlite/delivery_count_run.sql");
        let found: i64 = tx.connection.prepare_cached(sql)?.query_row(range, |row| row.get(0))?;
        if found != count {
            return Ok(0);
        }
    }
    let ack_sql = include_str!("../../../sql/sqlite/delivery_ack_run.sql");
    tx.connection.prepare_cached(ack_sql)?.execute(range)?;
    tx.leave_lease_many(receipt.subscriber, receipt.lease, count)?;
    let counts = tx.counts(receipt.subscriber)?;
    counts.leased -= count;
    counts.acked += count;
    limit::freed(tx, receipt.subscriber)?;
    let_go_many(tx, receipt.key, last.key)?;
    tx.recent.add(receipt, last.key, Settled::Acked);
    Ok(run.len())
}

/// All that a claim handed out is still as it left it, and is settled now: no need to look at each.
fn is_whole_lease(tx: &mut Tx<'_>, receipt: &Receipt, last: i64, count: i64) -> Step<bool> {
    let runs = encode::runs_to_json(&[receipt.key, last]);
    Ok(tx.lease(receipt.subscriber, receipt.lease)?.is_some_and(|lease| {
        lease.live == count && lease.expires_at.is_some() && lease.runs == runs
    }))
}

/// The lease that made this receipt is still there.
fn holds(tx: &mut Tx<'_>, receipt: &Receipt) -> Step<bool> {
    let (id, token) = (receipt.subscriber, receipt.token);
    Ok(tx.load_subscriber(id)?
        && tx.lease(id, receipt.lease)?.is_some_and(|lease| lease.token == token))
}

fn ack(tx: &mut Tx<'_>, receipt: &Receipt, reply: Option<&Reply>) -> Step<Result<Settled>> {
    if !end_at_once(tx, receipt)? {
        let Some(live) = live(tx, receipt)? else { return Ok(repeated(tx, receipt, &Verb::Ack)) };
        end(tx, receipt, &live)?;
    }
    if let Some(reply) = reply {
        result::set(tx, receipt, reply)?;
    }
    tx.counts(receipt.subscriber)?.acked += 1;
    tx.recent.add(receipt, receipt.key, Settled::Acked);
    Ok(Ok(Settled::Acked))
}

/// The usual case in one statement: the delivery is still under the lease that its claim made.
fn end_at_once(tx: &mut Tx<'_>, receipt: &Receipt) -> Step<bool> {
    let id = receipt.subscriber;
    if !holds(tx, receipt)? || keys::rule(tx, id)?.is_some() {
        return Ok(false);
    }
    let deleted = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_ack.sql"))?
        .execute(params![receipt.key, id, receipt.lease])?;
    if deleted == 0 {
        return Ok(false);
    }
    tx.leave_lease(id, receipt.lease)?;
    tx.counts(id)?.leased -= 1;
    limit::freed(tx, id)?;
    let_go(tx, receipt.key)?;
    Ok(true)
}

fn cancel(tx: &mut Tx<'_>, receipt: &Receipt, reason: Option<&str>) -> Step<Result<Settled>> {
    let verb = Verb::Cancel { reason: None };
    let Some(live) = live(tx, receipt)? else { return Ok(repeated(tx, receipt, &verb)) };
    if reason.is_some() {
        record_failure(tx, receipt.subscriber, receipt.key, live.failures + 1, reason)?;
    }
    end(tx, receipt, &live)?;
    tx.counts(receipt.subscriber)?.cancelled += 1;
    tx.recent.add(receipt, receipt.key, Settled::Cancelled);
    Ok(Ok(Settled::Cancelled))
}

fn nack(
    tx: &mut Tx<'_>,
    receipt: &Receipt,
    delay_ms: Option<Millis>,
    error: Option<&str>,
    give_up: bool,
) -> Step<Result<Settled>> {
    let verb = Verb::Nack { delay_ms: None, error: None, give_up: false };
    let Some(live) = live(tx, receipt)? else { return Ok(repeated(tx, receipt, &verb)) };
    let (id, key, now) = (receipt.subscriber, receipt.key, tx.now);
    // The expiry of its lease has been counted as a failure already: this only says what went wrong.
    let failures = if live.expired { live.failures.max(1) } else { live.failures + 1 };
    if live.expired {
        set_failure(tx, id, key, failures, error)?;
    } else {
        record_failure(tx, id, key, failures, error)?;
    }
    leave(tx, receipt, &live)?;
    tx.counts(id)?.nacked += 1;
    let options = &tx.subscriber(id)?.options;
    let nacked = if give_up || live.attempts >= options.max_attempts {
        bury(tx, id, key, failures)?;
        tx.counts(id)?.dead += 1;
        Nacked { state: DeliveryState::DeadLettered, ready_at: None }
    } else {
        let pause = backoff::pause(&options.retry, failures, entropy::unit());
        let ready_at = now + delay_ms.unwrap_or(pause);
        retry(tx, id, key, &Wait { lease: None, ready_at, attempts: live.attempts, failures })?;
        tx.counts(id)?.retrying += 1;
        tx.note_ready(id, ready_at)?;
        Nacked { state: DeliveryState::Retrying, ready_at: Some(from_millis(ready_at)) }
    };
    keys::freed(tx, id, live.key.as_deref())?;
    tx.recent.add(receipt, receipt.key, Settled::Nacked(nacked));
    Ok(Ok(Settled::Nacked(nacked)))
}

fn defer(tx: &mut Tx<'_>, receipt: &Receipt, delay_ms: Millis) -> Step<Result<Settled>> {
    let verb = Verb::Defer { delay_ms };
    let Some(live) = live(tx, receipt)? else { return Ok(repeated(tx, receipt, &verb)) };
    let ready_at = tx.now + delay_ms;
    put_back(tx, receipt, &live, ready_at)?;
    tx.recent.add(receipt, receipt.key, Settled::Deferred { ready_at });
    Ok(Ok(Settled::Deferred { ready_at }))
}

/// Gives back what a caller never got to see: as if it had not been claimed.
pub(super) fn release(tx: &mut Tx<'_>, receipts: &[Receipt]) -> Step<Outcome> {
    for receipt in receipts {
        if let Some(live) = live(tx, receipt)? {
            let since: Option<Millis> = tx
                .connection
                .prepare_cached(include_str!("../../../sql/sqlite/message_published_at.sql"))?
                .query_row([receipt.key], |row| row.get(0))
                .optional()?;
            put_back(tx, receipt, &live, since.unwrap_or(tx.now))?;
            limit::spend(tx, receipt.subscriber, -1)?;
        }
    }
    Ok(Outcome::Done)
}

/// The attempt does not count: deferring for ever never makes a dead letter.
fn put_back(tx: &mut Tx<'_>, receipt: &Receipt, live: &Live, ready_at: Millis) -> Step<()> {
    let id = receipt.subscriber;
    leave(tx, receipt, live)?;
    let attempts = live.attempts.saturating_sub(1);
    let wait = Wait { lease: None, ready_at, attempts, failures: live.failures };
    retry(tx, id, receipt.key, &wait)?;
    tx.counts(id)?.retrying += 1;
    tx.note_ready(id, ready_at)?;
    keys::freed(tx, id, live.key.as_deref())
}

// --- what the verbs share -----------------------------------------------------------------------------

/// The delivery that a receipt is the right to, if it still is.
pub(super) fn live(tx: &mut Tx<'_>, receipt: &Receipt) -> Step<Option<Live>> {
    let (id, token) = (receipt.subscriber, receipt.token);
    if !tx.load_subscriber(id)? {
        return Ok(None);
    }
    let row = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_leased.sql"))?
        .query_row(params![receipt.key, id], |row| {
            let expired = row.get::<_, i64>(0)? != 1;
            Ok(Live {
                lease: row.get(1)?,
                expired,
                attempts: row.get(2)?,
                failures: row.get(3)?,
                key: row.get(4)?,
            })
        })
        .optional()?;
    let Some(live) = row else { return Ok(None) };
    let held = tx.lease(id, live.lease)?.is_some_and(|lease| lease.token == token);
    Ok(held.then_some(live))
}

/// The same settlement again is answered like the first time; anything else has lost its lease.
fn repeated(tx: &Tx<'_>, receipt: &Receipt, verb: &Verb) -> Result<Settled> {
    tx.recent.repeat(receipt, verb).ok_or(Error::LeaseLost { id: receipt.message })
}

/// The delivery is no longer under its lease.
fn leave(tx: &mut Tx<'_>, receipt: &Receipt, live: &Live) -> Step<()> {
    tx.leave_lease(receipt.subscriber, live.lease)?;
    let counts = tx.counts(receipt.subscriber)?;
    if live.expired {
        counts.retrying -= 1;
        counts.lapsed -= 1;
    } else {
        counts.leased -= 1;
    }
    limit::freed(tx, receipt.subscriber)
}

fn end(tx: &mut Tx<'_>, receipt: &Receipt, live: &Live) -> Step<()> {
    leave(tx, receipt, live)?;
    delete(tx, receipt.subscriber, receipt.key)?;
    keys::freed(tx, receipt.subscriber, live.key.as_deref())
}

/// Deletes the row of a delivery; its counters are the caller's.
pub(super) fn delete(tx: &mut Tx<'_>, id: SubscriberId, key: i64) -> Step<()> {
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_delete.sql"))?
        .execute(params![key, id])?;
    let_go(tx, key)
}

/// As [`let_go`], for neighbours.
fn let_go_many(tx: &mut Tx<'_>, first: i64, last: i64) -> Step<()> {
    tx.effects.ended.push((first, last));
    match tx.load_log_of(first)? {
        Some(log) if seq_of(first) <= tx.log(log)?.trim_seq => {
            (first..=last).try_for_each(|key| drop_message(tx, key))
        }
        _ => Ok(()),
    }
}

/// A delivery of this message has ended.
pub(super) fn let_go(tx: &mut Tx<'_>, key: i64) -> Step<()> {
    tx.effects.ended.push((key, key));
    drop_message(tx, key)
}

/// A message that the trimmer has passed is removed by whatever ends its last delivery.
fn drop_message(tx: &mut Tx<'_>, key: i64) -> Step<()> {
    let Some(log) = tx.load_log_of(key)? else { return Ok(()) };
    if seq_of(key) > tx.log(log)?.trim_seq {
        return Ok(());
    }
    let topic = tx.log(log)?.topic;
    let is_held = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/message_is_held.sql"))?
        .exists(params![key, topic])?;
    if is_held { Ok(()) } else { remove_message(tx, key) }
}

/// Deletes the row of a message, and its history.
pub(super) fn remove_message(tx: &mut Tx<'_>, key: i64) -> Step<()> {
    // Its number must not be forgotten with it.
    if seq_of(key) > tx.log(log_of(key))?.recorded_seq {
        tx.log_mut(log_of(key))?;
    }
    for sql in [
        include_str!("../../../sql/sqlite/message_delete.sql"),
        include_str!("../../../sql/sqlite/failure_delete.sql"),
    ] {
        tx.connection.prepare_cached(sql)?.execute([key])?;
    }
    Ok(())
}

/// How a delivery waits for its next attempt.
pub(super) struct Wait {
    /// The lease whose receipt lives on, if it only expired.
    pub lease: Option<i64>,
    pub ready_at: Millis,
    pub attempts: u32,
    pub failures: u32,
}

/// Makes a delivery wait; its counters are the caller's.
pub(super) fn retry(tx: &mut Tx<'_>, id: SubscriberId, key: i64, wait: &Wait) -> Step<()> {
    let expires_at = expiry::of(tx, key)?;
    expiry::note(tx, expires_at);
    let Wait { lease, ready_at, attempts, failures } = wait;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_retry.sql"))?
        .execute(params![key, id, lease, ready_at, attempts, failures, expires_at])?;
    Ok(())
}

/// Makes a delivery a dead letter; its counters are the caller's.
pub(super) fn bury(tx: &mut Tx<'_>, id: SubscriberId, key: i64, failures: u32) -> Step<()> {
    tx.effects.ended.push((key, key));
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_bury.sql"))?
        .execute(params![key, id, tx.now, failures])?;
    Ok(())
}

/// Adds to the history of a delivery, and forgets its oldest part.
pub(super) fn record_failure(
    tx: &Tx<'_>,
    id: SubscriberId,
    key: i64,
    failure: u32,
    error: Option<&str>,
) -> Step<()> {
    if failure == 1 {
        // What there is was before a seek.
        forget_failures(tx, id, key, u32::MAX)?;
    }
    set_failure(tx, id, key, failure, error)?;
    if failure > limits::ERRORS_KEPT_MAX {
        forget_failures(tx, id, key, failure - limits::ERRORS_KEPT_MAX)?;
    }
    Ok(())
}

/// Writes a failure, or corrects it.
fn set_failure(
    tx: &Tx<'_>,
    id: SubscriberId,
    key: i64,
    failure: u32,
    error: Option<&str>,
) -> Step<()> {
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/failure_set.sql"))?
        .execute(params![key, id, failure, tx.now, error])?;
    Ok(())
}

fn forget_failures(tx: &Tx<'_>, id: SubscriberId, key: i64, last: u32) -> Step<()> {
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/failure_forget.sql"))?
        .execute(params![key, id, last])?;
    Ok(())
}
