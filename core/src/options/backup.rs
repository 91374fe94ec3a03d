//! Where a backup goes, and who is told how far it is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

type Listener = Arc<dyn Fn(BackupProgress) + Send + Sync>;

/// A backup to make. Made from a path where nothing else is wanted.
#[derive(Clone)]
#[non_exhaustive]
pub struct Backup {
    /// The file to write; it must not exist.
    pub to: PathBuf,
    pub(crate) progress: Option<Listener>,
}

impl Backup {
    /// A backup to this file.
    pub fn new(to: impl Into<PathBuf>) -> Self {
        Self { to: to.into(), progress: None }
    }

    /// Calls this several times a second while the copy is written, and once when it is there. On a
    /// thread of the backup's own: it must not wait for the queue.
    #[must_use]
    pub fn with_progress(
        mut self,
        progress: impl Fn(BackupProgress) + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }
}

impl fmt::Debug for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup").field("to", &self.to).finish_non_exhaustive()
    }
}

impl From<PathBuf> for Backup {
    fn from(to: PathBuf) -> Self {
        Self::new(to)
    }
}

impl From<&PathBuf> for Backup {
    fn from(to: &PathBuf) -> Self {
        Self::new(to)
    }
}

impl From<&Path> for Backup {
    fn from(to: &Path) -> Self {
        Self::new(to)
    }
}

impl From<&str> for Backup {
    fn from(to: &str) -> Self {
        Self::new(to)
    }
}

/// How far a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupProgress {
    /// Bytes of the copy that are written.
    pub bytes_done: u64,
    /// Bytes that the copy will have, at most; they are written when it is there and verified.
    pub bytes_total: u64,
}
