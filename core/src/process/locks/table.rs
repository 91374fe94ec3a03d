//! Which descriptors of which files SQLite has open, and through which one each file is locked.
//!
//! SQLite may unlock through another connection's descriptor than the one that locked, so all locks of a
//! file go through one open file description. Invariant: no descriptor of a file is closed as long as
//! somebody else may hold locks on it; so their number is that of the connections open at one time.

use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::mem;
use std::os::fd::{AsRawFd as _, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt as _;

use libc::{c_int, stat};

/// A file, whatever its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Inode {
    device: u64,
    number: u64,
}

impl Inode {
    pub(super) fn of(found: &Metadata) -> Self {
        Self { device: found.dev(), number: found.ino() }
    }
}

impl From<&stat> for Inode {
    fn from(found: &stat) -> Self {
        Self { device: found.st_dev, number: found.st_ino }
    }
}

/// One file.
#[derive(Debug, Default)]
struct Entry {
    /// Closed by SQLite, with how they can be used. Before the lock, which must be dropped last.
    idle: Vec<(OwnedFd, c_int)>,
    /// What its locks belong to; made by the first lock.
    lock: Option<File>,
    /// It is locked in the way of POSIX: it cannot be done otherwise.
    does_without: bool,
    open_count: usize,
}

impl Entry {
    /// SQLite has it open no more, and closing it here takes locks from nobody.
    ///
    /// To hold the whole file proves that no other library, nor any process, has a lock on it, and none can
    /// get one before the last descriptor is closed, which is the one that holds it.
    fn can_go(&self) -> bool {
        let is_ours = || self.lock.as_ref().is_some_and(super::try_lock_all);
        self.open_count == 0 && (self.does_without || self.is_gone() || is_ours())
    }

    /// Nobody can open it any more.
    fn is_gone(&self) -> bool {
        let has_name = |found: io::Result<Metadata>| found.is_ok_and(|found| found.nlink() > 0);
        let mut descriptors = self.idle.iter().map(|(fd, _)| fd.as_raw_fd());
        let some = self.lock.as_ref().map(File::as_raw_fd).or_else(|| descriptors.next());
        !some.is_some_and(|fd| has_name(metadata(fd)))
    }
}

#[derive(Debug, Default)]
pub(super) struct Table {
    entries: HashMap<Inode, Entry>,
    open: HashMap<RawFd, (Inode, c_int)>,
    /// Descriptors of our own that hold locks.
    own: HashSet<RawFd>,
}

impl Table {
    pub(super) fn is_open(&self, fd: RawFd) -> bool {
        self.open.contains_key(&fd)
    }

    /// A descriptor that SQLite has closed, for somebody who opens the same file in the same way.
    pub(super) fn take_idle(&mut self, inode: Inode, access: c_int) -> Option<OwnedFd> {
        let entry = self.entries.get_mut(&inode)?;
        let place = entry.idle.iter().position(|(_, other)| *other == access)?;
        let (fd, _) = entry.idle.swap_remove(place);
        entry.open_count += 1;
        self.open.insert(fd.as_raw_fd(), (inode, access));
        Some(fd)
    }

    /// SQLite has opened something. Directories and devices are not looked after.
    pub(super) fn opened(&mut self, fd: RawFd, access: c_int) {
        let Ok(found) = metadata(fd) else { return };
        if !found.is_file() {
            return;
        }
        // What others held, or could have opened, when it was closed.
        self.entries.retain(|_, entry| !entry.can_go());
        let inode = Inode::of(&found);
        self.entries.entry(inode).or_default().open_count += 1;
        self.open.insert(fd, (inode, access));
    }

    /// SQLite has no use for it any more. With the last descriptor of a file go its locks, as SQLite
    /// expects; the descriptors stay if others may have locks of their own.
    pub(super) fn closed(&mut self, fd: OwnedFd) {
        let Some((inode, access)) = self.open.remove(&fd.as_raw_fd()) else { return };
        let Some(entry) = self.entries.get_mut(&inode) else { return };
        entry.open_count -= 1;
        entry.idle.push((fd, access));
        if entry.open_count == 0 {
            if entry.lock.is_none() {
                // Never locked by SQLite, but others may have locked it.
                let idle = entry.idle.last();
                entry.lock = idle.and_then(|(fd, _)| description_of(fd.as_raw_fd()).ok());
            }
            if let Some(lock) = &entry.lock {
                super::unlock_all(lock);
            }
            if entry.can_go() {
                self.entries.remove(&inode);
            }
        }
    }

    /// Through which descriptor locks on this one go; `None` if through itself.
    pub(super) fn lock_descriptor(&mut self, fd: RawFd) -> Option<RawFd> {
        let (inode, _) = self.open.get(&fd)?;
        let entry = self.entries.get_mut(inode)?;
        if entry.does_without {
            return None;
        }
        if entry.lock.is_none() {
            match description_of(fd) {
                Ok(lock) => entry.lock = Some(lock),
                Err(_) => entry.does_without = true,
            }
        }
        entry.lock.as_ref().map(File::as_raw_fd)
    }

    /// Locks of this file belong to the process from now on.
    pub(super) fn do_without(&mut self, fd: RawFd) {
        let inode = self.open.get(&fd).map(|(inode, _)| *inode);
        if let Some(entry) = inode.and_then(|inode| self.entries.get_mut(&inode)) {
            entry.does_without = true;
        }
    }

    /// Whether locks on the file are kept apart from those of the process.
    pub(super) fn is_private(&self, inode: Inode) -> bool {
        self.entries.get(&inode).is_some_and(|entry| entry.lock.is_some() && !entry.does_without)
    }

    pub(super) fn own(&mut self, fd: RawFd) {
        self.own.insert(fd);
    }

    pub(super) fn disown(&mut self, fd: RawFd) {
        self.own.remove(&fd);
    }

    /// In a child: forgets everything. The answer is what holds locks of the parent and must be closed.
    pub(super) fn leave_to_parent(&mut self) -> Vec<RawFd> {
        let Self { entries, open: _, own } = mem::take(self);
        let mut descriptions = Vec::from_iter(own);
        for entry in entries.into_values() {
            descriptions.extend(entry.lock.map(IntoRawFd::into_raw_fd));
            descriptions.extend(entry.idle.into_iter().map(|(fd, _)| fd.into_raw_fd()));
        }
        descriptions
    }
}

/// A new open file description of the same file: one that can lock for writing, if that is permitted.
fn description_of(fd: RawFd) -> io::Result<File> {
    let path = format!("/proc/self/fd/{fd}");
    let both = OpenOptions::new().read(true).write(true).open(&path);
    both.or_else(|_| File::open(&path))
}

/// Of an open descriptor, by its number.
fn metadata(fd: RawFd) -> io::Result<Metadata> {
    std::fs::metadata(format!("/proc/self/fd/{fd}"))
}
