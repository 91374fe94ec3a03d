//! The one way through the boundary: errors become a status, panics become errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use blockqueue::{Error, Result};

use crate::error::{Failed, bq_error};
use crate::handle;
use crate::status::{BQ_OK, bq_status};

/// Carries out the body of a function of the ABI. The error, if wanted, is NULL after a success.
pub(crate) fn guard(error: *mut *mut bq_error, body: impl FnOnce() -> Result<()>) -> bq_status {
    // What a panic leaves behind is behind locks that ignore poison, or freed; nothing here is half written.
    let outcome =
        catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(internal(&*panic)));
    let (status, object) = match outcome {
        Ok(()) => (BQ_OK, std::ptr::null_mut()),
        Err(failure) if error.is_null() => {
            (bq_status::from(failure.number()), std::ptr::null_mut())
        }
        Err(failure) => (bq_status::from(failure.number()), handle::give(Failed::new(failure))),
    };
    if !error.is_null() {
        // SAFETY: the caller passes NULL or a place for a pointer.
        unsafe { error.write(object) };
    }
    status
}

/// As [`guard`], for functions that answer with a value and have one for misuse.
pub(crate) fn guard_value<T>(misused: T, body: impl FnOnce() -> Result<T>) -> T {
    catch_unwind(AssertUnwindSafe(body)).ok().and_then(Result::ok).unwrap_or(misused)
}

fn internal(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Error::Internal { detail: text.unwrap_or_else(|| "panic".to_owned()) }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::error::bq_error_detail;
    use crate::status::{bq_code, bq_status};

    const BQ_INTERNAL: bq_status = bq_code::BQ_INTERNAL as bq_status;

    #[test]
    fn a_panic_is_an_error_with_its_text() {
        let mut error = std::ptr::null_mut();
        assert_eq!(guard(&raw mut error, || panic!("out of {}", "luck")), BQ_INTERNAL);
        // SAFETY: the length is not asked for.
        let detail = unsafe { CStr::from_ptr(bq_error_detail(error, std::ptr::null_mut())) };
        assert_eq!(detail.to_str(), Ok("internal error: out of luck"));
        assert_eq!(guard(std::ptr::null_mut(), || panic!("nobody looks")), BQ_INTERNAL);
    }
}
