//! Locks of our SQLite that nothing else in the process can drop.
//!
//! POSIX record locks belong to the process: if any library closes any descriptor of a file, the locks
//! of all are gone. So the bundled SQLite is told, by the hooks that it offers for system calls, to lock
//! through open file descriptions, which hold off other libraries as if they were other processes. And
//! it closes no descriptor of a file on which others may hold locks: those are kept and used again.
//!
//! Owns the hooks and what happens at a fork; [`table`] keeps the books. What is refused: a kernel or
//! file system without such locks, which is answered with POSIX locks ([`are_private`] tells).
#![expect(unsafe_code, reason = "hooks into SQLite and the C library come in no safe form")]

mod table;

use std::ffi::CStr;
use std::fs::{self, File};
use std::io;
use std::mem::{MaybeUninit, transmute};
use std::os::fd::{AsRawFd as _, FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::path::Path;
use std::ptr::null_mut;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use libc::{c_char, c_int, c_short, flock, off_t, stat};
use rusqlite::ffi;

use super::fork;
use table::{Inode, Table};

static TABLE: Mutex<Option<Table>> = Mutex::new(None);

/// The table, locked.
struct Books(MutexGuard<'static, Option<Table>>);

fn books() -> Books {
    Books(TABLE.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Books {
    fn table(&mut self) -> &mut Table {
        self.0.get_or_insert_default()
    }
}

/// Installs the hooks, once for the process, before its first connection.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        fork::hold_during_forks(|| Box::new(SqliteMutexes::hold()));
        fork::hold_during_forks(|| Box::new(books()));
        // SAFETY: the three functions are there as long as the process is.
        unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(in_child)) };
        if !forced_off() {
            hook();
        }
    });
}

/// Tests may choose the way of platforms without these locks.
fn forced_off() -> bool {
    cfg!(feature = "failpoints") && std::env::var_os("BLOCKQUEUE_POSIX_LOCKS").is_some()
}

type SystemCall = unsafe extern "C" fn();
type Open = unsafe extern "C" fn(*const c_char, c_int, c_int) -> c_int;
type Close = unsafe extern "C" fn(c_int) -> c_int;
type Fcntl = unsafe extern "C" fn(c_int, c_int, ...) -> c_int;
type Stat = unsafe extern "C" fn(*const c_char, *mut stat) -> c_int;
type Fstat = unsafe extern "C" fn(c_int, *mut stat) -> c_int;

unsafe extern "C" {
    /// In `fcntl.c`; calls [`blockqueue_lock`].
    fn blockqueue_fcntl(fd: c_int, command: c_int, ...) -> c_int;
}

fn hook() {
    // SAFETY: SQLite calls each of these by the signature that it has here; see `aSyscall` in its source.
    let calls: [(&CStr, SystemCall); 5] = unsafe {
        [
            (c"open", transmute::<Open, SystemCall>(open)),
            (c"close", transmute::<Close, SystemCall>(close)),
            (c"fcntl", transmute::<Fcntl, SystemCall>(blockqueue_fcntl)),
            (c"stat", transmute::<Stat, SystemCall>(stat_path)),
            (c"fstat", transmute::<Fstat, SystemCall>(stat_open)),
        ]
    };
    // SAFETY: the name ends with a zero; the answer is null or lives as long as the process.
    let Some(vfs) = (unsafe { ffi::sqlite3_vfs_find(c"unix".as_ptr()).as_mut() }) else { return };
    let Some(set) = vfs.xSetSystemCall else { return };
    for (name, call) in calls {
        // SAFETY: the VFS is SQLite's own, and so is the function it is given to.
        unsafe { set(vfs, name.as_ptr(), Some(call)) };
    }
}

/// Whether locks on this file, which is open, are kept apart from those of other libraries.
pub(crate) fn are_private(file: &Path) -> bool {
    let inode = fs::metadata(file).map(|found| Inode::of(&found));
    inode.is_ok_and(|inode| books().table().is_private(inode))
}

// --- what SQLite calls ------------------------------------------------------------------------------

/// # Safety
/// As `open`: the path ends with a zero.
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    let access = flags & libc::O_ACCMODE;
    // SAFETY: as promised by the caller.
    let locked = unsafe { may_be_locked(path) };
    // SAFETY: as promised by the caller.
    let existing = unsafe { inode_of(path, flags) }.filter(|_| locked);
    if let Some(fd) = existing.and_then(|inode| books().table().take_idle(inode, access)) {
        return fd.into_raw_fd();
    }
    // SAFETY: as promised by the caller.
    let fd = unsafe { libc::open(path, flags | libc::O_CLOEXEC, mode) };
    if fd >= 0 && locked {
        books().table().opened(fd, access);
    }
    fd
}

