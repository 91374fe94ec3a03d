//! Settle: ack, nack, extend, defer, cancel.

use std::ffi::{c_char, c_void};
use std::time::{Duration, SystemTime};

use blockqueue::{DeliveryState, NackOptions, Nacked, Receipt, Reply, Result};

use crate::arguments::{
    Flag, Sized, bytes, duration, instant_ms, items, optional_duration, optional_instant_ms,
    optional_out, optional_text, sized,
};
use crate::error::bq_error;
use crate::guard::guard;
use crate::handle;
use crate::id::{bq_receipt, receipt};
use crate::publish::answers;
use crate::queue::{Open, bq_queue};
use crate::slice::bq_slice;
use crate::status::{BQ_OK, bq_status};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub enum bq_state {
    /// Not said.
    BQ_STATE_NONE = 0,
    /// Not claimed yet.
    BQ_STATE_PENDING = 1,
    /// Leased to a consumer.
    BQ_STATE_LEASED = 2,
    /// Waiting for its next attempt, or ready for it.
    BQ_STATE_RETRYING = 3,
    /// Waiting behind another delivery of its ordering key.
    BQ_STATE_PARKED = 4,
    /// Out of attempts, kept for people.
    BQ_STATE_DEAD_LETTERED = 5,
    /// Done: acked, cancelled or skipped.
    BQ_STATE_SETTLED = 6,
}

/// What became of one receipt.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_settled {
    /// 0, or what was refused: mostly `lease_lost`.
    pub status: bq_status,
    /// Of a nack: BQ_STATE_RETRYING or BQ_STATE_DEAD_LETTERED; of an ack or a cancel BQ_STATE_SETTLED, of an
    /// extension BQ_STATE_LEASED; else BQ_STATE_NONE.
    pub state: i32,
    /// In milliseconds since 1970: when it can be claimed again, for a nack and a deferral; when the lease expires
    /// now, for an extension; else 0.
    pub at_ms: i64,
}

/// An answer of one verb.
pub(crate) trait Settles {
    fn settled(self) -> bq_settled;
}

/// Of an ack and a cancel.
impl Settles for () {
    fn settled(self) -> bq_settled {
        bq_settled { status: BQ_OK, state: bq_state::BQ_STATE_SETTLED as i32, at_ms: 0 }
    }
}

impl Settles for Nacked {
    fn settled(self) -> bq_settled {
        let at_ms = optional_instant_ms(self.ready_at);
        bq_settled { status: BQ_OK, state: state(self.state) as i32, at_ms }
    }
}

/// When a lease expires.
pub(crate) struct Extended(pub(crate) SystemTime);

impl Settles for Extended {
    fn settled(self) -> bq_settled {
        let state = bq_state::BQ_STATE_LEASED as i32;
        bq_settled { status: BQ_OK, state, at_ms: instant_ms(self.0) }
    }
}

/// When a deferred delivery is ready.
pub(crate) struct Deferred(pub(crate) SystemTime);

impl Settles for Deferred {
    fn settled(self) -> bq_settled {
        let state = bq_state::BQ_STATE_NONE as i32;
        bq_settled { status: BQ_OK, state, at_ms: instant_ms(self.0) }
    }
}

fn state(state: DeliveryState) -> bq_state {
    match state {
        DeliveryState::Pending => bq_state::BQ_STATE_PENDING,
        DeliveryState::Leased => bq_state::BQ_STATE_LEASED,
        DeliveryState::Retrying => bq_state::BQ_STATE_RETRYING,
        DeliveryState::Parked => bq_state::BQ_STATE_PARKED,
        DeliveryState::DeadLettered => bq_state::BQ_STATE_DEAD_LETTERED,
        DeliveryState::Settled => bq_state::BQ_STATE_SETTLED,
        _ => bq_state::BQ_STATE_NONE,
    }
}

/// The answer for one receipt of a batch.
pub(crate) fn settled<T: Settles>(result: Result<T>) -> bq_settled {
    result.map_or_else(
        |refused| bq_settled {
            status: refused.number().into(),
            state: bq_state::BQ_STATE_NONE as i32,
            at_ms: 0,
        },
        Settles::settled,
    )
}

/// Writes the answers of a batch; without places for them the first refusal is the error.
pub(crate) fn settled_all<T: Settles>(
    results: Vec<Result<T>>,
    places: &mut [bq_settled],
) -> Result<()> {
    if places.is_empty() {
        return results.into_iter().try_for_each(|result| result.map(drop));
    }
    for (place, result) in places.iter_mut().zip(results) {
        *place = settled(result);
    }
    Ok(())
}

/// How to report a failure. All zero: as the subscriber's retry policy says.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_nack_options {
    /// sizeof(bq_nack_options).
    pub size: usize,
    /// What went wrong, kept with the delivery; cut at 4 KiB. UTF-8.
    pub error: bq_slice,
    /// Wait this long before the next attempt, if has_delay.
    pub delay_ms: i64,
    /// Whether delay_ms counts; else the subscriber's retry policy does.
    pub has_delay: Flag,
    /// Make it a dead letter now, whatever attempts are left.
    pub give_up: Flag,
}

