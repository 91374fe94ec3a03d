//! Topics and subscribers, by name.

use rusqlite::params;

use super::super::cache::{SubscriberId, TopicId};
use super::super::tx::{Step, Tx};
use crate::model::Listed;
use crate::op::{Answer, Source};

pub(super) fn topic(tx: &mut Tx<'_>, name: &str) -> Step<Answer> {
    let id = tx.topic_id(name)?;
    Ok(Answer::Topic(tx.topic(id)?.view()))
}

pub(super) fn topics(tx: &mut Tx<'_>, limit: usize, after: Option<&str>) -> Step<Answer> {
    let mut rows: Vec<(TopicId, String)> = tx
        .connection
        .prepare_cached(include_str!("../../../../sql/sqlite/topics_page.sql"))?
        .query_map(params![after.unwrap_or(""), limit + 1], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let next = next(&mut rows, limit);
    let mut items = Vec::with_capacity(rows.len());
    for (id, _) in rows {
        tx.load_topic(id)?;
        items.push(tx.topic(id)?.view());
    }
    Ok(Answer::Topics(Listed { items, next }))
}

pub(super) fn subscriber(tx: &mut Tx<'_>, source: &Source) -> Step<Answer> {
    let id = tx.subscriber_id(source)?;
    Ok(Answer::Subscriber(tx.subscriber(id)?.view()))
}

pub(super) fn subscribers(
    tx: &mut Tx<'_>,
    topic: &str,
    limit: usize,
    after: Option<&str>,
) -> Step<Answer> {
    let topic = tx.topic_id(topic)?;
    let page = params![topic, after.unwrap_or(""), limit + 1];
    let mut rows: Vec<(SubscriberId, String)> = tx
        .connection
        .prepare_cached(include_str!("../../../../sql/sqlite/subscribers_page.sql"))?
        .query_map(page, |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let next = next(&mut rows, limit);
    let mut items = Vec::with_capacity(rows.len());
    for (id, _) in rows {
        tx.load_subscriber(id)?;
        items.push(tx.subscriber(id)?.view());
    }
    Ok(Answer::Subscribers(Listed { items, next }))
}

/// One row more than asked for was read, to see whether there is a next page.
fn next<I>(rows: &mut Vec<(I, String)>, limit: usize) -> Option<String> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| more).map(|(_, name)| name.clone())
}
