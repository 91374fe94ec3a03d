//! What the faults happen to: a small queue, and a disk of its own.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use blockqueue::{ClaimOptions, NewTopic, OpenOptions, Queue, Receipt, Result};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use tempfile::TempDir;

/// A new queue with a topic `t` that has a subscriber `s`.
pub(crate) fn create(file: &Path) -> Queue {
    let queue = Queue::open(file).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    queue
}

/// The same, closed again, with these messages in it.
pub(crate) fn create_with(file: &Path, payloads: &[&str]) {
    let queue = create(file);
    for payload in payloads {
        queue.publish("t", *payload).wait().unwrap();
    }
    queue.shutdown().wait().unwrap();
}

/// Opens a file that must exist.
pub(crate) fn open(file: &Path) -> Result<Queue> {
    Queue::open_with(file, OpenOptions::default().with_must_exist(true))
}

/// The code with which a file is refused, which leaves it as it was.
pub(crate) fn refusal(file: &Path) -> &'static str {
    let before = fs::read(file).unwrap();
    let code = open(file).map(|_| ()).unwrap_err().code();
    assert!(fs::read(file).unwrap() == before, "the file was changed");
    code
}

/// Claims so many deliveries of `s`: payload, attempt and receipt of each.
pub(crate) fn claim(queue: &Queue, limit: usize) -> Result<Vec<(String, u32, Receipt)>> {
    let options = ClaimOptions::default().with_limit(limit);
    let deliveries = queue.claim("t", "s", &options).wait()?;
    let parts = deliveries.into_iter().map(|delivery| {
        (String::from_utf8(delivery.payload).unwrap(), delivery.attempt, delivery.receipt)
    });
    Ok(parts.collect())
}

/// Everything that `s` can claim for the first time, in order, acked.
pub(crate) fn drain(queue: &Queue) -> Vec<String> {
    let mut payloads = Vec::new();
    loop {
        let deliveries = claim(queue, 1_000).unwrap();
        if deliveries.is_empty() {
            return payloads;
        }
        for (payload, attempt, receipt) in deliveries {
            assert_eq!(attempt, 1, "an attempt that nobody made was counted");
            queue.ack(&receipt).wait().unwrap();
            payloads.push(payload);
        }
    }
}

/// The file is whole, and its counters agree with its rows.
pub(crate) fn assert_sound(queue: &Queue) {
    assert_eq!(queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
}

/// A file system in memory, which can be full or read-only.
pub(crate) struct Disk {
    folder: TempDir,
}

impl Disk {
    /// `None` where mounting is not allowed: said aloud at home, a failure in CI.
    pub(crate) fn of(bytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = std::ffi::CString::new(format!("size={bytes}")).unwrap();
        match mount("tmpfs", folder.path(), "tmpfs", MountFlags::empty(), Some(size.as_c_str())) {
            Ok(()) => Some(Self { folder }),
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "cannot mount a tmpfs: {error}");
                // Past the capture of the test's output.
                let _ = writeln!(io::stderr(), "SKIPPED: cannot mount a tmpfs: {error}");
                None
            }
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Takes so much room that only so many bytes are left; removing the file gives it back.
    pub(crate) fn fill(&self, all: usize, left: usize) -> PathBuf {
        let ballast = self.path("ballast");
        fs::write(&ballast, vec![0; all - left]).unwrap();
        ballast
    }

    pub(crate) fn set_read_only(&self, read_only: bool) {
        let flags = if read_only { MountFlags::RDONLY } else { MountFlags::empty() };
        mount_remount(self.folder.path(), flags, "").unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The threads of a queue that was only dropped may not be through yet.
        let _ = unmount(self.folder.path(), UnmountFlags::DETACH);
    }
}
