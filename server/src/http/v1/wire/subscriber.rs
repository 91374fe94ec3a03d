//! Subscribers.

use std::time::Duration;

use blockqueue::{
    NewSubscriber, RetryPolicy, StartFrom, Subscriber, SubscriberChange, SubscriberOptions,
    SubscriberStats,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::{Instant, Span, optional, span, time};
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
        let change = self.option.into_change()?;
        let mut options = SubscriberOptions::default();
        options.max_attempts = change.max_attempts.unwrap_or(options.max_attempts);
        options.lease = change.lease.unwrap_or(options.lease);
        options.claim_limit = change.claim_limit.unwrap_or(options.claim_limit);
        options.retry = change.retry.unwrap_or(options.retry);
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
        Ok(change)
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
        let SubscriberOptions { max_attempts, lease, claim_limit, retry, .. } = subscriber.options;
        Self {
            id: subscriber.id,
            name: subscriber.name,
            paused: subscriber.paused,
            created_at: time(subscriber.created_at),
            option: OptionOut {
                max_attempts,
                visibility_duration: span(lease),
                dequeue_batch_size: claim_limit,
                retry_policy: RetryOut {
                    initial_delay: span(retry.initial),
                    max_delay: span(retry.max),
                    multiplier: retry.multiplier,
                    jitter: retry.jitter,
                },
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
    claimed_total: u64,
    acked_total: u64,
    nacked_total: u64,
    expired_total: u64,
    dropped_total: u64,
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
            claimed_total: stats.claimed_count,
            acked_total: stats.acked_count,
            nacked_total: stats.nacked_count,
            expired_total: stats.expired_count,
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
