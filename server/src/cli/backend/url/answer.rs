//! What a server answers, in the words of its contract, and what that is here.
//!
//! Fields that are not known here are passed over, so that a newer server can say more.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blockqueue::{
    BacklogLimit, BacklogPolicy, Error, Retention, RetryPolicy, SubscriberOptions, TopicOptions,
};
use serde::Deserialize;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::view::{self, Headers, Moment, Payload};

/// A duration: text, or milliseconds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Span {
    Millis(u64),
    Text(String),
}

impl Span {
    fn duration(&self) -> Outcome<Duration> {
        match self {
            Self::Millis(millis) => Ok(Duration::from_millis(*millis)),
            Self::Text(text) => humantime::parse_duration(text)
                .map_err(|_| misunderstood(&format!("{text:?} is not a duration"))),
        }
    }
}

fn misunderstood(what: &str) -> Failure {
    Error::Internal { detail: format!("the server's answer is not understood: {what}") }.into()
}

// --- topics and subscribers ---------------------------------------------------------------------------

#[derive(Deserialize)]
pub(super) struct Topics {
    pub(super) topics: Vec<Topic>,
    pub(super) next_cursor: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Topic {
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
    pub(super) fn into_view(self) -> Outcome<view::Topic> {
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
        let options = TopicOptions::default()
            .with_retention(retention)
            .with_backlog_limit(limit)
            .with_idempotency_window(self.idempotency_window.duration()?);
        Ok(view::TopicSettings(options))
    }
}

#[derive(Deserialize)]
pub(super) struct Subscribers {
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) next_cursor: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Subscriber {
    pub(super) name: String,
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
}

#[derive(Deserialize)]
struct Retry {
    initial_delay: Span,
    max_delay: Span,
    multiplier: f64,
    jitter: f64,
}

impl Subscriber {
    pub(super) fn into_view(self, topic: &str) -> Outcome<view::Subscriber> {
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
        let options = SubscriberOptions::default()
            .with_max_attempts(self.max_attempts)
            .with_lease(self.visibility_duration.duration()?)
            .with_claim_limit(self.dequeue_batch_size)
            .with_retry(retry);
        Ok(view::SubscriberSettings(options))
    }
}

#[derive(Deserialize)]
pub(super) struct Sought {
    pub(super) clamped: bool,
}

// --- statistics ---------------------------------------------------------------------------------------

#[derive(Deserialize)]
pub(super) struct TopicStats {
    topic: String,
    paused: bool,
    published_total: u64,
    delayed: u64,
    retained: u64,
    retained_bytes: u64,
    subscribers: Vec<SubscriberStats>,
}

#[derive(Deserialize)]
struct SubscriberStats {
    topic: String,
    name: String,
    paused: bool,
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

impl From<TopicStats> for view::TopicStats {
    fn from(stats: TopicStats) -> Self {
        Self {
            topic: stats.topic,
            paused: stats.paused,
            published_count: stats.published_total,
            delayed_count: stats.delayed,
            retained_count: stats.retained,
            retained_bytes: stats.retained_bytes,
            logs: Vec::new(),
            subscribers: stats.subscribers.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<SubscriberStats> for view::SubscriberStats {
    fn from(stats: SubscriberStats) -> Self {
        Self {
            topic: stats.topic,
            subscriber: stats.name,
            paused: stats.paused,
            pending_count: stats.pending,
            pending_bytes: stats.pending_bytes,
            ready_count: stats.ready,
            leased_count: stats.leased,
            retrying_count: stats.retrying,
            parked_count: stats.parked,
            dead_count: stats.dead_letter,
            exact: stats.exact,
            oldest_age_ms: stats.oldest_age_ms,
            cursors: Vec::new(),
            claimed_count: stats.claimed_total,
            acked_count: stats.acked_total,
            nacked_count: stats.nacked_total,
            expired_count: stats.expired_total,
            dropped_count: stats.dropped_total,
        }
    }
}

// --- messages -----------------------------------------------------------------------------------------

#[derive(Deserialize)]
pub(super) struct Published {
    message_id: String,
    duplicate: bool,
    scheduled_at: Option<Moment>,
}

impl From<Published> for view::Published {
    fn from(published: Published) -> Self {
        Self {
            id: published.message_id,
            duplicate: published.duplicate,
            deliver_at: published.scheduled_at,
        }
    }
}

/// A payload: text, or base64 and a word that says so.
#[derive(Deserialize)]
struct Text {
    message: String,
    encoding: Option<String>,
}

impl Text {
    fn into_payload(self) -> Outcome<Payload> {
        match self.encoding.as_deref() {
            None => Ok(Payload(self.message.into_bytes())),
            Some("base64") => STANDARD
                .decode(self.message)
                .map(Payload)
                .map_err(|error| misunderstood(&error.to_string())),
            Some(other) => Err(misunderstood(&format!("encoding {other:?}"))),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Message {
    id: String,
    #[serde(flatten)]
    text: Text,
    content_type: Option<String>,
    headers: Headers,
    correlation_id: Option<String>,
    idempotency_key: Option<String>,
    priority: i16,
    scheduled_at: Option<Moment>,
    created_at: Option<Moment>,
}

impl Message {
    fn into_view(self) -> Outcome<view::Message> {
        Ok(view::Message {
            id: self.id,
            payload: self.text.into_payload()?,
            content_type: self.content_type,
            headers: self.headers,
            correlation_id: self.correlation_id,
            idempotency_key: self.idempotency_key,
            priority: self.priority,
            accepted_at: self.created_at,
            deliver_at: self.scheduled_at,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct DeliveryStatus {
    subscriber: String,
    status: String,
    #[serde(default)]
    delivery_count: u32,
    #[serde(default)]
    failure_count: u32,
    visible_at: Option<Moment>,
}

impl From<DeliveryStatus> for view::DeliveryStatus {
    fn from(status: DeliveryStatus) -> Self {
        Self {
            subscriber: status.subscriber,
            state: state(status.status),
            attempts: status.delivery_count,
            failures: status.failure_count,
            ready_at: status.visible_at,
        }
    }
}

/// The words of the wire that differ from the queue's own.
fn state(word: String) -> String {
    match word.as_str() {
        "dead_letter" => "dead_lettered".to_owned(),
        "processed" | "cancelled" => "settled".to_owned(),
        _ => word,
    }
}

#[derive(Deserialize)]
pub(super) struct MessageStatus {
    #[serde(flatten)]
    message: Message,
    deliveries: Vec<DeliveryStatus>,
}

impl MessageStatus {
    pub(super) fn into_view(self) -> Outcome<view::MessageStatus> {
        let deliveries = self.deliveries.into_iter().map(Into::into).collect();
        Ok(view::MessageStatus { message: self.message.into_view()?, deliveries })
    }
}

#[derive(Deserialize)]
pub(super) struct Messages<T> {
    pub(super) messages: Vec<T>,
    pub(super) next_cursor: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Peeked {
    #[serde(flatten)]
    message: Message,
    #[serde(flatten)]
    status: DeliveryStatus,
}

impl Peeked {
    pub(super) fn into_view(self) -> Outcome<view::Peeked> {
        Ok(view::Peeked { message: self.message.into_view()?, status: self.status.into() })
    }
}

#[derive(Deserialize)]
pub(super) struct Letter {
    #[serde(flatten)]
    message: Message,
    delivery_count: u32,
    failure_count: u32,
    error: Option<String>,
    dead_at: Option<Moment>,
}

impl Letter {
    pub(super) fn into_view(self) -> Outcome<view::DeadLetter> {
        Ok(view::DeadLetter {
            message: self.message.into_view()?,
            attempts: self.delivery_count,
            failures: self.failure_count,
            error: self.error,
            dead_at: self.dead_at,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Count {
    pub(super) count: u64,
}

#[derive(Deserialize)]
pub(super) struct Failures {
    pub(super) errors: Vec<FailedAttempt>,
    pub(super) next_cursor: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct FailedAttempt {
    failure_count: u32,
    error: Option<String>,
    failed_at: Moment,
}

impl From<FailedAttempt> for view::FailedAttempt {
    fn from(failed: FailedAttempt) -> Self {
        Self { failure: failed.failure_count, error: failed.error, failed_at: failed.failed_at }
    }
}

// --- deliveries ---------------------------------------------------------------------------------------

#[derive(Deserialize)]
pub(super) struct Claimed {
    id: String,
    topic: String,
    subscriber: String,
    #[serde(flatten)]
    text: Text,
    content_type: Option<String>,
    headers: Headers,
    correlation_id: Option<String>,
    delivery_count: u32,
    failure_count: u32,
    priority: i16,
    receipt_token: String,
    lease_expires_at: Moment,
    created_at: Moment,
}

impl Claimed {
    pub(super) fn into_view(self) -> Outcome<view::Delivery> {
        Ok(view::Delivery {
            id: self.id,
            receipt: self.receipt_token,
            topic: self.topic,
            subscriber: self.subscriber,
            payload: self.text.into_payload()?,
            content_type: self.content_type,
            headers: self.headers,
            correlation_id: self.correlation_id,
            priority: self.priority,
            attempt: self.delivery_count,
            failures: self.failure_count,
            published_at: self.created_at,
            lease_expires_at: self.lease_expires_at,
        })
    }
}

/// The answer to one item of a batch; `error` is a code.
#[derive(Deserialize)]
pub(super) struct Item {
    pub(super) error: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Nacked {
    status: String,
}

impl Nacked {
    pub(super) fn is_dead(&self) -> bool {
        self.status == "dead_letter"
    }
}
