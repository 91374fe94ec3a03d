//! How values stand in columns, in both directions.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::cache::SubscriberId;
use crate::clock::{Millis, duration_millis, from_millis};
use crate::error::Error;
use crate::model::{DeliveryState, RunStatus};
use crate::options::{
    BacklogLimit, BacklogPolicy, Filter, Message, MisfirePolicy, OnDead, OnExpiry, OverlapPolicy,
    RateLimit, Retention, RetryPolicy, ScheduleOptions, SubscriberOptions, TopicOptions,
};

// States of a delivery row.
pub(super) const LEASED: i64 = 1;
pub(super) const RETRYING: i64 = 2;
pub(super) const PARKED: i64 = 3;
pub(super) const DEAD: i64 = 4;
pub(super) const SKIPPED: i64 = 5;

/// The state of a row as callers know it.
pub(super) fn state(state: i64) -> DeliveryState {
    match state {
        LEASED => DeliveryState::Leased,
        RETRYING => DeliveryState::Retrying,
        PARKED => DeliveryState::Parked,
        DEAD => DeliveryState::DeadLettered,
        _ => DeliveryState::Settled,
    }
}

pub(super) fn headers_to_json(headers: &BTreeMap<String, String>) -> Option<String> {
    // A map of strings has a JSON form always.
    (!headers.is_empty()).then(|| serde_json::to_string(headers).unwrap_or_default())
}