/// Logs and rollback journals are never locked, and so may be closed.
///
/// # Safety
/// The path ends with a zero.
unsafe fn may_be_locked(path: *const c_char) -> bool {
    // SAFETY: as promised by the caller.
    let path = unsafe { CStr::from_ptr(path) }.to_bytes();
    !path.ends_with(b"-wal") && !path.ends_with(b"-journal")
}

/// The file that is there already, if it may be opened in this way and that would give just it.
///
/// # Safety
/// The path ends with a zero.
unsafe fn inode_of(path: *const c_char, flags: c_int) -> Option<Inode> {
    if flags & (libc::O_EXCL | libc::O_TRUNC) != 0 {
        return None;
    }
    let wanted = match flags & libc::O_ACCMODE {
        libc::O_RDONLY => libc::R_OK,
        _ => libc::R_OK | libc::W_OK,
    };
    // SAFETY: the path is one by promise of the caller.
    if unsafe { libc::faccessat(libc::AT_FDCWD, path, wanted, libc::AT_EACCESS) } != 0 {
        return None;
    }
    let mut found = MaybeUninit::<stat>::uninit();
    let follow = if flags & libc::O_NOFOLLOW == 0 { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: the path is one by promise of the caller, and there is room for the answer.
    let result = unsafe { libc::fstatat(libc::AT_FDCWD, path, found.as_mut_ptr(), follow) };
    // SAFETY: filled in when the result is 0.
    (result == 0).then(|| Inode::from(unsafe { found.assume_init_ref() }))
}

/// # Safety
/// As `close`: nobody uses the descriptor afterwards.
unsafe extern "C" fn close(fd: c_int) -> c_int {
    let mut books = books();
    if books.table().is_open(fd) {
        // SAFETY: SQLite owned it and gives it up.
        books.table().closed(unsafe { OwnedFd::from_raw_fd(fd) });
        return 0;
    }
    drop(books);
    // SAFETY: as promised by the caller.
    unsafe { libc::close(fd) }
}

/// Sets or asks for a record lock.
///
/// # Safety
/// As `fcntl` with `F_SETLK` or `F_GETLK`: `lock` is one.
#[unsafe(no_mangle)]
unsafe extern "C" fn blockqueue_lock(fd: c_int, command: c_int, lock: *mut flock) -> c_int {
    let description = books().table().lock_descriptor(fd);
    if let Some(description) = description {
        let private = if command == libc::F_GETLK { libc::F_OFD_GETLK } else { libc::F_OFD_SETLK };
        // SAFETY: as promised by the caller.
        let result = unsafe {
            (*lock).l_pid = 0;
            libc::fcntl(description, private, lock)
        };
        if result != -1 || io::Error::last_os_error().raw_os_error() != Some(libc::EINVAL) {
            return result;
        }
        // The kernel or the file system does not have them.
        books().table().do_without(fd);
    }
    // SAFETY: as promised by the caller.
    unsafe { libc::fcntl(fd, command, lock) }
}

/// # Safety
/// As `stat`.
unsafe extern "C" fn stat_path(path: *const c_char, found: *mut stat) -> c_int {
    // SAFETY: as promised by the caller.
    let result = unsafe { libc::stat(path, found) };
    if result == 0 {
        // SAFETY: as promised by the caller.
        unsafe { mark_generation(found) };
    }
    result
}

/// # Safety
/// As `fstat`.
unsafe extern "C" fn stat_open(fd: c_int, found: *mut stat) -> c_int {
    // SAFETY: as promised by the caller.
    let result = unsafe { libc::fstat(fd, found) };
    if result == 0 {
        // SAFETY: as promised by the caller.
        unsafe { mark_generation(found) };
    }
    result
}

/// SQLite shares what it knows of a file among its connections, by the file's device and number. A child
/// inherits that knowledge, with locks in it that only its parent holds: it must begin anew, and does,
/// because to it every file lies on a device of its own.
///
/// # Safety
/// `found` may be written to.
unsafe fn mark_generation(found: *mut stat) {
    // SAFETY: as promised by the caller.
    unsafe { (*found).st_dev ^= fork::generation() << 48 };
}

/// Takes the whole file, if nobody else has any lock on it.
fn try_lock_all(file: &File) -> bool {
    let mut all = record_lock(libc::F_WRLCK, 0, 0);
    // SAFETY: the descriptor is open, and the lock is one. A length of 0 reaches to the end.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw mut all) == 0 }
}

/// What closing its last descriptor would do.
fn unlock_all(file: &File) {
    let mut all = record_lock(libc::F_UNLCK, 0, 0);
    // SAFETY: the descriptor is open, and the lock is one. A length of 0 reaches to the end.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw mut all) };
}

fn record_lock(kind: c_int, start: off_t, length: off_t) -> flock {
    #[expect(clippy::cast_possible_truncation, reason = "small constants of the C library")]
    let (l_type, l_whence) = (kind as c_short, libc::SEEK_SET as c_short);
    flock { l_type, l_whence, l_start: start, l_len: length, l_pid: 0 }
}

// --- forks ------------------------------------------------------------------------------------------

extern "C" fn before_fork() {
    fork::prepare();
}

extern "C" fn after_fork() {
    fork::release();
}

/// Open file descriptions are shared with the parent: as long as the child has them open, their locks
/// outlive the parent. Everything else of SQLite's is left as it is.
extern "C" fn in_child() {
    fork::count();
    fork::release();
    for description in books().table().leave_to_parent() {
        // SAFETY: nobody in the child knows of it.
        unsafe { libc::close(description) };
    }
    // SAFETY: asks for nothing; the next who asks gets other numbers than the parent.
    unsafe { ffi::sqlite3_randomness(0, null_mut()) };
}

/// SQLite's global mutexes, held.
struct SqliteMutexes(Vec<*mut ffi::sqlite3_mutex>);

impl SqliteMutexes {
    /// All or none, so that there is no order to keep with the threads that use them. Each is only ever
    /// held for a moment; one that never gets free is held by the thread that forks, which is its affair.
    fn hold() -> Self {
        const ATTEMPTS: usize = 100_000;
        for _ in 0..ATTEMPTS {
            let mut held = Self(Vec::new());
            if (ffi::SQLITE_MUTEX_STATIC_MAIN..=ffi::SQLITE_MUTEX_STATIC_VFS3)
                .all(|number| held.try_one(number))
            {
                return held;
            }
            drop(held);
            thread::yield_now();
        }
        Self(Vec::new())
    }

    fn try_one(&mut self, number: c_int) -> bool {
        // SAFETY: a static mutex is never freed; SQLite was initialized when the hooks were installed.
        unsafe {
            let mutex = ffi::sqlite3_mutex_alloc(number);
            let is_held = ffi::sqlite3_mutex_try(mutex) == ffi::SQLITE_OK;
            if is_held {
                self.0.push(mutex);
            }
            is_held
        }
    }
}

impl Drop for SqliteMutexes {
    fn drop(&mut self) {
        for mutex in self.0.drain(..).rev() {
            // SAFETY: held by this thread; behind a fork, by the same thread of the child.
            unsafe { ffi::sqlite3_mutex_leave(mutex) };
        }
    }
}

// --- locks of our own -------------------------------------------------------------------------------

/// A file for locks on single bytes. They are free when the process ends, however it does.
#[derive(Debug)]
pub(crate) struct LockFile(File);

impl LockFile {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere there are none")]
    pub(crate) fn new(file: File) -> io::Result<Self> {
        books().table().own(file.as_raw_fd());
        Ok(Self(file))
    }

    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// Waits until the byte is ours alone. Those who wait get it in the order in which they came.
    pub(crate) fn lock(&self, byte: u8) -> io::Result<()> {
        loop {
            match self.call(libc::F_OFD_SETLKW, libc::F_WRLCK, byte) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map(drop),
            }
        }
    }

    /// Takes the byte if it is free.
    pub(crate) fn try_lock(&self, byte: u8) -> io::Result<bool> {
        match self.call(libc::F_OFD_SETLK, libc::F_WRLCK, byte) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Holds the byte together with everybody else who does it in this way.
    pub(crate) fn share(&self, byte: u8) -> io::Result<()> {
        self.call(libc::F_OFD_SETLK, libc::F_RDLCK, byte).map(drop)
    }

    pub(crate) fn unlock(&self, byte: u8) -> io::Result<()> {
        self.call(libc::F_OFD_SETLK, libc::F_UNLCK, byte).map(drop)
    }

    /// Whether somebody else holds the byte.
    pub(crate) fn is_held_by_others(&self, byte: u8) -> io::Result<bool> {
        let answer = self.call(libc::F_OFD_GETLK, libc::F_WRLCK, byte)?;
        Ok(answer != libc::F_UNLCK)
    }

    fn call(&self, command: c_int, kind: c_int, byte: u8) -> io::Result<c_int> {
        let mut lock = record_lock(kind, off_t::from(byte), 1);
        // SAFETY: the descriptor is open, and the lock is one.
        if unsafe { libc::fcntl(self.0.as_raw_fd(), command, &raw mut lock) } == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok(c_int::from(lock.l_type))
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        books().table().disown(self.0.as_raw_fd());
    }
}
