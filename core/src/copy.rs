//! Copying a queue from one place to another, of whatever kind both are.
//!
//! Carries everything over, row by row, from one moment of the original, and reads the copy again before it is
//! committed, which makes a queue of it. Invariant: a place has a whole queue or none.

use std::path::Path;
use std::thread;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::failpoint;
use crate::options::{CopyOptions, CopyProgress, OpenOptions};
use crate::store;
use crate::store::rows::{
    self, Checksum, Filling, Row, Rows, TABLES, Table, newest_id, size_bytes,
};

/// Rows and bytes that are held before they are written.
const CHUNK_ROWS: usize = 1_000;
const CHUNK_BYTES: usize = 1 << 20;

/// What a copy came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CopyReport {
    /// Every table of the queue.
    pub tables: Vec<CopiedTable>,
}

/// A table that was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CopiedTable {
    /// Its name.
    pub name: &'static str,
    /// How many rows it has, in the original and in the copy.
    pub rows: u64,
    /// SHA-256 of its rows, in the original and in the copy: the same in every store that has the same rows.
    pub checksum: String,
}

/// Copies the queue at one address to another: from a file to a server, back, or from file to file. Blocks until
/// the copy is there and verified.
///
/// Everything is as it was at one moment of the original: topics, subscribers, messages and their ids,
/// deliveries with their leases, so that receipts are valid in the copy, too, dead letters, keys, schedules,
/// results, settings. Work on the original goes on meanwhile; what is done there after that moment is not in
/// the copy.
///
/// There must be no queue in the place of the copy yet. If anything fails, there is none afterwards either.
///
/// ```
/// use blockqueue::{CopyOptions, Queue, copy};
///
/// # fn main() -> blockqueue::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let (from, to) = (folder.path().join("from.db"), folder.path().join("to.db"));
/// # drop(Queue::open(&from)?);
/// let report = copy(&from, &to, &CopyOptions::default())?;
/// println!("{} tables", report.tables.len());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `cannot_open` if there is no queue to copy, if there is one already where it should go, or if one of the two
/// places cannot be reached; `corrupt` if the copy differs from the original; `disk_full`, `read_only`, `locked`,
/// `io`; `invalid_argument` for a queue in memory, and for what the other store does not take;
/// `outcome_unknown` if the copy may be there.
pub fn copy(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
    options: &CopyOptions,
) -> Result<CopyReport> {
    let (from, to) = (from.as_ref(), to.as_ref());
    // Some stores block on a runtime of their own, which must not be within another one.
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("blockqueue-copy".into())
            .spawn_scoped(scope, || run(from, to, options))
            .map_err(|error| Error::Io { detail: error.to_string() })?;
        thread.join().unwrap_or_else(|_| Err(Error::internal("copying panicked")))
    })
}

fn run(from: &Path, to: &Path, options: &CopyOptions) -> Result<CopyReport> {
    let store = store::open(from, &OpenOptions::default().with_must_exist(true))?;
    let mut original = store.rows()?;
    let mut copy = store::fill(to)?;
    let mut progress = CopyProgress::default();
    for table in TABLES {
        progress.rows_total += original.count(table)?;
    }
    let mut tables = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let checksum = carry(table, &mut *original, &mut *copy, |rows| {
            progress.rows_copied += rows;
            options.tell(progress);
        })?;
        let rows = checksum.rows();
        tables.push(CopiedTable { name: table.name, rows, checksum: checksum.finish() });
    }
    for (table, copied) in TABLES.iter().zip(&tables) {
        verify(table, copied, &mut *copy, |rows| {
            progress.rows_verified += rows;
            options.tell(progress);
        })?;
    }
    copy.commit()?;
    Ok(CopyReport { tables })
}

/// Writes the rows of a table; the answer is what they were.
fn carry(
    table: &Table,
    original: &mut dyn Rows,
    copy: &mut dyn Filling,
    mut tell: impl FnMut(u64),
) -> Result<Checksum> {
    let mut checksum = Checksum::default();
    let mut chunk: Vec<Row> = Vec::new();
    let mut bytes = 0;
    let mut write = |chunk: &mut Vec<Row>| {
        copy.insert(table, chunk)?;
        failpoint::hit("in_copy");
        tell(chunk.len() as u64);
        chunk.clear();
        Ok(())
    };
    original.each(table, &mut |row| {
        checksum.add(&row);
        bytes += size_bytes(&row);
        chunk.push(row);
        if chunk.len() >= CHUNK_ROWS || bytes >= CHUNK_BYTES {
            bytes = 0;
            write(&mut chunk)?;
        }
        Ok(())
    })?;
    if !chunk.is_empty() {
        write(&mut chunk)?;
    }
    let newest = newest_id(table, original)?;
    copy.set_newest_id(table, newest)?;
    checksum.add_newest_id(newest);
    Ok(checksum)
}

/// Reads a table again.
fn verify(
    table: &Table,
    copied: &CopiedTable,
    copy: &mut dyn Filling,
    tell: impl FnMut(u64),
) -> Result<()> {
    let checksum = rows::checksum(table, copy, CHUNK_ROWS as u64, tell)?;
    let (counted, found) = (copy.count(table)?, checksum.rows());
    if counted != copied.rows || found != copied.rows || checksum.finish() != copied.checksum {
        let detail = format!(
            "the copy of {} has {found} rows that differ from the {} of the original",
            table.name, copied.rows
        );
        return Err(Error::Corrupt { detail });
    }
    Ok(())
}
