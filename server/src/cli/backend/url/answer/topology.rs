//! Topics and subscribers.

use blockqueue::{
    BacklogLimit, BacklogPolicy, OnDead, OnExpiry, RateLimit, Retention, RetryPolicy,
    SubscriberOptions, TopicOptions,
};
use serde::Deserialize;
use serde_json::Value;

use super::Span;
use crate::cli::failure::Outcome;
use crate::cli::view::{self, Moment};

#[derive(Deserialize)]
pub(in super::super) struct Topics {
    pub(in super::super) topics: Vec<Topic>,
    pub(in super::super) next_cursor: Option<String>,
}

#[derive(Deserialize)]
pub(in super::super) struct Topic {
    id: u64,
    name: String,
    paused: bool,
    created_at: Moment,
    option: Option<TopicOption>,
}

#[derive(Deserialize)]
struct TopicOption {
    retention: Keep,
    #[serde(default)]
    backlog_limit: Backlog,
    idempotency_window: Span,
    ttl: Option<Span>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Keep {
    None,
    Duration(Span),
    Count(u64),
    Bytes(u64),
}

#[derive(Default, Deserialize)]
struct Backlog {
    messages: Option<u64>,
    bytes: Option<u64>,
    age: Option<Span>,
    #[serde(default)]
    policy: Policy,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Policy {
    #[default]
    Refuse,
    DropOldest,
}

impl Topic {
    pub(in super::super) fn into_view(self) -> Outcome<view::Topic> {
        Ok(view::Topic {
            id: self.id,
            name: self.name,
            paused: self.paused,
            created_at: self.created_at,
            options: self.option.map(TopicOption::into_settings).transpose()?,
        })
    }
}

impl TopicOption {
    fn into_settings(self) -> Outcome<view::TopicSettings> {
        let retention = match self.retention {
            Keep::None => Retention::None,
            Keep::Duration(span) => Retention::Duration(span.duration()?),
            Keep::Count(count) => Retention::Count(count),
            Keep::Bytes(bytes) => Retention::Bytes(bytes),
        };
        let mut limit = BacklogLimit::default().with_policy(match self.backlog_limit.policy {
            Policy::Refuse => BacklogPolicy::Refuse,
            Policy::DropOldest => BacklogPolicy::DropOldest,
        });
        limit.messages = self.backlog_limit.messages;
        limit.bytes = self.backlog_limit.bytes;
        limit.age = self.backlog_limit.age.map(|age| age.duration()).transpose()?;
        let mut options = TopicOptions::default()
            .with_retention(retention)
            .with_backlog_limit(limit)
            .with_idempotency_window(self.idempotency_window.duration()?);
        options.ttl = self.ttl.map(|ttl| ttl.duration()).transpose()?;
        Ok(view::TopicSettings(options))
    }
}

#[derive(Deserialize)]
pub(in super::super) struct Subscribers {
    pub(in super::super) subscribers: Vec<Subscriber>,
    pub(in super::super) next_cursor: Option<String>,
}

#[derive(Deserialize)]
pub(in super::super) struct Subscriber {
    pub(in super::super) name: String,
    paused: bool,
    created_at: Option<Moment>,
    option: Option<SubscriberOption>,
}

#[derive(Deserialize)]
struct SubscriberOption {
    max_attempts: u32,
    visibility_duration: Span,
    dequeue_batch_size: usize,
    retry_policy: Retry,
    #[serde(default)]
    ordered: bool,
    on_dead: Option<String>,
    filter: Option<Value>,
    on_expiry: Option<String>,
    leased_max: Option<u32>,
    rate: Option<Rate>,
    leased_per_key_max: Option<u32>,
}

#[derive(Deserialize)]
struct Rate {
    count: u32,
    interval: Span,
}

#[derive(Deserialize)]
struct Retry {
    initial_delay: Span,
    max_delay: Span,
    multiplier: f64,
    jitter: f64,
}

impl Subscriber {
    pub(in super::super) fn into_view(self, topic: &str) -> Outcome<view::Subscriber> {
        Ok(view::Subscriber {
            topic: topic.to_owned(),
            name: self.name,
            paused: self.paused,
            created_at: self.created_at,
            options: self.option.map(SubscriberOption::into_settings).transpose()?,
        })
    }
}

impl SubscriberOption {
    fn into_settings(self) -> Outcome<view::SubscriberSettings> {
        let retry = RetryPolicy::default()
            .with_initial(self.retry_policy.initial_delay.duration()?)
            .with_max(self.retry_policy.max_delay.duration()?)
            .with_multiplier(self.retry_policy.multiplier)
            .with_jitter(self.retry_policy.jitter);
        let mut options = SubscriberOptions::default()
            .with_max_attempts(self.max_attempts)
            .with_lease(self.visibility_duration.duration()?)
            .with_claim_limit(self.dequeue_batch_size)
            .with_retry(retry)
            .with_ordered(self.ordered);
        if self.on_dead.as_deref() == Some("block") {
            options.on_dead = OnDead::Block;
        }
        if self.on_expiry.as_deref() == Some("dead_letter") {
            options.on_expiry = OnExpiry::DeadLetter;
        }
        options.filter = self.filter.map(|filter| filter.to_string().parse()).transpose()?;
        options.leased_max = self.leased_max;
        options.rate = match self.rate {
            Some(rate) => Some(RateLimit::new(rate.count, rate.interval.duration()?)),
            None => None,
        };
        options.leased_per_key_max = self.leased_per_key_max;
        Ok(view::SubscriberSettings(options))
    }
}
