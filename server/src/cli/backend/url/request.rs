//! What is sent to a server, in the words of its contract.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blockqueue::{
    BacklogLimit, BacklogPolicy, DeadLetters, Error, Filter, MisfirePolicy, NewSchedule,
    NewSubscriber, NewTopic, OnDead, OnExpiry, OverlapPolicy, Purge, RateLimit, Redrive, Reply,
    Retention, RetryPolicy, ScheduleOptions, Seek, SeekTo, StartFrom, SubscriberChange,
    SubscriberOptions, TopicChange, TopicOptions,
};
use serde::Serialize;

use crate::cli::view::{Headers, Moment, millis};

/// Milliseconds.
type Span = u64;

#[derive(Serialize)]
pub(super) struct TopicIn<'a> {
    name: &'a str,
    option: TopicOptionIn,
    subscribers: Vec<SubscriberIn<'a>>,
}

#[derive(Default, Serialize)]
pub(super) struct TopicOptionIn {
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<Keep>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backlog_limit: Option<BacklogIn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_window: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<OrNone<Span>>,
}

/// A setting that can be taken back: a value, or `none`.
#[derive(Serialize)]
#[serde(untagged)]
enum OrNone<T> {
    None(&'static str),
    Some(T),
}

impl<T> From<Option<T>> for OrNone<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None("none"), Self::Some)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Keep {
    None,
    Duration(Span),
    Count(u64),
    Bytes(u64),
}

#[derive(Serialize)]
struct BacklogIn {
    messages: Option<u64>,
    bytes: Option<u64>,
    age: Option<Span>,
    policy: &'static str,
}

impl From<Retention> for Keep {
    fn from(retention: Retention) -> Self {
        match retention {
            Retention::Duration(duration) => Self::Duration(millis(duration)),
            Retention::Count(count) => Self::Count(count),
            Retention::Bytes(bytes) => Self::Bytes(bytes),
            _ => Self::None,
        }
    }
}

impl From<BacklogLimit> for BacklogIn {
    fn from(limit: BacklogLimit) -> Self {
        Self {
            messages: limit.messages,
            bytes: limit.bytes,
            age: limit.age.map(millis),
            policy: match limit.policy {
                BacklogPolicy::DropOldest => "drop_oldest",
                _ => "refuse",
            },
        }
    }
}

impl<'a> From<&'a NewTopic> for TopicIn<'a> {
    fn from(topic: &'a NewTopic) -> Self {
        let TopicOptions { retention, backlog_limit, idempotency_window, ttl, .. } = topic.options;
        let option = TopicOptionIn {
            retention: Some(retention.into()),
            backlog_limit: Some(backlog_limit.into()),
            idempotency_window: Some(millis(idempotency_window)),
            ttl: ttl.map(|ttl| OrNone::Some(millis(ttl))),
        };
        let subscribers = topic.subscribers.iter().map(SubscriberIn::from).collect();
        Self { name: &topic.name, option, subscribers }
    }
}

impl From<&TopicChange> for TopicOptionIn {
    fn from(change: &TopicChange) -> Self {
        Self {
            retention: change.retention.map(Keep::from),
            backlog_limit: change.backlog_limit.map(BacklogIn::from),
            idempotency_window: change.idempotency_window.map(millis),
            ttl: change.ttl.map(|ttl| ttl.map(millis).into()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct SubscriberIn<'a> {
    name: &'a str,
    option: OptionIn,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
}

#[derive(Serialize)]
pub(super) struct OptionIn {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visibility_duration: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dequeue_batch_size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_policy: Option<RetryIn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ordered: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_dead: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<OrNone<Filter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_expiry: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leased_max: Option<OrNone<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<OrNone<RateIn>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leased_per_key_max: Option<OrNone<u32>>,
}

#[derive(Serialize)]
struct RateIn {
    count: u32,
    interval: Span,
}

impl From<RateLimit> for RateIn {
    fn from(rate: RateLimit) -> Self {
        Self { count: rate.count, interval: millis(rate.interval) }
    }
}

#[derive(Serialize)]
struct RetryIn {
    initial_delay: Span,
    max_delay: Span,
    multiplier: f64,
    jitter: f64,
}

impl From<RetryPolicy> for RetryIn {
    fn from(retry: RetryPolicy) -> Self {
        Self {
            initial_delay: millis(retry.initial),
            max_delay: millis(retry.max),
            multiplier: retry.multiplier,
            jitter: retry.jitter,
        }
    }
}

impl<'a> From<&'a NewSubscriber> for SubscriberIn<'a> {
    fn from(subscriber: &'a NewSubscriber) -> Self {
        let option = OptionIn::from(&subscriber.options);
        let start = match subscriber.start {
            StartFrom::Earliest => Some("earliest".to_owned()),
            StartFrom::Time(time) => Some(Moment(time).to_string()),
            _ => None,
        };
        Self { name: &subscriber.name, option, start }
    }
}

const fn on_dead(policy: OnDead) -> &'static str {
    match policy {
        OnDead::Block => "block",
        _ => "skip",
    }
}

const fn on_expiry(policy: OnExpiry) -> &'static str {
    match policy {
        OnExpiry::DeadLetter => "dead_letter",
        _ => "skip",
    }
}

