//! Examination of a file: is it whole, do its counters agree with its rows, what could be better.
//!
//! The only queries that read whole tables. Changes nothing.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, params};

use super::error::from_sqlite;
use super::keys::Rule;
use super::migrate;
use super::read::Source;
use super::schedule;
use super::tx::{Step, Tx};
use crate::error::Result;
use crate::limits;
use crate::model::Diagnosis;
use crate::op::Answer;
use crate::recurrence::Recurrence;

/// Problems listed at most.
const PROBLEMS_MAX: usize = 100;
/// A log of this size means that something keeps it from being checkpointed.
const WAL_BYTES_NOTABLE: u64 = 64 << 20;
/// Dead letters that somebody should look at.
const DEAD_NOTABLE: i64 = 10_000;

pub(super) fn file_bytes(source: &Source<'_>) -> Result<Answer> {
    let file = pages(source.connection, "page_count").map_err(from_sqlite)?;
    Ok(Answer::FileBytes { file, wal: wal_bytes(source.path) })
}

pub(super) fn diagnose(tx: &mut Tx<'_>, source: &Source<'_>) -> Step<Answer> {
    let mut diagnosis = Diagnosis {
        schema_version: migrate::version(tx.connection)?,
        sqlite_version: rusqlite::version().to_owned(),
        file_bytes: pages(tx.connection, "page_count")?,
        wal_bytes: wal_bytes(source.path),
        free_bytes: pages(tx.connection, "freelist_count")?,
        problems: integrity(tx.connection)?,
        advice: Vec::new(),
    };
    // What is in a damaged file cannot be counted.
    if diagnosis.problems.is_empty() {
        check_topics(tx, &mut diagnosis)?;
        check_leases(tx, &mut diagnosis)?;
        check_messages(tx, &mut diagnosis)?;
        check_keepsakes(tx, &mut diagnosis)?;
        check_rejected(tx, &mut diagnosis)?;
    }
    advise(&mut diagnosis);
    diagnosis.problems.truncate(PROBLEMS_MAX);
    Ok(Answer::Diagnosis(diagnosis))
}

fn pages(connection: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    let pages: u64 = connection.pragma_query_value(None, pragma, |row| row.get(0))?;
    let page_bytes: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(pages * page_bytes)
}

/// By path: a descriptor of the log that is opened and closed here would drop this process's locks.
fn wal_bytes(path: Option<&Path>) -> u64 {
    let Some(path) = path else { return 0 };
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    std::fs::metadata(wal).map_or(0, |metadata| metadata.len())
}

/// What the check finds before it ends; some damage ends it early.
fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let mut verdicts = statement.query([])?;
    let mut problems = Vec::new();
    loop {
        let verdict: String = match verdicts.next() {
            Ok(Some(row)) => row.get(0)?,
            Ok(None) => return Ok(problems),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                problems.push(error.to_string());
                return Ok(problems);
            }
            Err(error) => return Err(error),
        };
        if verdict != "ok" {
            problems.push(verdict);
        }
    }
}

fn check_topics(tx: &mut Tx<'_>, diagnosis: &mut Diagnosis) -> Step<()> {
    let topics: Vec<i64> = tx
        .connection
        .prepare(include_str!("../../../sql/sqlite/diagnose_topics.sql"))?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for topic in topics {
        tx.load_topic(topic)?;
        let subscribers = tx.subscribers_of(topic)?;
        let name = tx.topic(topic)?.name.to_string();
        if subscribers.is_empty() {
            diagnosis.advice.push(format!(
                "topic {name:?} has no subscriber: what is published to it is kept for its \
                 retention only"
            ));
        }
        check_schedules(tx, topic, &name, diagnosis)?;
        for subscriber in subscribers {
            check_subscriber(tx, subscriber, diagnosis)?;
        }
    }
    Ok(())
}

