//! The bounds of the queue, as the core has them.

use blockqueue::limits;
use pyo3::prelude::*;

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("PAYLOAD_BYTES_DEFAULT", limits::PAYLOAD_BYTES_DEFAULT)?;
    module.add("PAYLOAD_BYTES_MAX", limits::PAYLOAD_BYTES_MAX)?;
    module.add("HEADER_BYTES_MAX", limits::HEADER_BYTES_MAX)?;
    module.add("NAME_BYTES_MAX", limits::NAME_BYTES_MAX)?;
    module.add("KEY_BYTES_MAX", limits::KEY_BYTES_MAX)?;
    module.add("ORDERING_KEY_BYTES_MAX", limits::ORDERING_KEY_BYTES_MAX)?;
    module.add("ERROR_BYTES_MAX", limits::ERROR_BYTES_MAX)?;
    module.add("BATCH_MAX", limits::BATCH_MAX)?;
    module.add("BATCH_BYTES_MAX", limits::BATCH_BYTES_MAX)?;
    module.add("CLAIM_MAX", limits::CLAIM_MAX)?;
    module.add("CLAIM_SOURCES_MAX", limits::CLAIM_SOURCES_MAX)?;
    module.add("SETTLE_MAX", limits::SETTLE_MAX)?;
    module.add("PAGE_MAX", limits::PAGE_MAX)?;
    module.add("SUBSCRIBERS_PER_CALL_MAX", limits::SUBSCRIBERS_PER_CALL_MAX)?;
    module.add("PRIORITY_MIN", limits::PRIORITY_MIN)?;
    module.add("PRIORITY_MAX", limits::PRIORITY_MAX)?;
    module.add("LEASE_SECONDS_MIN", limits::LEASE_MIN.as_secs_f64())?;
    module.add("LEASE_SECONDS_MAX", limits::LEASE_MAX.as_secs_f64())?;
    module.add("DELAY_SECONDS_MAX", limits::DELAY_MAX.as_secs_f64())?;
    module.add("WAIT_SECONDS_MAX", limits::WAIT_MAX.as_secs_f64())?;
    module.add("ATTEMPTS_MAX", limits::ATTEMPTS_MAX)?;
    module.add("FILTER_BYTES_MAX", limits::FILTER_BYTES_MAX)?;
    module.add("FILTER_DEPTH_MAX", limits::FILTER_DEPTH_MAX)?;
    module.add("LEASED_MAX", limits::LEASED_MAX)?;
    module.add("LEASED_PER_KEY_MAX", limits::LEASED_PER_KEY_MAX)?;
    module.add("RATE_COUNT_MAX", limits::RATE_COUNT_MAX)?;
    module.add("RATE_INTERVAL_SECONDS_MAX", limits::RATE_INTERVAL_MAX.as_secs_f64())?;
    module.add("REPLY_BYTES_MAX", limits::REPLY_BYTES_MAX)?;
    module.add("REPLY_TTL_SECONDS_MAX", limits::REPLY_TTL_MAX.as_secs_f64())?;
    module.add("TTL_SECONDS_MAX", limits::TTL_MAX.as_secs_f64())?;
    module.add("IDEMPOTENCY_WINDOW_SECONDS_MAX", limits::IDEMPOTENCY_WINDOW_MAX.as_secs_f64())?;
    module
        .add("TRANSACTION_DEADLINE_SECONDS_MAX", limits::TRANSACTION_DEADLINE_MAX.as_secs_f64())?;
    module.add("QUERY_ROWS_MAX", limits::QUERY_ROWS_MAX)?;
    module.add("SCHEDULES_PER_TOPIC_MAX", limits::SCHEDULES_PER_TOPIC_MAX)
}
