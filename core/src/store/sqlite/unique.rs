//! Unique work: a key that refuses a second message until every subscriber is done with the first.
//!
//! Nothing happens when a message is settled: whether it is shows when its key is used again, and when
//! upkeep looks. Invariant: a key names its newest message.

use rusqlite::{OptionalExtension as _, params};

use super::cache::TopicId;
use super::standing;
use super::tx::{Step, Tx};
use crate::clock::Millis;
use crate::error::Error;
use crate::limits;
use crate::model::{IdParts, MessageId};

/// How soon upkeep looks at a key for the first time; each pause is as long as the time before it.
const LOOK_FIRST_MS: Millis = 60_000;
/// The longest pause.
const LOOK_MAX_MS: Millis = 3_600_000;

/// Refuses the message at `index` of a batch if somebody is not done with an earlier one of its key.
pub(super) fn check(tx: &mut Tx<'_>, topic: TopicId, index: usize, unique_key: &str) -> Step<()> {
    let first: Option<(i64, Millis)> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/unique_get.sql"))?
        .query_row(params![topic, unique_key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((key, at)) = first else { return Ok(()) };
    if standing::is_done(tx, topic, key, at)? {
        return Ok(());
    }
    let first = MessageId::new(IdParts { at, key, tag: tx.tag });
    Err(Error::UniqueConflict { index, key: unique_key.to_owned(), first }.into())
}

/// The key is that of this message from now on.
pub(super) fn take(
    tx: &Tx<'_>,
    topic: TopicId,
    unique_key: &str,
    (key, at): (i64, Millis),
    due_at: Option<Millis>,
) -> Step<()> {
    let look_at = due_at.unwrap_or(tx.now) + LOOK_FIRST_MS;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/unique_set.sql"))?
        .execute(params![topic, unique_key, key, at, look_at])?;
    Ok(())
}

/// Forgets keys of messages that everybody is done with; the answer is whether there is more to look at.
pub(super) fn forget(tx: &mut Tx<'_>) -> Step<bool> {
    let due: Vec<(TopicId, String, i64, Millis)> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/unique_due.sql"))?
        .query_map(params![tx.now, limits::UNIQUE_ROWS], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let more = due.len() == limits::UNIQUE_ROWS;
    for (topic, unique_key, key, at) in due {
        if standing::is_done(tx, topic, key, at)? {
            tx.connection
                .prepare_cached(include_str!("../../../sql/sqlite/unique_delete.sql"))?
                .execute(params![topic, unique_key])?;
        } else {
            let pause = (tx.now - at).clamp(LOOK_FIRST_MS, LOOK_MAX_MS);
            tx.connection
                .prepare_cached(include_str!("../../../sql/sqlite/unique_later.sql"))?
                .execute(params![topic, unique_key, tx.now + pause])?;
        }
    }
    Ok(more)
}
