//! Schedules.

use std::ffi::c_char;

use blockqueue::NewSchedule;

use crate::error::bq_error;
use crate::guard::guard;
use crate::handle;
use crate::json::{self, ScheduleIn};
use crate::names::{self, ask, tell};
use crate::queue::{Open, bq_queue};
use crate::status::bq_status;
use crate::text::bq_text;

/// Creates a schedule, which publishes its message to the topic at each occurrence. `settings` is JSON: {"cron": TEXT,
/// "timezone": "UTC", "message": {"payload": TEXT or "payload_base64": TEXT, "content_type", "headers",
/// "correlation_id", "priority", "ordering_key", "ttl_ms"}, "misfire": "skip" | "once" | {"all": N}, "overlap": "allow" |
/// "skip" | "queue", "start_at": T, "end_at": T, "jitter_ms": N, "grace_ms": N}; only cron is needed. `answer` may be
/// NULL; it gets the schedule as JSON.
///
/// Errors: `unknown_topic`, `schedule_exists`, `invalid_argument`, `limit_exceeded`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_schedule_create(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    schedule: *const c_char,
    schedule_len: usize,
    settings: *const c_char,
    settings_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, NULL or a text and NULL or a place for the answer.
        unsafe {
            tell(queue, answer, |queue| {
                let (topic, schedule, settings) = (
                    names::topic(topic, topic_len)?,
                    names::schedule(schedule, schedule_len)?,
                    json::read::<ScheduleIn>("settings", settings, settings_len)?,
                );
                Ok(queue.create_schedule(topic, NewSchedule::new(schedule, settings.into_core()?)))
            })
        }
    })
}

/// A schedule as JSON. Errors: `unknown_topic`, `unknown_schedule`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_schedule_get(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    schedule: *const c_char,
    schedule_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts and a place for the answer.
        unsafe {
            ask(queue, answer, |queue| {
                let (topic, schedule) =
                    (names::topic(topic, topic_len)?, names::schedule(schedule, schedule_len)?);
                Ok(queue.schedule(topic, schedule))
            })
        }
    })
}

/// A page of the schedules of a topic by name, as bq_topic_list. Errors: `unknown_topic`, `invalid_argument`,
/// `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_schedule_list(
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
                Ok(queue.schedules(topic, page))
            })
        }
    })
}

/// Replaces the settings of a schedule as a whole, if it still has this version. `answer` may be NULL; it gets the
/// schedule as JSON. Errors: `unknown_topic`, `unknown_schedule`, `stale_version`, `invalid_argument`,
/// `limit_exceeded`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_schedule_update(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    schedule: *const c_char,
    schedule_len: usize,
    version: u64,
    settings: *const c_char,
    settings_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, NULL or a text and NULL or a place for the answer.
        unsafe {
            tell(queue, answer, |queue| {
                let (topic, schedule, settings) = (
                    names::topic(topic, topic_len)?,
                    names::schedule(schedule, schedule_len)?,
                    json::read::<ScheduleIn>("settings", settings, settings_len)?,
                );
                Ok(queue.update_schedule(topic, schedule, version, settings.into_core()?))
            })
        }
    })
}

/// Deletes a schedule. What it published stays. Errors: `unknown_topic`, `unknown_schedule`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_schedule_delete(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    schedule: *const c_char,
    schedule_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts.
        let (topic, schedule) =
            unsafe { (names::topic(topic, topic_len)?, names::schedule(schedule, schedule_len)?) };
        queue.0.delete_schedule(topic, schedule).wait()
    })
}

/// Stops a schedule. Errors: `unknown_topic`, `unknown_schedule`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_schedule_pause(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    schedule: *const c_char,
    schedule_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts.
        let (topic, schedule) =
            unsafe { (names::topic(topic, topic_len)?, names::schedule(schedule, schedule_len)?) };
        queue.0.pause_schedule(topic, schedule).wait()
    })
}

/// Lets it go on, with the next occurrence from now. Errors: `unknown_topic`, `unknown_schedule`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_schedule_resume(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    schedule: *const c_char,
    schedule_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts.
        let (topic, schedule) =
            unsafe { (names::topic(topic, topic_len)?, names::schedule(schedule, schedule_len)?) };
        queue.0.resume_schedule(topic, schedule).wait()
    })
}

/// Publishes the schedule's message now, whatever its times. `answer` may be NULL; it gets the entry of its history as
/// JSON. Errors: `unknown_topic`, `unknown_schedule`, `backlog_full`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_schedule_run(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    schedule: *const c_char,
    schedule_len: usize,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts and NULL or a place for the answer.
        unsafe {
            tell(queue, answer, |queue| {
                let (topic, schedule) =
                    (names::topic(topic, topic_len)?, names::schedule(schedule, schedule_len)?);
                Ok(queue.run_schedule_now(topic, schedule))
            })
        }
    })
}

/// A page of a schedule's history, newest first, as JSON. Errors: `unknown_topic`, `unknown_schedule`,
/// `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_schedule_runs(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    schedule: *const c_char,
    schedule_len: usize,
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
                let (topic, schedule, page) = (
                    names::topic(topic, topic_len)?,
                    names::schedule(schedule, schedule_len)?,
                    names::page(limit, after, after_len)?,
                );
                Ok(queue.schedule_runs(topic, schedule, page))
            })
        }
    })
}
