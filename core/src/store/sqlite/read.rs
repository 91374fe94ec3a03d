//! Queries: each answered from one consistent view, at a cost that does not grow with the backlog.
//!
//! Uses the loading half of a [`Tx`] with a cache of its own, and never flushes.

mod letters;
pub(super) mod messages;
mod schedules;
mod stats;
mod topics;

use std::path::Path;

use rusqlite::Connection;
use rustc_hash::FxHashMap;

use super::cache::Cache;
use super::error::from_sqlite;
use super::tx::{self, Step, Stop, Tx};
use super::{backup, diagnose, migrate, result};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::limits;
use crate::op::{Answer, Query, ResultOf};
use crate::store::Effects;
use crate::store::recent::Recent;

/// What a query is answered from.
pub(super) struct Source<'a> {
    pub connection: &'a Connection,
    /// `None` in memory.
    pub path: Option<&'a Path>,
    pub now: Millis,
    pub tag: u16,
}

pub(super) fn answer(source: &Source<'_>, query: &Query) -> Result<Answer> {
    match query {
        // These cannot run inside a transaction, or need none.
        Query::Backup(to) => backup::backup(source.connection, to).map(|()| Answer::Done),
        Query::FileBytes => diagnose::file_bytes(source),
        _ => {
            let view = source.connection.unchecked_transaction().map_err(from_sqlite)?;
            migrate::refuse_newer(&view)?;
            let mut tx = Tx {
                connection: &view,
                cache: &mut Cache::default(),
                recent: &mut Recent::default(),
                effects: Effects::default(),
                now: source.now,
                tag: source.tag,
                leases: FxHashMap::default(),
                scan: tx::Scan::default(),
                step_bytes: limits::BATCH_BYTES_MAX,
            };
            in_view(&mut tx, source, query).map_err(|stop| match stop {
                Stop::Refused(error) => error,
                Stop::Broken(error) => from_sqlite(error),
            })
        }
    }
}

fn in_view(tx: &mut Tx<'_>, source: &Source<'_>, query: &Query) -> Step<Answer> {
    match query {
        Query::Topic { topic } => topics::topic(tx, topic),
        Query::Topics { limit, after } => topics::topics(tx, *limit, after.as_deref()),
        Query::Subscriber { source } => topics::subscriber(tx, source),
        Query::Subscribers { topic, limit, after } => {
            topics::subscribers(tx, topic, *limit, after.as_deref())
        }
        Query::TopicStats { topic } => stats::topic(tx, topic),
        Query::SubscriberStats { source } => stats::subscriber(tx, source),
        Query::Peek { source, limit, after } => {
            messages::peek(tx, source, *limit, after.as_deref())
        }
        Query::Message { topic, id } => messages::message(tx, topic, *id),
        Query::DeadLetters { source, limit, after } => {
            letters::dead_letters(tx, source, *limit, after.as_deref())
        }
        Query::Failures { source, id, limit, after } => {
            letters::failures(tx, source, *id, *limit, after.as_deref())
        }
        Query::Schedule { of } => schedules::schedule(tx, of),
        Query::Schedules { topic, limit, after } => {
            schedules::schedules(tx, topic, *limit, after.as_deref())
        }
        Query::ScheduleRuns { of, limit, after } => {
            schedules::runs(tx, of, *limit, after.as_deref())
        }
        Query::Results(all) => results(tx, all),
        Query::Diagnose => diagnose::diagnose(tx, source),
        Query::Backup(_) | Query::FileBytes => {
            Err(Error::internal("not a query inside a view").into())
        }
    }
}

/// What is refused is the answer to one of the questions.
fn results(tx: &mut Tx<'_>, all: &[ResultOf]) -> Step<Answer> {
    let mut looked = Vec::with_capacity(all.len());
    for of in all {
        looked.push(match result::look(tx, of) {
            Ok(found) => Ok(found),
            Err(Stop::Refused(error)) => Err(error),
            Err(broken) => return Err(broken),
        });
    }
    Ok(Answer::Results(looked))
}

/// Numbers that say where the next page begins, as opaque text.
fn place(text: &str, count: usize) -> Step<Vec<i64>> {
    let numbers: Option<Vec<i64>> = text.split('.').map(|part| part.parse().ok()).collect();
    numbers
        .filter(|numbers| numbers.len() == count)
        .ok_or_else(|| Error::invalid("after is not where a page ended").into())
}
