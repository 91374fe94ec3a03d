//! Subscribers.

use std::ffi::c_char;

use blockqueue::Result;

use crate::error::bq_error;
use crate::guard::guard;
use crate::handle;
use crate::json::{self, NewSubscriberIn, SeekIn, SubscriberIn};
use crate::names::{self, ask, tell};
use crate::queue::{Open, bq_queue};
use crate::status::bq_status;
use crate::text::bq_text;

/// Creates up to 1,000 subscribers of a topic: all or none. `settings` is JSON, a list as for bq_topic_create. `answer`
/// may be NULL; it gets the list of subscribers as JSON.
///
/// Errors: `unknown_topic`, `subscriber_exists`, `invalid_argument`, `limit_exceeded`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_subscriber_create(
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
                    json::read::<Vec<NewSubscriberIn>>("settings", settings, settings_len)?,
                );
                Ok(queue.create_subscribers(
                    topic,
                    settings.into_iter().map(NewSubscriberIn::into_new).collect::<Result<_>>()?,
                ))
            })
        }
    })
}

/// A subscriber as JSON. Errors: `unknown_topic`, `unknown_subscriber`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_subscriber_get(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts and a place for the answer.
        unsafe {
            ask(queue, answer, |queue| {
                let (topic, subscriber) = (
                    names::topic(topic, topic_len)?,
                    names::subscriber(subscriber, subscriber_len)?,
                );
                Ok(queue.subscriber(topic, subscriber))
            })
        }
    })
}

/// A page of the subscribers of a topic by name, as bq_topic_list. Errors: `unknown_topic`, `invalid_argument`,
/// `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_subscriber_list(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
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
                let (topic, page) =
                    (names::topic(topic, topic_len)?, names::page(limit, after, after_len)?);
                Ok(queue.subscribers(topic, page))
            })
        }
    })
}

/// Changes the settings of a subscriber. `settings` is JSON: OPTIONS; what it does not name stays. `answer` may be NULL;
/// it gets the subscriber as JSON. Errors: `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_subscriber_update(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    settings: *const c_char,
    settings_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, NULL or a text and NULL or a place for the answer.
        unsafe {
            tell(queue, answer, |queue| {
                let (topic, subscriber, settings) = (
                    names::topic(topic, topic_len)?,
                    names::subscriber(subscriber, subscriber_len)?,
                    json::read::<SubscriberIn>("settings", settings, settings_len)?,
                );
                Ok(queue.update_subscriber(topic, subscriber, settings.into_change()?))
            })
        }
    })
}

/// Deletes a subscriber with its deliveries. The name is free at once; receipts are lost; waiting claims get
/// `unknown_subscriber`. Errors: `unknown_topic`, `unknown_subscriber`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_subscriber_delete(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts.
        let (topic, subscriber) = unsafe {
            (names::topic(topic, topic_len)?, names::subscriber(subscriber, subscriber_len)?)
        };
        queue.0.delete_subscriber(topic, subscriber).wait()
    })
}

/// Stops claims on the subscriber: they wait as on an empty topic. Errors: `unknown_topic`, `unknown_subscriber`,
/// `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_subscriber_pause(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts.
        let (topic, subscriber) = unsafe {
            (names::topic(topic, topic_len)?, names::subscriber(subscriber, subscriber_len)?)
        };
        queue.0.pause_subscriber(topic, subscriber).wait()
    })
}

/// Lets claims go on. Errors: `unknown_topic`, `unknown_subscriber`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_subscriber_resume(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts.
        let (topic, subscriber) = unsafe {
            (names::topic(topic, topic_len)?, names::subscriber(subscriber, subscriber_len)?)
        };
        queue.0.resume_subscriber(topic, subscriber).wait()
    })
}

/// A subscriber in numbers, as JSON. Costs the same whatever the backlog. Errors: `unknown_topic`,
/// `unknown_subscriber`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_subscriber_stats(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts and a place for the answer.
        unsafe {
            ask(queue, answer, |queue| {
                let (topic, subscriber) = (
                    names::topic(topic, topic_len)?,
                    names::subscriber(subscriber, subscriber_len)?,
                );
                Ok(queue.subscriber_stats(topic, subscriber))
            })
        }
    })
}

/// Moves a subscriber to another place of its topic. `to` is JSON: {"to": PLACE, "dry_run": false}, where PLACE is
/// "earliest", "latest", {"at": T}, {"message_id": ID} or {"sequence": {"priority": P, "sequence": N}}. Its leased and
/// retrying deliveries end and their receipts are lost. `answer` may be NULL; it gets, as JSON, {"clamped": BOOL,
/// "replayed_count": N, "skipped_count": N, "exact": BOOL}.
///
/// Errors: `unknown_topic`, `unknown_subscriber`, `unknown_message`, `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_subscriber_seek(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    to: *const c_char,
    to_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, NULL or a text and NULL or a place for the answer.
        unsafe {
            tell(queue, answer, |queue| {
                let (topic, subscriber, to) = (
                    names::topic(topic, topic_len)?,
                    names::subscriber(subscriber, subscriber_len)?,
                    json::read::<SeekIn>("to", to, to_len)?,
                );
                Ok(queue.seek(topic, subscriber, to.into_core()?))
            })
        }
    })
}

/// A page of what the subscriber has before it or under way, without receipts, as JSON. Changes nothing.
/// Errors: `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_subscriber_peek(
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
                Ok(queue.peek(topic, subscriber, page))
            })
        }
    })
}
