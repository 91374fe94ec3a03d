//! What stands on the wire, and its words: translated here, once, in both directions.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blockqueue::{
    BacklogLimit, BacklogPolicy, Delivery, DeliveryState, DeliveryStatus, Error, Message,
    MessageId, MessageView, NewSubscriber, NewTopic, Page, Published, Receipt, Retention,
    RetryPolicy, SeekTo, StartFrom, Subscriber, SubscriberChange, SubscriberOptions,
    SubscriberStats, Topic, TopicChange, TopicOptions,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use crate::http::{duration, payload};

// --- durations and times ------------------------------------------------------------------------------

/// A duration: text such as `1m30s`, or milliseconds.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Span {
    Millis(u64),
    Text(String),
}

impl Span {
    pub(super) fn duration(&self, what: &str) -> Result<Duration, Problem> {
        let parsed = match self {
            Self::Millis(millis) => Some(Duration::from_millis(*millis)),
            Self::Text(text) => duration::parse(text),
        };
        parsed.ok_or_else(|| Problem::invalid(format!("{what} is a duration such as 1m30s")))
    }
}

/// A duration in a query, where milliseconds are text, too.
pub(super) fn span_in_query(text: &str, what: &str) -> Result<Duration, Problem> {
    let span = text.parse().map_or_else(|_| Span::Text(text.to_owned()), Span::Millis);
    span.duration(what)
}

fn optional(span: Option<&Span>, what: &str) -> Result<Option<Duration>, Problem> {
    span.map(|span| span.duration(what)).transpose()
}

/// A time: RFC 3339 text, or milliseconds since 1970.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Instant {
    Millis(u64),
    Text(String),
}

impl Instant {
    fn time(&self, what: &str) -> Result<SystemTime, Problem> {
        let parsed = match self {
            Self::Millis(millis) => UNIX_EPOCH.checked_add(Duration::from_millis(*millis)),
            Self::Text(text) => text.parse::<Timestamp>().ok().map(SystemTime::from),
        };
        parsed.ok_or_else(|| {
            Problem::invalid(format!("{what} is a time such as 2026-01-31T12:00:00Z"))
        })
    }
}

pub(super) fn time(at: SystemTime) -> String {
    Timestamp::try_from(at).map_or_else(|_| String::new(), |at| at.to_string())
}

fn span(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

// --- pages --------------------------------------------------------------------------------------------

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    /// 1 to 1,000; default 100.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl From<PageQuery> for Page {
    fn from(query: PageQuery) -> Self {
        let mut page = Self::default();
        page.limit = query.limit;
        page.after = query.cursor;
        page
    }
}

// --- topics -------------------------------------------------------------------------------------------

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TopicIn {
    name: String,
    #[serde(default)]
    subscribers: Vec<SubscriberIn>,
    #[serde(default)]
    option: TopicOptionIn,
}