/// Whether each rule can still be read: a time zone may be gone from the system.
fn check_schedules(tx: &mut Tx<'_>, topic: i64, name: &str, diagnosis: &mut Diagnosis) -> Step<()> {
    let page = params![topic, "", limits::SCHEDULES_PER_TOPIC_MAX];
    let ids: Vec<i64> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedules_page.sql"))?
        .query_map(page, |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in ids {
        let stored = schedule::get(tx, id)?;
        if let Err(error) = Recurrence::new(&stored.options, stored.created_at) {
            let who = format!("schedule {:?} of topic {name:?}", stored.name);
            diagnosis.problems.push(format!("{who} cannot be read any more: {error}"));
        }
    }
    Ok(())
}

fn check_subscriber(tx: &Tx<'_>, id: u32, diagnosis: &mut Diagnosis) -> Step<()> {
    let subscriber = tx.subscriber(id)?;
    let counts = &subscriber.counts;
    let counted: [i64; 5] = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/diagnose_counts.sql"))?
        .query_row([id], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
        })?;
    let known = [counts.leased, counts.retrying, counts.parked, counts.dead, counts.lapsed];
    let who = format!("subscriber {:?} of topic {:?}", subscriber.name, subscriber.topic_name);
    for ((state, counted), known) in
        ["leased", "retrying", "parked", "dead", "lapsed"].into_iter().zip(counted).zip(known)
    {
        if counted != known {
            diagnosis
                .problems
                .push(format!("{who} counts {known} {state} deliveries, has {counted}"));
        }
    }
    let stranded = stranded(tx, id)?;
    if stranded > 0 {
        diagnosis.problems.push(format!("{who} has {stranded} parked deliveries behind nothing"));
    }
    for log in &tx.topic(subscriber.topic)?.logs {
        let log = tx.log(*log)?;
        if subscriber.cursor(log.id) > log.last_seq {
            diagnosis.problems.push(format!("{who} is beyond the end of log {}", log.id));
        }
    }
    if counts.dead >= DEAD_NOTABLE {
        diagnosis.advice.push(format!("{who} has {} dead letters: redrive or purge", counts.dead));
    }
    Ok(())
}

/// Parked deliveries that nothing will set free. While a change of settings is being followed up there may
/// be some.
fn stranded(tx: &Tx<'_>, id: u32) -> Step<i64> {
    let subscriber = tx.subscriber(id)?;
    if subscriber.sifted_key.is_some() {
        return Ok(0);
    }
    let Some(rule) = Rule::of(&subscriber.options) else { return Ok(subscriber.counts.parked) };
    let sql = include_str!("../../../sql/sqlite/diagnose_parked.sql");
    let blocks = rule == Rule::Ordered { block: true };
    Ok(tx.connection.prepare_cached(sql)?.query_row(params![id, blocks], |row| row.get(0))?)
}

fn check_leases(tx: &Tx<'_>, diagnosis: &mut Diagnosis) -> Step<()> {
    let sql = include_str!("../../../sql/sqlite/diagnose_leases.sql");
    let mut statement = tx.connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (subscriber, lease): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (says, has): (i64, i64) = (row.get(2)?, row.get(3)?);
        diagnosis.problems.push(format!(
            "lease {lease} of subscriber {subscriber} counts {says} deliveries, has {has}"
        ));
    }
    Ok(())
}

fn check_messages(tx: &Tx<'_>, diagnosis: &mut Diagnosis) -> Step<()> {
    let sql = include_str!("../../../sql/sqlite/diagnose_orphans.sql");
    let orphans: i64 = tx.connection.prepare(sql)?.query_row([], |row| row.get(0))?;
    if orphans > 0 {
        diagnosis.problems.push(format!("{orphans} deliveries have no message"));
    }
    Ok(())
}

fn check_keepsakes(tx: &Tx<'_>, diagnosis: &mut Diagnosis) -> Step<()> {
    let sql = include_str!("../../../sql/sqlite/diagnose_keepsakes.sql");
    let counts: [i64; 4] = tx
        .connection
        .prepare(sql)?
        .query_row([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
    let faults = [
        "schedules belong to no topic",
        "entries of a history belong to no schedule",
        "unique keys belong to no topic",
        "replies expired before they were there",
    ];
    for (fault, count) in faults.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
        diagnosis.problems.push(format!("{count} {fault}"));
    }
    Ok(())
}

/// Applications staged them, committed, and were not told.
fn check_rejected(tx: &Tx<'_>, diagnosis: &mut Diagnosis) -> Step<()> {
    let sql = include_str!("../../../sql/sqlite/rejected_count.sql");
    let rejected: i64 = tx.connection.prepare(sql)?.query_row([], |row| row.get(0))?;
    if rejected > 0 {
        diagnosis.advice.push(format!(
            "{rejected} messages that applications published by SQL were rejected: look at the table \
             blockqueue_rejected, then delete its rows"
        ));
    }
    Ok(())
}

fn advise(diagnosis: &mut Diagnosis) {
    if diagnosis.wal_bytes > WAL_BYTES_NOTABLE {
        let advice =
            "the write-ahead log is large: a reader that never ends, or one killed, holds it";
        diagnosis.advice.push(advice.to_owned());
    }
    if diagnosis.free_bytes > diagnosis.file_bytes / 2 && diagnosis.free_bytes > 1 << 20 {
        let advice = "more than half of the file is free: it is reused, or given back when idle";
        diagnosis.advice.push(advice.to_owned());
    }
}
