//! The bounds of the queue, as the core has them.

use blockqueue::limits as core;

use crate::number::{duration_millis, signed};

/// The bounds of the queue.
#[derive(Debug, Clone, uniffi::Record)]
#[expect(missing_docs, reason = "as the constants of the core's `limits`")]
pub struct Limits {
    pub payload_bytes_default: i64,
    pub payload_bytes_max: i64,
    pub header_bytes_max: i64,
    pub name_bytes_max: i64,
    pub key_bytes_max: i64,
    pub ordering_key_bytes_max: i64,
    pub batch_max: i64,
    pub batch_bytes_max: i64,
    pub claim_max: i64,
    pub claim_sources_max: i64,
    pub settle_max: i64,
    pub page_max: i64,
    pub subscribers_per_call_max: i64,
    pub priority_min: i32,
    pub priority_max: i32,
    pub lease_min_ms: i64,
    pub lease_max_ms: i64,
    pub delay_max_ms: i64,
    pub wait_max_ms: i64,
}

/// The bounds of the queue.
#[uniffi::export]
pub fn limits() -> Limits {
    Limits {
        payload_bytes_default: signed(core::PAYLOAD_BYTES_DEFAULT),
        payload_bytes_max: signed(core::PAYLOAD_BYTES_MAX),
        header_bytes_max: signed(core::HEADER_BYTES_MAX),
        name_bytes_max: signed(core::NAME_BYTES_MAX),
        key_bytes_max: signed(core::KEY_BYTES_MAX),
        ordering_key_bytes_max: signed(core::ORDERING_KEY_BYTES_MAX),
        batch_max: signed(core::BATCH_MAX),
        batch_bytes_max: signed(core::BATCH_BYTES_MAX),
        claim_max: signed(core::CLAIM_MAX),
        claim_sources_max: signed(core::CLAIM_SOURCES_MAX),
        settle_max: signed(core::SETTLE_MAX),
        page_max: signed(core::PAGE_MAX),
        subscribers_per_call_max: signed(core::SUBSCRIBERS_PER_CALL_MAX),
        priority_min: core::PRIORITY_MIN.into(),
        priority_max: core::PRIORITY_MAX.into(),
        lease_min_ms: duration_millis(core::LEASE_MIN),
        lease_max_ms: duration_millis(core::LEASE_MAX),
        delay_max_ms: duration_millis(core::DELAY_MAX),
        wait_max_ms: duration_millis(core::WAIT_MAX),
    }
}