// SAFETY: integers, pointers and flags only, the size first.
unsafe impl Sized for bq_nack_options {}

/// A failure of a batch.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_nack {
    /// Of the delivery that failed.
    pub receipt: bq_receipt,
    /// How, or NULL. Failures may share it.
    pub options: *const bq_nack_options,
}

/// A delivery of a batch to put back.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_deferral {
    /// Of the delivery.
    pub receipt: bq_receipt,
    /// For how long.
    pub delay_ms: i64,
}

/// Settles a delivery: done. Blocks until that is on disk, as everything in this part does.
///
/// Errors: `lease_lost`, `invalid_receipt`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_ack(
    queue: *mut bq_queue,
    receipt: *const bq_receipt,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes a receipt.
        let receipt = unsafe { self::receipt(receipt) }?;
        queue.0.ack(&receipt).wait()
    })
}

/// Settles a delivery, and stores a reply for whoever waits for the message's result: up to 1 MiB, kept for
/// `ttl_ms`, which is 1 h if 0, and at most 31 days. `content_type` may be NULL.
///
/// Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`, `limit_exceeded`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_ack_with_result(
    queue: *mut bq_queue,
    receipt: *const bq_receipt,
    payload: *const c_void,
    payload_len: usize,
    content_type: *const c_char,
    content_type_len: usize,
    ttl_ms: i64,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes a receipt, bytes, and a text or NULL.
        let (receipt, payload, content_type) = unsafe {
            let content_type = optional_text("content_type", content_type, content_type_len)?;
            (self::receipt(receipt)?, bytes("the payload", payload, payload_len)?, content_type)
        };
        let mut reply = Reply::new(payload);
        reply.content_type = content_type.map(str::to_owned);
        reply.ttl = optional_duration("ttl_ms", ttl_ms)?;
        queue.0.ack_with_result(&receipt, reply).wait()
    })
}

/// Settles up to 1,000 deliveries and answers for each. `results` is NULL or an array of `count`; if it is NULL,
/// the call fails with the error of the first that was refused, the others are settled.
///
/// Errors: `invalid_argument`, `limit_exceeded`, `invalid_receipt`, `shutdown`; and `lease_lost` for each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_ack_batch(
    queue: *mut bq_queue,
    receipts: *const bq_receipt,
    count: usize,
    results: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes an array of receipts, and NULL or one for the answers.
        let (receipts, places) =
            unsafe { (self::receipts(receipts, count)?, answers(results, count)?) };
        settled_all(queue.0.ack_batch(&receipts).wait()?, places)
    })
}

/// Reports a failure: the delivery waits for its next attempt, or becomes a dead letter. `options` may be NULL,
/// and so may `result`, which gets what it led to.
///
/// Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_nack(
    queue: *mut bq_queue,
    receipt: *const bq_receipt,
    options: *const bq_nack_options,
    result: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes a receipt, options or NULL, and NULL or a place for the answer.
        let (receipt, options, place) =
            unsafe { (self::receipt(receipt)?, nack_options(options)?, optional_out(result)) };
        answer(queue.0.nack(&receipt, &options).wait()?, place);
        Ok(())
    })
}

/// Reports up to 1,000 failures and answers for each, as bq_queue_ack_batch does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_nack_batch(
    queue: *mut bq_queue,
    nacks: *const bq_nack,
    count: usize,
    results: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes an array of failures, and NULL or one for the answers.
        let (nacks, places) = unsafe { (self::nacks(nacks, count)?, answers(results, count)?) };
        settled_all(queue.0.nack_batch(&nacks).wait()?, places)
    })
}

/// Makes the lease last until this long after now: 1 ms to 12 h. `result` may be NULL; it gets the new expiry.
///
/// Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_extend(
    queue: *mut bq_queue,
    receipt: *const bq_receipt,
    lease_ms: i64,
    result: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes a receipt, and NULL or a place for the answer.
        let (receipt, place) = unsafe { (self::receipt(receipt)?, optional_out(result)) };
        let expiry = queue.0.extend(&receipt, duration("lease_ms", lease_ms)?).wait()?;
        answer(Extended(expiry), place);
        Ok(())
    })
}

/// Extends up to 1,000 leases and answers for each, as bq_queue_ack_batch does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_extend_batch(
    queue: *mut bq_queue,
    receipts: *const bq_receipt,
    count: usize,
    lease_ms: i64,
    results: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes an array of receipts, and NULL or one for the answers.
        let (receipts, places) =
            unsafe { (self::receipts(receipts, count)?, answers(results, count)?) };
        let lease = duration("lease_ms", lease_ms)?;
        settled_all(extended(queue.0.extend_batch(&receipts, lease).wait()?), places)
    })
}

/// Puts a delivery back for this long, or for others at once if it is 0. The attempt does not count. `result`
/// may be NULL; it gets when it can be claimed again.
///
/// Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_defer(
    queue: *mut bq_queue,
    receipt: *const bq_receipt,
    delay_ms: i64,
    result: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes a receipt, and NULL or a place for the answer.
        let (receipt, place) = unsafe { (self::receipt(receipt)?, optional_out(result)) };
        let ready = queue.0.defer(&receipt, duration("delay_ms", delay_ms)?).wait()?;
        answer(Deferred(ready), place);
        Ok(())
    })
}

