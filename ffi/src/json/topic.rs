//! Topics.

use blockqueue::{
    BacklogLimit, BacklogPolicy, NewTopic, Result, Retention, Topic, TopicChange, TopicOptions,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{NewSubscriberIn, OrNone, ToJson, instant, millis, optional_duration};
use crate::arguments::duration;

/// What a new topic may be told.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTopicIn {
    #[serde(default)]
    options: TopicIn,
    #[serde(default)]
    subscribers: Vec<NewSubscriberIn>,
}

/// Settings of a topic; what is not given keeps its default, or stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopicIn {
    retention: Option<RetentionIn>,
    backlog_limit: Option<BacklogIn>,
    idempotency_window_ms: Option<i64>,
    ttl_ms: Option<OrNone<i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum RetentionIn {
    None,
    DurationMs(i64),
    Count(u64),
    Bytes(u64),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BacklogIn {
    messages: Option<u64>,
    bytes: Option<u64>,
    age_ms: Option<i64>,
    #[serde(default)]
    policy: PolicyIn,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PolicyIn {
    #[default]
    Refuse,
    DropOldest,
}

impl NewTopicIn {
    pub(crate) fn into_new(self, name: &str) -> Result<NewTopic> {
        let change = self.options.into_change()?;
        let mut options = TopicOptions::default();
        options.retention = change.retention.unwrap_or(options.retention);
        options.backlog_limit = change.backlog_limit.unwrap_or(options.backlog_limit);
        options.idempotency_window =
            change.idempotency_window.unwrap_or(options.idempotency_window);
        options.ttl = change.ttl.unwrap_or(options.ttl);
        let subscribers = self.subscribers.into_iter().map(NewSubscriberIn::into_new);
        let mut topic = NewTopic::new(name).with_options(options);
        topic.subscribers = subscribers.collect::<Result<_>>()?;
        Ok(topic)
    }
}

impl TopicIn {
    pub(crate) fn into_change(self) -> Result<TopicChange> {
        let mut change = TopicChange::default();
        change.retention = self.retention.map(RetentionIn::into_core).transpose()?;
        change.backlog_limit = self.backlog_limit.map(BacklogIn::into_core).transpose()?;
        change.idempotency_window =
            optional_duration("idempotency_window_ms", self.idempotency_window_ms)?;
        if let Some(ttl) = self.ttl_ms {
            change.ttl = Some(optional_duration("ttl_ms", ttl.into_option())?);
        }
        Ok(change)
    }
}

impl RetentionIn {
    fn into_core(self) -> Result<Retention> {
        Ok(match self {
            Self::None => Retention::None,
            Self::DurationMs(ms) => Retention::Duration(duration("retention.duration_ms", ms)?),
            Self::Count(count) => Retention::Count(count),
            Self::Bytes(bytes) => Retention::Bytes(bytes),
        })
    }
}

impl BacklogIn {
    fn into_core(self) -> Result<BacklogLimit> {
        let mut limit = BacklogLimit::default();
        limit.messages = self.messages;
        limit.bytes = self.bytes;
        limit.age = optional_duration("backlog_limit.age_ms", self.age_ms)?;
        limit.policy = match self.policy {
            PolicyIn::Refuse => BacklogPolicy::Refuse,
            PolicyIn::DropOldest => BacklogPolicy::DropOldest,
        };
        Ok(limit)
    }
}

impl ToJson for Topic {
    fn to_json(&self) -> Value {
        let retention = match self.options.retention {
            Retention::Duration(duration) => json!({ "duration_ms": millis(duration) }),
            Retention::Count(count) => json!({ "count": count }),
            Retention::Bytes(bytes) => json!({ "bytes": bytes }),
            _ => json!("none"),
        };
        let backlog = &self.options.backlog_limit;
        let policy = match backlog.policy {
            BacklogPolicy::DropOldest => "drop_oldest",
            _ => "refuse",
        };
        json!({
            "id": self.id,
            "name": self.name,
            "paused": self.paused,
            "created_at": instant(self.created_at),
            "options": {
                "retention": retention,
                "backlog_limit": {
                    "messages": backlog.messages,
                    "bytes": backlog.bytes,
                    "age_ms": backlog.age.map(millis),
                    "policy": policy,
                },
                "idempotency_window_ms": millis(self.options.idempotency_window),
                "ttl_ms": self.options.ttl.map(millis),
            },
        })
    }
}
