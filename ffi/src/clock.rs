//! A clock that tests move by hand; only in builds for tests, and in a header of its own.

use std::ffi::c_char;

use blockqueue::TestClock;

use crate::arguments::{duration, instant, out, sized};
use crate::error::bq_error;
use crate::guard::guard;
use crate::handle::{self, object};
use crate::queue::{Open, bq_open_options, bq_queue, open_options, path_of};
use crate::status::bq_status;

/// A clock that stands still until a test moves it.
pub struct bq_clock(());

pub(crate) struct Clock(TestClock);

object!(Clock, bq_clock, 7, "clock");

/// Makes a clock that shows this time, in milliseconds since 1970. Free it with bq_clock_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_clock_new(
    at_ms: i64,
    clock: *mut *mut bq_clock,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes a place for the handle.
        let clock = unsafe { out("the place for the clock", clock) }?;
        *clock = handle::give(Clock(TestClock::new(instant(at_ms))));
        Ok(())
    })
}

/// Sets the clock, backwards too, and wakes every queue that uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_clock_set(
    clock: *mut bq_clock,
    at_ms: i64,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        handle::get::<Clock>(clock)?.0.set(instant(at_ms));
        Ok(())
    })
}

/// Moves the clock forward and wakes every queue that uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_clock_advance(
    clock: *mut bq_clock,
    by_ms: i64,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        handle::get::<Clock>(clock)?.0.advance(duration("by_ms", by_ms)?);
        Ok(())
    })
}

/// Frees the handle; queues that use the clock go on with it. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_clock_free(clock: *mut bq_clock) -> bq_status {
    guard(std::ptr::null_mut(), || handle::free::<Clock>(clock))
}

/// As bq_queue_open, with the time from a clock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_open_with_clock(
    path: *const c_char,
    path_len: usize,
    options: *const bq_open_options,
    clock: *mut bq_clock,
    queue: *mut *mut bq_queue,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let clock = handle::get::<Clock>(clock)?;
        // SAFETY: the caller passes a path, options or NULL, and a place for the handle.
        let (path, options, queue) = unsafe {
            let options = sized("the options", options)?;
            (path_of(path, path_len)?, options, out("the place for the queue", queue)?)
        };
        let options = open_options(&options)?.with_clock(clock.0.clone());
        *queue = handle::give(Open(blockqueue::Queue::open_with(path, options)?));
        Ok(())
    })
}
