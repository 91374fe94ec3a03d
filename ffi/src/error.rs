//! Errors as C holds them.

use std::ffi::c_char;

use blockqueue::Error;

use crate::arguments::optional_out;
use crate::guard::guard_value;
use crate::handle::{self, object};
use crate::status::{BQ_OK, bq_status};

/// What went wrong, in full. A function that fails stores one in its last argument, unless that is NULL; free
/// it with bq_error_free. It belongs to the caller and may be passed between threads.
pub struct bq_error(());

/// The error, and its text with a zero behind it.
pub(crate) struct Failed {
    error: Error,
    detail: String,
}

object!(Failed, bq_error, 1, "error");

impl Failed {
    pub(crate) fn new(error: Error) -> Self {
        let mut detail = error.to_string();
        detail.push('\0');
        Self { error, detail }
    }
}

/// The status that the failed function returned; 0 for NULL or what is no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_error_status(error: *mut bq_error) -> bq_status {
    guard_value(BQ_OK, || Ok(handle::get::<Failed>(error)?.error.number().into()))
}

/// What went wrong, for people: UTF-8 with a zero behind it, which does not count in `len`. It names topics and
/// subscribers and never holds payloads. Valid until the error is freed. NULL for what is no error.
///
/// `len` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_error_detail(error: *mut bq_error, len: *mut usize) -> *const c_char {
    guard_value(std::ptr::null(), || {
        let failed = handle::get::<Failed>(error)?;
        // SAFETY: by the contract of this function.
        if let Some(len) = unsafe { optional_out(len) } {
            *len = failed.detail.len() - 1;
        }
        Ok(failed.detail.as_ptr().cast())
    })
}

/// Which message of the batch was refused, from 0, for `idempotency_conflict` and `unique_conflict`; else -1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_error_index(error: *mut bq_error) -> i64 {
    guard_value(-1, || {
        Ok(match &handle::get::<Failed>(error)?.error {
            Error::IdempotencyConflict { index, .. } | Error::UniqueConflict { index, .. } => {
                i64::try_from(*index).unwrap_or(-1)
            }
            _ => -1,
        })
    })
}

/// Frees an error. NULL is allowed; what was freed already gives `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_error_free(error: *mut bq_error) -> bq_status {
    crate::guard::guard(std::ptr::null_mut(), || handle::free::<Failed>(error))
}
