//! Claim.

use std::ffi::c_char;

use blockqueue::{ClaimOptions, Delivery, Pending, Result};

use crate::arguments::{Sized, duration, items, optional_duration, out, sized, text};
use crate::delivery::{Deliveries, bq_deliveries};
use crate::error::bq_error;
use crate::guard::guard;
use crate::handle;
use crate::queue::{Open, bq_queue};
use crate::slice::bq_slice;
use crate::status::bq_status;
use crate::token::{self, bq_token};

/// How to claim. Zero means the default.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_claim_options {
    /// sizeof(bq_claim_options).
    pub size: usize,
    /// At most this many deliveries; up to 1,000. 0: as the subscriber says, which is 10 if nobody said.
    pub limit: usize,
    /// How long to wait when there is nothing to claim; up to 1 h. 0: not at all.
    pub wait_ms: i64,
    /// How long the deliveries are leased; up to 12 h. 0: as the subscriber says, which is 30 s if nobody said.
    pub lease_ms: i64,
}

// SAFETY: integers only, the size first.
unsafe impl Sized for bq_claim_options {}

/// One subscriber of one topic.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_source {
    /// The topic's name.
    pub topic: bq_slice,
    /// The subscriber's name.
    pub subscriber: bq_slice,
}

/// Leases deliveries of one subscriber to the caller; none is no error. Blocks until there are some, or the time
/// to wait is over, or the token is cancelled, or the queue is shut down. The transaction that publishes wakes
/// it: there is no polling.
///
/// `options` may be NULL. `token` may be NULL. `deliveries` gets a handle in any case of success, also if there
/// are none: free it with bq_deliveries_free.
///
/// Errors: `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `limit_exceeded`, `busy`, `shutdown`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_claim(
    queue: *mut bq_queue,
    topic: *const c_char,
    topic_len: usize,
    subscriber: *const c_char,
    subscriber_len: usize,
    options: *const bq_claim_options,
    token: *mut bq_token,
    deliveries: *mut *mut bq_deliveries,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes texts, options or NULL, and a place for the handle.
        let (topic, subscriber, options, place) = unsafe {
            (
                text("topic", topic, topic_len)?,
                text("subscriber", subscriber, subscriber_len)?,
                claim_options(options)?,
                out("the place for the deliveries", deliveries)?,
            )
        };
        let token = token::optional(token)?;
        *place =
            hand_out(token::wait(queue.0.claim(topic, subscriber, &options), token.as_deref())?);
        Ok(())
    })
}

/// As bq_queue_claim, from the first of these subscribers that has any, up to 100. They are looked at in the
/// order given, so an earlier one may starve a later one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_queue_claim_any(
    queue: *mut bq_queue,
    sources: *const bq_source,
    source_count: usize,
    options: *const bq_claim_options,
    token: *mut bq_token,
    deliveries: *mut *mut bq_deliveries,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        // SAFETY: the caller passes an array of sources, options or NULL, and a place for the handle.
        let (pending, place) = unsafe {
            let place = out("the place for the deliveries", deliveries)?;
            (start_claim_any(&queue.0, sources, source_count, options)?, place)
        };
        let token = token::optional(token)?;
        *place = hand_out(token::wait(pending, token.as_deref())?);
        Ok(())
    })
}

/// # Safety
/// The sources and the options can be read, with all that they point to.
pub(crate) unsafe fn start_claim_any(
    queue: &blockqueue::Queue,
    sources: *const bq_source,
    count: usize,
    options: *const bq_claim_options,
) -> Result<Pending<Vec<Delivery>>> {
    // SAFETY: passed on, for all of them.
    unsafe {
        let options = claim_options(options)?;
        let sources = items("the array of sources", sources, count)?;
        let names = |source: &bq_source| {
            Ok((source.topic.text("topic")?, source.subscriber.text("subscriber")?))
        };
        let sources = sources.iter().map(names).collect::<Result<Vec<_>>>()?;
        Ok(queue.claim_any(&sources, &options))
    }
}

fn hand_out(claimed: Option<Vec<Delivery>>) -> *mut bq_deliveries {
    handle::give(Deliveries::new(claimed.unwrap_or_default()))
}

/// # Safety
/// The options are NULL or can be read.
pub(crate) unsafe fn claim_options(options: *const bq_claim_options) -> Result<ClaimOptions> {
    // SAFETY: passed on.
    let options = unsafe { sized("the claim's options", options) }?;
    let mut out = ClaimOptions::default();
    out.limit = (options.limit != 0).then_some(options.limit);
    out.wait = duration("wait_ms", options.wait_ms)?;
    out.lease = optional_duration("lease_ms", options.lease_ms)?;
    Ok(out)
}
