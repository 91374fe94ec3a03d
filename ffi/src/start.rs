//! Operations that are started here and completed elsewhere.

use std::ffi::c_char;
use std::future::Future;
use std::sync::Arc;

use blockqueue::{Delivery, Pending, Published, Queue, Result};

use crate::arguments::{bytes, duration, items, optional_text, text};
use crate::claim::{bq_claim_options, bq_source, claim_options, start_claim_any};
use crate::completions::{Answer, Claimed, Completions, bq_completions};
use crate::error::bq_error;
use crate::guard::guard;
use crate::handle;
use crate::id::{bq_id, bq_receipt, id};
use crate::json;
use crate::message::{bq_message, bq_message_options, messages};
use crate::publish::unpack;
use crate::queue::{Open, bq_queue};
use crate::settle::{
    Settles, bq_deferral, bq_nack, deferrals, deferred, extended, nacks, receipts, settled,
};
use crate::status::bq_status;

/// Starts what `operation` makes of the queue.
fn start<F>(
    (queue, completions, tag): (*mut bq_queue, *mut bq_completions, u64),
    error: *mut *mut bq_error,
    operation: impl FnOnce(&Queue) -> Result<F>,
) -> bq_status
where
    F: Future<Output = Result<Answer>> + Send + 'static,
{
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        let completions = handle::get::<Completions>(completions)?;
        completions.start(tag, false, || Ok(Box::pin(operation(&queue.0)?)))
    })
}

/// As [`start`], for what only waits until it has something, and may be cancelled.
fn start_wait<F>(
    (queue, completions, tag): (*mut bq_queue, *mut bq_completions, u64),
    error: *mut *mut bq_error,
    operation: impl FnOnce(&Arc<Open>) -> Result<F>,
) -> bq_status
where
    F: Future<Output = Result<Answer>> + Send + 'static,
{
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        let completions = handle::get::<Completions>(completions)?;
        completions.start(tag, true, || Ok(Box::pin(operation(&queue)?)))
    })
}

async fn published(pending: Pending<Vec<Published>>) -> Result<Answer> {
    pending.await.map(|all| Answer::Published(all.into_iter().map(Into::into).collect()))
}

fn claimed(
    queue: &Arc<Open>,
    pending: Pending<Vec<Delivery>>,
) -> impl Future<Output = Result<Answer>> + Send + use<> {
    let queue = Arc::downgrade(queue);
    async move { pending.await.map(|all| Answer::Claimed(Claimed::new(all, queue))) }
}

fn all_settled<T: Settles>(results: Vec<Result<T>>) -> Answer {
    Answer::Settled(results.into_iter().map(settled).collect())
}

/// Starts bq_queue_publish_batch: the messages are copied, and the completion with this tag has their answers.
/// Does not block. The tag is any number that no other operation under way on these completions has.
///
/// Errors, here or in the completion: those of bq_queue_publish_batch; here `invalid_argument` for the tag.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_publish_start(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    messages: *const bq_message,
    count: usize,
    completions: *mut bq_completions,
    tag: u64,
    error: *mut *mut bq_error,
) -> bq_status {
    start((queue, completions, tag), error, |queue| {
        // SAFETY: the caller passes a text and an array of messages.
        let (topic, batch) =
            unsafe { (text("topic", topic, topic_len)?, self::messages(messages, count)?) };
        Ok(published(queue.publish_batch(topic, batch)))
    })
}

/// Starts bq_queue_publish_packed, as bq_queue_publish_start does; one payload is a batch of one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_publish_packed_start(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    data: *const std::ffi::c_void,
    data_len: usize,
    lengths: *const usize,
    count: usize,
    options: *const bq_message_options,
    completions: *mut bq_completions,
    tag: u64,
    error: *mut *mut bq_error,
) -> bq_status {
    start((queue, completions, tag), error, |queue| {
        // SAFETY: the caller passes a text, bytes, lengths, and options or NULL.
        let (topic, batch) = unsafe {
            let lengths = items("the array of lengths", lengths, count)?;
            let batch = unpack(bytes("the data", data, data_len)?, lengths, options)?;
            (text("topic", topic, topic_len)?, batch)
        };
        Ok(published(queue.publish_batch(topic, batch)))
    })
}

/// Starts bq_queue_claim: the completion has the deliveries, perhaps none. Does not block, however long the
/// claim waits: bq_completions_cancel ends the wait.
///
/// Errors, here or in the completion: those of bq_queue_claim; here `invalid_argument` for the tag.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_claim_start(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    options: *const bq_claim_options,
    completions: *mut bq_completions,
    tag: u64,
    error: *mut *mut bq_error,
) -> bq_status {
    start_wait((queue, completions, tag), error, |queue| {
        // SAFETY: the caller passes texts, and options or NULL.
        let (topic, subscriber, options) = unsafe {
            let subscriber = text("subscriber", subscriber, subscriber_len)?;
            (text("topic", topic, topic_len)?, subscriber, claim_options(options)?)
        };
        Ok(claimed(queue, queue.0.claim(topic, subscriber, &options)))
    })
}

