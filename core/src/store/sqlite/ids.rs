//! Message ids and the rows they mean.
//!
//! An id is resolved by key, without an index, and all of it is verified: time, log and tag.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::cache::{TopicId, log_of};
use super::error::from_sqlite;
use crate::error::Result;
use crate::model::MessageId;

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Logged { key: i64 },
    Delayed { key: i64 },
}

/// The row of a message of this topic, if the id is that of one.
pub(super) fn find(
    connection: &Connection,
    tag: u16,
    topic: TopicId,
    id: MessageId,
) -> Result<Option<Found>> {
    let Some(parts) = id.parts().filter(|parts| parts.tag == tag) else { return Ok(None) };
    find_row(connection, topic, parts.key, parts.at).map_err(from_sqlite)
}

/// As [`find`], from the key and the time of an id of this database.
pub(super) fn find_row(
    connection: &Connection,
    topic: TopicId,
    key: i64,
    at: i64,
) -> rusqlite::Result<Option<Found>> {
    let of_topic = connection
        .prepare_cached(include_str!("../../../sql/sqlite/log_is_of_topic.sql"))?
        .exists(params![log_of(key), topic])?;
    if !of_topic {
        return Ok(None);
    }
    let logged = connection
        .prepare_cached(include_str!("../../../sql/sqlite/message_find.sql"))?
        .query_row(params![key, at], |row| row.get(0))
        .optional()?;
    if let Some(key) = logged {
        return Ok(Some(Found::Logged { key }));
    }
    let delayed = connection
        .prepare_cached(include_str!("../../../sql/sqlite/delayed_find.sql"))?
        .exists(params![key, at])?;
    Ok(delayed.then_some(Found::Delayed { key }))
}