/// What is not limited is left out: a server that does not know a setting must not refuse its default.
impl From<&SubscriberOptions> for OptionIn {
    fn from(options: &SubscriberOptions) -> Self {
        let default = SubscriberOptions::default();
        Self {
            max_attempts: Some(options.max_attempts),
            visibility_duration: Some(millis(options.lease)),
            dequeue_batch_size: Some(options.claim_limit),
            retry_policy: Some(options.retry.into()),
            ordered: options.ordered.then_some(true),
            on_dead: (options.on_dead != default.on_dead).then(|| on_dead(options.on_dead)),
            filter: options.filter.clone().map(OrNone::Some),
            on_expiry: (options.on_expiry != default.on_expiry)
                .then(|| on_expiry(options.on_expiry)),
            leased_max: options.leased_max.map(OrNone::Some),
            rate: options.rate.map(|rate| OrNone::Some(rate.into())),
            leased_per_key_max: options.leased_per_key_max.map(OrNone::Some),
        }
    }
}

impl From<&SubscriberChange> for OptionIn {
    fn from(change: &SubscriberChange) -> Self {
        Self {
            max_attempts: change.max_attempts,
            visibility_duration: change.lease.map(millis),
            dequeue_batch_size: change.claim_limit,
            retry_policy: change.retry.map(RetryIn::from),
            ordered: change.ordered,
            on_dead: change.on_dead.map(on_dead),
            filter: change.filter.clone().map(OrNone::from),
            on_expiry: change.on_expiry.map(on_expiry),
            leased_max: change.leased_max.map(OrNone::from),
            rate: change.rate.map(|rate| rate.map(RateIn::from).into()),
            leased_per_key_max: change.leased_per_key_max.map(OrNone::from),
        }
    }
}

#[derive(Serialize)]
pub(super) struct MessageIn<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Headers::is_empty")]
    headers: &'a Headers,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_key: Option<&'a str>,
    priority: i16,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_at: Option<Moment>,
}

impl<'a> From<&'a blockqueue::Message> for MessageIn<'a> {
    fn from(message: &'a blockqueue::Message) -> Self {
        let text = std::str::from_utf8(&message.payload).ok();
        Self {
            message: text,
            payload_base64: text.is_none().then(|| STANDARD.encode(&message.payload)),
            content_type: message.content_type.as_deref(),
            headers: &message.headers,
            correlation_id: message.correlation_id.as_deref(),
            idempotency_key: message.idempotency_key.as_deref(),
            key: message.ordering_key.as_deref(),
            ttl: message.ttl.map(millis),
            unique_key: message.unique_key.as_deref(),
            priority: message.priority,
            delay: message.delay.map(millis),
            schedule_at: message.deliver_at.map(Moment),
        }
    }
}

/// A schedule to create, or its settings as a whole.
#[derive(Serialize)]
pub(super) struct ScheduleIn<'a> {
    /// Only of a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// Only of one that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    cron: &'a str,
    timezone: &'a str,
    #[serde(flatten)]
    message: MessageIn<'a>,
    misfire_policy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    misfire_limit: Option<u32>,
    overlap_policy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Moment>,
    jitter: Span,
    grace: Span,
}

impl<'a> ScheduleIn<'a> {
    pub(super) fn new(schedule: &'a NewSchedule) -> Self {
        Self { name: Some(&schedule.name), ..Self::of(&schedule.options) }
    }

    pub(super) fn update(version: u64, options: &'a ScheduleOptions) -> Self {
        Self { version: Some(version), ..Self::of(options) }
    }

