//! Topics.

use std::ffi::c_char;

use crate::error::bq_error;
use crate::guard::guard;
use crate::handle;
use crate::json::{self, NewTopicIn, TopicIn};
use crate::names::{self, ask, tell};
use crate::queue::{Open, bq_queue};
use crate::status::bq_status;
use crate::text::bq_text;

/// Creates a topic, perhaps together with its first subscribers. `settings` is NULL or JSON:
/// {"options": OPTIONS, "subscribers": [{"name": TEXT, "options": OPTIONS, "start": "now" | "earliest" | {"at": T}}]}.
/// `answer` may be NULL; it gets the topic as JSON.
///
/// Errors: `topic_exists`, `invalid_argument`, `limit_exceeded`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_topic_create(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    settings: *const c_char,
    settings_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, NULL or a text and NULL or a place for the answer.
        unsafe {
            tell(queue, answer, |queue| {
                let (topic, settings) = (
                    names::topic(topic, topic_len)?,
                    json::read::<NewTopicIn>("settings", settings, settings_len)?,
                );
                Ok(queue.create_topic(settings.into_new(topic)?))
            })
        }
    })
}

/// A topic as JSON. Errors: `unknown_topic`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_topic_get(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts and a place for the answer.
        unsafe {
            ask(queue, answer, |queue| {
                let topic = names::topic(topic, topic_len)?;
                Ok(queue.topic(topic))
            })
        }
    })
}

/// A page of topics by name, as JSON: {"items": [...], "next": TEXT or null}. `limit` is up to 1,000, or 0 for 100;
/// `after` is NULL, or `next` of the page before. Errors: `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_topic_list(
    queue: *mut bq_queue,
    limit: usize,
    after: *const c_char,
    after_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes NULL or a text and a place for the answer.
        unsafe {
            ask(queue, answer, |queue| {
                let page = names::page(limit, after, after_len)?;
                Ok(queue.topics(page))
            })
        }
    })
}

/// Changes the settings of a topic. `settings` is JSON: OPTIONS; what it does not name stays. `answer` may be NULL; it
/// gets the topic as JSON. Errors: `unknown_topic`, `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_topic_update(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    settings: *const c_char,
    settings_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, NULL or a text and NULL or a place for the answer.
        unsafe {
            tell(queue, answer, |queue| {
                let (topic, settings) = (
                    names::topic(topic, topic_len)?,
                    json::read::<TopicIn>("settings", settings, settings_len)?,
                );
                Ok(queue.update_topic(topic, settings.into_change()?))
            })
        }
    })
}

/// Deletes a topic with its messages, subscribers and schedules. Waiting claims get `unknown_topic`.
/// Errors: `unknown_topic`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_topic_delete(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts.
        let topic = unsafe { names::topic(topic, topic_len) }?;
        queue.0.delete_topic(topic).wait()
    })
}

/// Stops claims on all subscribers of a topic: they wait as on an empty one. Errors: `unknown_topic`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_topic_pause(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts.
        let topic = unsafe { names::topic(topic, topic_len) }?;
        queue.0.pause_topic(topic).wait()
    })
}

/// Lets claims go on. Errors: `unknown_topic`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_topic_resume(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts.
        let topic = unsafe { names::topic(topic, topic_len) }?;
        queue.0.resume_topic(topic).wait()
    })
}

/// A topic in numbers, with its subscribers, as JSON. Costs the same whatever the backlog.
/// Errors: `unknown_topic`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_topic_stats(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts and a place for the answer.
        unsafe {
            ask(queue, answer, |queue| {
                let topic = names::topic(topic, topic_len)?;
                Ok(queue.topic_stats(topic))
            })
        }
    })
}
