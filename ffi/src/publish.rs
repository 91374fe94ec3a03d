//! Publish.

use std::ffi::{c_char, c_void};

use blockqueue::{Message, Published, Result};

use crate::arguments::{bytes, invalid, items, items_mut, optional_out, text};
use crate::error::bq_error;
use crate::guard::guard;
use crate::handle;
use crate::message::{bq_message, bq_message_options, bq_published, message, messages};
use crate::queue::{Open, bq_queue};
use crate::status::bq_status;

/// Publishes a message: every subscriber of the topic gets it. Blocks until it is on disk.
///
/// `options` may be NULL: a plain message. `published` may be NULL. Everything is copied.
///
/// Errors: `unknown_topic`, `invalid_argument`, `limit_exceeded`, `backlog_full`, `idempotency_conflict`,
/// `unique_conflict`, `busy`, `disk_full`, `outcome_unknown`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_publish(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    payload: *const c_void,
    payload_len: usize,
    options: *const bq_message_options,
    published: *mut bq_published,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts, bytes, options or NULL, and NULL or a place for the answer.
        let (topic, message, out) = unsafe {
            let payload = bytes("the payload", payload, payload_len)?;
            (text("topic", topic, topic_len)?, message(payload, options)?, optional_out(published))
        };
        let published = queue.0.publish(topic, message).wait()?;
        if let Some(out) = out {
            *out = published.into();
        }
        Ok(())
    })
}

/// Publishes 1 to 1,000 messages, all or none, in order. Blocks until they are on disk.
///
/// `published` is NULL or an array of `count`.
///
/// Errors: as bq_queue_publish; bq_error_index tells which message has the conflict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_publish_batch(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    messages: *const bq_message,
    count: usize,
    published: *mut bq_published,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes a text, an array of messages, and NULL or an array for the answers.
        unsafe {
            let topic = text("topic", topic, topic_len)?;
            let batch = self::messages(messages, count)?;
            publish_all(&queue.0, topic, batch, published)
        }
    })
}

/// As bq_queue_publish_batch, for payloads that lie in one piece of memory, one behind the other, and differ in
/// nothing else: `lengths` has the length of each, and `options`, which may be NULL, is that of all. Cheaper
/// where every pointer that is passed costs something.
///
/// Errors: as bq_queue_publish_batch; `invalid_argument` if the lengths do not add up to `data_len`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_publish_packed(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    data: *const c_void,
    data_len: usize,
    lengths: *const usize,
    count: usize,
    options: *const bq_message_options,
    published: *mut bq_published,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes a text, bytes, lengths, options or NULL, and NULL or an array for the answers.
        unsafe {
            let topic = text("topic", topic, topic_len)?;
            let data = bytes("the data", data, data_len)?;
            let batch = unpack(data, items("the array of lengths", lengths, count)?, options)?;
            publish_all(&queue.0, topic, batch, published)
        }
    })
}

/// # Safety
/// The options are NULL, or can be read with all that they point to.
pub(crate) unsafe fn unpack(
    mut data: &[u8],
    lengths: &[usize],
    options: *const bq_message_options,
) -> Result<Vec<Message>> {
    let wrong = || invalid("the lengths do not add up to that of the data");
    // SAFETY: passed on.
    let common = unsafe { message(&[], options) }?;
    let mut batch = Vec::with_capacity(lengths.len());
    for length in lengths {
        let (payload, rest) = data.split_at_checked(*length).ok_or_else(wrong)?;
        data = rest;
        let mut message = common.clone();
        message.payload = payload.to_vec();
        batch.push(message);
    }
    if data.is_empty() { Ok(batch) } else { Err(wrong()) }
}

/// # Safety
/// `published` is NULL, or nobody else uses as many places as there are messages.
unsafe fn publish_all(
    queue: &blockqueue::Queue,
    topic: &str,
    batch: Vec<Message>,
    published: *mut bq_published,
) -> Result<()> {
    // SAFETY: passed on.
    let places = unsafe { answers(published, batch.len()) }?;
    let answers = queue.publish_batch(topic, batch).wait()?;
    fill(places, answers);
    Ok(())
}

/// Where the answers of a batch go; nowhere if the caller passes NULL.
///
/// # Safety
/// `first` is NULL, or nobody else uses `count` places from there as long as the result is used.
pub(crate) unsafe fn answers<'a, T>(first: *mut T, count: usize) -> Result<&'a mut [T]> {
    if first.is_null() {
        return Ok(&mut []);
    }
    // SAFETY: passed on.
    unsafe { items_mut("the array of answers", first, count) }
}

pub(crate) fn fill(places: &mut [bq_published], answers: Vec<Published>) {
    for (place, answer) in places.iter_mut().zip(answers) {
        *place = answer.into();
    }
}
