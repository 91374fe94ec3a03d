//! The bounds of the queue, as the core has them.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;
use std::time::Duration;

use blockqueue::limits;
use serde_json::{Value, json};

use crate::guard::guard_value;

/// Every bound of the queue, as a JSON object of numbers, with a zero behind it. The text lives as long as the
/// library.
#[unsafe(no_mangle)]
pub extern "C" fn bq_limits() -> *const c_char {
    static TEXT: OnceLock<CString> = OnceLock::new();
    guard_value(std::ptr::null(), || Ok(TEXT.get_or_init(text).as_ptr()))
}

fn text() -> CString {
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let limits = [
        ("payload_bytes_default", json!(limits::PAYLOAD_BYTES_DEFAULT)),
        ("payload_bytes_max", json!(limits::PAYLOAD_BYTES_MAX)),
        ("header_bytes_max", json!(limits::HEADER_BYTES_MAX)),
        ("name_bytes_max", json!(limits::NAME_BYTES_MAX)),
        ("key_bytes_max", json!(limits::KEY_BYTES_MAX)),
        ("ordering_key_bytes_max", json!(limits::ORDERING_KEY_BYTES_MAX)),
        ("error_bytes_max", json!(limits::ERROR_BYTES_MAX)),
        ("errors_kept_max", json!(limits::ERRORS_KEPT_MAX)),
        ("batch_max", json!(limits::BATCH_MAX)),
        ("batch_bytes_max", json!(limits::BATCH_BYTES_MAX)),
        ("claim_max", json!(limits::CLAIM_MAX)),
        ("claim_sources_max", json!(limits::CLAIM_SOURCES_MAX)),
        ("settle_max", json!(limits::SETTLE_MAX)),
        ("page_max", json!(limits::PAGE_MAX)),
        ("page_default", json!(limits::PAGE_DEFAULT)),
        ("subscribers_per_call_max", json!(limits::SUBSCRIBERS_PER_CALL_MAX)),
        ("lease_ms_min", json!(ms(limits::LEASE_MIN))),
        ("lease_ms_max", json!(ms(limits::LEASE_MAX))),
        ("lease_ms_default", json!(ms(limits::LEASE_DEFAULT))),
        ("attempts_default", json!(limits::ATTEMPTS_DEFAULT)),
        ("attempts_max", json!(limits::ATTEMPTS_MAX)),
        ("filter_bytes_max", json!(limits::FILTER_BYTES_MAX)),
        ("filter_depth_max", json!(limits::FILTER_DEPTH_MAX)),
        ("leased_max", json!(limits::LEASED_MAX)),
        ("leased_per_key_max", json!(limits::LEASED_PER_KEY_MAX)),
        ("rate_count_max", json!(limits::RATE_COUNT_MAX)),
        ("rate_interval_ms_max", json!(ms(limits::RATE_INTERVAL_MAX))),
        ("parked_max", json!(limits::PARKED_MAX)),
        ("delay_ms_max", json!(ms(limits::DELAY_MAX))),
        ("deliver_at_max", json!(ms(limits::DELIVER_AT_MAX))),
        ("reply_bytes_max", json!(limits::REPLY_BYTES_MAX)),
        ("reply_type_bytes_max", json!(limits::REPLY_TYPE_BYTES_MAX)),
        ("reply_ttl_ms_default", json!(ms(limits::REPLY_TTL_DEFAULT))),
        ("reply_ttl_ms_max", json!(ms(limits::REPLY_TTL_MAX))),
        ("redrive_rate_min", json!(limits::REDRIVE_RATE_MIN)),
        ("redrive_rate_max", json!(limits::REDRIVE_RATE_MAX)),
        ("wait_ms_max", json!(ms(limits::WAIT_MAX))),
        ("transaction_deadline_ms_default", json!(ms(limits::TRANSACTION_DEADLINE_DEFAULT))),
        ("transaction_deadline_ms_max", json!(ms(limits::TRANSACTION_DEADLINE_MAX))),
        ("query_rows_max", json!(limits::QUERY_ROWS_MAX)),
        ("priority_min", json!(limits::PRIORITY_MIN)),
        ("priority_max", json!(limits::PRIORITY_MAX)),
        ("idempotency_window_ms_default", json!(ms(limits::IDEMPOTENCY_WINDOW_DEFAULT))),
        ("idempotency_window_ms_max", json!(ms(limits::IDEMPOTENCY_WINDOW_MAX))),
        ("ttl_ms_max", json!(ms(limits::TTL_MAX))),
        ("retention_ms_max", json!(ms(limits::RETENTION_MAX))),
        ("schedules_per_topic_max", json!(limits::SCHEDULES_PER_TOPIC_MAX)),
        ("schedule_runs_kept", json!(limits::SCHEDULE_RUNS_KEPT)),
        ("misfires_max", json!(limits::MISFIRES_MAX)),
        ("schedule_interval_ms_min", json!(ms(limits::SCHEDULE_INTERVAL_MIN))),
        ("schedule_grace_ms_default", json!(ms(limits::SCHEDULE_GRACE_DEFAULT))),
        ("schedule_slack_ms_max", json!(ms(limits::SCHEDULE_SLACK_MAX))),
    ];
    let limits: Value = limits.into_iter().collect();
    CString::new(limits.to_string()).unwrap_or_default()
}