    fn of(options: &'a ScheduleOptions) -> Self {
        let (misfire_policy, misfire_limit) = match options.misfire {
            MisfirePolicy::Skip => ("skip", None),
            MisfirePolicy::All { limit } => ("all", Some(limit)),
            _ => ("fire_once", None),
        };
        Self {
            name: None,
            version: None,
            cron: &options.cron,
            timezone: &options.timezone,
            message: (&options.message).into(),
            misfire_policy,
            misfire_limit,
            overlap_policy: match options.overlap {
                OverlapPolicy::Allow => "allow",
                OverlapPolicy::Queue => "queue",
                _ => "skip",
            },
            start: options.start.map(Moment),
            end: options.end.map(Moment),
            jitter: millis(options.jitter),
            grace: millis(options.grace),
        }
    }
}

/// A settlement of one delivery.
#[derive(Serialize)]
pub(super) struct SettleIn<'a> {
    /// Only in a batch: elsewhere it stands in the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_id: Option<&'a str>,
    pub(super) receipt_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_delay: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extension: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delay: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<ReplyIn<'a>>,
}

/// A reply to store with an ack.
#[derive(Serialize)]
pub(super) struct ReplyIn<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<Span>,
}

impl<'a> From<&'a Reply> for ReplyIn<'a> {
    fn from(reply: &'a Reply) -> Self {
        let text = std::str::from_utf8(&reply.payload).ok();
        Self {
            message: text,
            payload_base64: text.is_none().then(|| STANDARD.encode(&reply.payload)),
            content_type: reply.content_type.as_deref(),
            ttl: reply.ttl.map(millis),
        }
    }
}

impl<'a> SettleIn<'a> {
    /// Only the receipt.
    pub(super) const fn of(receipt_token: &'a str) -> Self {
        Self {
            message_id: None,
            receipt_token,
            retry_delay: None,
            error: None,
            extension: None,
            delay: None,
            result: None,
        }
    }
}

#[derive(Serialize)]
pub(super) struct ReasonIn<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
}

#[derive(Default, Serialize)]
pub(super) struct SeekIn {
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i16>,
    #[serde(skip_serializing_if = "is_not")]
    dry_run: bool,
}

/// What is not so need not be said.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_not(value: &bool) -> bool {
    !*value
}

impl TryFrom<Seek> for SeekIn {
    type Error = Error;

    fn try_from(seek: Seek) -> Result<Self, Error> {
        let dry_run = seek.dry_run;
        let word = |word: String| Self { to: Some(word), dry_run, ..Self::default() };
        Ok(match seek.to {
            SeekTo::Earliest => word("earliest".to_owned()),
            SeekTo::Latest => word("latest".to_owned()),
            SeekTo::Time(time) => word(Moment(time).to_string()),
            SeekTo::Message(id) => word(id.to_string()),
            SeekTo::Sequence { priority, sequence } => {
                Self { to: None, sequence: Some(sequence), priority: Some(priority), dry_run }
            }
            _ => return Err(Error::InvalidArgument { detail: "a place unknown here".to_owned() }),
        })
    }
}

/// Which dead letters to replay or to purge, and how.
#[derive(Default, Serialize)]
pub(super) struct ReplayIn {
    #[serde(skip_serializing_if = "Option::is_none")]
    message_ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<Filter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<f64>,
    #[serde(skip_serializing_if = "is_not")]
    dry_run: bool,
}

impl From<DeadLetters> for ReplayIn {
    fn from(which: DeadLetters) -> Self {
        match which {
            DeadLetters::Ids(ids) => {
                let ids = ids.iter().map(ToString::to_string).collect();
                Self { message_ids: Some(ids), ..Self::default() }
            }
            DeadLetters::Oldest(limit) => Self { limit: Some(limit), ..Self::default() },
            _ => Self { all: Some(true), ..Self::default() },
        }
    }
}

impl From<Redrive> for ReplayIn {
    fn from(options: Redrive) -> Self {
        let Redrive { which, filter, to, rate, dry_run, .. } = options;
        Self { filter, to, rate, dry_run, ..which.into() }
    }
}

impl From<Purge> for ReplayIn {
    fn from(options: Purge) -> Self {
        let Purge { which, filter, dry_run, .. } = options;
        Self { filter, dry_run, ..which.into() }
    }
}
