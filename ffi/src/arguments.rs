//! What C passes, in Rust's types: checked for what can be checked, and refused with the argument's name.

use std::ffi::{c_char, c_void};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blockqueue::{Error, Result};

pub(crate) fn invalid(detail: impl Into<String>) -> Error {
    Error::InvalidArgument { detail: detail.into() }
}

/// Bytes that the caller keeps for the time of the call; NULL with a length of 0 is none.
///
/// # Safety
/// If `data` is not NULL, `len` bytes from there can be read as long as the result is used.
pub(crate) unsafe fn bytes<'a>(what: &str, data: *const c_void, len: usize) -> Result<&'a [u8]> {
    // SAFETY: passed on.
    unsafe { items(what, data.cast::<u8>(), len) }
}

/// Items that the caller keeps for the time of the call; NULL with a count of 0 is none.
///
/// # Safety
/// If `first` is not NULL, `count` items from there can be read as long as the result is used.
pub(crate) unsafe fn items<'a, T>(what: &str, first: *const T, count: usize) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if first.is_null() {
        return Err(invalid(format!("{what} is NULL and has a length")));
    }
    if !first.is_aligned() {
        return Err(invalid(format!("{what} is not aligned")));
    }
    if count > isize::MAX.unsigned_abs() / size_of::<T>().max(1) {
        return Err(invalid(format!("the length of {what} is larger than memory")));
    }
    // SAFETY: it is not NULL, aligned, not larger than memory can be, and readable by the caller's word.
    Ok(unsafe { std::slice::from_raw_parts(first, count) })
}

/// As [`items`], to write to.
///
/// # Safety
/// If `first` is not NULL, nobody else uses `count` items from there as long as the result is used.
pub(crate) unsafe fn items_mut<'a, T>(
    what: &str,
    first: *mut T,
    count: usize,
) -> Result<&'a mut [T]> {
    // SAFETY: passed on; here for the checks.
    unsafe { items(what, first.cast_const(), count) }?;
    if count == 0 {
        return Ok(&mut []);
    }
    // SAFETY: checked above, and used by nobody else by the caller's word.
    Ok(unsafe { std::slice::from_raw_parts_mut(first, count) })
}

/// A text; NULL is an error unless the length is 0.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(what: &str, data: *const c_char, len: usize) -> Result<&'a str> {
    // SAFETY: passed on.
    let bytes = unsafe { bytes(what, data.cast(), len) }?;
    std::str::from_utf8(bytes).map_err(|_| invalid(format!("{what} is not UTF-8")))
}

/// A text that may be left out: NULL is none, whatever the length.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn optional_text<'a>(
    what: &str,
    data: *const c_char,
    len: usize,
) -> Result<Option<&'a str>> {
    if data.is_null() {
        return if len == 0 {
            Ok(None)
        } else {
            Err(invalid(format!("{what} is NULL and has a length")))
        };
    }
    // SAFETY: passed on.
    unsafe { text(what, data, len) }.map(Some)
}

/// One item that must be there.
///
/// # Safety
/// If it is not NULL, it can be read as long as the result is used.
pub(crate) unsafe fn item<'a, T>(what: &str, item: *const T) -> Result<&'a T> {
    if item.is_null() {
        return Err(invalid(format!("{what} is NULL")));
    }
    if !item.is_aligned() {
        return Err(invalid(format!("{what} is not aligned")));
    }
    // SAFETY: not NULL, aligned, and readable by the caller's word.
    Ok(unsafe { &*item })
}

/// Where an answer goes that must go somewhere. Looked at before anything is done.
///
/// # Safety
/// If it is not NULL, nobody else uses it as long as the result is used.
pub(crate) unsafe fn out<'a, T>(what: &str, place: *mut T) -> Result<&'a mut T> {
    // SAFETY: passed on; here for the checks.
    unsafe { item(what, place.cast_const()) }?;
    // SAFETY: checked above, and used by nobody else by the caller's word.
    Ok(unsafe { &mut *place })
}

/// Where an answer goes that the caller may not want.
///
/// # Safety
/// As [`out`].
pub(crate) unsafe fn optional_out<'a, T>(place: *mut T) -> Option<&'a mut T> {
    // SAFETY: not NULL then; the rest by the caller's word.
    unsafe { place.as_mut() }
}

pub(crate) fn duration(what: &str, ms: i64) -> Result<Duration> {
    let ms = u64::try_from(ms).map_err(|_| invalid(format!("{what} must not be negative")))?;
    Ok(Duration::from_millis(ms))
}

/// Zero stands for the default.
pub(crate) fn optional_duration(what: &str, ms: i64) -> Result<Option<Duration>> {
    if ms == 0 { Ok(None) } else { duration(what, ms).map(Some) }
}

/// Milliseconds since 1970; earlier is 1970.
pub(crate) fn instant(ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

pub(crate) fn instant_ms(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Zero stands for none.
pub(crate) fn optional_instant_ms(at: Option<SystemTime>) -> i64 {
    at.map_or(0, instant_ms)
}

/// A `bool` of C in what a caller has filled. Any byte may be there, and one of Rust's would have to be 0 or 1.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Flag(u8);

impl Flag {
    pub(crate) fn is_set(self) -> bool {
        self.0 != 0
    }
}

/// A structure that begins with its own size, so that later releases can add fields at its end.
///
/// # Safety
/// It is `repr(C)`, its first field is the size as a `usize`, and all bits are a value of it, whatever they are.
pub(crate) unsafe trait Sized: Copy {}

/// Such a structure, or all zero for NULL. Fields that the caller does not know are zero; those that this
/// library does not know must be.
///
/// # Safety
/// If it is not NULL, as many bytes as its size says can be read.
pub(crate) unsafe fn sized<T: Sized>(what: &str, structure: *const T) -> Result<T> {
    // SAFETY: by the contract of the trait.
    let mut known = unsafe { std::mem::zeroed::<T>() };
    if structure.is_null() {
        return Ok(known);
    }
    // SAFETY: passed on; the size is its first field.
    let size = *unsafe { item(what, structure.cast::<usize>()) }?;
    if size < size_of::<usize>() || size > 64 * size_of::<T>() {
        return Err(invalid(format!("the size of {what} is not set")));
    }
    // SAFETY: as many bytes as its size says are there, by the caller's word.
    let given = unsafe { std::slice::from_raw_parts(structure.cast::<u8>(), size) };
    let (given, unknown) = given.split_at(size.min(size_of::<T>()));
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(invalid(format!("{what} asks for something that this library does not know")));
    }
    // SAFETY: `given` is no longer than `known`, and they do not overlap.
    unsafe {
        std::ptr::copy_nonoverlapping(given.as_ptr(), (&raw mut known).cast::<u8>(), given.len());
    }
    Ok(known)
}
