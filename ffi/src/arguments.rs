//! What C passes, in Rust's types: checked for what can be checked, and refused with the argument's name.

use blockqueue::Error;

pub(crate) fn invalid(detail: impl Into<String>) -> Error {
    Error::InvalidArgument { detail: detail.into() }
}

/// Where an answer goes that the caller may not want.
///
/// # Safety
/// If it is not NULL, nobody else uses it as long as the result is used.
pub(crate) unsafe fn optional_out<'a, T>(place: *mut T) -> Option<&'a mut T> {
    // SAFETY: not NULL then; the rest by the caller's word.
    unsafe { place.as_mut() }
}