/// Settings of a topic; what is not given stays, or is the default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TopicOptionIn {
    retention: Option<RetentionIn>,
    backlog_limit: Option<BacklogIn>,
    idempotency_window: Option<Span>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum RetentionIn {
    None,
    Duration(Span),
    Count(u64),
    Bytes(u64),
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BacklogIn {
    messages: Option<u64>,
    bytes: Option<u64>,
    age: Option<Span>,
    #[serde(default)]
    policy: PolicyIn,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PolicyIn {
    #[default]
    Refuse,
    DropOldest,
}

impl TopicIn {
    pub(super) fn into_new(self) -> Result<NewTopic, Problem> {
        let change = self.option.into_change()?;
        let mut options = TopicOptions::default();
        options.retention = change.retention.unwrap_or(options.retention);
        options.backlog_limit = change.backlog_limit.unwrap_or(options.backlog_limit);
        options.idempotency_window =
            change.idempotency_window.unwrap_or(options.idempotency_window);
        let mut topic = NewTopic::new(self.name).with_options(options);
        for subscriber in self.subscribers {
            topic = topic.with_subscriber(subscriber.into_new()?);
        }
        Ok(topic)
    }
}

impl TopicOptionIn {
    pub(super) fn into_change(self) -> Result<TopicChange, Problem> {
        let mut change = TopicChange::default();
        change.retention = self.retention.map(RetentionIn::into_retention).transpose()?;
        change.backlog_limit = self.backlog_limit.map(BacklogIn::into_limit).transpose()?;
        change.idempotency_window =
            optional(self.idempotency_window.as_ref(), "idempotency_window")?;
        Ok(change)
    }
}

impl RetentionIn {
    fn into_retention(self) -> Result<Retention, Problem> {
        Ok(match self {
            Self::None => Retention::None,
            Self::Duration(span) => Retention::Duration(span.duration("retention")?),
            Self::Count(count) => Retention::Count(count),
            Self::Bytes(bytes) => Retention::Bytes(bytes),
        })
    }
}

impl BacklogIn {
    fn into_limit(self) -> Result<BacklogLimit, Problem> {
        let mut limit = BacklogLimit::default();
        limit.messages = self.messages;
        limit.bytes = self.bytes;
        limit.age = optional(self.age.as_ref(), "age")?;
        limit.policy = match self.policy {
            PolicyIn::Refuse => BacklogPolicy::Refuse,
            PolicyIn::DropOldest => BacklogPolicy::DropOldest,
        };
        Ok(limit)
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TopicOut {
    id: u64,
    name: String,
    paused: bool,
    created_at: String,
    option: TopicOptionOut,
}

/// Settings of a topic, in the form in which they are given.
#[derive(Debug, Serialize, ToSchema)]
struct TopicOptionOut {
    retention: RetentionOut,
    backlog_limit: BacklogOut,
    idempotency_window: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RetentionOut {
    None,
    Duration(String),
    Count(u64),
    Bytes(u64),
}

#[derive(Debug, Serialize, ToSchema)]
struct BacklogOut {
    messages: Option<u64>,
    bytes: Option<u64>,
    age: Option<String>,
    policy: &'static str,
}

impl From<Topic> for TopicOut {
    fn from(topic: Topic) -> Self {
        let backlog = topic.options.backlog_limit;
        Self {
            id: topic.id,
            name: topic.name,
            paused: topic.paused,
            created_at: time(topic.created_at),
            option: TopicOptionOut {
                retention: match topic.options.retention {
                    Retention::Duration(kept) => RetentionOut::Duration(span(kept)),
                    Retention::Count(count) => RetentionOut::Count(count),
                    Retention::Bytes(bytes) => RetentionOut::Bytes(bytes),
                    _ => RetentionOut::None,
                },
                backlog_limit: BacklogOut {
                    messages: backlog.messages,
                    bytes: backlog.bytes,
                    age: backlog.age.map(span),
                    policy: match backlog.policy {
                        BacklogPolicy::DropOldest => "drop_oldest",
                        _ => "refuse",
                    },
                },
                idempotency_window: span(topic.options.idempotency_window),
            },
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Paused {
    pub paused: bool,
}

// --- subscribers --------------------------------------------------------------------------------------

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SubscriberIn {
    name: String,
    #[serde(default)]
    option: OptionIn,
    /// `now`, `earliest`, or a time. Default: now.
    start: Option<Instant>,
}

/// Settings of a subscriber; what is not given stays, or is the default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OptionIn {
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
    pub(super) fn into_new(self) -> Result<NewSubscriber, Problem> {
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
    pub(super) fn into_change(self) -> Result<SubscriberChange, Problem> {
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
pub(super) struct SubscriberOut {
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
pub(super) struct SubscriberStatus {
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
    pub(super) fn with_settings(self, subscriber: Subscriber) -> Self {
        let SubscriberOut { created_at, option, .. } = subscriber.into();
        Self { created_at: Some(created_at), option: Some(option), ..self }
    }
}

// --- messages -----------------------------------------------------------------------------------------

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageIn {
    /// The payload as text; or `payload_base64`.
    message: Option<String>,
    payload_base64: Option<String>,
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    correlation_id: Option<String>,
    idempotency_key: Option<String>,
    #[serde(default)]
    priority: i16,
    delay: Option<Span>,
    schedule_at: Option<Instant>,
}

impl MessageIn {
    pub(super) fn into_message(self) -> Result<Message, Problem> {
        let payload = match (self.message, self.payload_base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(base64)) => STANDARD
                .decode(base64)
                .map_err(|_| Problem::invalid("payload_base64 is not base64"))?,
            _ => return Err(Problem::invalid("one of message and payload_base64 is needed")),
        };
        let mut message =
            Message::new(payload).with_headers(self.headers).with_priority(self.priority);
        message.content_type = self.content_type;
        message.correlation_id = self.correlation_id;
        message.idempotency_key = self.idempotency_key;
        message.delay = optional(self.delay.as_ref(), "delay")?;
        message.deliver_at = self.schedule_at.map(|at| at.time("schedule_at")).transpose()?;
        Ok(message)
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PublishedOut {
    #[schema(value_type = String)]
    pub message_id: MessageId,
    state: &'static str,
    duplicate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<String>,
    subscriber_count: usize,
}

impl From<Published> for PublishedOut {
    fn from(published: Published) -> Self {
        Self {
            message_id: published.id,
            state: "persisted",
            duplicate: published.duplicate,
            scheduled_at: published.deliver_at.map(time),
            subscriber_count: published.subscriber_count,
        }
    }
}

/// A message as people look at it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageOut {
    #[schema(value_type = String)]
    id: MessageId,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
    correlation_id: Option<String>,
    idempotency_key: Option<String>,
    priority: i16,
    scheduled_at: String,
    created_at: String,
}

impl From<MessageView> for MessageOut {
    fn from(view: MessageView) -> Self {
        let (message, encoding) = payload::encode(view.payload);
        Self {
            id: view.id,
            message,
            encoding,
            content_type: view.content_type,
            headers: view.headers,
            correlation_id: view.correlation_id,
            idempotency_key: view.idempotency_key,
            priority: view.priority,
            scheduled_at: time(view.deliver_at),
            created_at: time(view.accepted_at),
        }
    }
}

/// Where a message stands with one subscriber.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveryOut {
    subscriber_id: u64,
    subscriber: String,
    status: &'static str,
    delivery_count: u32,
    failure_count: u32,
    visible_at: Option<String>,
}

impl From<DeliveryStatus> for DeliveryOut {
    fn from(delivery: DeliveryStatus) -> Self {
        Self {
            subscriber_id: delivery.subscriber_id,
            subscriber: delivery.subscriber,
            status: status(delivery.state),
            delivery_count: delivery.attempts,
            failure_count: delivery.failures,
            visible_at: delivery.ready_at.map(time),
        }
    }
}

/// A state in the words of the wire.
pub(super) fn status(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Pending => "pending",
        DeliveryState::Leased => "leased",
        DeliveryState::Retrying => "retrying",
        DeliveryState::Parked => "parked",
        DeliveryState::DeadLettered => "dead_letter",
        _ => "processed",
    }
}

/// A delivery leased to the caller.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClaimedOut {
    topic: String,
    subscriber: String,
    #[schema(value_type = String)]
    id: MessageId,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
    correlation_id: Option<String>,
    status: &'static str,
    delivery_count: u32,
    failure_count: u32,
    priority: i16,
    receipt_token: String,
    lease_expires_at: String,
    visible_at: String,
    created_at: String,
}

impl From<Delivery> for ClaimedOut {
    fn from(delivery: Delivery) -> Self {
        let (message, encoding) = payload::encode(delivery.payload);
        let lease_expires_at = time(delivery.lease_expires_at);
        Self {
            topic: delivery.topic.to_string(),
            subscriber: delivery.subscriber.to_string(),
            id: delivery.message_id,
            message,
            encoding,
            content_type: delivery.content_type,
            headers: delivery.headers,
            correlation_id: delivery.correlation_id,
            status: status(DeliveryState::Leased),
            delivery_count: delivery.attempt,
            failure_count: delivery.failures,
            priority: delivery.priority,
            receipt_token: delivery.receipt.to_string(),
            visible_at: lease_expires_at.clone(),
            lease_expires_at,
            created_at: time(delivery.published_at),
        }
    }
}

pub(super) fn message_id(text: &str) -> Result<MessageId, Problem> {
    Ok(text.parse()?)
}

/// A receipt of the message named beside it.
pub(super) fn receipt(token: &str, id: &str) -> Result<Receipt, Problem> {
    let receipt: Receipt = token.parse()?;
    if receipt.message_id() != message_id(id)? {
        return Err(Problem::invalid("the receipt is that of another message"));
    }
    Ok(receipt)
}

/// The receipt, if it is of the subscriber of the path: whoever may settle for one subscriber must not
/// reach another's deliveries through it.
pub(super) fn own(receipt: Receipt, of: &Subscriber) -> Result<Receipt, Error> {
    if receipt.subscriber_id() == of.id {
        Ok(receipt)
    } else {
        Err(Error::LeaseLost { id: receipt.message_id() })
    }
}

/// A place to seek to, in words.
pub(super) fn seek_to(text: &str) -> Result<SeekTo, Problem> {
    match text {
        "earliest" => Ok(SeekTo::Earliest),
        "latest" => Ok(SeekTo::Latest),
        _ => match text.parse::<MessageId>() {
            Ok(id) => Ok(SeekTo::Message(id)),
            Err(_) => Ok(SeekTo::Time(Instant::Text(text.to_owned()).time("to")?)),
        },
    }
}
