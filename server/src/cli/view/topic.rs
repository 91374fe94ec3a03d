//! A topic.

use blockqueue::{BacklogPolicy, Retention, TopicOptions};
use bytesize::ByteSize;
use humantime::format_duration;
use serde::{Serialize, Serializer};

use super::{Moment, Row, millis, or_dash, yes};

/// A topic and its settings.
#[derive(Debug, Serialize)]
pub(crate) struct Topic {
    /// Its number in its database.
    pub(crate) id: u64,
    /// Its name.
    pub(crate) name: String,
    /// Claims wait as on an empty topic.
    pub(crate) paused: bool,
    /// When it was created.
    pub(crate) created_at: Moment,
    /// Its settings, where they are told.
    #[serde(flatten)]
    pub(crate) options: Option<TopicSettings>,
}

impl From<blockqueue::Topic> for Topic {
    fn from(topic: blockqueue::Topic) -> Self {
        Self {
            id: topic.id,
            name: topic.name,
            paused: topic.paused,
            created_at: Moment(topic.created_at),
            options: Some(TopicSettings(topic.options)),
        }
    }
}

impl Row for Topic {
    const COLUMNS: &'static [&'static str] =
        &["TOPIC", "PAUSED", "RETENTION", "BACKLOG LIMIT", "CREATED"];

    fn cells(&self) -> Vec<String> {
        let told = self.options.as_ref().map(|TopicSettings(options)| options);
        vec![
            self.name.clone(),
            yes(self.paused),
            or_dash(told.map(|options| retention(options.retention))),
            or_dash(told.map(backlog)),
            self.created_at.to_string(),
        ]
    }
}

/// A retention as the command line takes it.
fn retention(retention: Retention) -> String {
    match retention {
        Retention::Duration(duration) => format_duration(duration).to_string().replace(' ', ""),
        Retention::Count(count) => format!("count:{count}"),
        Retention::Bytes(bytes) => format!("bytes:{bytes}"),
        _ => "none".to_owned(),
    }
}

const fn policy(policy: BacklogPolicy) -> &'static str {
    match policy {
        BacklogPolicy::DropOldest => "drop_oldest",
        _ => "refuse",
    }
}

fn backlog(options: &TopicOptions) -> String {
    let limit = &options.backlog_limit;
    let limits: Vec<String> = [
        limit.messages.map(|messages| format!("{messages} messages")),
        limit.bytes.map(|bytes| ByteSize::b(bytes).to_string()),
        limit.age.map(|age| format_duration(age).to_string()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if limits.is_empty() {
        return "none".to_owned();
    }
    format!("{}, then {}", limits.join(", "), policy(limit.policy))
}

/// The settings, shown flat and in words.
#[derive(Debug, Clone)]
pub(crate) struct TopicSettings(pub(crate) TopicOptions);

impl Serialize for TopicSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Settings {
            retention: String,
            idempotency_window_ms: u64,
            ttl_ms: Option<u64>,
            backlog_messages: Option<u64>,
            backlog_bytes: Option<u64>,
            backlog_age_ms: Option<u64>,
            backlog_policy: &'static str,
        }
        let Self(options) = self;
        Settings {
            retention: retention(options.retention),
            idempotency_window_ms: millis(options.idempotency_window),
            ttl_ms: options.ttl.map(millis),
            backlog_messages: options.backlog_limit.messages,
            backlog_bytes: options.backlog_limit.bytes,
            backlog_age_ms: options.backlog_limit.age.map(millis),
            backlog_policy: policy(options.backlog_limit.policy),
        }
        .serialize(serializer)
    }
}
