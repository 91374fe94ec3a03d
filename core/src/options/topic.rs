//! What a topic may be told.

use std::time::Duration;

use super::rules::{name, not_longer, ttl};
use super::subscriber::{NewSubscriber, validate_subscribers};
use crate::error::{Result, positive};
use crate::limits;

/// What happens to messages that every subscriber has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Retention {
    /// Removed as soon as upkeep gets to it. The default.
    #[default]
    None,
    /// Kept for this long after they were published.
    Duration(Duration),
    /// The newest this many of the topic are kept.
    Count(u64),
    /// The newest are kept up to this many bytes of payload and headers.
    Bytes(u64),
}

/// What a publish does when the backlog limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BacklogPolicy {
    /// It fails with `backlog_full`. The default.
    #[default]
    Refuse,
    /// The oldest messages are skipped for the subscribers that lag, and counted as dropped.
    DropOldest,
}

/// How much of a topic may wait for its subscribers; delayed messages count too. No limit by default.
///
/// A message counts until every subscriber has claimed it or passed it. One that was cancelled counts
/// until the messages before it are claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BacklogLimit {
    /// Messages that some subscriber has yet to claim.
    pub messages: Option<u64>,
    /// Their bytes of payload and headers.
    pub bytes: Option<u64>,
    /// Age of the oldest of them.
    pub age: Option<Duration>,
    /// What a publish beyond the limit does.
    pub policy: BacklogPolicy,
}

impl BacklogLimit {
    setters! {
        /// Limits the number of messages.
        with_messages: messages = u64;
        /// Limits the bytes of payload and headers.
        with_bytes: bytes = u64;
        /// Limits the age of the oldest message.
        with_age: age = Duration;
        /// Chooses what a publish beyond the limit does.
        with_policy: policy = BacklogPolicy;
    }

    pub(crate) fn is_limited(&self) -> bool {
        self.messages.is_some() || self.bytes.is_some() || self.age.is_some()
    }
}

/// The settings of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicOptions {
    /// What happens to messages that every subscriber has settled. Default: removed.
    pub retention: Retention,
    /// How much may wait for the subscribers. Default: no limit.
    pub backlog_limit: BacklogLimit,
    /// How long an idempotency key is remembered. Default 24 h, at most 31 days.
    pub idempotency_window: Duration,
    /// How long a message lives that does not say. Default: for ever; 1 ms to ten years.
    pub ttl: Option<Duration>,
}

impl Default for TopicOptions {
    fn default() -> Self {
        Self {
            retention: Retention::default(),
            backlog_limit: BacklogLimit::default(),
            idempotency_window: limits::IDEMPOTENCY_WINDOW_DEFAULT,
            ttl: None,
        }
    }
}

impl TopicOptions {
    setters! {
        /// Sets what happens to messages that every subscriber has settled.
        with_retention: retention = Retention;
        /// Sets how much may wait for the subscribers.
        with_backlog_limit: backlog_limit = BacklogLimit;
        /// Sets how long an idempotency key is remembered.
        with_idempotency_window: idempotency_window = Duration;
        /// Sets how long a message lives that does not say.
        with_ttl: ttl = Duration;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if let Retention::Duration(duration) = self.retention {
            positive("retention", duration)?;
            not_longer("retention", duration, limits::RETENTION_MAX)?;
        }
        if let Some(age) = self.backlog_limit.age {
            positive("backlog_limit.age", age)?;
            not_longer("backlog_limit.age", age, limits::RETENTION_MAX)?;
        }
        if let Some(life) = self.ttl {
            ttl(life)?;
        }
        positive("idempotency_window", self.idempotency_window)?;
        not_longer("idempotency_window", self.idempotency_window, limits::IDEMPOTENCY_WINDOW_MAX)
    }
}

/// A topic to create, perhaps together with its first subscribers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NewTopic {
    /// 1 to 150 bytes, without `/` and control characters.
    pub name: String,
    /// Its settings.
    pub options: TopicOptions,
    /// Subscribers created in the same transaction.
    pub subscribers: Vec<NewSubscriber>,
}

impl NewTopic {
    /// A topic with default settings and no subscribers.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), options: TopicOptions::default(), subscribers: Vec::new() }
    }

    setters! {
        /// Sets the topic's settings.
        with_options: options = TopicOptions;
    }

    /// Adds a subscriber to create in the same transaction.
    #[must_use]
    pub fn with_subscriber(mut self, subscriber: impl Into<NewSubscriber>) -> Self {
        self.subscribers.push(subscriber.into());
        self
    }

    pub(crate) fn validate(&self) -> Result<()> {
        name("topic", &self.name)?;
        self.options.validate()?;
        if self.subscribers.is_empty() {
            return Ok(());
        }
        validate_subscribers(&self.subscribers)
    }
}

impl From<&str> for NewTopic {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// Changes to a topic's settings; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TopicChange {
    /// The new retention.
    pub retention: Option<Retention>,
    /// The new backlog limit.
    pub backlog_limit: Option<BacklogLimit>,
    /// The new window of idempotency keys, for keys used from now on.
    pub idempotency_window: Option<Duration>,
    /// How long messages live that do not say, if they are published from now on; `Some(None)`: for
    /// ever.
    pub ttl: Option<Option<Duration>>,
}

impl TopicChange {
    setters! {
        /// Changes the retention.
        with_retention: retention = Retention;
        /// Changes the backlog limit.
        with_backlog_limit: backlog_limit = BacklogLimit;
        /// Changes the window of idempotency keys.
        with_idempotency_window: idempotency_window = Duration;
        /// Changes how long messages live that do not say; `None`: for ever.
        with_ttl: ttl = Option<Duration>;
    }

    /// These settings with the changes made.
    #[must_use]
    pub fn apply(&self, options: &TopicOptions) -> TopicOptions {
        TopicOptions {
            retention: self.retention.unwrap_or(options.retention),
            backlog_limit: self.backlog_limit.unwrap_or(options.backlog_limit),
            idempotency_window: self.idempotency_window.unwrap_or(options.idempotency_window),
            ttl: self.ttl.unwrap_or(options.ttl),
        }
    }
}
