//! Topics.

use blockqueue::{
    BacklogLimit, BacklogPolicy, NewTopic, Retention, Topic, TopicChange, TopicOptions,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::subscriber::SubscriberIn;
use super::time::{OrNone, Span, optional, span, time};
use crate::http::v1::Problem;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopicIn {
    name: String,
    #[serde(default)]
    subscribers: Vec<SubscriberIn>,
    #[serde(default)]
    option: TopicOptionIn,
}

/// Settings of a topic; what is not given stays, or is the default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopicOptionIn {
    retention: Option<RetentionIn>,
    backlog_limit: Option<BacklogIn>,
    idempotency_window: Option<Span>,
    /// How long messages live that do not say, or `none`.
    ttl: Option<OrNone<Span>>,
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
    pub(crate) fn into_new(self) -> Result<NewTopic, Problem> {
        let change = self.option.into_change()?;
        let mut options = TopicOptions::default();
        options.retention = change.retention.unwrap_or(options.retention);
        options.backlog_limit = change.backlog_limit.unwrap_or(options.backlog_limit);
        options.idempotency_window =
            change.idempotency_window.unwrap_or(options.idempotency_window);
        options.ttl = change.ttl.unwrap_or(options.ttl);
        let mut topic = NewTopic::new(self.name).with_options(options);
        for subscriber in self.subscribers {
            topic = topic.with_subscriber(subscriber.into_new()?);
        }
        Ok(topic)
    }
}

impl TopicOptionIn {
    pub(crate) fn into_change(self) -> Result<TopicChange, Problem> {
        let mut change = TopicChange::default();
        change.retention = self.retention.map(RetentionIn::into_retention).transpose()?;
        change.backlog_limit = self.backlog_limit.map(BacklogIn::into_limit).transpose()?;
        change.idempotency_window =
            optional(self.idempotency_window.as_ref(), "idempotency_window")?;
        change.ttl = match self.ttl.map(OrNone::into_option) {
            Some(ttl) => Some(optional(ttl.as_ref(), "ttl")?),
            None => None,
        };
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
pub(crate) struct TopicOut {
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
    ttl: Option<String>,
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
                ttl: topic.options.ttl.map(span),
            },
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Paused {
    pub paused: bool,
}
