//! Texts that the library hands out.

use std::ffi::c_char;

use crate::arguments::optional_out;
use crate::error::bq_error;
use crate::guard::{guard, guard_value};
use crate::handle::{self, object};
use crate::status::bq_status;

/// A text that the library made, mostly JSON. It belongs to the caller, who frees it with bq_text_free, and may
/// be passed between threads.
pub struct bq_text(());

/// With a zero behind it.
pub(crate) struct Text(String);

object!(Text, bq_text, 2, "text");

impl Text {
    pub(crate) fn new(mut text: String) -> Self {
        text.push('\0');
        Self(text)
    }
}

/// The text: UTF-8 with a zero behind it, which does not count in `len`. Valid until the text is freed. NULL for
/// what is no text. `len` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_text_data(text: *mut bq_text, len: *mut usize) -> *const c_char {
    guard_value(std::ptr::null(), || {
        let text = handle::get::<Text>(text)?;
        // SAFETY: the caller passes NULL or a place for a length.
        if let Some(len) = unsafe { optional_out(len) } {
            *len = text.0.len() - 1;
        }
        Ok(text.0.as_ptr().cast())
    })
}

/// Frees a text. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_text_free(text: *mut bq_text) -> bq_status {
    guard(std::ptr::null_mut::<*mut bq_error>(), || handle::free::<Text>(text))
}
