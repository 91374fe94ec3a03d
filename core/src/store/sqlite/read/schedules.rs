//! Schedules by name, and their history.

use rusqlite::params;

use super::super::encode;
use super::super::schedule;
use super::super::tx::{Step, Tx};
use super::place;
use crate::clock::{Millis, from_millis};
use crate::limits;
use crate::model::{Listed, ScheduleRun};
use crate::op::{Answer, Named};

pub(super) fn schedule(tx: &mut Tx<'_>, of: &Named) -> Step<Answer> {
    Ok(Answer::Schedule(Box::new(schedule::by_name(tx, of)?.view(&of.topic))))
}

pub(super) fn schedules(
    tx: &mut Tx<'_>,
    topic: &str,
    limit: usize,
    after: Option<&str>,
) -> Step<Answer> {
    let id = tx.topic_id(topic)?;
    let rows: Vec<(i64, String)> = tx
        .connection
        .prepare_cached(include_str!("../../../../sql/sqlite/schedules_page.sql"))?
        .query_map(params![id, after.unwrap_or(""), limit + 1], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let found = rows.len();
    let (mut items, mut bytes, mut last) = (Vec::new(), 0, None);
    for (id, name) in rows.into_iter().take(limit) {
        let stored = schedule::get(tx, id)?;
        bytes += stored.options.message.size_bytes();
        items.push(stored.view(topic));
        last = Some(name);
        if bytes >= limits::BATCH_BYTES_MAX {
            break;
        }
    }
    let next = last.filter(|_| found > items.len());
    Ok(Answer::Schedules(Listed { items, next }))
}

pub(super) fn runs(tx: &mut Tx<'_>, of: &Named, limit: usize, after: Option<&str>) -> Step<Answer> {
    let id = schedule::by_name(tx, of)?.id;
    let before = match after {
        Some(after) => place(after, 1)?.first().copied().unwrap_or(0),
        None => i64::MAX,
    };
    let tag = tx.tag;
    let mut items: Vec<ScheduleRun> = tx
        .connection
        .prepare_cached(include_str!("../../../../sql/sqlite/schedule_runs_page.sql"))?
        .query_map(params![id, before, limit + 1], |row| {
            let at = |column| row.get::<_, Option<Millis>>(column);
            let message: Option<i64> = row.get(5)?;
            Ok(ScheduleRun {
                run: row.get(0)?,
                status: encode::run_status_of(row.get(1)?),
                occurrence_at: at(2)?.map(from_millis),
                until_at: at(3)?.map(from_millis),
                at: from_millis(row.get(4)?),
                message_id: message.zip(at(6)?).map(|(key, at)| schedule::message_id(tag, key, at)),
                error: row.get(7)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|run| run.run.to_string());
    Ok(Answer::ScheduleRuns(Listed { items, next }))
}
