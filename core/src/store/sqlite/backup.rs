//! Backup: a consistent copy of the file, verified, while work goes on.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use super::error::from_sqlite;
use crate::error::{Error, Result};
use crate::options::{Backup, BackupProgress};

/// How often somebody is told how far a backup is.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Writes the copy under another name first, so that a file of the wanted name is a whole one.
pub(super) fn backup(connection: &Connection, backup: &Backup) -> Result<()> {
    let to = backup.to.as_path();
    if to.exists() {
        let detail = format!("{} exists", to.display());
        return Err(Error::CannotOpen { detail });
    }
    let partial = partial_name(to);
    let total = bytes_to_copy(connection).map_err(from_sqlite)?;
    let tell = |done| {
        if let Some(progress) = &backup.progress {
            progress(BackupProgress { bytes_done: done, bytes_total: total });
        }
    };
    let written = || fs::metadata(&partial).map_or(0, |copy| copy.len()).min(total);
    let copied = while_telling(|| tell(written()), || copy(connection, &partial));
    let result = copied.and_then(|()| put_in_place(&partial, to));
    if result.is_ok() {
        tell(total);
    }
    if result.is_err() {
        // It is of no use to anybody; that it cannot be removed either changes nothing.
        let _ = fs::remove_file(&partial);
    }
    result
}

/// The copy has no free pages.
fn bytes_to_copy(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let used = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(used * pragma("page_size")?)
}

/// Tells now and then while the work goes on. SQLite says nothing itself while it copies, but the file
/// that it writes grows. Only its length is asked for: the file is not opened.
fn while_telling<T>(tell: impl Fn() + Send + Sync, work: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (end, ended) = mpsc::channel::<()>();
        scope.spawn(move || {
            while ended.recv_timeout(TELL_EVERY) == Err(RecvTimeoutError::Timeout) {
                tell();
            }
        });
        let done = work();
        drop(end);
        done
    })
}

fn partial_name(to: &Path) -> PathBuf {
    let mut name = to.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".partial");
    to.with_file_name(name)
}

fn copy(connection: &Connection, partial: &Path) -> Result<()> {
    // What an earlier attempt left behind when it was killed.
    if partial.exists() {
        fs::remove_file(partial).map_err(|error| failed(&error))?;
    }
    let name =
        partial.to_str().ok_or_else(|| Error::invalid("the path of a backup must be UTF-8"))?;
    connection.execute("VACUUM INTO ?1", params![name]).map_err(from_sqlite)?;
    verify(partial)
}

fn verify(path: &Path) -> Result<()> {
    let copy =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(from_sqlite)?;
    let verdict: String =
        copy.pragma_query_value(None, "integrity_check", |row| row.get(0)).map_err(from_sqlite)?;
    if verdict == "ok" { Ok(()) } else { Err(Error::Corrupt { detail: verdict }) }
}

fn put_in_place(partial: &Path, to: &Path) -> Result<()> {
    let synced = File::open(partial).and_then(|file| file.sync_all());
    let renamed = synced.and_then(|()| fs::rename(partial, to));
    renamed.map_err(|error| failed(&error))?;
    // The name is on disk, too, when its directory is.
    let directory = to.parent().filter(|path| !path.as_os_str().is_empty());
    let directory = directory.unwrap_or_else(|| Path::new("."));
    File::open(directory).and_then(|file| file.sync_all()).map_err(|error| failed(&error))
}

fn failed(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull => Error::DiskFull,
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            Error::CannotOpen { detail: error.to_string() }
        }
        _ => Error::Io { detail: error.to_string() },
    }
}
