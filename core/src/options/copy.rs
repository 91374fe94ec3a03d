//! How a queue is copied, and who is told how far it is.

use std::fmt;
use std::sync::Arc;

type Listener = Arc<dyn Fn(CopyProgress) + Send + Sync>;

/// How a queue is copied to another place.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct CopyOptions {
    pub(crate) progress: Option<Listener>,
}

impl CopyOptions {
    /// Calls this now and then while rows are copied and verified, on a thread of the copy's own.
    #[must_use]
    pub fn with_progress(
        mut self,
        progress: impl Fn(CopyProgress) + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    pub(crate) fn tell(&self, progress: CopyProgress) {
        if let Some(listener) = &self.progress {
            listener(progress);
        }
    }
}

impl fmt::Debug for CopyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyOptions").finish_non_exhaustive()
    }
}

/// How far a copy is. To a Turso database rows are written into a file and read again there; then all of them are
/// sent, and read once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CopyProgress {
    /// Rows that are written.
    pub rows_copied: u64,
    /// Rows that were read again, and are as they should be as far as is known.
    pub rows_verified: u64,
    /// Rows that there are.
    pub rows_total: u64,
}
