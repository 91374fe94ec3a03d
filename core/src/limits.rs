//! Every bound of the queue, in one place, enforced before anything is written.

use std::time::Duration;

/// Largest payload of one message by default, in bytes.
pub const PAYLOAD_BYTES_DEFAULT: usize = 1 << 20;
/// Largest payload that [`crate::OpenOptions::with_payload_bytes_max`] accepts, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 20;
/// Headers, content type and correlation id of one message together, in bytes.
pub const HEADER_BYTES_MAX: usize = 16 << 10;
/// Length of the name of a topic or subscriber, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 150;
/// Length of an idempotency key or a unique key, in bytes of UTF-8.
pub const KEY_BYTES_MAX: usize = 255;
/// Length of an ordering key, in bytes of UTF-8.
pub const ORDERING_KEY_BYTES_MAX: usize = 255;
/// Length of an error text, a reason; longer ones are cut, in bytes of UTF-8.
pub const ERROR_BYTES_MAX: usize = 4 << 10;
/// Errors kept for one delivery; older ones are dropped.
pub const ERRORS_KEPT_MAX: u32 = 100;
/// Messages in one publish call.
pub const BATCH_MAX: usize = 1_000;
/// Payload bytes of one batch, claim, peek or write group, unless a single message is larger.
pub const BATCH_BYTES_MAX: usize = 16 << 20;
/// Deliveries handed out by one claim.
pub const CLAIM_MAX: usize = 1_000;
/// Subscribers named by one claim.
pub const CLAIM_SOURCES_MAX: usize = 100;
/// Receipts settled by one call.
pub const SETTLE_MAX: usize = 1_000;
/// Entries of one page of a list.
pub const PAGE_MAX: usize = 1_000;
/// Entries of one page when the caller does not say.
pub const PAGE_DEFAULT: usize = 100;
/// Subscribers created by one call.
pub const SUBSCRIBERS_PER_CALL_MAX: usize = 1_000;
/// Shortest lease.
pub const LEASE_MIN: Duration = Duration::from_millis(1);
/// Longest lease, and longest extension.
pub const LEASE_MAX: Duration = Duration::from_hours(12);
/// Lease when neither the claim nor the subscriber says.
pub const LEASE_DEFAULT: Duration = Duration::from_secs(30);
/// Attempts when the subscriber does not say.
pub const ATTEMPTS_DEFAULT: u32 = 5;
/// Most attempts a subscriber may ask for.
pub const ATTEMPTS_MAX: u32 = 100_000;
/// A filter as JSON, in bytes.
pub const FILTER_BYTES_MAX: usize = 8 << 10;
/// How deep the conditions of a filter may be nested.
pub const FILTER_DEPTH_MAX: usize = 8;
/// Most leases at once that a subscriber may be limited to.
pub const LEASED_MAX: u32 = 1_000_000;
/// Most leases at once of one ordering key that a subscriber may be limited to.
pub const LEASED_PER_KEY_MAX: u32 = 1_000;
/// Most claims per interval that a subscriber may be limited to.
pub const RATE_COUNT_MAX: u32 = 1_000_000;
/// Longest interval of a rate.
pub const RATE_INTERVAL_MAX: Duration = Duration::from_hours(24);
/// Deliveries of a subscriber that may wait behind others of their key; at the limit it reads no further.
pub const PARKED_MAX: u64 = 100_000;
/// Longest delay of a message, a retry or a deferral.
pub const DELAY_MAX: Duration = Duration::from_hours(24 * 366);
/// Latest time for which a message may be set aside: the end of the year 9999, from 1970 on.
pub const DELIVER_AT_MAX: Duration = Duration::from_millis(253_402_300_799_999);
/// Largest payload of a reply, in bytes.
pub const REPLY_BYTES_MAX: usize = 1 << 20;
/// Length of the content type of a reply, in bytes of UTF-8.
pub const REPLY_TYPE_BYTES_MAX: usize = 255;
/// How long a reply is kept when the consumer does not say.
pub const REPLY_TTL_DEFAULT: Duration = Duration::from_hours(1);
/// How long a reply may be kept.
pub const REPLY_TTL_MAX: Duration = Duration::from_hours(24 * 31);
/// Lowest and highest rate of a redrive, in dead letters a second.
pub const REDRIVE_RATE_MIN: f64 = 0.001;
/// See [`REDRIVE_RATE_MIN`].
pub const REDRIVE_RATE_MAX: f64 = 1_000_000.0;
/// Longest wait of one claim, or for one result.
pub const WAIT_MAX: Duration = Duration::from_hours(1);
/// How long a transaction on the queue's own connection may last when its options do not say.
pub const TRANSACTION_DEADLINE_DEFAULT: Duration = Duration::from_secs(5);
/// Longest deadline of such a transaction: everybody else waits for it.
pub const TRANSACTION_DEADLINE_MAX: Duration = Duration::from_mins(1);
/// Rows that one query in a transaction may answer with.
pub const QUERY_ROWS_MAX: usize = 100_000;
/// Lowest and highest priority.
pub const PRIORITY_MIN: i16 = -1_000;
/// See [`PRIORITY_MIN`].
pub const PRIORITY_MAX: i16 = 1_000;
/// How long an idempotency key is remembered when the topic does not say.
pub const IDEMPOTENCY_WINDOW_DEFAULT: Duration = Duration::from_hours(24);
/// Longest window of idempotency keys.
pub const IDEMPOTENCY_WINDOW_MAX: Duration = Duration::from_hours(24 * 31);
/// Longest life of a message that expires.
pub const TTL_MAX: Duration = Duration::from_hours(24 * 3_660);
/// Longest retention of a topic.
pub const RETENTION_MAX: Duration = Duration::from_hours(24 * 3_660);

