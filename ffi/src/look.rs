//! One message, and the queue as a whole.

use std::ffi::{c_char, c_void};

use blockqueue::{Backup, BackupProgress};

use crate::arguments::{optional_text, out};
use crate::error::bq_error;
use crate::guard::guard;
use crate::handle;
use crate::id::{bq_id, id};
use crate::json;
use crate::names::{self, ask, tell};
use crate::queue::{Open, bq_queue, path_of};
use crate::status::bq_status;
use crate::text::{Text, bq_text};

/// A message and where it stands with every subscriber, as JSON. Errors: `unknown_topic`, `unknown_message`,
/// `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_message_get(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    message_id: *const bq_id,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, an id and a place for the answer.
        unsafe {
            ask(queue, answer, |queue| {
                let (topic, id) = (names::topic(topic, topic_len)?, id(message_id)?);
                Ok(queue.message(topic, id))
            })
        }
    })
}

/// Ends a message for every subscriber, whatever its state, also before its time. `answer` may be NULL; it gets where
/// it stood with each, as JSON. Errors: `unknown_topic`, `unknown_message`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_message_cancel(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    message_id: *const bq_id,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes texts, an id and NULL or a place for the answer.
        unsafe {
            tell(queue, answer, |queue| {
                let (topic, id) = (names::topic(topic, topic_len)?, id(message_id)?);
                Ok(queue.cancel_message(topic, id))
            })
        }
    })
}

/// Ends a message for one subscriber, whatever its state, without a receipt, and keeps the reason, if not NULL, with
/// its failures.
/// Errors: `unknown_topic`, `unknown_subscriber`, `unknown_message`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_delivery_cancel(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    message_id: *const bq_id,
    reason: *const c_char,
    reason_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts, an id and NULL or a text.
        let (topic, subscriber, id, reason) = unsafe {
            (
                names::topic(topic, topic_len)?,
                names::subscriber(subscriber, subscriber_len)?,
                id(message_id)?,
                optional_text("reason", reason, reason_len)?,
            )
        };
        queue.0.cancel_delivery(topic, subscriber, id, reason).wait()
    })
}

/// What the engine of this process has done since the queue was opened, in numbers, as JSON. Errors: `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_stats(
    queue: *mut bq_queue,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes a place for the answer.
        let place = unsafe { out("the place for the answer", answer) }?;
        *place = handle::give(Text::new(json::text(&queue.0.engine_stats()?)));
        Ok(())
    })
}

/// Examines the file, and says what is wrong and what could be better, as JSON. Blocks while it reads all of the
/// file. Errors: `shutdown`, `io`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_diagnose(
    queue: *mut bq_queue,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes a place for the answer.
        unsafe { ask(queue, answer, |queue| Ok(queue.diagnose())) }
    })
}

/// How far a backup is: bytes of the copy that are written, and bytes that it will have at most. It is called on a
/// thread of the backup's own, several times a second, and must not use the queue, throw or unwind.
pub type bq_progress = Option<extern "C" fn(bytes_done: u64, bytes_total: u64, user: *mut c_void)>;

/// Writes a verified copy of the queue to a new file, while others use it. Blocks until the copy is there.
/// `progress` may be NULL; `user` is passed to it, and must stay valid until this returns.
///
/// Errors: `cannot_open` if the file exists or cannot be made, `disk_full`, `io`, `corrupt`, `shutdown`,
/// `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_backup(
    queue: *mut bq_queue,
    path: *const c_char,
    path_len: usize,
    progress: bq_progress,
    user: *mut c_void,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes a path.
        let mut backup = Backup::new(unsafe { path_of(path, path_len) }?);
        if let Some(progress) = progress {
            let user = User(user);
            backup = backup.with_progress(move |told| user.tell(progress, told));
        }
        queue.0.backup(backup).wait()
    })
}

/// What the caller gave for the callback.
struct User(*mut c_void);

// SAFETY: the caller knows that the callback runs on another thread.
unsafe impl Send for User {}
// SAFETY: as above; it is called by one thread at a time.
unsafe impl Sync for User {}

impl User {
    fn tell(&self, progress: extern "C" fn(u64, u64, *mut c_void), told: BackupProgress) {
        progress(told.bytes_done, told.bytes_total, self.0);
    }
}
