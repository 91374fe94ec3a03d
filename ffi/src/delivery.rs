//! Deliveries: a claim's worth of them is one object, and C looks at them in place.

use blockqueue::Delivery;

use crate::arguments::{instant_ms, optional_instant_ms, out};
use crate::error::bq_error;
use crate::guard::guard;
use crate::handle::{self, object};
use crate::id::{bq_id, bq_receipt};
use crate::message::bq_header;
use crate::publish::answers;
use crate::queue::{Open, bq_queue};
use crate::settle::{bq_settled, settled_all};
use crate::slice::bq_slice;
use crate::status::bq_status;

/// What a claim got. It belongs to the caller, who frees it with bq_deliveries_free, and may be passed between
/// threads. Freeing it does not settle anything: receipts are copied freely and outlive it.
pub struct bq_deliveries(());

/// A message leased to this consumer. Settle it with its receipt before the lease expires. All that it points to
/// lives as long as the bq_deliveries that it is part of.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_delivery {
    /// The right to settle this delivery.
    pub receipt: bq_receipt,
    /// The message's id.
    pub message_id: bq_id,
    /// The topic's name.
    pub topic: bq_slice,
    /// The subscriber's name.
    pub subscriber: bq_slice,
    /// The bytes that were published.
    pub payload: bq_slice,
    /// What the payload is; NULL if the publisher did not say.
    pub content_type: bq_slice,
    /// The headers that were published, by name.
    pub headers: *const bq_header,
    /// How many headers.
    pub header_count: usize,
    /// What the publisher tied the message to, or NULL.
    pub correlation_id: bq_slice,
    /// What the message is in order with, or NULL.
    pub ordering_key: bq_slice,
    /// When the message became deliverable, in milliseconds since 1970.
    pub published_at_ms: i64,
    /// When the message expires; 0: never. A delivery that is leased by then may still be settled.
    pub expires_at_ms: i64,
    /// When the lease expires.
    pub lease_expires_at_ms: i64,
    /// The message's priority.
    pub priority: i32,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Attempts that ended badly so far.
    pub failures: u32,
}

pub(crate) struct Deliveries {
    /// What the items point into.
    owned: Vec<Delivery>,
    _headers: Vec<bq_header>,
    items: Vec<bq_delivery>,
}

object!(Deliveries, bq_deliveries, 5, "batch of deliveries");

// SAFETY: the pointers go to what the same object owns and nobody changes.
unsafe impl Send for Deliveries {}
// SAFETY: as above.
unsafe impl Sync for Deliveries {}

impl Deliveries {
    pub(crate) fn new(owned: Vec<Delivery>) -> Self {
        let headers = |delivery: &Delivery| {
            let pairs = delivery.headers.iter();
            let slices = pairs.map(|(name, value)| bq_header {
                name: bq_slice::of(name.as_bytes()),
                value: bq_slice::of(value.as_bytes()),
            });
            slices.collect::<Vec<_>>()
        };
        let all: Vec<bq_header> = owned.iter().flat_map(headers).collect();
        let mut rest = all.as_slice();
        let mut items = Vec::with_capacity(owned.len());
        for delivery in &owned {
            let (own, others) = rest.split_at(delivery.headers.len());
            rest = others;
            items.push(item(delivery, own));
        }
        Self { owned, _headers: all, items }
    }

    pub(crate) fn items(&self) -> &[bq_delivery] {
        &self.items
    }
}

fn item(delivery: &Delivery, headers: &[bq_header]) -> bq_delivery {
    bq_delivery {
        receipt: (&delivery.receipt).into(),
        message_id: delivery.message_id.into(),
        topic: bq_slice::of(delivery.topic.as_bytes()),
        subscriber: bq_slice::of(delivery.subscriber.as_bytes()),
        payload: bq_slice::of(&delivery.payload),
        content_type: bq_slice::of_optional(delivery.content_type.as_deref()),
        headers: headers.as_ptr(),
        header_count: headers.len(),
        correlation_id: bq_slice::of_optional(delivery.correlation_id.as_deref()),
        ordering_key: bq_slice::of_optional(delivery.ordering_key.as_deref()),
        published_at_ms: instant_ms(delivery.published_at),
        expires_at_ms: optional_instant_ms(delivery.expires_at),
        lease_expires_at_ms: instant_ms(delivery.lease_expires_at),
        priority: delivery.priority.into(),
        attempt: delivery.attempt,
        failures: delivery.failures,
    }
}

/// Stores where the deliveries are and how many. They live until bq_deliveries_free.
///
/// Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_deliveries_items(
    deliveries: *mut bq_deliveries,
    items: *mut *const bq_delivery,
    count: *mut usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let deliveries = handle::get::<Deliveries>(deliveries)?;
        // SAFETY: the caller passes places for both.
        let (items, count) = unsafe {
            (out("the place for the items", items)?, out("the place for the count", count)?)
        };
        *items = deliveries.items.as_ptr();
        *count = deliveries.items.len();
        Ok(())
    })
}

/// Acks all of them: done. Blocks until that is on disk. `results` is NULL or an array with a place for each; if
/// it is NULL, the call fails with the error of the first that could not be acked, the others are.
///
/// Errors: `lease_lost`, `shutdown`, `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_deliveries_ack(
    queue: *mut bq_queue,
    deliveries: *mut bq_deliveries,
    results: *mut bq_settled,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        let deliveries = handle::get::<Deliveries>(deliveries)?;
        if deliveries.owned.is_empty() {
            return Ok(());
        }
        // SAFETY: the caller passes NULL, or as many places as there are deliveries.
        let places = unsafe { answers(results, deliveries.owned.len()) }?;
        settled_all(queue.0.ack_batch(&deliveries.receipts()).wait()?, places)
    })
}

/// Gives all of them back, as if they had not been claimed: others can claim them at once, and the attempt does
/// not count. For a consumer that has to go. What was settled meanwhile is left alone. Blocks until that is
/// on disk.
///
/// Errors: `shutdown`, `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_deliveries_release(
    queue: *mut bq_queue,
    deliveries: *mut bq_deliveries,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        let queue = handle::get::<Open>(queue)?;
        let receipts = handle::get::<Deliveries>(deliveries)?.receipts();
        if receipts.is_empty() {
            return Ok(());
        }
        queue.0.release_batch(&receipts).wait()
    })
}

impl Deliveries {
    fn receipts(&self) -> Vec<blockqueue::Receipt> {
        self.owned.iter().map(|delivery| delivery.receipt).collect()
    }
}

/// Frees the batch and all that its items point to. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_deliveries_free(deliveries: *mut bq_deliveries) -> bq_status {
    guard(std::ptr::null_mut(), || handle::free::<Deliveries>(deliveries))
}
