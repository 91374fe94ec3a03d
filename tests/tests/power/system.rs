//! What this process asks of its files: recorded for the folders that a test watches, and failed on demand.
//!
//! The functions at the end take the place of those of the C library in this program, for SQLite as for
//! everything else. A watched folder is never synced in truth: what a sync promises is in the record.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use rustix::fd::{AsRawFd as _, BorrowedFd};
use rustix::fs::CWD;
use rustix::io::{Errno, Result};

/// Something that happened to a file, named without its folder.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Write {
        file: String,
        offset: u64,
        bytes: Vec<u8>,
    },
    Truncate {
        file: String,
        size: u64,
    },
    Remove {
        file: String,
    },
    Sync {
        file: String,
    },
    /// Names of files are as durable as their folder.
    SyncFolder,
    /// The test has something to remember, by number.
    Mark(usize),
}

/// Which calls fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub error: Errno,
    /// The first call that fails, from 1.
    pub first: u64,
    /// How many do.
    pub count: u64,
}

#[derive(Debug, Default)]
struct State {
    events: Option<Vec<Event>>,
    fault: Option<Fault>,
    calls: u64,
    /// How long a sync takes.
    delay: Duration,
}

/// A folder whose files are watched, until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    folder: PathBuf,
    state: Mutex<State>,
}

static WATCHES: RwLock<Vec<Arc<Watch>>> = RwLock::new(Vec::new());

/// Ends a watch with its test.
pub(crate) struct Watching(Arc<Watch>);

impl Watch {
    fn start(folder: &Path, state: State) -> Watching {
        let folder = folder.canonicalize().unwrap();
        let watch = Arc::new(Self { folder, state: Mutex::new(state) });
        WATCHES.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&watch));
        Watching(watch)
    }

    pub(crate) fn recording(folder: &Path) -> Watching {
        Self::start(folder, State { events: Some(Vec::new()), ..State::default() })
    }

    /// Calls that change a file fail.
    pub(crate) fn failing(folder: &Path, fault: Fault) -> Watching {
        Self::start(folder, State { fault: Some(fault), ..State::default() })
    }

    /// Syncs take so long.
    pub(crate) fn slow(folder: &Path, delay: Duration) -> Watching {
        Self::start(folder, State { delay, ..State::default() })
    }

    /// Nothing but syncs that take no time.
    pub(crate) fn fast(folder: &Path) -> Watching {
        Self::start(folder, State::default())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watching {
    pub(crate) fn mark(&self, number: usize) {
        if let Some(events) = &mut self.0.lock().events {
            events.push(Event::Mark(number));
        }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().events.clone().unwrap_or_default()
    }

    /// How many calls there were that can fail.
    pub(crate) fn calls(&self) -> u64 {
        self.0.lock().calls
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut watches = WATCHES.write().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|watch| !Arc::ptr_eq(watch, &self.0));
    }
}

/// Who watches this path, and the file's name; the folder itself has none.
fn watched(path: &Path) -> Option<(Arc<Watch>, String)> {
    let watches = WATCHES.read().unwrap_or_else(PoisonError::into_inner);
    let watch = watches.iter().find(|watch| path.starts_with(&watch.folder))?;
    let name = path.strip_prefix(&watch.folder).ok()?.to_string_lossy().into_owned();
    // The index of the log is shared memory: nothing of it outlives a power cut.
    (!name.ends_with("-shm")).then(|| (Arc::clone(watch), name))
}

fn watched_fd(fd: BorrowedFd<'_>) -> Option<(Arc<Watch>, String)> {
    if WATCHES.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
        return None;
    }
    let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let path = rustix::fs::readlinkat(CWD, link, Vec::new()).ok()?;
    watched(Path::new(path.to_str().ok()?))
}

/// Does what was asked and records it, in one step, unless it is to fail.
fn carry_out<T>(
    watch: &Watch,
    event: impl FnOnce(&T) -> Event,
    call: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let mut state = watch.lock();
    state.calls += 1;
    if let Some(fault) = state.fault
        && (fault.first..fault.first.saturating_add(fault.count)).contains(&state.calls)
    {
        return Err(fault.error);
    }
    let done = call()?;
    if let Some(events) = &mut state.events {
        events.push(event(&done));
    }
    Ok(done)
}

