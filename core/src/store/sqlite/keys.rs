//! Ordering keys: deliveries of one key that wait for one another.
//!
//! Owns the transitions pending → parked and parked → retrying, which here means: ready, and first among
//! those of its key. Only subscribers that go by keys have them in their rows. Invariant: while a delivery
//! is parked, another of its key is leased, waits for an attempt, or is a dead letter that holds the key;
//! whatever ends that one, or puts it back, calls [`freed`].

use rusqlite::{OptionalExtension as _, params};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::cache::{SubscriberId, log_of};
use super::encode;
use super::expiry;
use super::tx::{Step, Tx};
use crate::clock::Millis;
use crate::limits;
use crate::options::{OnDead, SubscriberOptions};

/// How the deliveries of one key hold each other back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// One at a time, in order; `block`: a dead letter holds what comes after it.
    Ordered { block: bool },
    /// So many leases at once, in any order.
    AtMost(i64),
}

impl Rule {
    /// `None`: the subscriber does not go by keys.
    pub(super) fn of(options: &SubscriberOptions) -> Option<Self> {
        if options.ordered {
            return Some(Self::Ordered { block: options.on_dead == OnDead::Block });
        }
        options.leased_per_key_max.map(|leased| Self::AtMost(i64::from(leased)))
    }

    fn leases_max(self) -> i64 {
        match self {
            Self::Ordered { .. } => 1,
            Self::AtMost(leased) => leased,
        }
    }
}

pub(super) fn rule(tx: &Tx<'_>, id: SubscriberId) -> Step<Option<Rule>> {
    Ok(Rule::of(&tx.subscriber(id)?.options))
}

// --- at a claim -----------------------------------------------------------------------------------------

/// What one claim has found out about keys, and handed out of them.
#[derive(Debug, Default)]
pub(super) struct Keys {
    taken: HashMap<String, i64>,
    held: HashMap<String, i64>,
    /// Keys of which nothing new can be handed out.
    busy: HashSet<String>,
}

impl Keys {
    /// Whether a message that nobody has claimed may be handed out.
    pub(super) fn has_room_for_new(
        &mut self,
        tx: &Tx<'_>,
        id: SubscriberId,
        rule: Rule,
        (key, message): (&str, i64),
    ) -> Step<bool> {
        if self.busy.contains(key) {
            return Ok(false);
        }
        let has_room = match rule {
            Rule::Ordered { block } => {
                let is_held = self.taken.contains_key(key) || is_busy(tx, id, key, message, true)?;
                !is_held && (!block || !is_blocked(tx, id, key, message)?)
            }
            Rule::AtMost(leased) => self.held(tx, id, key, leased)? < leased,
        };
        if !has_room {
            self.busy.insert(key.to_owned());
        }
        Ok(has_room)
    }

    /// Whether a delivery that waited for its next attempt may be handed out.
    pub(super) fn has_room_for_retry(
        &mut self,
        tx: &Tx<'_>,
        id: SubscriberId,
        rule: Rule,
        (key, lapsed): (&str, bool),
    ) -> Step<bool> {
        let leased = rule.leases_max();
        Ok(self.held(tx, id, key, leased + 1)? - i64::from(lapsed) < leased)
    }

    pub(super) fn take(&mut self, key: &str, lapsed: bool) {
        // One whose lease expired is held already.
        if !lapsed {
            *self.taken.entry(key.to_owned()).or_default() += 1;
        }
    }

    /// Leases of a key, those of this claim included.
    fn held(&mut self, tx: &Tx<'_>, id: SubscriberId, key: &str, at_most: i64) -> Step<i64> {
        let taken = self.taken.get(key).copied().unwrap_or(0);
        if let Some(held) = self.held.get(key) {
            return Ok(held + taken);
        }
        let held = count_held(tx, id, key, at_most)?;
        self.held.insert(key.to_owned(), held);
        Ok(held + taken)
    }
}

/// Another delivery of the key is leased or waits for an attempt; `or_parked`: or is parked.
fn is_busy(tx: &Tx<'_>, id: SubscriberId, key: &str, message: i64, or_parked: bool) -> Step<bool> {
    let sql = include_str!("../../../sql/sqlite/key_busy.sql");
    Ok(tx.connection.prepare_cached(sql)?.exists(params![id, key, message, or_parked])?)
}

/// A dead letter of the key comes before the message.
fn is_blocked(tx: &Tx<'_>, id: SubscriberId, key: &str, message: i64) -> Step<bool> {
    let sql = include_str!("../../../sql/sqlite/key_blocked.sql");
    Ok(tx.connection.prepare_cached(sql)?.exists(params![id, key, message])?)
}

fn count_held(tx: &Tx<'_>, id: SubscriberId, key: &str, at_most: i64) -> Step<i64> {
    let sql = include_str!("../../../sql/sqlite/key_held.sql");
    let row = params![id, key, at_most];
    Ok(tx.connection.prepare_cached(sql)?.query_row(row, |row| row.get(0))?)
}

/// Sets aside a message that nobody has claimed.
pub(super) fn park(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    message: i64,
    key: &str,
    expires_at: Option<Millis>,
) -> Step<()> {
    let priority = tx.log(log_of(message))?.priority;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_park.sql"))?
        .execute(params![message, id, priority, key, expires_at])?;
    tx.counts(id)?.parked += 1;
    expiry::note(tx, expires_at);
    Ok(())
}

