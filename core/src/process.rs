//! What many processes on one file need of the operating system: locks that nothing else in the process
//! can drop, a fair turn, a signal after each commit, and safety across a fork.
//!
//! Knows files and descriptors, and nothing of the queue. Invariant: correctness rests on SQLite's own
//! locks alone; whatever here is missing or broken costs time, never data.

pub(crate) mod foreign;
pub(crate) mod fork;
#[cfg_attr(not(ofd_locks), path = "process/locks_missing.rs")]
pub(crate) mod locks;
pub(crate) mod peers;
mod turn;
#[cfg_attr(not(target_os = "linux"), path = "process/watch_missing.rs")]
pub(crate) mod watch;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The name of a file beside another one.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// A file, whatever its names. Where the system does not say, the name from the root stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileId {
    #[cfg(unix)]
    inode: (u64, u64),
    #[cfg(not(unix))]
    path: PathBuf,
}

impl FileId {
    /// The file that has this name now; never opens it.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let found = fs::metadata(path).ok()?;
            Some(Self { inode: (found.dev(), found.ino()) })
        }
        #[cfg(not(unix))]
        fs::canonicalize(path).ok().map(|path| Self { path })
    }
}
