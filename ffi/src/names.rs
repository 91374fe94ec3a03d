//! Names that C passes in pairs of pointer and length, and the shape of functions that answer with a text.

use std::ffi::c_char;

use blockqueue::{Page, Pending, Result};

use crate::arguments::{optional_text, out, text};
use crate::handle;
use crate::json::{self, ToJson};
use crate::queue::{Open, bq_queue};
use crate::text::{Text, bq_text};

/// A topic's name.
///
/// # Safety
/// It can be read as long as the result is used.
pub(crate) unsafe fn topic<'a>(data: *const c_char, len: usize) -> Result<&'a str> {
    // SAFETY: passed on.
    unsafe { text("topic", data, len) }
}

/// A subscriber's name.
///
/// # Safety
/// As [`topic`].
pub(crate) unsafe fn subscriber<'a>(data: *const c_char, len: usize) -> Result<&'a str> {
    // SAFETY: passed on.
    unsafe { text("subscriber", data, len) }
}

/// A schedule's name.
///
/// # Safety
/// As [`topic`].
pub(crate) unsafe fn schedule<'a>(data: *const c_char, len: usize) -> Result<&'a str> {
    // SAFETY: passed on.
    unsafe { text("schedule", data, len) }
}

/// Part of a list; a limit of 0 stands for the default.
///
/// # Safety
/// `after` is NULL, or can be read.
pub(crate) unsafe fn page(limit: usize, after: *const c_char, len: usize) -> Result<Page> {
    let mut page = Page::default();
    page.limit = (limit != 0).then_some(limit);
    // SAFETY: passed on.
    page.after = unsafe { optional_text("after", after, len) }?.map(str::to_owned);
    Ok(page)
}

/// Carries out an operation and answers with its text.
///
/// # Safety
/// `answer` is NULL or a place for a handle.
pub(crate) unsafe fn ask<T: ToJson>(
    queue: *mut bq_queue,
    answer: *mut *mut bq_text,
    operation: impl FnOnce(&blockqueue::Queue) -> Result<Pending<T>>,
) -> Result<()> {
    let queue = handle::get::<Open>(queue)?;
    // SAFETY: passed on.
    let place = unsafe { out("the place for the answer", answer) }?;
    let told = operation(&queue.0)?.wait()?;
    *place = handle::give(Text::new(json::text(&told)));
    Ok(())
}

/// As [`ask`], if the caller wants the answer.
///
/// # Safety
/// As [`ask`].
pub(crate) unsafe fn tell<T: ToJson>(
    queue: *mut bq_queue,
    answer: *mut *mut bq_text,
    operation: impl FnOnce(&blockqueue::Queue) -> Result<Pending<T>>,
) -> Result<()> {
    if !answer.is_null() {
        // SAFETY: passed on.
        return unsafe { ask(queue, answer, operation) };
    }
    let queue = handle::get::<Open>(queue)?;
    operation(&queue.0)?.wait().map(drop)
}
