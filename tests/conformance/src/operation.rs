//! The operations of the scripts, typed: what a face is asked to do.
//!
//! Unknown operations and fields are refused, so that a misspelt script cannot pass by accident.
//! Durations are milliseconds; instants are milliseconds since the start of the script.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One operation of the queue, named by `do` in a script.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub enum Operation {
    /// Creates a topic, perhaps with subscribers. Answers the topic.
    CreateTopic {
        topic: String,
        #[serde(default)]
        options: TopicOptions,
        #[serde(default)]
        subscribers: Vec<NewSubscriber>,
    },
    /// Answers the topic.
    Topic { topic: String },
    /// Answers a page of topics.
    Topics { limit: Option<usize>, after: Option<String> },
    /// Changes the settings that are given. Answers the topic.
    UpdateTopic { topic: String, options: TopicOptions },
    /// Answers nothing.
    DeleteTopic { topic: String },
    /// Answers nothing.
    PauseTopic { topic: String },
    /// Answers nothing.
    ResumeTopic { topic: String },
    /// Creates subscribers, all or none. Answers their list.
    CreateSubscribers { topic: String, subscribers: Vec<NewSubscriber> },
    /// Answers the subscriber.
    Subscriber { topic: String, subscriber: String },
    /// Answers a page of subscribers.
    Subscribers { topic: String, limit: Option<usize>, after: Option<String> },
    /// Changes the settings that are given. Answers the subscriber.
    UpdateSubscriber { topic: String, subscriber: String, options: SubscriberOptions },
    /// Answers nothing.
    DeleteSubscriber { topic: String, subscriber: String },
    /// Answers nothing.
    PauseSubscriber { topic: String, subscriber: String },
    /// Answers nothing.
    ResumeSubscriber { topic: String, subscriber: String },
    /// Answers whether the place was clamped, and how many messages lie between.
    Seek {
        topic: String,
        subscriber: String,
        to: Place,
        #[serde(default)]
        dry_run: bool,
    },
    /// Answers id, duplicate, `deliver_at` and the number of subscribers.
    Publish { topic: String, message: Message },
    /// Answers a list of what `publish` answers.
    PublishBatch { topic: String, messages: Vec<Message> },
    /// Answers a list of deliveries.
    Claim {
        topic: String,
        subscriber: String,
        limit: Option<usize>,
        #[serde(default)]
        wait_ms: i64,
        lease_ms: Option<i64>,
    },
    /// Claims from the first source that has any. Answers a list of deliveries.
    ClaimAny {
        sources: Vec<Source>,
        limit: Option<usize>,
        #[serde(default)]
        wait_ms: i64,
        lease_ms: Option<i64>,
    },
    /// Answers nothing.
    Ack { receipt: String, result: Option<Reply> },
    /// Answers what came of a message for one subscriber; waits for it if `wait_ms` is given.
    Result { topic: String, subscriber: String, message_id: String, wait_ms: Option<i64> },
    /// Answers a list with `{}` or `{"error": code}` for each receipt.
    AckBatch { receipts: Vec<String> },
    /// Answers state and `ready_at`.
    Nack(Nack),
    /// Answers a list of what `nack` answers, or `{"error": code}`.
    NackBatch { items: Vec<Nack> },
    /// Answers `lease_expires_at`.
    Extend { receipt: String, lease_ms: i64 },
    /// Answers a list of what `extend` answers, or `{"error": code}`.
    ExtendBatch { receipts: Vec<String>, lease_ms: i64 },
    /// Answers `ready_at`.
    Defer(Deferral),
    /// Answers a list of what `defer` answers, or `{"error": code}`.
    DeferBatch { items: Vec<Deferral> },
    /// Answers nothing.
    Cancel { receipt: String, reason: Option<String> },
    /// Answers a list with `{}` or `{"error": code}` for each receipt.
    CancelBatch { receipts: Vec<String>, reason: Option<String> },
    /// Answers nothing.
    CancelDelivery { topic: String, subscriber: String, message_id: String, reason: Option<String> },
    /// Answers where the message stood, a list by subscriber.
    CancelMessage { topic: String, message_id: String },
    /// Answers a page of dead letters.
    DeadLetters { topic: String, subscriber: String, limit: Option<usize>, after: Option<String> },
    /// Answers how many.
    Redrive {
        topic: String,
        subscriber: String,
        which: DeadLetters,
        filter: Option<Value>,
        to: Option<String>,
        rate: Option<f64>,
        #[serde(default)]
        dry_run: bool,
    },
    /// Answers how many.
    PurgeDeadLetters {
        topic: String,
        subscriber: String,
        which: DeadLetters,
        filter: Option<Value>,
        #[serde(default)]
        dry_run: bool,
    },
    /// Answers a page of failures.
    Failures {
        topic: String,
        subscriber: String,
        message_id: String,
        limit: Option<usize>,
        after: Option<String>,
    },
    /// Answers a topic in numbers.
    TopicStats { topic: String },
    /// Answers a subscriber in numbers.
    SubscriberStats { topic: String, subscriber: String },
    /// Answers a page of messages with their status.
    Peek { topic: String, subscriber: String, limit: Option<usize>, after: Option<String> },
    /// Answers a message and where it stands.
    Message { topic: String, message_id: String },
    /// Creates a schedule. Answers the schedule.
    CreateSchedule { topic: String, schedule: String, options: ScheduleOptions },
    /// Answers the schedule.
    Schedule { topic: String, schedule: String },
    /// Answers a page of schedules.
    Schedules { topic: String, limit: Option<usize>, after: Option<String> },
    /// Replaces the settings of this version. Answers the schedule.
    UpdateSchedule { topic: String, schedule: String, version: u64, options: ScheduleOptions },
    /// Answers nothing.
    DeleteSchedule { topic: String, schedule: String },
    /// Answers nothing.
    PauseSchedule { topic: String, schedule: String },
    /// Answers nothing.
    ResumeSchedule { topic: String, schedule: String },
    /// Publishes the message now. Answers the run.
    RunScheduleNow { topic: String, schedule: String },
    /// Answers a page of runs, newest first.
    ScheduleRuns { topic: String, schedule: String, limit: Option<usize>, after: Option<String> },
    /// Shuts the queue down. Answers nothing.
    Shutdown {},
    /// Shuts the queue down and opens the same file again. Answers nothing.
    Reopen {},
}

