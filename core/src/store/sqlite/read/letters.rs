//! Dead letters and what went wrong with a delivery.

use rusqlite::params;

use super::super::ids::{self, Found};
use super::super::tx::{Step, Tx};
use super::{messages, place};
use crate::clock::{Millis, from_millis};
use crate::error::Error;
use crate::limits;
use crate::model::{DeadLetter, Failure, Listed, MessageId};
use crate::op::{Answer, Source};

struct Letter {
    key: i64,
    attempts: u32,
    failures: u32,
    dead_at: Millis,
    error: Option<String>,
}

pub(super) fn dead_letters(
    tx: &mut Tx<'_>,
    source: &Source,
    limit: usize,
    after: Option<&str>,
) -> Step<Answer> {
    let id = tx.subscriber_id(source)?;
    let after = after.map_or(Ok(vec![Millis::MIN, 0]), |after| place(after, 2))?;
    let page = params![id, after.first(), after.last(), limit + 1];
    let letters: Vec<Letter> = tx
        .connection
        .prepare_cached(include_str!("../../../../sql/sqlite/dead_page.sql"))?
        .query_map(page, |row| {
            Ok(Letter {
                key: row.get(0)?,
                attempts: row.get(1)?,
                failures: row.get(2)?,
                dead_at: row.get(3)?,
                error: row.get(4)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let (mut items, mut bytes) = (Vec::new(), 0);
    let mut last = None;
    let mut next = None;
    for letter in letters {
        if items.len() == limit || bytes >= limits::BATCH_BYTES_MAX {
            next = last;
            break;
        }
        last = Some(format!("{}.{}", letter.dead_at, letter.key));
        let Some(message) = messages::load(tx, letter.key)? else { continue };
        bytes += message.payload.len();
        items.push(DeadLetter {
            message,
            attempts: letter.attempts,
            failures: letter.failures,
            error: letter.error,
            dead_at: from_millis(letter.dead_at),
        });
    }
    Ok(Answer::DeadLetters(Listed { items, next }))
}

pub(super) fn failures(
    tx: &mut Tx<'_>,
    source: &Source,
    id: MessageId,
    limit: usize,
    after: Option<&str>,
) -> Step<Answer> {
    let subscriber = tx.subscriber_id(source)?;
    let topic = tx.subscriber(subscriber)?.topic;
    let after = after.map_or(Ok(vec![0]), |after| place(after, 1))?;
    let key = match ids::find(tx.connection, tx.tag, topic, id)? {
        Some(Found::Logged { key }) => key,
        Some(Found::Delayed { .. }) => {
            return Ok(Answer::Failures(Listed { items: Vec::new(), next: None }));
        }
        None => return Err(Error::UnknownMessage { id }.into()),
    };
    let page = params![key, subscriber, after.first(), limit + 1];
    let mut items: Vec<Failure> = tx
        .connection
        .prepare_cached(include_str!("../../../../sql/sqlite/failures_page.sql"))?
        .query_map(page, |row| {
            Ok(Failure {
                failure: row.get(0)?,
                error: row.get(1)?,
                failed_at: from_millis(row.get(2)?),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|failure| failure.failure.to_string());
    Ok(Answer::Failures(Listed { items, next }))
}