/// Puts up to 1,000 deliveries back and answers for each, as bq_queue_ack_batch does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_defer_batch(
    queue: *mut bq_queue,
    deferrals: *const bq_deferral,
    count: usize,
    results: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes an array of deferrals, and NULL or one for the answers.
        let (deferrals, places) =
            unsafe { (self::deferrals(deferrals, count)?, answers(results, count)?) };
        settled_all(deferred(queue.0.defer_batch(&deferrals).wait()?), places)
    })
}

/// Ends a leased delivery for good, as if it had been acked, and keeps the reason, if not NULL, with its failures.
///
/// Errors: `lease_lost`, `invalid_receipt`, `invalid_argument`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_cancel(
    queue: *mut bq_queue,
    receipt: *const bq_receipt,
    reason: *const c_char,
    reason_len: usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes a receipt, and a text or NULL.
        let (receipt, reason) =
            unsafe { (self::receipt(receipt)?, optional_text("reason", reason, reason_len)?) };
        queue.0.cancel(&receipt, reason).wait()
    })
}

/// Ends up to 1,000 leased deliveries for good and answers for each, as bq_queue_ack_batch does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_cancel_batch(
    queue: *mut bq_queue,
    receipts: *const bq_receipt,
    count: usize,
    reason: *const c_char,
    reason_len: usize,
    results: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes an array of receipts, a text or NULL, and NULL or an array for the answers.
        let (receipts, reason, places) = unsafe {
            let reason = optional_text("reason", reason, reason_len)?;
            (self::receipts(receipts, count)?, reason, answers(results, count)?)
        };
        settled_all(queue.0.cancel_batch(&receipts, reason).wait()?, places)
    })
}

pub(crate) fn answer(settles: impl Settles, place: Option<&mut bq_settled>) {
    if let Some(place) = place {
        *place = settles.settled();
    }
}

pub(crate) fn extended(results: Vec<Result<SystemTime>>) -> Vec<Result<Extended>> {
    results.into_iter().map(|result| result.map(Extended)).collect()
}

pub(crate) fn deferred(results: Vec<Result<SystemTime>>) -> Vec<Result<Deferred>> {
    results.into_iter().map(|result| result.map(Deferred)).collect()
}

/// # Safety
/// They can be read.
pub(crate) unsafe fn receipts(first: *const bq_receipt, count: usize) -> Result<Vec<Receipt>> {
    // SAFETY: passed on.
    let receipts = unsafe { items("the array of receipts", first, count) }?;
    receipts.iter().map(bq_receipt::read).collect()
}

/// # Safety
/// They can be read, with all that they point to.
pub(crate) unsafe fn nacks(
    first: *const bq_nack,
    count: usize,
) -> Result<Vec<(Receipt, NackOptions)>> {
    // SAFETY: passed on.
    let nacks = unsafe { items("the array of failures", first, count) }?;
    // SAFETY: passed on.
    let read = |nack: &bq_nack| Ok((nack.receipt.read()?, unsafe { nack_options(nack.options) }?));
    nacks.iter().map(read).collect()
}

/// # Safety
/// They can be read.
pub(crate) unsafe fn deferrals(
    first: *const bq_deferral,
    count: usize,
) -> Result<Vec<(Receipt, Duration)>> {
    // SAFETY: passed on.
    let deferrals = unsafe { items("the array of deferrals", first, count) }?;
    let read =
        |each: &bq_deferral| Ok((each.receipt.read()?, duration("delay_ms", each.delay_ms)?));
    deferrals.iter().map(read).collect()
}

/// # Safety
/// The options are NULL, or can be read with what they point to.
pub(crate) unsafe fn nack_options(options: *const bq_nack_options) -> Result<NackOptions> {
    // SAFETY: passed on.
    let (options, error) = unsafe {
        let options = sized("the nack's options", options)?;
        (options, options.error.optional_string("error")?)
    };
    let mut out = NackOptions::default().with_give_up(options.give_up.is_set());
    out.error = error;
    if options.has_delay.is_set() {
        out.delay = Some(duration("delay_ms", options.delay_ms)?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::mem::{offset_of, zeroed};

    use super::*;

    #[test]
    fn a_flag_that_is_any_byte_but_zero_is_set() {
        for byte in [0, 1, 2, 0xff] {
            // SAFETY: all bits zero are a value of it.
            let mut options = unsafe { zeroed::<bq_nack_options>() };
            options.size = size_of::<bq_nack_options>();
            let place = (&raw mut options).cast::<u8>();
            // SAFETY: the field is within the structure, and one byte.
            unsafe { place.add(offset_of!(bq_nack_options, give_up)).write(byte) };
            // SAFETY: the options can be read, and point to nothing.
            let read = unsafe { nack_options(&raw const options) };
            assert_eq!(read.unwrap().give_up, byte != 0, "{byte}");
        }
    }
}