/// Settings of a topic; what is not given keeps its default, or stays.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct TopicOptions {
    pub retention: Option<Retention>,
    pub backlog_limit: Option<BacklogLimit>,
    pub idempotency_window_ms: Option<i64>,
    pub ttl_ms: Option<OrNone<i64>>,
}

/// A setting that can be taken back: a value, or the word `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum OrNone<T> {
    /// It is taken back.
    None(NoneWord),
    /// Its value.
    Some(T),
}

/// The word `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoneWord {
    /// The word.
    None,
}

impl<T> OrNone<T> {
    /// The value, if it is not taken back.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::None(NoneWord::None) => None,
            Self::Some(value) => Some(value),
        }
    }
}

/// What happens to messages that every subscriber has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are the words of the scripts, listed in README.md")]
pub enum Retention {
    None,
    DurationMs(i64),
    Count(u64),
    Bytes(u64),
}

/// How much may wait for the subscribers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct BacklogLimit {
    pub messages: Option<u64>,
    pub bytes: Option<u64>,
    pub age_ms: Option<i64>,
    pub policy: Option<BacklogPolicy>,
}

/// What a publish beyond the backlog limit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are the words of the scripts, listed in README.md")]
pub enum BacklogPolicy {
    Refuse,
    DropOldest,
}

/// A subscriber to create.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct NewSubscriber {
    pub name: String,
    #[serde(default)]
    pub options: SubscriberOptions,
    #[serde(default)]
    pub start: Start,
}

