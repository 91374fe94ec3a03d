//! Seek: put a subscriber at another place of its topic, in one transaction.
//!
//! Its leased and retrying deliveries end, dead letters stay. A dead letter ahead of the new cursor
//! comes alive again when the cursor gets to it.

use rusqlite::params;

use super::cache::{LogId, SubscriberId, TopicId, log_of, seq_of};
use super::due;
use super::ids::{self, Found};
use super::position;
use super::settle;
use super::tx::{Step, Tx};
use crate::clock::{Millis, to_millis};
use crate::error::Error;
use crate::model::{MessageId, Sought};
use crate::op::{Outcome, Source};
use crate::options::SeekTo;

pub(super) fn seek(tx: &mut Tx<'_>, source: &Source, to: SeekTo) -> Step<Outcome> {
    let id = tx.subscriber_id(source)?;
    let topic = tx.subscriber(id)?.topic;
    tx.flush()?;
    let (places, clamped) = places(tx, topic, to)?;
    end_all(tx, id)?;
    for (log, seq) in places {
        tx.subscriber_mut(id)?.move_cursor(log, seq);
        tx.cache.may_trim(log);
    }
    look_ahead(tx, id)?;
    tx.topic_mut(topic)?.backlog = None;
    tx.note_ready(id, tx.now)?;
    Ok(Outcome::Sought(Sought { clamped }))
}

/// The new cursor of each log that it moves in, and whether retention forbids what was asked for.
fn places(tx: &Tx<'_>, topic: TopicId, to: SeekTo) -> Step<(Vec<(LogId, i64)>, bool)> {
    let message = match to {
        SeekTo::Message(id) => Some(find(tx, topic, id)?),
        _ => None,
    };
    let mut places = Vec::new();
    let mut clamped = false;
    for log in &tx.topic(topic)?.logs {
        let state = tx.log(*log)?;
        let asked = match to {
            SeekTo::Earliest => 0,
            SeekTo::Latest => state.last_seq,
            SeekTo::Time(at) => position::before_time(tx, *log, to_millis(at))?,
            SeekTo::Message(_) => match message {
                Some((key, _)) if log_of(key) == *log => seq_of(key) - 1,
                Some((_, published_at)) => position::before_time(tx, *log, published_at)?,
                None => continue,
            },
            SeekTo::Sequence { priority, .. } if priority != state.priority => continue,
            SeekTo::Sequence { sequence, .. } => {
                i64::try_from(sequence).unwrap_or(i64::MAX).saturating_sub(1).min(state.last_seq)
            }
        };
        let floor = position::floor(tx, topic, *log)?;
        clamped |= asked < floor && to != SeekTo::Earliest;
        places.push((*log, asked.max(floor)));
    }
    if let SeekTo::Sequence { priority, .. } = to
        && places.is_empty()
    {
        return Err(Error::invalid(format!("the topic has no log of priority {priority}")).into());
    }
    Ok((places, clamped))
}

fn find(tx: &Tx<'_>, topic: TopicId, id: MessageId) -> Step<(i64, Millis)> {
    match ids::find(tx.connection, tx.tag, topic, id)? {
        Some(Found::Logged { key }) => {
            let published_at = tx
                .connection
                .prepare_cached(include_str!("../../../sql/sqlite/message_published_at.sql"))?
                .query_row([key], |row| row.get(0))?;
            Ok((key, published_at))
        }
        Some(Found::Delayed { .. }) | None => Err(Error::UnknownMessage { id }.into()),
    }
}

/// Ends every leased and retrying delivery of the subscriber.
fn end_all(tx: &mut Tx<'_>, id: SubscriberId) -> Step<()> {
    let leases: Vec<(i64, String)> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/leases_of_subscriber.sql"))?
        .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut keys: Vec<i64> = Vec::new();
    for (lease, runs) in &leases {
        keys.extend(due::leased(tx, id, *lease, runs)?.iter().map(|delivery| delivery.message));
    }
    let retrying = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/retries_of_subscriber.sql"))?
        .query_map([id], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    keys.extend(retrying);
    for key in keys {
        settle::delete(tx, id, key)?;
    }
    tx.leases.retain(|(subscriber, _), _| *subscriber != id);
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/leases_delete.sql"))?
        .execute([id])?;
    let counts = tx.counts(id)?;
    counts.leased = 0;
    counts.retrying = 0;
    Ok(())
}

/// Counts the rows ahead of the new cursors, and forgets what was to be skipped behind them.
fn look_ahead(tx: &mut Tx<'_>, id: SubscriberId) -> Step<()> {
    let skips = rows(tx, id, include_str!("../../../sql/sqlite/skips_of_subscriber.sql"))?;
    let dead = rows(tx, id, include_str!("../../../sql/sqlite/dead_of_subscriber.sql"))?;
    let mut ahead = 0;
    for key in dead {
        ahead += i64::from(is_ahead(tx, id, key)?);
    }
    for key in skips {
        if is_ahead(tx, id, key)? {
            ahead += 1;
        } else {
            settle::delete(tx, id, key)?;
        }
    }
    tx.counts(id)?.ahead = ahead;
    Ok(())
}

fn rows(tx: &Tx<'_>, id: SubscriberId, sql: &'static str) -> Step<Vec<i64>> {
    let mut statement = tx.connection.prepare_cached(sql)?;
    let keys = statement.query_map(params![id], |row| row.get(0))?;
    Ok(keys.collect::<rusqlite::Result<_>>()?)
}

fn is_ahead(tx: &Tx<'_>, id: SubscriberId, key: i64) -> Step<bool> {
    Ok(tx.subscriber(id)?.cursor(log_of(key)) < seq_of(key))
}
