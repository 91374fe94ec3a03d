//! Whether a subscriber is done with a message.
//!
//! The one rule for schedules, unique keys and results. What will not be delivered is done: filtered out or
//! expired, even before a cursor has passed it.

use super::cache::{SubscriberId, TopicId, log_of, seq_of};
use super::claim::select;
use super::encode;
use super::expiry::{self, Life};
use super::ids::{self, Found};
use super::tx::{Step, Tx};
use crate::clock::Millis;

/// Where a message stands with one subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It waits, or somebody has it.
    Open,
    Dead,
    Settled,
}

/// Where a message in a log of a live topic stands with a live subscriber, both loaded.
pub(super) fn standing(
    tx: &Tx<'_>,
    id: SubscriberId,
    key: i64,
    expires_at: Option<Millis>,
) -> Step<Standing> {
    let has_expired = expires_at.is_some_and(|at| at <= tx.now);
    let is_ahead = tx.subscriber(id)?.cursor(log_of(key)) < seq_of(key);
    let is_to_come =
        || -> Step<bool> { Ok(is_ahead && !has_expired && select::wants(tx, id, key)?) };
    let row = encode::delivery_state(tx.connection, key, id)?;
    let (is_open, otherwise) = match row.map(|(state, _)| state) {
        Some(encode::SKIPPED) => (false, Standing::Settled),
        Some(encode::LEASED) => (true, Standing::Settled),
        // Ahead of the cursor, where a seek went back behind it, it comes alive again.
        Some(encode::DEAD) => (is_to_come()?, Standing::Dead),
        Some(_) => (!has_expired, Standing::Settled),
        None => (is_to_come()?, Standing::Settled),
    };
    Ok(if is_open { Standing::Open } else { otherwise })
}

/// The life of a message in a log of a live topic, if some subscriber is not done with it. A dead letter is
/// done: nobody works on it. One that is not there was cancelled, or settled by all and trimmed.
pub(super) fn open(tx: &mut Tx<'_>, topic: TopicId, key: i64) -> Step<Option<Life>> {
    let Some(life) = expiry::life(tx, key)? else { return Ok(None) };
    for id in tx.subscribers_of(topic)? {
        if standing(tx, id, key, life.expires_at)? == Standing::Open {
            return Ok(Some(life));
        }
    }
    Ok(None)
}

/// Every subscriber is done with the message of these parts of an id.
pub(super) fn is_done(tx: &mut Tx<'_>, topic: TopicId, key: i64, at: i64) -> Step<bool> {
    let key = match ids::find_row(tx.connection, topic, key, at)? {
        Some(Found::Logged { key }) => key,
        Some(Found::Delayed { .. }) => return Ok(false),
        None => return Ok(true),
    };
    // Or it is of a topic that was deleted.
    Ok(tx.load_log_of(key)?.is_none() || open(tx, topic, key)?.is_none())
}
