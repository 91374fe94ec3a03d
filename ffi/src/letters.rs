//! Dead letters, and what went wrong with a delivery.

use std::ffi::c_char;

use crate::error::bq_error;
use crate::guard::guard;
use crate::id::{bq_id, id};
use crate::json::{self, PurgeIn, RedriveIn};
use crate::names::{self, ask, tell};
use crate::queue::bq_queue;
use crate::status::bq_status;
use crate::text::bq_text;

/// A page of the dead letters of a subscriber, oldest first, as JSON. Errors: `unknown_topic`, `unknown_subscriber`,
/// `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_dead_letters_list(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    limit: usize,
    after: *const c_char,
    after_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, NULL or a text and a place for the answer.
        unsafe {
            ask(queue, answer, |queue| {
                let (topic, subscriber, page) = (
                    names::topic(topic, topic_len)?,
                    names::subscriber(subscriber, subscriber_len)?,
                    names::page(limit, after, after_len)?,
                );
                Ok(queue.dead_letters(topic, subscriber, page))
            })
        }
    })
}

/// Gives dead letters all their attempts again. `options` is NULL, for all of them, or JSON: {"which": "all" |
/// {"oldest": N} | {"ids": [ID]}, "filter": CONDITION, "to": TOPIC, "rate": PER SECOND, "dry_run": false}. `answer` may
/// be NULL; it gets, as JSON, {"count": N}.
///
/// Errors: `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `limit_exceeded`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_dead_letters_redrive(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    options: *const c_char,
    options_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, NULL or a text and NULL or a place for the answer.
        unsafe {
            tell(queue, answer, |queue| {
                let (topic, subscriber, options) = (
                    names::topic(topic, topic_len)?,
                    names::subscriber(subscriber, subscriber_len)?,
                    json::read::<RedriveIn>("options", options, options_len)?,
                );
                Ok(queue.redrive(topic, subscriber, options.into_core()?))
            })
        }
    })
}

/// Deletes dead letters. `options` is JSON: {"which" and "filter": as for bq_dead_letters_redrive, "dry_run": false}. `answer`
/// may be NULL; it gets, as JSON, {"count": N}.
///
/// Errors: `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `limit_exceeded`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_dead_letters_purge(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    options: *const c_char,
    options_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, NULL or a text and NULL or a place for the answer.
        unsafe {
            tell(queue, answer, |queue| {
                let (topic, subscriber, options) = (
                    names::topic(topic, topic_len)?,
                    names::subscriber(subscriber, subscriber_len)?,
                    json::read::<PurgeIn>("options", options, options_len)?,
                );
                Ok(queue.purge_dead_letters(topic, subscriber, options.into_core()?))
            })
        }
    })
}

/// A page of what went wrong with a message for a subscriber, as JSON. Errors: `unknown_topic`, `unknown_subscriber`,
/// `unknown_message`, `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_failures_list(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    message_id: *const bq_id,
    limit: usize,
    after: *const c_char,
    after_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, an id, NULL or a text and a place for the answer.
        unsafe {
            ask(queue, answer, |queue| {
                let (topic, subscriber, id, page) = (
                    names::topic(topic, topic_len)?,
                    names::subscriber(subscriber, subscriber_len)?,
                    id(message_id)?,
                    names::page(limit, after, after_len)?,
                );
                Ok(queue.failures(topic, subscriber, id, page))
            })
        }
    })
}
