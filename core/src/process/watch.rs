//! Hearing of commits by others, without looking.
//!
//! A thread sleeps in the kernel until one of two files is touched: the small one by which our engines
//! announce a commit ([`super::peers`]), and SQLite's log, which everybody who commits writes to. They
//! are watched by their names; neither is opened. Each tells once, and must be armed to tell again: who
//! is awake is not disturbed.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use super::{beside, peers};

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Another engine has committed.
    Commit,
    /// Somebody has written to the log: a commit may follow.
    Write,
}

/// A file and what happens to it.
#[derive(Debug)]
struct Ear {
    path: PathBuf,
    event: WatchFlags,
    is_armed: AtomicBool,
}

impl Ear {
    fn new(path: PathBuf, event: WatchFlags) -> Self {
        Self { path, event, is_armed: AtomicBool::new(false) }
    }

    fn arm(&self, inotify: &OwnedFd) -> io::Result<()> {
        if !self.is_armed.swap(true, Ordering::AcqRel) {
            let result = inotify::add_watch(inotify, &self.path, self.event | WatchFlags::ONESHOT);
            if let Err(error) = result {
                self.is_armed.store(false, Ordering::Release);
                return Err(error.into());
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Shared {
    inotify: OwnedFd,
    /// Becomes readable when nobody listens any more.
    end: OwnedFd,
    commits: Ear,
    writes: Ear,
}

/// As long as it is there, somebody listens.
#[derive(Debug)]
pub(crate) struct Watch(Arc<Shared>);

impl Watch {
    /// Calls `heard` from a thread of its own.
    ///
    /// # Errors
    /// What the system says: most likely that there are too many who watch files.
    pub(crate) fn start(
        database: &Path,
        heard: impl Fn(Sign) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            inotify: inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?,
            end: eventfd(0, EventfdFlags::CLOEXEC)?,
            commits: Ear::new(peers::path(database), WatchFlags::ACCESS),
            writes: Ear::new(beside(database, "-wal"), WatchFlags::MODIFY),
        });
        let ears = Arc::clone(&shared);
        thread::Builder::new()
            .name("blockqueue-watch".into())
            .spawn(move || while ears.listen(&heard) {})?;
        Ok(Self(shared))
    }

    /// Whatever happens from here on is told, once. An error means that something is not heard.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn arm(&self) -> io::Result<()> {
        let Shared { inotify, commits, writes, .. } = &*self.0;
        commits.arm(inotify).and(writes.arm(inotify))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It cannot fail: the counter is far from full.
        let _ = rustix::io::write(&self.0.end, &1_u64.to_ne_bytes());
    }
}

impl Shared {
    /// Sleeps until something happens, and tells it; the answer is whether to go on.
    fn listen(&self, heard: &impl Fn(Sign)) -> bool {
        let ready = [&self.inotify, &self.end].map(|fd| PollFd::new(fd, PollFlags::IN));
        let mut ready = ready;
        match poll(&mut ready, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return false,
        }
        let [_, end] = &ready;
        if !end.revents().is_empty() {
            return false;
        }
        let mut buffer = [MaybeUninit::uninit(); 1_024];
        let mut events = inotify::Reader::new(&self.inotify, &mut buffer);
        while let Ok(event) = events.next() {
            let flags = event.events();
            if flags.contains(ReadFlags::ACCESS) {
                self.commits.is_armed.store(false, Ordering::Release);
                heard(Sign::Commit);
            } else if flags.contains(ReadFlags::MODIFY) {
                self.writes.is_armed.store(false, Ordering::Release);
                heard(Sign::Write);
            }
        }
        true
    }
}
