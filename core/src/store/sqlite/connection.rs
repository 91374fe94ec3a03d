//! Connections: how a file is opened, and the pragmas that everything rests on.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::from_sqlite;
use super::{guard, migrate};
use crate::clock::monotonic;
use crate::entropy;
use crate::error::{Error, Result};
use crate::options::{Durability, OpenOptions};
use crate::process::locks;

/// Earlier releases of SQLite can corrupt the log when connections checkpoint at the same time.
const SQLITE_MIN: i32 = 3_051_003;
/// How long a file may be locked by others while it is opened.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a queue lives.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Memory,
    File(PathBuf),
}

impl Place {
    pub(super) fn new(path: &Path) -> Self {
        if path == Path::new(":memory:") { Self::Memory } else { Self::File(path.to_owned()) }
    }

    /// Once the file is there: by its own name, from the root, as SQLite names the files beside it.
    pub(super) fn resolve(&mut self) {
        if let Self::File(path) = self
            && let Ok(resolved) = path.canonicalize()
        {
            *path = resolved;
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::File(path) => Some(path),
        }
    }
}

/// Opens the connection that writes.
pub(super) fn writer(place: &Place, options: &OpenOptions) -> Result<Connection> {
    if rusqlite::version_number() < SQLITE_MIN {
        return Err(Error::internal("the bundled SQLite is too old"));
    }
    locks::install();
    let mut connection = match place {
        Place::Memory => Connection::open_in_memory(),
        Place::File(path) => {
            let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            if !options.must_exist {
                flags |= OpenFlags::SQLITE_OPEN_CREATE;
            }
            Connection::open_with_flags(path, flags)
        }
    }
    .map_err(from_sqlite)?;
    // SQLite makes do with reading; a queue that nobody can write to is of no use.
    if connection.is_readonly("main").map_err(from_sqlite)? {
        return Err(Error::ReadOnly { detail: name(place, "it may not be written") });
    }
    wait_for_locks(&mut connection)?;
    set_up(&mut connection, place, options).map_err(|error| match error {
        Error::CannotOpen { detail } => Error::CannotOpen { detail: name(place, &detail) },
        other => other,
    })?;
    Ok(connection)
}

fn name(place: &Place, detail: &str) -> String {
    match place {
        Place::Memory => detail.to_owned(),
        Place::File(path) => format!("{}: {detail}", path.display()),
    }
}

fn set_up(connection: &mut Connection, place: &Place, options: &OpenOptions) -> Result<()> {
    let pragma =
        |name, value: &str| connection.pragma_update(None, name, value).map_err(from_sqlite);
    if matches!(place, Place::File(_)) {
        let tables: i64 = connection
            .query_row(include_str!("../../../sql/sqlite/table_count.sql"), [], |row| row.get(0))
            .map_err(from_sqlite)?;
        if options.must_exist && migrate::version(connection)? == 0 {
            return Err(Error::CannotOpen { detail: "there is no queue in it".to_owned() });
        }
        if tables == 0 {
            // Only before the first table, and only in a file of our own.
            pragma("auto_vacuum", "INCREMENTAL")?;
        }
        let mode: String = patiently(|| {
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        })
        .map_err(from_sqlite)?;
        if !mode.eq_ignore_ascii_case("wal") {
            let detail = format!("the file system does not support a write-ahead log ({mode})");
            return Err(Error::CannotOpen { detail });
        }
    }
    pragma(
        "synchronous",
        match options.durability {
            Durability::Full => "FULL",
            Durability::Balanced => "NORMAL",
        },
    )?;
    // On macOS a plain fsync does not reach the disk; elsewhere this changes nothing.
    pragma("fullfsync", "1")?;
    pragma("checkpoint_fullfsync", "1")?;
    pragma("temp_store", "MEMORY")?;
    pragma("cache_size", "-16384")?;
    pragma("foreign_keys", "0")?;
    keep_statements(connection, 256)?;
    guard::install(connection)?;
    // Replaces the automatic checkpoint: the writer checkpoints after it has answered.
    connection.wal_hook(Some(count_wal_pages)).map_err(from_sqlite)?;
    Ok(())
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(from_sqlite)?;
    wait_for_locks(&mut connection)?;
    keep_statements(&connection, 64)?;
    Ok(connection)
}

/// Prepared statements are kept, and their plans do not depend on what is bound: with its statistics on,
/// SQLite would prepare a statement again whenever another bound of a range is given.
fn keep_statements(connection: &Connection, count: usize) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(count);
    let steady_plans = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
    connection.set_db_config(steady_plans, true).map(drop).map_err(from_sqlite)
}

/// Locks that others hold are waited for.
pub(super) fn wait_for_locks(connection: &mut Connection) -> Result<()> {
    connection.busy_handler(Some(wait_for_lock)).map_err(from_sqlite)
}

/// Locks that others hold are errors at once.
pub(super) fn do_not_wait(connection: &mut Connection) -> Result<()> {
    connection.busy_handler(None::<fn(i32) -> bool>).map_err(from_sqlite)
}

/// Tries again while others have the file locked. Where two would wait for each other, as those do who
/// create the same file at the same time, SQLite asks nobody whether to wait.
fn patiently<T>(mut step: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let until = monotonic() + PATIENCE;
    let mut attempt = 0;
    loop {
        match step() {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && monotonic() < until
                    && wait_for_lock(attempt) =>
            {
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// Waits for a lock that another process holds: short pauses with jitter, about ten seconds in all.
fn wait_for_lock(attempt: i32) -> bool {
    const LONGEST: f64 = 0.005;
    const ATTEMPTS: i32 = 4_000;
    if attempt >= ATTEMPTS {
        return false;
    }
    HAS_WAITED.set(true);
    let pause = (0.000_1 * f64::from(attempt + 1)).min(LONGEST);
    thread::sleep(Duration::from_secs_f64(pause * (0.5 + entropy::unit() / 2.0)));
    true
}

thread_local! {
    static HAS_WAITED: Cell<bool> = const { Cell::new(false) };
    static WAL_PAGES: Cell<u32> = const { Cell::new(0) };
}

/// Whether a connection of this thread had to wait for a lock since the last call.
pub(super) fn has_waited() -> bool {
    HAS_WAITED.take()
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of the hook")]
fn count_wal_pages(_: &mut Wal, pages: std::ffi::c_int) -> rusqlite::Result<()> {
    WAL_PAGES.set(u32::try_from(pages).unwrap_or(0));
    Ok(())
}

/// Pages in the write-ahead log after the newest commit of this thread's connection.
pub(super) fn wal_pages() -> u32 {
    WAL_PAGES.get()
}

pub(super) fn forget_wal_pages() {
    WAL_PAGES.set(0);
}
