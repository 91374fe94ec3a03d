//! The queue on the server: how it begins, and how the mirror is filled from it.
//!
//! The server holds the rows of the same tables, without what checks or finds them. Pages are read while others
//! go on writing; what they wrote meanwhile follows from the journal, and makes the copy one of a single version.

use std::thread;
use std::time::Duration;

use rusqlite::types::{Value, ValueRef};

use super::hrana::{Arg, Came, Failure, Row, Step};
use super::journal::{Journal, News, error_of, refused};
use crate::entropy;
use crate::error::{Error, Result};
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::migrate::NEWEST;
use crate::store::sqlite::mirror::Refill;
use crate::store::sqlite::tables::Table;

/// Rows of a table, and tables, that one answer brings. Answers that are too large are refused: then fewer.
const PAGES: [(usize, usize); 5] = [(2_048, 64), (256, 64), (32, 64), (4, 1), (1, 1)];
/// A page this small may be larger.
const SMALL_BYTES: usize = 1 << 20;
/// How often the making of the tables is tried, and the pause between.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// What is in a database.
pub(super) enum Found {
    Nothing,
    Queue,
    /// A copy of a queue that is not finished, or never will be.
    Copying,
    /// Tables of a queue that this store did not make.
    Foreign,
}

pub(super) fn look(journal: &mut Journal) -> Result<Found> {
    let names = rows(journal, include_str!("../../../sql/turso/schema_tables.sql"))?;
    let has = |name: &str| names.iter().flatten().any(|found| *found == Value::Text(name.into()));
    Ok(match (has("blockqueue_journal"), has("blockqueue_migration")) {
        (true, true) => Found::Queue,
        (false, false) if !has("blockqueue_copy") => Found::Nothing,
        (false, _) if has("blockqueue_copy") => Found::Copying,
        _ => Found::Foreign,
    })
}

pub(super) fn foreign() -> Error {
    let detail = "the database has tables of a queue that this store did not make".into();
    Error::CannotOpen { detail }
}

/// Finds the queue on the server, or makes it.
pub(super) fn prepare(journal: &mut Journal, mirror: &SqliteStore, must_exist: bool) -> Result<()> {
    match look(journal)? {
        Found::Queue => {
            let found = rows(journal, include_str!("../../../sql/turso/schema_version.sql"))?;
            match found.first().map(Vec::as_slice) {
                Some([Value::Integer(found)]) if *found > i64::from(NEWEST) => {
                    let found = u32::try_from(*found).unwrap_or(u32::MAX);
                    Err(Error::NewerSchema { found, known: NEWEST })
                }
                _ => Ok(()),
            }
        }
        Found::Nothing if must_exist => {
            Err(Error::CannotOpen { detail: "the database has no queue".into() })
        }
        Found::Nothing => create(journal, mirror),
        Found::Copying => {
            let detail = "a queue is being copied to the database: wait, or copy it again".into();
            Err(Error::CannotOpen { detail })
        }
        Found::Foreign => Err(foreign()),
    }
}

fn rows(journal: &mut Journal, sql: &str) -> Result<Vec<Row>> {
    match journal.ask(&[Step::plain(sql)])?.into_iter().next() {
        Some(Came::Rows(rows)) => Ok(rows),
        Some(Came::Refused { code, text }) => Err(refused(&code, text)),
        _ => Err(Error::internal("a question without an answer")),
    }
}

/// Changes nothing if somebody else was faster.
fn create(journal: &mut Journal, mirror: &SqliteStore) -> Result<()> {
    let mut steps = unless_there("blockqueue_copy");
    steps.extend(begin_journal());
    for table in journal.tables.iter() {
        steps.push(Step::plain(table.create()));
        let marks = vec!["?"; table.columns.len()].join(", ");
        mirror.each_row(table, &mut |row| {
            let sql = format!("INSERT OR IGNORE INTO {} VALUES ({marks})", table.name);
            let args = row.iter().map(|value| Arg::from(ValueRef::from(value)));
            steps.push(Step::new(sql, args.collect()));
            Ok(())
        })?;
    }
    transact(journal, steps)
}

/// Steps that fail if there is such a table.
pub(super) fn unless_there(table: &str) -> Vec<Step> {
    ["CREATE TABLE {} (x)", "DROP TABLE {}"].map(|sql| Step::plain(sql.replace("{}", table))).into()
}

/// Steps that make a queue of the tables, unless they are one.
pub(super) fn begin_journal() -> Vec<Step> {
    [
        include_str!("../../../sql/turso/journal_create.sql"),
        include_str!("../../../sql/turso/journal_begin.sql"),
        include_str!("../../../sql/turso/turn_create.sql"),
    ]
    .map(Step::plain)
    .into()
}