/// Starts bq_queue_claim_any, as bq_queue_claim_start does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_claim_any_start(
    queue: *mut bq_queue,
    sources: *const bq_source,
    source_count: usize,
    options: *const bq_claim_options,
    completions: *mut bq_completions,
    tag: u64,
    error: *mut *mut bq_error,
) -> bq_status {
    start_wait((queue, completions, tag), error, |queue| {
        // SAFETY: the caller passes an array of sources, and options or NULL.
        let pending = unsafe { start_claim_any(&queue.0, sources, source_count, options) }?;
        Ok(claimed(queue, pending))
    })
}

/// Starts bq_queue_ack_batch: the completion has an answer for each receipt. Does not block.
///
/// Errors, here or in the completion: those of bq_queue_ack_batch; here `invalid_argument` for the tag.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_ack_start(
    queue: *mut bq_queue,
    receipts: *const bq_receipt,
    count: usize,
    completions: *mut bq_completions,
    tag: u64,
    error: *mut *mut bq_error,
) -> bq_status {
    start((queue, completions, tag), error, |queue| {
        // SAFETY: the caller passes an array of receipts.
        let acked = queue.ack_batch(&unsafe { self::receipts(receipts, count) }?);
        Ok(async move { acked.await.map(all_settled) })
    })
}

/// Starts bq_queue_nack_batch, as bq_queue_ack_start does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_nack_start(
    queue: *mut bq_queue,
    nacks: *const bq_nack,
    count: usize,
    completions: *mut bq_completions,
    tag: u64,
    error: *mut *mut bq_error,
) -> bq_status {
    start((queue, completions, tag), error, |queue| {
        // SAFETY: the caller passes an array of failures.
        let nacked = queue.nack_batch(&unsafe { self::nacks(nacks, count) }?);
        Ok(async move { nacked.await.map(all_settled) })
    })
}

/// Starts bq_queue_extend_batch, as bq_queue_ack_start does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_extend_start(
    queue: *mut bq_queue,
    receipts: *const bq_receipt,
    count: usize,
    lease_ms: i64,
    completions: *mut bq_completions,
    tag: u64,
    error: *mut *mut bq_error,
) -> bq_status {
    start((queue, completions, tag), error, |queue| {
        // SAFETY: the caller passes an array of receipts.
        let receipts = unsafe { self::receipts(receipts, count) }?;
        let expiries = queue.extend_batch(&receipts, duration("lease_ms", lease_ms)?);
        Ok(async move { expiries.await.map(|all| all_settled(extended(all))) })
    })
}

/// Starts bq_queue_defer_batch, as bq_queue_ack_start does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_defer_start(
    queue: *mut bq_queue,
    deferrals: *const bq_deferral,
    count: usize,
    completions: *mut bq_completions,
    tag: u64,
    error: *mut *mut bq_error,
) -> bq_status {
    start((queue, completions, tag), error, |queue| {
        // SAFETY: the caller passes an array of deferrals.
        let times = queue.defer_batch(&unsafe { self::deferrals(deferrals, count) }?);
        Ok(async move { times.await.map(|all| all_settled(deferred(all))) })
    })
}

/// Starts bq_queue_cancel_batch, as bq_queue_ack_start does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_cancel_start(
    queue: *mut bq_queue,
    receipts: *const bq_receipt,
    count: usize,
    reason: *const c_char,
    reason_len: usize,
    completions: *mut bq_completions,
    tag: u64,
    error: *mut *mut bq_error,
) -> bq_status {
    start((queue, completions, tag), error, |queue| {
        // SAFETY: the caller passes an array of receipts, and a text or NULL.
        let (receipts, reason) = unsafe {
            (self::receipts(receipts, count)?, optional_text("reason", reason, reason_len)?)
        };
        let cancelled = queue.cancel_batch(&receipts, reason);
        Ok(async move { cancelled.await.map(all_settled) })
    })
}

/// Starts bq_result_get: the completion has its text. Does not block: bq_completions_cancel ends the wait.
///
/// Errors, here or in the completion: those of bq_result_get; here `invalid_argument` for the tag.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_result_start(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    message_id: *const bq_id,
    wait_ms: i64,
    completions: *mut bq_completions,
    tag: u64,
    error: *mut *mut bq_error,
) -> bq_status {
    start_wait((queue, completions, tag), error, |queue| {
        // SAFETY: the caller passes texts and an id.
        let (topic, subscriber, id) = unsafe {
            let subscriber = text("subscriber", subscriber, subscriber_len)?;
            (text("topic", topic, topic_len)?, subscriber, id(message_id)?)
        };
        let result = crate::result::pending(&queue.0, topic, subscriber, id, wait_ms)?;
        Ok(async move { result.await.map(|result| Answer::Text(json::text(&result))) })
    })
}