pub(super) fn headers_from_json(json: Option<&str>) -> BTreeMap<String, String> {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

pub(super) fn runs_to_json(runs: &[i64]) -> String {
    serde_json::to_string(runs).unwrap_or_default()
}

/// The state of a delivery that has a row, and its failures.
pub(super) fn delivery_state(
    connection: &Connection,
    message: i64,
    subscriber: SubscriberId,
) -> rusqlite::Result<Option<(i64, u32)>> {
    connection
        .prepare_cached(include_str!("../../../sql/sqlite/delivery_state.sql"))?
        .query_row(params![message, subscriber], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// When the next retry of one priority can be claimed.
pub(super) fn next_retry(
    connection: &Connection,
    subscriber: SubscriberId,
    priority: i16,
) -> rusqlite::Result<Option<Millis>> {
    connection
        .prepare_cached(include_str!("../../../sql/sqlite/retry_next.sql"))?
        .query_row(params![subscriber, priority], |row| row.get(0))
        .optional()
}

/// Reads the settings of a schedule from columns of their names.
pub(super) fn schedule_options(row: &Row<'_>) -> rusqlite::Result<ScheduleOptions> {
    let headers: Option<String> = row.get("headers")?;
    let mut message = Message::new(row.get::<_, Vec<u8>>("payload")?);
    message.content_type = row.get("content_type")?;
    message.headers = headers_from_json(headers.as_deref());
    message.correlation_id = row.get("correlation_id")?;
    message.priority = row.get("priority")?;
    message.ordering_key = row.get("ordering_key")?;
    message.ttl = millis(row, "ttl_ms")?;
    let mut options = ScheduleOptions::new(row.get::<_, String>("cron")?, message);
    options.timezone = row.get("timezone")?;
    options.misfire = match row.get("misfire")? {
        0 => MisfirePolicy::Skip,
        1 => MisfirePolicy::Once,
        _ => MisfirePolicy::All { limit: row.get("misfire_limit")? },
    };
    options.overlap = match row.get("overlap")? {
        0 => OverlapPolicy::Allow,
        1 => OverlapPolicy::Skip,
        _ => OverlapPolicy::Queue,
    };
    options.start = row.get::<_, Option<Millis>>("start_at")?.map(from_millis);
    options.end = row.get::<_, Option<Millis>>("end_at")?.map(from_millis);
    options.jitter = millis(row, "jitter_ms")?.unwrap_or_default();
    options.grace = millis(row, "grace_ms")?.unwrap_or_default();
    Ok(options)
}

pub(super) fn run_status(status: RunStatus) -> i64 {
    match status {
        RunStatus::Fired => 1,
        RunStatus::Manual => 2,
        RunStatus::Queued => 3,
        RunStatus::SkippedMisfire => 4,
        RunStatus::SkippedOverlap => 5,
        RunStatus::Refused => 6,
        RunStatus::Stopped => 7,
    }
}

pub(super) fn run_status_of(status: i64) -> RunStatus {
    match status {
        1 => RunStatus::Fired,
        2 => RunStatus::Manual,
        3 => RunStatus::Queued,
        4 => RunStatus::SkippedMisfire,
        5 => RunStatus::SkippedOverlap,
        6 => RunStatus::Refused,
        _ => RunStatus::Stopped,
    }
}

/// Reads the settings of a topic from columns of their names.
pub(super) fn topic_options(row: &Row<'_>) -> rusqlite::Result<TopicOptions> {
    let retention = if let Some(ms) = millis(row, "retention_ms")? {
        Retention::Duration(ms)
    } else if let Some(count) = count(row, "retention_count")? {
        Retention::Count(count)
    } else if let Some(bytes) = count(row, "retention_bytes")? {
        Retention::Bytes(bytes)
    } else {
        Retention::None
    };
    let backlog_limit = BacklogLimit {
        messages: count(row, "backlog_count")?,
        bytes: count(row, "backlog_bytes")?,
        age: millis(row, "backlog_ms")?,
        policy: match row.get("backlog_policy")? {
            1 => BacklogPolicy::DropOldest,
            _ => BacklogPolicy::Refuse,
        },
    };
    let idempotency_window = millis(row, "idempotency_ms")?.unwrap_or_default();
    let ttl = millis(row, "ttl_ms")?;
    Ok(TopicOptions { retention, backlog_limit, idempotency_window, ttl })
}

/// The settings of a topic as parameters: three of retention, four of the backlog, the window, the life of
/// messages.
pub(super) fn topic_params(options: &TopicOptions) -> [Option<i64>; 9] {
    let (duration, messages, bytes) = match options.retention {
        Retention::None => (None, None, None),
        Retention::Duration(duration) => (Some(duration_millis(duration)), None, None),
        Retention::Count(count) => (None, Some(signed(count)), None),
        Retention::Bytes(bytes) => (None, None, Some(signed(bytes))),
    };
    let backlog = &options.backlog_limit;
    [
        duration,
        messages,
        bytes,
        backlog.messages.map(signed),
        backlog.bytes.map(signed),
        backlog.age.map(duration_millis),
        Some(i64::from(backlog.policy == BacklogPolicy::DropOldest)),
        Some(duration_millis(options.idempotency_window)),
        options.ttl.map(duration_millis),
    ]
}

/// Reads the settings of a subscriber from columns of their names.
pub(super) fn subscriber_options(row: &Row<'_>) -> rusqlite::Result<SubscriberOptions> {
    Ok(SubscriberOptions {
        max_attempts: row.get("max_attempts")?,
        lease: millis(row, "lease_ms")?.unwrap_or_default(),
        claim_limit: row.get("claim_limit")?,
        retry: RetryPolicy {
            initial: millis(row, "retry_initial_ms")?.unwrap_or_default(),
            max: millis(row, "retry_max_ms")?.unwrap_or_default(),
            multiplier: row.get("retry_multiplier")?,
            jitter: row.get("retry_jitter")?,
        },
        ordered: row.get("ordered")?,
        on_dead: if row.get("on_dead")? { OnDead::Block } else { OnDead::Skip },
        filter: filter(row)?,
        on_expiry: if row.get("on_expiry")? { OnExpiry::DeadLetter } else { OnExpiry::Skip },
        leased_max: row.get("leased_max")?,
        rate: match (row.get("rate_count")?, millis(row, "rate_ms")?) {
            (Some(count), Some(interval)) => Some(RateLimit::new(count, interval)),
            _ => None,
        },
        leased_per_key_max: row.get("leased_per_key_max")?,
    })
}

fn filter(row: &Row<'_>) -> rusqlite::Result<Option<Filter>> {
    let json: Option<String> = row.get("filter")?;
    // Written by nobody but us: one that cannot be read must not deliver what was not asked for.
    let column = row.as_ref().column_index("filter")?;
    let damaged = |error: Error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    };
    json.map(|json| json.parse().map_err(damaged)).transpose()
}

/// The settings of a subscriber, for `subscriber_update.sql`.
pub(super) fn write_subscriber_options(
    connection: &Connection,
    subscriber: SubscriberId,
    options: &SubscriberOptions,
) -> rusqlite::Result<()> {
    connection.prepare_cached(include_str!("../../../sql/sqlite/subscriber_update.sql"))?.execute(
        params![
            subscriber,
            options.max_attempts,
            duration_millis(options.lease),
            options.claim_limit,
            duration_millis(options.retry.initial),
            duration_millis(options.retry.max),
            options.retry.multiplier,
            options.retry.jitter,
            options.ordered,
            options.on_dead == OnDead::Block,
            options.filter.as_ref().map(ToString::to_string),
            options.on_expiry == OnExpiry::DeadLetter,
            options.leased_max,
            options.rate.map(|rate| rate.count),
            options.rate.map(|rate| duration_millis(rate.interval)),
            options.leased_per_key_max,
        ],
    )?;
    Ok(())
}

fn millis(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Duration>> {
    Ok(count(row, column)?.map(Duration::from_millis))
}

fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<u64>> {
    let value: Option<i64> = row.get(column)?;
    Ok(value.map(|value| u64::try_from(value).unwrap_or(0)))
}

/// Numbers beyond what a column holds mean the same as the largest one.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
