//! Seek: put a subscriber at another place of its topic, in one transaction.
//!
//! Its leased and retrying deliveries end, dead letters stay. A dead letter ahead of the new cursor
//! comes alive again when the cursor gets to it.

use rusqlite::params;

use super::cache::{LogId, SubscriberId, TopicId, key, log_of, seq_of};
use super::ids::{self, Found};
use super::position;
use super::settle;
use super::tx::{Step, Tx};
use crate::clock::{Millis, to_millis};
use crate::error::Error;
use crate::model::{MessageId, Sought};
use crate::op::{Outcome, Source};
use crate::options::{Seek, SeekTo};

pub(super) fn seek(tx: &mut Tx<'_>, source: &Source, seek: Seek) -> Step<Outcome> {
    let id = tx.subscriber_id(source)?;
    let topic = tx.subscriber(id)?.topic;
    tx.flush()?;
    let (places, clamped) = places(tx, topic, seek.to)?;
    let sought = Sought { clamped, ..distance(tx, id, &places)? };
    if seek.dry_run {
        return Ok(Outcome::Sought(sought));
    }
    end_all(tx, id, topic)?;
    for (log, seq) in places {
        tx.subscriber_mut(id)?.move_cursor(log, seq);
        tx.effects.ended.push((key(log, 0), key(log, seq)));
        tx.cache.may_trim(log);
    }
    look_ahead(tx, id, topic)?;
    tx.topic_mut(topic)?.backlog = None;
    tx.note_ready(id, tx.now)?;
    Ok(Outcome::Sought(sought))
}

/// How many messages lie between where the cursors are and where they go.
fn distance(tx: &Tx<'_>, id: SubscriberId, places: &[(LogId, i64)]) -> Step<Sought> {
    let mut sought = Sought { clamped: false, replayed_count: 0, skipped_count: 0, exact: true };
    let subscriber = tx.subscriber(id)?;
    for (log, seq) in places {
        let ahead = (seq - subscriber.cursor(*log)).max(0);
        let back = (subscriber.cursor(*log) - seq).max(0);
        sought.skipped_count += ahead.cast_unsigned();
        sought.replayed_count += back.cast_unsigned();
        // Messages that were cancelled count as if they were there.
        sought.exact &= ahead + back == 0 || tx.log(*log)?.gap_count == 0;
    }
    // Rows ahead of the cursor: not all that is passed over would have been delivered.
    sought.exact &= subscriber.counts.ahead == 0 || sought.skipped_count == 0;
    Ok(sought)
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
        let mut by_time = |at| {
            clamped |= position::is_trimmed(tx, *log, at)?;
            position::before_time(tx, *log, at)
        };
        let asked = match to {
            SeekTo::Earliest => 0,
            SeekTo::Latest => state.last_seq,
            SeekTo::Time(at) => by_time(to_millis(at))?,
            SeekTo::Message(_) => match message {
                Some((key, _)) if log_of(key) == *log => seq_of(key) - 1,
                Some((_, published_at)) => by_time(published_at)?,
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
fn end_all(tx: &mut Tx<'_>, id: SubscriberId, topic: TopicId) -> Step<()> {
    // Messages behind the trim frontier are held by these deliveries alone, perhaps.
    let mut held: Vec<i64> = Vec::new();
    for log in &tx.topic(topic)?.logs {
        let behind = params![id, key(*log, 0), key(*log, tx.log(*log)?.trim_seq)];
        let sql = include_str!("../../../sql/sqlite/deliveries_behind.sql");
        let mut statement = tx.connection.prepare_cached(sql)?;
        for message in statement.query_map(behind, |row| row.get(0))? {
            held.push(message?);
        }
    }
    for sql in [
        include_str!("../../../sql/sqlite/deliveries_end.sql"),
        include_str!("../../../sql/sqlite/leases_delete.sql"),
    ] {
        tx.connection.prepare_cached(sql)?.execute([id])?;
    }
    tx.leases.retain(|(subscriber, _), _| *subscriber != id);
    for message in held {
        settle::let_go(tx, message)?;
    }
    let counts = tx.counts(id)?;
    counts.leased = 0;
    counts.retrying = 0;
    counts.parked = 0;
    counts.lapsed = 0;
    Ok(())
}

/// Counts the rows ahead of the new cursors, and forgets what was to be skipped behind them.
fn look_ahead(tx: &mut Tx<'_>, id: SubscriberId, topic: TopicId) -> Step<()> {
    let mut ahead = 0;
    for log in &tx.topic(topic)?.logs {
        let (start, end) = (key(*log, 0), key(*log, tx.log(*log)?.last_seq));
        let cursor = key(*log, tx.subscriber(id)?.cursor(*log));
        tx.connection
            .prepare_cached(include_str!("../../../sql/sqlite/skips_behind.sql"))?
            .execute(params![id, start, cursor])?;
        ahead += tx
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/rows_ahead.sql"))?
            .query_row(params![id, cursor, end], |row| row.get::<_, i64>(0))?;
    }
    tx.counts(id)?.ahead = ahead;
    Ok(())
}