fn write_at(fd: BorrowedFd<'_>, offset: Option<u64>, bytes: &[u8]) -> Result<usize> {
    let call = || match offset {
        Some(offset) => rustix::io::pwrite(fd, bytes, offset),
        None => rustix::io::write(fd, bytes),
    };
    let Some((watch, file)) = watched_fd(fd) else { return call() };
    let offset = match offset {
        Some(offset) => offset,
        None => rustix::fs::tell(fd)?,
    };
    let event = |written: &usize| {
        let bytes = bytes.iter().take(*written).copied().collect();
        Event::Write { file, offset, bytes }
    };
    carry_out(&watch, event, call)
}

fn truncate_to(fd: BorrowedFd<'_>, size: u64) -> Result<()> {
    let call = || rustix::fs::ftruncate(fd, size);
    let Some((watch, file)) = watched_fd(fd) else { return call() };
    carry_out(&watch, |()| Event::Truncate { file, size }, call)
}

fn sync(fd: BorrowedFd<'_>) -> Result<()> {
    let Some((watch, file)) = watched_fd(fd) else { return rustix::fs::fsync(fd) };
    let delay = watch.lock().delay;
    std::thread::sleep(delay);
    let event = |&(): &()| if file.is_empty() { Event::SyncFolder } else { Event::Sync { file } };
    carry_out(&watch, event, || Ok(()))
}

fn remove(path: &CStr) -> Result<()> {
    let call = || rustix::fs::unlink(path);
    let Some((watch, file)) = path.to_str().ok().and_then(|path| watched(Path::new(path))) else {
        return call();
    };
    carry_out(&watch, |()| Event::Remove { file }, call)
}

/// In the manner of the C library: −1 and the number of the error.
fn told<T, N: From<i8>>(result: Result<T>, value: impl FnOnce(T) -> N) -> N {
    match result {
        Ok(done) => value(done),
        Err(error) => {
            errno::set_errno(errno::Errno(error.raw_os_error()));
            N::from(-1)
        }
    }
}

fn written(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX)
}

#[expect(unsafe_code, reason = "functions of the C library, under their own names")]
mod c {
    use super::{BorrowedFd, CStr, c_char, c_int, c_void, remove, sync, told, truncate_to};
    use super::{write_at, written};

    /// The bytes that a caller wants to be written.
    ///
    /// # Safety
    /// As `write` asks of its caller: `count` bytes can be read at `data`.
    unsafe fn bytes<'a>(data: *const c_void, count: usize) -> &'a [u8] {
        if count == 0 {
            return &[];
        }
        // SAFETY: passed on to the caller.
        unsafe { std::slice::from_raw_parts(data.cast(), count) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn write(fd: c_int, data: *const c_void, count: usize) -> isize {
        // SAFETY: the caller's, who means the `write` of the C library.
        let (fd, bytes) = unsafe { (BorrowedFd::borrow_raw(fd), bytes(data, count)) };
        told(write_at(fd, None, bytes), written)
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn pwrite(fd: c_int, data: *const c_void, count: usize, at: i64) -> isize {
        // SAFETY: the caller's, who means the `pwrite` of the C library.
        let (fd, bytes) = unsafe { (BorrowedFd::borrow_raw(fd), bytes(data, count)) };
        told(write_at(fd, Some(at.cast_unsigned()), bytes), written)
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn pwrite64(fd: c_int, data: *const c_void, count: usize, at: i64) -> isize {
        // SAFETY: the same function under another name.
        unsafe { pwrite(fd, data, count, at) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn ftruncate(fd: c_int, size: i64) -> c_int {
        // SAFETY: the caller's, whose descriptor is open.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        told(truncate_to(fd, size.cast_unsigned()), |()| 0)
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn ftruncate64(fd: c_int, size: i64) -> c_int {
        // SAFETY: the same function under another name.
        unsafe { ftruncate(fd, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn fsync(fd: c_int) -> c_int {
        // SAFETY: the caller's, whose descriptor is open.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        told(sync(fd), |()| 0)
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
        // SAFETY: it promises less, and gets more.
        unsafe { fsync(fd) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
        // SAFETY: the caller's, who passes a text that ends with a zero.
        let path = unsafe { CStr::from_ptr(path) };
        told(remove(path), |()| 0)
    }
}
