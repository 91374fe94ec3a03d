//! Extend: move the expiry of leases.
//!
//! The expiry stands in the lease row of a whole claim. Extending all of its deliveries is one update;
//! extending some of them moves those to a lease row of their own with the same token, so that their
//! receipts stay as they are.

use std::collections::BTreeMap;

use rusqlite::params;

use super::cache::SubscriberId;
use super::claim::{insert_lease, runs};
use super::settle::Live;
use super::tx::{Step, Tx};
use crate::clock::Millis;
use crate::error::Error;
use crate::model::Receipt;

pub(super) struct Extension {
    pub receipt: Receipt,
    pub live: Live,
    pub expires_at: Millis,
}

pub(super) fn extend(tx: &mut Tx<'_>, extensions: Vec<Extension>) -> Step<()> {
    // By lease and expiry; within these by message, since one named twice counts once.
    let mut groups: BTreeMap<(SubscriberId, i64, Millis), BTreeMap<i64, Extension>> =
        BTreeMap::new();
    for extension in extensions {
        let place = (extension.receipt.subscriber, extension.live.lease, extension.expires_at);
        groups.entry(place).or_default().insert(extension.receipt.key, extension);
    }
    for ((subscriber, lease, expires_at), deliveries) in groups {
        let under = if is_whole(tx, subscriber, lease, deliveries.len())? {
            move_expiry(tx, subscriber, lease, expires_at)?;
            lease
        } else {
            split(tx, subscriber, lease, expires_at, deliveries.keys().copied())?
        };
        for (key, extension) in deliveries {
            hold(tx, subscriber, key, under, &extension)?;
        }
    }
    Ok(())
}

fn is_whole(tx: &mut Tx<'_>, id: SubscriberId, lease: i64, count: usize) -> Step<bool> {
    let live = tx.lease(id, lease)?.map_or(0, |lease| lease.live);
    Ok(live == count.cast_signed() as i64)
}

fn move_expiry(tx: &mut Tx<'_>, id: SubscriberId, lease: i64, expires_at: Millis) -> Step<()> {
    if let Some(row) = tx.lease(id, lease)? {
        row.expires_at = Some(expires_at);
        row.dirty = true;
    }
    tx.cache.next_expiry.note(expires_at);
    Ok(())
}

fn split(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    lease: i64,
    expires_at: Millis,
    keys: impl Iterator<Item = i64>,
) -> Step<i64> {
    let Some(token) = tx.lease(id, lease)?.map(|lease| lease.token) else {
        return Err(Error::internal("a live lease has no row").into());
    };
    let counts = tx.counts(id)?;
    counts.lease_seq += 1;
    let new = counts.lease_seq;
    insert_lease(tx, id, new, &token, expires_at, &runs(keys))?;
    Ok(new)
}

/// The delivery is leased, under this lease row.
fn hold(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    key: i64,
    under: i64,
    extension: &Extension,
) -> Step<()> {
    let live = &extension.live;
    if live.lease != under {
        tx.leave_lease(id, live.lease)?;
    }
    if live.lease != under || live.expired {
        tx.connection
            .prepare_cached(include_str!("../../../sql/sqlite/delivery_hold.sql"))?
            .execute(params![key, id, under])?;
    }
    if live.expired {
        let counts = tx.counts(id)?;
        counts.retrying -= 1;
        counts.lapsed -= 1;
        counts.leased += 1;
    }
    Ok(())
}
