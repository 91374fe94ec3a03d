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
use std::path::{Path, PathBuf};

/// The name of a file beside another one.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
