//! What came of a message for one subscriber.

use std::ffi::c_char;

use blockqueue::{DeliveryResult, MessageId, Pending, Queue, Result};

use crate::arguments::{duration, out};
use crate::error::bq_error;
use crate::guard::guard;
use crate::handle;
use crate::id::{bq_id, id};
use crate::json;
use crate::names;
use crate::queue::{Open, bq_queue};
use crate::status::bq_status;
use crate::text::{Text, bq_text};
use crate::token::{self, bq_token};

/// What came of a message for one subscriber, as JSON: {"state": "replied" | "settled" | "dead_lettered" |
/// "unsettled"}, and of a reply also payload_base64, payload if it is text, content_type, replied_at, expires_at.
/// Blocks for up to `wait_ms`, at most 1 h, until it is not "unsettled", or until the token is cancelled.
///
/// `token` may be NULL. Errors: `unknown_topic`, `unknown_subscriber`, `unknown_message`, `invalid_argument`,
/// `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_result_get(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    message_id: *const bq_id,
    wait_ms: i64,
    token: *mut bq_token,
    answer: *mut *mut bq_text,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts, an id and a place for the answer.
        let (topic, subscriber, id, place) = unsafe {
            let place = out("the place for the answer", answer)?;
            let subscriber = names::subscriber(subscriber, subscriber_len)?;
            (names::topic(topic, topic_len)?, subscriber, id(message_id)?, place)
        };
        let pending = pending(&queue.0, topic, subscriber, id, wait_ms)?;
        let token = token::optional(token)?;
        let result = token::wait(pending, token.as_deref())?.unwrap_or(DeliveryResult::Unsettled);
        *place = handle::give(Text::new(json::text(&result)));
        Ok(())
    })
}

pub(crate) fn pending(
    queue: &Queue,
    topic: &str,
    subscriber: &str,
    id: MessageId,
    wait_ms: i64,
) -> Result<Pending<DeliveryResult>> {
    Ok(match wait_ms {
        0 => queue.result(topic, subscriber, id),
        ms => queue.wait_result(topic, subscriber, id, duration("wait_ms", ms)?),
    })
}