/// Sets aside a delivery that has a row; the counter of the state that it was in is the caller's. It may
/// not have gone by its key so far.
pub(super) fn park_again(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    message: i64,
    attempts: u32,
    key: Option<&str>,
) -> Step<()> {
    let expires_at = expiry::of(tx, message)?;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_park_again.sql"))?
        .execute(params![message, id, attempts, expires_at, key])?;
    tx.counts(id)?.parked += 1;
    expiry::note(tx, expires_at);
    Ok(())
}

// --- afterwards -----------------------------------------------------------------------------------------

/// A delivery of this key has ended or was put back: the next one is ready, if it may be.
pub(super) fn freed(tx: &mut Tx<'_>, id: SubscriberId, key: Option<&str>) -> Step<()> {
    let (Some(key), Some(rule)) = (key, rule(tx, id)?) else { return Ok(()) };
    free_next(tx, id, rule, key).map(drop)
}

/// The answer is whether there was one.
fn free_next(tx: &mut Tx<'_>, id: SubscriberId, rule: Rule, key: &str) -> Step<bool> {
    if tx.subscriber(id)?.counts.parked == 0 {
        return Ok(false);
    }
    if matches!(rule, Rule::Ordered { .. }) && is_busy(tx, id, key, 0, false)? {
        return Ok(false);
    }
    let next: Option<i64> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/key_next.sql"))?
        .query_row(params![id, key], |row| row.get(0))
        .optional()?;
    let Some(next) = next else { return Ok(false) };
    if rule == (Rule::Ordered { block: true }) && is_blocked(tx, id, key, next)? {
        return Ok(false);
    }
    unpark(tx, id, next)?;
    Ok(true)
}

fn unpark(tx: &mut Tx<'_>, id: SubscriberId, message: i64) -> Step<()> {
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_unpark.sql"))?
        .execute(params![message, id, tx.now])?;
    let counts = tx.counts(id)?;
    counts.parked -= 1;
    counts.retrying += 1;
    tx.note_ready(id, tx.now)
}

/// The key that a delivery waits by, if any.
pub(super) fn of(tx: &Tx<'_>, id: SubscriberId, message: i64) -> Step<Option<String>> {
    let key = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_key.sql"))?
        .query_row(params![message, id], |row| row.get(0))
        .optional()?;
    Ok(key.flatten())
}

/// A dead letter comes alive again. In order: it waits for its turn if its key is busy, before what was
/// published after it. The answer is whether it waits.
pub(super) fn revive(tx: &mut Tx<'_>, id: SubscriberId, message: i64) -> Step<bool> {
    let Some(Rule::Ordered { block }) = rule(tx, id)? else { return Ok(false) };
    let Some(key) = of(tx, id, message)? else { return Ok(false) };
    let waits = is_busy(tx, id, &key, message, false)?
        || (block && is_blocked(tx, id, &key, message)?)
        || is_behind_parked(tx, id, &key, message)?;
    if waits {
        park_again(tx, id, message, 0, None)?;
        freed(tx, id, Some(&key))?;
    }
    Ok(waits)
}

fn is_behind_parked(tx: &Tx<'_>, id: SubscriberId, key: &str, message: i64) -> Step<bool> {
    let sql = include_str!("../../../sql/sqlite/key_next.sql");
    let next: Option<i64> = tx
        .connection
        .prepare_cached(sql)?
        .query_row(params![id, key], |row| row.get(0))
        .optional()?;
    Ok(next.is_some_and(|next| next < message))
}

// --- after a change of settings -------------------------------------------------------------------------

/// The settings of keys have changed: what is parked is looked at again, by the claims to come.
pub(super) fn begin_sift(tx: &mut Tx<'_>, id: SubscriberId) -> Step<()> {
    come_to(tx, id, Some(String::new()))
}

fn come_to(tx: &mut Tx<'_>, id: SubscriberId, key: Option<String>) -> Step<()> {
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/subscriber_sift.sql"))?
        .execute(params![id, key])?;
    tx.subscriber_mut(id)?.sifted_key = key;
    Ok(())
}

/// One bounded step of it. The answer is whether there is more.
pub(super) fn sift(tx: &mut Tx<'_>, id: SubscriberId) -> Step<bool> {
    let Some(mut after) = tx.subscriber(id)?.sifted_key.clone() else { return Ok(false) };
    let Some(rule) = rule(tx, id)? else { return forget_keys(tx, id) };
    let mut touched = 0;
    while touched < limits::STEP_ROWS {
        let next: Option<String> = tx
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/keys_next.sql"))?
            .query_row(params![id, after], |row| row.get(0))
            .optional()?;
        let Some(key) = next else {
            come_to(tx, id, None)?;
            return Ok(false);
        };
        let held = count_held(tx, id, &key, rule.leases_max())?;
        for _ in held..rule.leases_max() {
            if !free_next(tx, id, rule, &key)? {
                break;
            }
            touched += 1;
        }
        touched += 1;
        after = key;
    }
    come_to(tx, id, Some(after))?;
    Ok(true)
}

/// Nothing waits for its key any more.
fn forget_keys(tx: &mut Tx<'_>, id: SubscriberId) -> Step<bool> {
    let rows: Vec<(i64, i64)> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/keyed_first.sql"))?
        .query_map(params![id, limits::STEP_ROWS], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (message, state) in &rows {
        if *state == encode::PARKED {
            unpark(tx, id, *message)?;
        }
        tx.connection
            .prepare_cached(include_str!("../../../sql/sqlite/delivery_unkey.sql"))?
            .execute(params![message, id])?;
    }
    let more = rows.len() == limits::STEP_ROWS;
    if !more {
        come_to(tx, id, None)?;
    }
    Ok(more)
}
