//! Topics.

use blockqueue::{Error, Result};

use crate::error::unknown;
use crate::number::{
    count, duration, duration_millis, maybe_count, maybe_duration, millis, signed,
};
use crate::page::pages;

/// What happens to messages that every subscriber has settled.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum Retention {
    /// Removed as soon as upkeep gets to it. The default.
    Nothing,
    /// Kept for this long after they were published.
    Duration {
        /// How long.
        ms: i64,
    },
    /// The newest this many of the topic are kept.
    Count {
        /// How many.
        messages: i64,
    },
    /// The newest are kept up to this many bytes of payload and headers.
    Bytes {
        /// How many.
        bytes: i64,
    },
}

impl Retention {
    fn into_core(self) -> Result<blockqueue::Retention> {
        Ok(match self {
            Self::Nothing => blockqueue::Retention::None,
            Self::Duration { ms } => blockqueue::Retention::Duration(duration("retention", ms)?),
            Self::Count { messages } => blockqueue::Retention::Count(count("retention", messages)?),
            Self::Bytes { bytes } => blockqueue::Retention::Bytes(count("retention", bytes)?),
        })
    }

    fn from_core(retention: blockqueue::Retention) -> Result<Self> {
        Ok(match retention {
            blockqueue::Retention::None => Self::Nothing,
            blockqueue::Retention::Duration(kept) => Self::Duration { ms: duration_millis(kept) },
            blockqueue::Retention::Count(count) => Self::Count { messages: signed(count) },
            blockqueue::Retention::Bytes(bytes) => Self::Bytes { bytes: signed(bytes) },
            other => return Err(unknown(other)),
        })
    }
}

/// What a publish does when the backlog limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, uniffi::Enum)]
pub enum BacklogPolicy {
    /// It fails with `backlog_full`. The default.
    #[default]
    Refuse,
    /// The oldest messages are skipped for the subscribers that lag, and counted as dropped.
    DropOldest,
}

/// How much of a topic may wait for its subscribers; delayed messages count too. No limit by default.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct BacklogLimit {
    /// Messages that some subscriber has yet to claim.
    #[uniffi(default)]
    pub messages: Option<i64>,
    /// Their bytes of payload and headers.
    #[uniffi(default)]
    pub bytes: Option<i64>,
    /// Age of the oldest of them.
    #[uniffi(default)]
    pub age_ms: Option<i64>,
    /// What a publish beyond the limit does. Default: it is refused.
    #[uniffi(default)]
    pub policy: Option<BacklogPolicy>,
}

impl BacklogLimit {
    fn into_core(self) -> Result<blockqueue::BacklogLimit> {
        let policy = match self.policy.unwrap_or_default() {
            BacklogPolicy::Refuse => blockqueue::BacklogPolicy::Refuse,
            BacklogPolicy::DropOldest => blockqueue::BacklogPolicy::DropOldest,
        };
        let mut limit = blockqueue::BacklogLimit::default().with_policy(policy);
        limit.messages = maybe_count("backlog_limit.messages", self.messages)?;
        limit.bytes = maybe_count("backlog_limit.bytes", self.bytes)?;
        limit.age = maybe_duration("backlog_limit.age", self.age_ms)?;
        Ok(limit)
    }

    fn from_core(limit: blockqueue::BacklogLimit) -> Result<Self> {
        let policy = match limit.policy {
            blockqueue::BacklogPolicy::Refuse => BacklogPolicy::Refuse,
            blockqueue::BacklogPolicy::DropOldest => BacklogPolicy::DropOldest,
            other => return Err(unknown(other)),
        };
        Ok(Self {
            messages: limit.messages.map(signed),
            bytes: limit.bytes.map(signed),
            age_ms: limit.age.map(duration_millis),
            policy: Some(policy),
        })
    }
}

/// How long messages live that do not say.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum TtlChange {
    /// For ever.
    Remove,
    /// This long; 1 ms to ten years.
    Set {
        /// How long.
        ttl_ms: i64,
    },
}

/// Settings of a topic to choose. What is left out is the default of a new topic, and stays in an update.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct TopicSettings {
    /// What happens to messages that every subscriber has settled. Default: removed.
    #[uniffi(default)]
    pub retention: Option<Retention>,
    /// How much may wait for the subscribers. Default: no limit. Replaced as a whole.
    #[uniffi(default)]
    pub backlog_limit: Option<BacklogLimit>,
    /// How long an idempotency key is remembered. Default 24 h, at most 31 days.
    #[uniffi(default)]
    pub idempotency_window_ms: Option<i64>,
    /// How long a message lives that does not say. Default: for ever.
    #[uniffi(default)]
    pub ttl: Option<TtlChange>,
}

impl TopicSettings {
    pub(crate) fn into_core(self) -> Result<blockqueue::TopicChange> {
        let mut change = blockqueue::TopicChange::default();
        change.retention = self.retention.map(Retention::into_core).transpose()?;
        change.backlog_limit = self.backlog_limit.map(BacklogLimit::into_core).transpose()?;
        change.idempotency_window =
            maybe_duration("idempotency_window", self.idempotency_window_ms)?;
        change.ttl = match self.ttl {
            Some(TtlChange::Set { ttl_ms }) => Some(Some(duration("ttl", ttl_ms)?)),
            Some(TtlChange::Remove) => Some(None),
            None => None,
        };
        Ok(change)
    }
}

/// The settings of a topic.
#[derive(Debug, Clone, uniffi::Record)]
pub struct TopicOptions {
    /// What happens to messages that every subscriber has settled.
    pub retention: Retention,
    /// How much may wait for the subscribers.
    pub backlog_limit: BacklogLimit,
    /// How long an idempotency key is remembered.
    pub idempotency_window_ms: i64,
    /// How long a message lives that does not say; none: for ever.
    pub ttl_ms: Option<i64>,
}

/// A topic.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Topic {
    /// Its number in this database; a topic of the same name created later has another.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its settings.
    pub options: TopicOptions,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// When it was created.
    pub created_at_ms: i64,
}

impl Topic {
    pub(crate) fn from_core(topic: blockqueue::Topic) -> Result<Self, Error> {
        let options = TopicOptions {
            retention: Retention::from_core(topic.options.retention)?,
            backlog_limit: BacklogLimit::from_core(topic.options.backlog_limit)?,
            idempotency_window_ms: duration_millis(topic.options.idempotency_window),
            ttl_ms: topic.options.ttl.map(duration_millis),
        };
        Ok(Self {
            id: signed(topic.id),
            name: topic.name,
            options,
            paused: topic.paused,
            created_at_ms: millis(topic.created_at),
        })
    }
}

pages! {
    /// Topics, by name.
    TopicPage: Topic of Topic;
}