/// Schedules of one topic.
pub const SCHEDULES_PER_TOPIC_MAX: usize = 1_000;
/// Entries of a schedule's history; older ones are dropped.
pub const SCHEDULE_RUNS_KEPT: u64 = 1_000;
/// Missed occurrences that a schedule makes up for at most.
pub const MISFIRES_MAX: u32 = 1_000;
/// Shortest interval of `@every`: what six fields of cron can say.
pub const SCHEDULE_INTERVAL_MIN: Duration = Duration::from_secs(1);
/// How late an occurrence may be fired when the schedule does not say.
pub const SCHEDULE_GRACE_DEFAULT: Duration = Duration::from_mins(1);
/// Longest jitter and longest grace of a schedule.
pub const SCHEDULE_SLACK_MAX: Duration = Duration::from_hours(24);

/// Operations, and KiB of payload, that may wait to be written before callers must wait.
pub(crate) const PENDING_OPS_MAX: usize = 65_536;
/// Operations in one write group.
pub(crate) const GROUP_OPS_MAX: usize = 4_096;
/// Deliveries that one claim parks behind others of their key in one transaction.
pub(crate) const CLAIM_PARKED_MAX: usize = 1_000;
/// Messages that the claims of one transaction pass over, and for how long.
pub(crate) const SCAN_ROWS: usize = 10_000;
/// See [`SCAN_ROWS`].
pub(crate) const SCAN_TIME: Duration = Duration::from_millis(3);
/// Rows that one bounded step of upkeep touches: expiry, promotion, trim, reclaim.
pub(crate) const STEP_ROWS: usize = 1_000;
/// Schedules that one transaction fires.
pub(crate) const STEP_SCHEDULES: usize = 32;
/// Replies that one step of upkeep removes; each may be large.
pub(crate) const REPLY_ROWS: usize = 100;
/// Unique keys that one step of upkeep looks at; each is looked at for every subscriber.
pub(crate) const UNIQUE_ROWS: usize = 100;
/// Messages that one step of upkeep trims.
pub(crate) const TRIM_ROWS: usize = 10_000;