/// Where a new subscriber begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are the words of the scripts, listed in README.md")]
pub enum Start {
    #[default]
    Now,
    Earliest,
    At(i64),
}

/// Settings of a subscriber; what is not given keeps its default, or stays.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct SubscriberOptions {
    pub max_attempts: Option<u32>,
    pub lease_ms: Option<i64>,
    pub claim_limit: Option<usize>,
    pub retry: Option<Retry>,
    pub ordered: Option<bool>,
    pub on_dead: Option<OnDead>,
    /// A filter as JSON, or the word `none`.
    pub filter: Option<Value>,
    pub on_expiry: Option<OnExpiry>,
    pub leased_max: Option<OrNone<u32>>,
    pub rate: Option<OrNone<Rate>>,
    pub leased_per_key_max: Option<OrNone<u32>>,
}

/// What becomes of an ordering key when one of its messages is dead-lettered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are the words of the scripts, listed in README.md")]
pub enum OnDead {
    Skip,
    Block,
}

/// What becomes of a message that expires before it is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are the words of the scripts, listed in README.md")]
pub enum OnExpiry {
    Skip,
    DeadLetter,
}

/// How many deliveries may be claimed per interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct Rate {
    pub count: u32,
    pub interval_ms: i64,
}

/// How long a failed delivery waits before its next attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct Retry {
    pub initial_ms: Option<i64>,
    pub max_ms: Option<i64>,
    pub multiplier: Option<f64>,
    pub jitter: Option<f64>,
}

/// Where a subscriber goes on after a seek.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are the words of the scripts, listed in README.md")]
pub enum Place {
    Earliest,
    Latest,
    At(i64),
    MessageId(String),
    Sequence { priority: i16, sequence: u64 },
}

/// A message to publish. Its payload is text or base64; neither means no bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct Message {
    pub payload: Option<String>,
    pub payload_base64: Option<String>,
    pub content_type: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub correlation_id: Option<String>,
    #[serde(default)]
    pub priority: i16,
    pub delay_ms: Option<i64>,
    pub deliver_at: Option<i64>,
    pub idempotency_key: Option<String>,
    pub ordering_key: Option<String>,
    pub ttl_ms: Option<i64>,
    pub unique_key: Option<String>,
}

/// One subscriber of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct Source {
    pub topic: String,
    pub subscriber: String,
}

/// A failure to report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct Nack {
    pub receipt: String,
    pub delay_ms: Option<i64>,
    pub error_text: Option<String>,
    #[serde(default)]
    pub give_up: bool,
}

/// A reply to store with an ack. Its payload is text or base64; neither means no bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct Reply {
    pub payload: Option<String>,
    pub payload_base64: Option<String>,
    pub content_type: Option<String>,
    pub ttl_ms: Option<i64>,
}

/// A delivery to put back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct Deferral {
    pub receipt: String,
    pub delay_ms: i64,
}

/// Which dead letters an operation is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are the words of the scripts, listed in README.md")]
pub enum DeadLetters {
    All,
    Oldest(u64),
    Ids(Vec<String>),
}

/// The settings of a schedule; what is not given has its default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the words of the scripts, listed in README.md")]
pub struct ScheduleOptions {
    pub cron: String,
    pub timezone: Option<String>,
    #[serde(default)]
    pub message: Message,
    pub misfire: Option<Misfire>,
    pub overlap: Option<Overlap>,
    pub start_at: Option<i64>,
    pub end_at: Option<i64>,
    pub jitter_ms: Option<i64>,
    pub grace_ms: Option<i64>,
}

/// What happens to missed occurrences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are the words of the scripts, listed in README.md")]
pub enum Misfire {
    Skip,
    Once,
    All(u32),
}

/// What happens while the message before is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are the words of the scripts, listed in README.md")]
pub enum Overlap {
    Allow,
    Skip,
    Queue,
}