/// All steps in one transaction, or none; again, if it failed in passing or its answer was lost.
pub(super) fn transact(journal: &mut Journal, steps: Vec<Step>) -> Result<()> {
    let mut chained = vec![Step::plain("BEGIN IMMEDIATE")];
    for step in steps.into_iter().chain([Step::plain("COMMIT")]) {
        chained.push(step.if_ok(chained.len() - 1));
    }
    let commit = chained.len() - 1;
    chained.push(Step::plain("ROLLBACK").unless_ok(commit));
    let (mut attempt, mut lost) = (0, None);
    loop {
        attempt += 1;
        match created(journal.run(&chained)) {
            Ok(()) => return Ok(()),
            Err(error @ Error::Io { .. }) if attempt < ATTEMPTS => lost = Some(error),
            Err(Error::Locked) if attempt < ATTEMPTS => {}
            // Nobody knows what became of the attempt whose answer was lost.
            Err(error) => return Err(lost.unwrap_or(error)),
        }
        thread::sleep(PAUSE.mul_f64(0.5 + entropy::unit()));
    }
}

fn created(came: Result<Vec<Came>, Failure>) -> Result<()> {
    let refusal = came.map_err(error_of)?.into_iter().find_map(|came| match came {
        Came::Refused { code, text } => Some(refused(&code, text)),
        _ => None,
    });
    refusal.map_or(Ok(()), Err)
}

/// Fills the mirror anew.
pub(super) fn fill(journal: &mut Journal, mirror: &mut SqliteStore) -> Result<()> {
    let begin = journal.newest()?;
    journal.begin_at(begin);
    mirror.refill(|refill| {
        read_all(journal, refill)?;
        journal.fetch()?;
        loop {
            match journal.next()? {
                News::Changes(changes, place) => {
                    refill.take_in(&changes, &journal.tables)?;
                    journal.is_at(place);
                }
                News::Nothing => return Ok(()),
                News::Gone => {
                    let detail = "the database changes faster than it is copied".into();
                    return Err(Error::Io { detail });
                }
            }
        }
    })
}

/// The rows of all tables, and the numbers that are used.
pub(super) fn read_all(journal: &mut Journal, refill: &Refill<'_>) -> Result<()> {
    copy(journal, refill)?;
    for row in rows(journal, include_str!("../../../sql/turso/sequences.sql"))? {
        if let [Value::Text(name), Value::Integer(newest)] = row.as_slice() {
            refill.used(name, *newest)?;
        }
    }
    Ok(())
}

/// A table that is being copied, and the key of its newest row here.
struct Copying {
    table: Table,
    after: Option<Vec<Arg>>,
}

impl Copying {
    fn page(&self, count: usize) -> Step {
        let Table { name, .. } = &self.table;
        let key = self.table.key().join(", ");
        let mut args = self.after.clone().unwrap_or_default();
        let marks = vec!["?"; args.len()].join(", ");
        let after = self.after.as_ref().map(|_| format!(" WHERE ({key}) > ({marks})"));
        let after = after.unwrap_or_default();
        args.push(Arg::from(i64::try_from(count).unwrap_or(i64::MAX)));
        Step::new(format!("SELECT * FROM {name}{after} ORDER BY {key} LIMIT ?"), args)
    }

    fn take(&mut self, rows: &[Row], refill: &Refill<'_>) -> Result<()> {
        for row in rows {
            refill.row(&self.table, row)?;
        }
        let Some(last) = rows.last() else { return Ok(()) };
        let places = (0..last.len()).filter(|place| self.table.is_key(*place));
        let key = places.filter_map(|place| last.get(place));
        self.after = Some(key.map(|value| Arg::from(ValueRef::from(value))).collect());
        Ok(())
    }
}

fn copy(journal: &mut Journal, refill: &Refill<'_>) -> Result<()> {
    let tables = journal.tables.iter().cloned();
    let mut left: Vec<_> = tables.map(|table| Copying { table, after: None }).collect();
    let mut level = 1;
    while !left.is_empty() {
        let (count, width) = PAGES.get(level).copied().unwrap_or((1, 1));
        let width = width.min(left.len());
        let steps: Vec<Step> = left.iter().take(width).map(|copying| copying.page(count)).collect();
        let pages = match read(journal, &steps) {
            Ok(pages) => pages,
            Err(Error::Io { .. } | Error::Internal { .. }) if level + 1 < PAGES.len() => {
                level += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        if level > 0 && pages.iter().flatten().map(size).sum::<usize>() < SMALL_BYTES {
            level -= 1;
        }
        let mut full = pages.iter().map(|page| page.len() == count).collect::<Vec<_>>().into_iter();
        for (copying, page) in left.iter_mut().zip(&pages) {
            copying.take(page, refill)?;
        }
        left.retain(|_| full.next().unwrap_or(true));
    }
    Ok(())
}

fn read(journal: &mut Journal, steps: &[Step]) -> Result<Vec<Vec<Row>>> {
    let came = journal.run(steps).map_err(error_of)?;
    let pages = came.into_iter().map(|came| match came {
        Came::Rows(rows) => Ok(rows),
        Came::Refused { code, text } => Err(refused(&code, text)),
        Came::Skipped => Err(Error::internal("a page was skipped")),
    });
    pages.collect()
}

fn size(row: &Row) -> usize {
    let sizes = row.iter().map(|value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => size_of::<i64>(),
    });
    sizes.sum()
}
