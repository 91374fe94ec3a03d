//! Bytes and texts within structures.

use std::ffi::c_char;

use blockqueue::Result;

use crate::arguments;

/// Bytes, or a text in UTF-8, with their length. NULL is none at all, which differs from empty where something
/// may be left out.
///
/// In what you pass it belongs to you; in what you get it lives as long as what it is part of. There need not
/// be a zero behind it.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_slice {
    /// The first of them.
    pub data: *const c_char,
    /// How many.
    pub len: usize,
}

impl bq_slice {
    pub(crate) const NONE: Self = Self { data: std::ptr::null(), len: 0 };

    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr().cast(), len: bytes.len() }
    }

    pub(crate) fn of_optional(text: Option<&str>) -> Self {
        text.map_or(Self::NONE, |text| Self::of(text.as_bytes()))
    }

    /// # Safety
    /// It is readable as long as the result is used.
    pub(crate) unsafe fn bytes<'a>(self, what: &str) -> Result<&'a [u8]> {
        // SAFETY: passed on.
        unsafe { arguments::bytes(what, self.data.cast(), self.len) }
    }

    /// # Safety
    /// As [`bytes`](Self::bytes).
    pub(crate) unsafe fn text<'a>(self, what: &str) -> Result<&'a str> {
        // SAFETY: passed on.
        unsafe { arguments::text(what, self.data, self.len) }
    }

    /// # Safety
    /// As [`bytes`](Self::bytes).
    pub(crate) unsafe fn optional_string(self, what: &str) -> Result<Option<String>> {
        // SAFETY: passed on.
        let text = unsafe { arguments::optional_text(what, self.data, self.len) }?;
        Ok(text.map(str::to_owned))
    }
}
