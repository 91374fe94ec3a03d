//! The life of a queue.

use std::ffi::{CStr, OsStr, c_char};
use std::path::Path;

use blockqueue::{Durability, OpenOptions, Result};

use crate::arguments::{Flag, Sized, bytes, invalid, out, sized};
use crate::error::bq_error;
use crate::guard::guard;
use crate::handle::{self, object};
use crate::status::bq_status;

/// An open queue. Any number of threads may use it at once. A process that was forked off gets `forked` from the
/// queues of its parent, and opens its own.
pub struct bq_queue(());

pub(crate) struct Open(pub(crate) blockqueue::Queue);

object!(Open, bq_queue, 3, "queue");

/// How safe an answered write is.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub enum bq_durability {
    /// On disk before the answer.
    BQ_DURABILITY_FULL = 0,
    /// Survives a crash of the process; a power cut may take the newest commits.
    BQ_DURABILITY_BALANCED = 1,
}

/// How to open a queue. Zero means the default.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_open_options {
    /// sizeof(bq_open_options).
    pub size: usize,
    /// Largest payload of one message, in bytes. Default 1 MiB, at most 64 MiB.
    pub payload_bytes_max: usize,
    /// One of bq_durability. Default: on disk before the answer.
    pub durability: i32,
    /// Refuse to create a file that does not exist. Default: create it.
    pub must_exist: Flag,
}

// SAFETY: integers and a flag only, the size first.
unsafe impl Sized for bq_open_options {}

/// Opens the queue in this file, and creates the file if there is none; ":memory:" is a queue that lives and
/// dies with the handle. A path is bytes, as the system takes them. Blocks until the file is open.
///
/// Opening a file again that this process has open, with the same options, is cheap: the handles share one engine.
///
/// `options` may be NULL. `queue` gets a handle that belongs to the caller: free it with bq_queue_free.
///
/// Errors: `cannot_open`, `read_only`, `not_a_database`, `corrupt`, `newer_schema`, `locked`, `disk_full`,
/// `foreign_sqlite`, `invalid_argument`, `limit_exceeded`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_open(
    path: *const c_char,
    path_len: usize,
    options: *const bq_open_options,
    queue: *mut *mut bq_queue,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes a path, options or NULL, and a place for the handle.
        let (path, options, queue) = unsafe {
            let options = sized("the options", options)?;
            (path_of(path, path_len)?, options, out("the place for the queue", queue)?)
        };
        let opened = blockqueue::Queue::open_with(path, open_options(&options)?)?;
        *queue = handle::give(Open(opened));
        Ok(())
    })
}

/// A path that C passes.
///
/// # Safety
/// It can be read as long as the result is used.
pub(crate) unsafe fn path_of<'a>(path: *const c_char, len: usize) -> Result<&'a Path> {
    // SAFETY: passed on.
    let path = unsafe { bytes("the path", path.cast(), len) }?;
    if path.is_empty() || CStr::from_bytes_until_nul(path).is_ok() {
        return Err(invalid("the path is empty, or has a zero in it"));
    }
    os_path(path)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "not every path of another system is bytes")]
fn os_path(path: &[u8]) -> Result<&Path> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(Path::new(OsStr::from_bytes(path)))
}

#[cfg(not(unix))]
fn os_path(path: &[u8]) -> Result<&Path> {
    let path = std::str::from_utf8(path).map_err(|_| invalid("the path is not UTF-8"))?;
    Ok(Path::new(OsStr::new(path)))
}

pub(crate) fn open_options(options: &bq_open_options) -> Result<OpenOptions> {
    let mut out = OpenOptions::default().with_must_exist(options.must_exist.is_set());
    if options.payload_bytes_max != 0 {
        out.payload_bytes_max = Some(options.payload_bytes_max);
    }
    out.durability = match options.durability {
        0 => Durability::Full,
        1 => Durability::Balanced,
        _ => return Err(invalid("durability must be one of bq_durability")),
    };
    Ok(out)
}

/// Finishes what was handed over, answers waiting claims with `shutdown`, and closes the file if no other handle of
/// this process has it open. Blocks until that is done. Any thread may call it, also while others use the queue: their calls, and later ones, fail with
/// `shutdown`. The handle stays; a second shutdown succeeds.
///
/// Errors: `forked`, `in_transaction`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_shutdown(
    queue: *mut bq_queue,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || handle::get::<Open>(queue)?.0.shutdown().wait())
}

/// Frees the handle. Calls that other threads have under way go on to their end. A queue that was not shut down
/// is, without waiting for it: call bq_queue_shutdown first if the file must be closed, or the queue's thread
/// be gone, when you go on. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_free(queue: *mut bq_queue) -> bq_status {
    guard(std::ptr::null_mut(), || handle::free::<Open>(queue))
}
