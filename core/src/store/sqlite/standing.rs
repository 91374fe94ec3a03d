//! Whether a subscriber is done with a message.

use super::cache::{SubscriberId, TopicId, log_of, seq_of};
use super::encode;
use super::ids::{self, Found};
use super::tx::{Step, Tx};

/// Where a message stands with one subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It waits, or somebody has it.
    Open,
    Dead,
    Settled,
}

/// Where a message in a log of a live topic stands with a live subscriber, both loaded.
pub(super) fn standing(tx: &Tx<'_>, id: SubscriberId, key: i64) -> Step<Standing> {
    let is_ahead = tx.subscriber(id)?.cursor(log_of(key)) < seq_of(key);
    let row = encode::delivery_state(tx.connection, key, id)?;
    Ok(match row.map(|(state, _)| state) {
        Some(encode::SKIPPED) => Standing::Settled,
        // Ahead of the cursor, where a seek went back behind it, it comes alive again.
        Some(encode::DEAD) if !is_ahead => Standing::Dead,
        Some(_) => Standing::Open,
        None if is_ahead => Standing::Open,
        None => Standing::Settled,
    })
}

/// Every subscriber is done with the message of these parts of an id: it is settled or a dead letter.
pub(super) fn is_done(tx: &mut Tx<'_>, topic: TopicId, key: i64, at: i64) -> Step<bool> {
    let key = match ids::find_row(tx.connection, topic, key, at)? {
        Some(Found::Logged { key }) => key,
        Some(Found::Delayed { .. }) => return Ok(false),
        None => return Ok(true),
    };
    if tx.load_log_of(key)?.is_none() {
        // Of a topic that was deleted.
        return Ok(true);
    }
    for id in tx.subscribers_of(topic)? {
        if standing(tx, id, key)? == Standing::Open {
            return Ok(false);
        }
    }
    Ok(true)
}
