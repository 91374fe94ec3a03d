//! Subscribers.

use std::time::Duration;

use blockqueue::{
    CursorStats, Filter, NewSubscriber, OnDead, OnExpiry, RateLimit, RetryPolicy, StartFrom,
    Subscriber, SubscriberChange, SubscriberOptions, SubscriberStats,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::time::{Instant, OrNone, Span, optional, span, time};
use crate::http::v1::Problem;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubscriberIn {
    name: String,
    #[serde(default)]
    option: OptionIn,
    /// `now`, `earliest`, or a time. Default: now.
    start: Option<Instant>,
}

/// Settings of a subscriber; what is not given stays, or is the default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OptionIn {
    max_attempts: Option<u32>,
    visibility_duration: Option<Span>,
    dequeue_batch_size: Option<usize>,
    retry_policy: Option<RetryIn>,
    /// Messages of one key are delivered one at a time, in order.
    ordered: Option<bool>,
    on_dead: Option<OnDeadWord>,
    /// Conditions on headers, or `none`.
    #[schema(value_type = Option<Object>)]
    filter: Option<Value>,
    on_expiry: Option<OnExpiryWord>,
    /// Deliveries leased at once, or `none`.
    leased_max: Option<OrNone<u32>>,
    /// Deliveries claimed per interval, or `none`.
    rate: Option<OrNone<RateIn>>,
    /// Deliveries of one key leased at once, or `none`.
    leased_per_key_max: Option<OrNone<u32>>,
}

/// What becomes of a key when one of its messages is dead-lettered.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OnDeadWord {
    Skip,
    Block,
}

