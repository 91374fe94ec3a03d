//! Backups, and how far they are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use blockqueue::Pending;

use crate::error::{Result, invalid};
use crate::number::signed;

/// How far a backup is.
#[derive(Debug, Clone, uniffi::Record)]
pub struct BackupProgress {
    /// Bytes of the copy that are written.
    pub bytes_done: i64,
    /// Bytes that the copy will have, at most; they are written when it is there and verified.
    pub bytes_total: i64,
}

/// A backup on its way: wait for its end, and look how far it is meanwhile.
#[derive(Debug, uniffi::Object)]
pub struct PendingBackup {
    pending: Mutex<Option<Pending<()>>>,
    progress: Arc<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    done: AtomicU64,
    total: AtomicU64,
}

impl PendingBackup {
    pub(crate) fn start(queue: &blockqueue::Queue, to: String) -> Self {
        let progress = Arc::<Progress>::default();
        let told = Arc::clone(&progress);
        let backup = blockqueue::Backup::new(to).with_progress(move |progress| {
            told.done.store(progress.bytes_done, Ordering::Relaxed);
            told.total.store(progress.bytes_total, Ordering::Relaxed);
        });
        Self { pending: Mutex::new(Some(queue.backup(backup))), progress }
    }
}

#[uniffi::export]
impl PendingBackup {
    /// Waits until the copy is written and verified. May be called once.
    pub async fn wait(&self) -> Result<()> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let pending = pending.ok_or_else(|| invalid("the backup was waited for already"))?;
        Ok(pending.await?)
    }

    /// How far it is.
    pub fn progress(&self) -> BackupProgress {
        BackupProgress {
            bytes_done: signed(self.progress.done.load(Ordering::Relaxed)),
            bytes_total: signed(self.progress.total.load(Ordering::Relaxed)),
        }
    }
}
