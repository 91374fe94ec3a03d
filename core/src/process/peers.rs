//! The other processes on the same file, met at a small file beside it.
//!
//! Who is there shares a lock on a byte of that file, so one system call tells whether anybody else is.
//! A commit is announced by reading the file, which those who wait are told of by the kernel and which
//! writes nothing. The file is never removed: others may be about to open it. Without it (a platform
//! without such locks, a directory that is read-only) writers compete for SQLite's lock, and waiting
//! claims look now and then.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::locks::LockFile;
use super::turn::{Turn, Turns};
use super::{beside, locks};

/// The byte that everybody shares.
const PRESENT: u8 = 2;

#[derive(Debug)]
pub(crate) struct Peers {
    file: Arc<LockFile>,
    turns: Turns,
    /// Somebody else was there after the newest commit.
    has_others: bool,
}

/// The file beside this database.
pub(crate) fn path(database: &Path) -> PathBuf {
    beside(database, "-peers")
}

impl Peers {
    /// # Errors
    /// What the system says.
    pub(crate) fn join(database: &Path) -> io::Result<Self> {
        locks::install();
        let file = Arc::new(LockFile::new(open(database)?)?);
        file.share(PRESENT)?;
        let has_others = file.is_held_by_others(PRESENT)?;
        Ok(Self { turns: Turns::new(Arc::clone(&file)), file, has_others })
    }

    /// Waits until it is this process's turn to write; `None` if nobody else is there, or if the turn
    /// does not come.
    pub(crate) fn take_turn(&mut self) -> Option<Turn<'_>> {
        if self.has_others { self.turns.take() } else { None }
    }

    /// Tells the others, if there are any, that there is something new.
    pub(crate) fn announce_commit(&mut self) {
        // Looked at behind the commit: whoever comes later sees it anyway.
        self.has_others = self.file.is_held_by_others(PRESENT).unwrap_or(true);
        if self.has_others {
            // Those who wait look by themselves every second.
            let _ = read_one_byte(self.file.file());
        }
    }
}

/// Opens the file; a new one gets the permissions of the database, whose users are the same.
fn open(database: &Path) -> io::Result<File> {
    let path = path(database);
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    let file = match options.open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = options.create(true).truncate(false).open(&path)?;
            file.set_permissions(fs::metadata(database)?.permissions())?;
            file
        }
        result => result?,
    };
    // Reading nothing at all would tell nobody.
    file.set_len(1)?;
    Ok(file)
}

#[cfg(unix)]
fn read_one_byte(file: &File) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.read_exact_at(&mut [0], 0)
}

#[cfg(not(unix))]
fn read_one_byte(_: &File) -> io::Result<()> {
    Ok(())
}