/// What becomes of a message that expires before it is claimed.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OnExpiryWord {
    Skip,
    DeadLetter,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RateIn {
    count: u32,
    interval: Span,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RetryIn {
    initial_delay: Option<Span>,
    max_delay: Option<Span>,
    multiplier: Option<f64>,
    jitter: Option<f64>,
}

impl SubscriberIn {
    pub(crate) fn into_new(self) -> Result<NewSubscriber, Problem> {
        let options = self.option.into_change()?.apply(&SubscriberOptions::default());
        let start = match &self.start {
            None => StartFrom::Now,
            Some(Instant::Text(word)) if word == "now" => StartFrom::Now,
            Some(Instant::Text(word)) if word == "earliest" => StartFrom::Earliest,
            Some(at) => StartFrom::Time(at.time("start")?),
        };
        Ok(NewSubscriber::new(self.name).with_options(options).with_start(start))
    }
}

impl OptionIn {
    pub(crate) fn into_change(self) -> Result<SubscriberChange, Problem> {
        let mut change = SubscriberChange::default();
        change.max_attempts = self.max_attempts;
        change.lease = optional(self.visibility_duration.as_ref(), "visibility_duration")?;
        change.claim_limit = self.dequeue_batch_size;
        change.retry = self.retry_policy.map(RetryIn::into_policy).transpose()?;
        change.ordered = self.ordered;
        change.on_dead = self.on_dead.map(|policy| match policy {
            OnDeadWord::Skip => OnDead::Skip,
            OnDeadWord::Block => OnDead::Block,
        });
        change.filter = self.filter.as_ref().map(filter).transpose()?;
        change.on_expiry = self.on_expiry.map(|policy| match policy {
            OnExpiryWord::Skip => OnExpiry::Skip,
            OnExpiryWord::DeadLetter => OnExpiry::DeadLetter,
        });
        change.leased_max = self.leased_max.map(OrNone::into_option);
        change.rate = match self.rate.map(OrNone::into_option) {
            Some(rate) => Some(rate.map(RateIn::into_rate).transpose()?),
            None => None,
        };
        change.leased_per_key_max = self.leased_per_key_max.map(OrNone::into_option);
        Ok(change)
    }
}

fn filter(value: &Value) -> Result<Option<Filter>, Problem> {
    if *value == "none" { Ok(None) } else { Ok(Some(value.to_string().parse()?)) }
}

impl RateIn {
    fn into_rate(self) -> Result<RateLimit, Problem> {
        Ok(RateLimit::new(self.count, self.interval.duration("rate.interval")?))
    }
}

impl RetryIn {
    fn into_policy(self) -> Result<RetryPolicy, Problem> {
        let mut policy = RetryPolicy::default();
        policy.initial =
            optional(self.initial_delay.as_ref(), "initial_delay")?.unwrap_or(policy.initial);
        policy.max = optional(self.max_delay.as_ref(), "max_delay")?.unwrap_or(policy.max);
        policy.multiplier = self.multiplier.unwrap_or(policy.multiplier);
        policy.jitter = self.jitter.unwrap_or(policy.jitter);
        Ok(policy)
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubscriberOut {
    id: u64,
    name: String,
    paused: bool,
    created_at: String,
    option: OptionOut,
}

#[derive(Debug, Serialize, ToSchema)]
struct OptionOut {
    max_attempts: u32,
    visibility_duration: String,
    dequeue_batch_size: usize,
    retry_policy: RetryOut,
    ordered: bool,
    on_dead: OnDeadWord,
    #[schema(value_type = Option<Object>)]
    filter: Option<Filter>,
    on_expiry: OnExpiryWord,
    leased_max: Option<u32>,
    rate: Option<RateOut>,
    leased_per_key_max: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RateOut {
    count: u32,
    interval: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct RetryOut {
    initial_delay: String,
    max_delay: String,
    multiplier: f64,
    jitter: f64,
}

impl From<Subscriber> for SubscriberOut {
    fn from(subscriber: Subscriber) -> Self {
        let options = subscriber.options;
        let retry = options.retry;
        Self {
            id: subscriber.id,
            name: subscriber.name,
            paused: subscriber.paused,
            created_at: time(subscriber.created_at),
            option: OptionOut {
                max_attempts: options.max_attempts,
                visibility_duration: span(options.lease),
                dequeue_batch_size: options.claim_limit,
                retry_policy: RetryOut {
                    initial_delay: span(retry.initial),
                    max_delay: span(retry.max),
                    multiplier: retry.multiplier,
                    jitter: retry.jitter,
                },
                ordered: options.ordered,
                on_dead: match options.on_dead {
                    OnDead::Block => OnDeadWord::Block,
                    _ => OnDeadWord::Skip,
                },
                filter: options.filter,
                on_expiry: match options.on_expiry {
                    OnExpiry::DeadLetter => OnExpiryWord::DeadLetter,
                    _ => OnExpiryWord::Skip,
                },
                leased_max: options.leased_max,
                rate: options
                    .rate
                    .map(|rate| RateOut { count: rate.count, interval: span(rate.interval) }),
                leased_per_key_max: options.leased_per_key_max,
            },
        }
    }
}

/// A subscriber in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubscriberStatus {
    topic: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<OptionOut>,
    paused: bool,
    unpublished_message: u64,
    unacked_message: u64,
    pending: u64,
    pending_bytes: u64,
    ready: u64,
    leased: u64,
    retrying: u64,
    parked: u64,
    dead_letter: u64,
    exact: bool,
    oldest_age_ms: Option<u64>,
    /// Where it stands in each log, highest priority first.
    cursors: Vec<CursorOut>,
    claimed_total: u64,
    acked_total: u64,
    nacked_total: u64,
    expired_total: u64,
    ttl_expired_total: u64,
    filtered_total: u64,
    dropped_total: u64,
}

/// Where a subscriber stands in one log.
#[derive(Debug, Serialize, ToSchema)]
struct CursorOut {
    priority: i16,
    /// The newest sequence number that was claimed or skipped.
    sequence: u64,
    /// The sequence number of the log's newest message.
    last_sequence: u64,
}

impl From<CursorStats> for CursorOut {
    fn from(cursor: CursorStats) -> Self {
        let CursorStats { priority, sequence, last_sequence, .. } = cursor;
        Self { priority, sequence, last_sequence }
    }
}

impl From<SubscriberStats> for SubscriberStatus {
    fn from(stats: SubscriberStats) -> Self {
        let millis = |age: Duration| u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Self {
            unpublished_message: stats.pending_count,
            unacked_message: stats.leased_count + stats.retrying_count + stats.parked_count,
            topic: stats.topic,
            name: stats.subscriber,
            created_at: None,
            option: None,
            paused: stats.paused,
            pending: stats.pending_count,
            pending_bytes: stats.pending_bytes,
            ready: stats.ready_count,
            leased: stats.leased_count,
            retrying: stats.retrying_count,
            parked: stats.parked_count,
            dead_letter: stats.dead_count,
            exact: stats.exact,
            oldest_age_ms: stats.oldest_age.map(millis),
            cursors: stats.cursors.into_iter().map(CursorOut::from).collect(),
            claimed_total: stats.claimed_count,
            acked_total: stats.acked_count,
            nacked_total: stats.nacked_count,
            expired_total: stats.expired_count,
            ttl_expired_total: stats.ttl_expired_count,
            filtered_total: stats.filtered_count,
            dropped_total: stats.dropped_count,
        }
    }
}

impl SubscriberStatus {
    /// Together with the subscriber's settings.
    pub(crate) fn with_settings(self, subscriber: Subscriber) -> Self {
        let SubscriberOut { created_at, option, .. } = subscriber.into();
        Self { created_at: Some(created_at), option: Some(option), ..self }
    }
}
