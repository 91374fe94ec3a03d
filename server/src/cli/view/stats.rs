//! Topics and subscribers in numbers.

use serde::{Deserialize, Serialize};

use super::{Row, millis, or_dash, yes};

/// A topic in numbers.
#[derive(Debug, Serialize)]
pub(crate) struct TopicStats {
    /// The topic's name.
    pub(crate) topic: String,
    /// Claims wait as on an empty topic.
    pub(crate) paused: bool,
    /// Messages ever accepted.
    pub(crate) published_count: u64,
    /// Messages that wait for their time.
    pub(crate) delayed_count: u64,
    /// What the topic holds, give or take a few.
    pub(crate) retained_count: u64,
    /// Their bytes.
    pub(crate) retained_bytes: u64,
    /// The logs, highest priority first.
    pub(crate) logs: Vec<Log>,
    /// The subscribers, by name.
    pub(crate) subscribers: Vec<SubscriberStats>,
}

/// One log of a topic in numbers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Log {
    /// The priority of its messages.
    pub(crate) priority: i16,
    /// The sequence number of its newest message.
    pub(crate) last_sequence: u64,
    /// Messages up to here were trimmed, or are held back by a delivery.
    pub(crate) trimmed_sequence: u64,
}

/// A subscriber in numbers.
#[derive(Debug, Serialize)]
pub(crate) struct SubscriberStats {
    /// The topic's name.
    pub(crate) topic: String,
    /// The subscriber's name.
    pub(crate) subscriber: String,
    /// Claims wait as on an empty topic.
    pub(crate) paused: bool,
    /// Messages not claimed yet.
    pub(crate) pending_count: u64,
    /// Their bytes.
    pub(crate) pending_bytes: u64,
    /// Deliveries that could be claimed now.
    pub(crate) ready_count: u64,
    /// Leased deliveries.
    pub(crate) leased_count: u64,
    /// Deliveries that wait for their next attempt, or are ready for it.
    pub(crate) retrying_count: u64,
    /// Deliveries that wait behind another of their ordering key.
    pub(crate) parked_count: u64,
    /// Dead letters.
    pub(crate) dead_count: u64,
    /// Whether the pending figures are exact; an upper bound if not.
    pub(crate) exact: bool,
    /// Age of the oldest pending message.
    pub(crate) oldest_age_ms: Option<u64>,
    /// Where it stands in each log.
    pub(crate) cursors: Vec<Cursor>,
    /// Deliveries ever claimed.
    pub(crate) claimed_count: u64,
    /// Deliveries ever acked.
    pub(crate) acked_count: u64,
    /// Attempts ever nacked.
    pub(crate) nacked_count: u64,
    /// Leases ever expired.
    pub(crate) expired_count: u64,
    /// Messages that expired before they were settled.
    pub(crate) ttl_expired_count: u64,
    /// Messages ever skipped by the filter.
    pub(crate) filtered_count: u64,
    /// Messages ever skipped by the backlog limit.
    pub(crate) dropped_count: u64,
}

/// Where a subscriber stands in one log.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// The priority of the log.
    pub(crate) priority: i16,
    /// The newest sequence number that was claimed or skipped.
    pub(crate) sequence: u64,
    /// The sequence number of the log's newest message.
    pub(crate) last_sequence: u64,
}

impl From<blockqueue::TopicStats> for TopicStats {
    fn from(stats: blockqueue::TopicStats) -> Self {
        let log = |log: blockqueue::LogStats| Log {
            priority: log.priority,
            last_sequence: log.last_sequence,
            trimmed_sequence: log.trimmed_sequence,
        };
        Self {
            topic: stats.topic,
            paused: stats.paused,
            published_count: stats.published_count,
            delayed_count: stats.delayed_count,
            retained_count: stats.retained_count,
            retained_bytes: stats.retained_bytes,
            logs: stats.logs.into_iter().map(log).collect(),
            subscribers: stats.subscribers.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<blockqueue::SubscriberStats> for SubscriberStats {
    fn from(stats: blockqueue::SubscriberStats) -> Self {
        let cursor = |cursor: blockqueue::CursorStats| Cursor {
            priority: cursor.priority,
            sequence: cursor.sequence,
            last_sequence: cursor.last_sequence,
        };
        Self {
            topic: stats.topic,
            subscriber: stats.subscriber,
            paused: stats.paused,
            pending_count: stats.pending_count,
            pending_bytes: stats.pending_bytes,
            ready_count: stats.ready_count,
            leased_count: stats.leased_count,
            retrying_count: stats.retrying_count,
            parked_count: stats.parked_count,
            dead_count: stats.dead_count,
            exact: stats.exact,
            oldest_age_ms: stats.oldest_age.map(millis),
            cursors: stats.cursors.into_iter().map(cursor).collect(),
            claimed_count: stats.claimed_count,
            acked_count: stats.acked_count,
            nacked_count: stats.nacked_count,
            expired_count: stats.expired_count,
            ttl_expired_count: stats.ttl_expired_count,
            filtered_count: stats.filtered_count,
            dropped_count: stats.dropped_count,
        }
    }
}

impl Row for SubscriberStats {
    const COLUMNS: &'static [&'static str] = &[
        "TOPIC",
        "SUBSCRIBER",
        "PENDING",
        "LEASED",
        "RETRYING",
        "PARKED",
        "DEAD",
        "OLDEST",
        "ACKED",
        "PAUSED",
    ];

    fn cells(&self) -> Vec<String> {
        let bound = if self.exact { "" } else { "≤" };
        vec![
            self.topic.clone(),
            self.subscriber.clone(),
            format!("{bound}{}", self.pending_count),
            self.leased_count.to_string(),
            self.retrying_count.to_string(),
            self.parked_count.to_string(),
            self.dead_count.to_string(),
            or_dash(self.oldest_age_ms.map(seconds)),
            self.acked_count.to_string(),
            yes(self.paused),
        ]
    }
}

/// A topic's own line above its subscribers.
impl Row for TopicStats {
    const COLUMNS: &'static [&'static str] =
        &["TOPIC", "PUBLISHED", "DELAYED", "RETAINED", "BYTES", "SUBSCRIBERS", "PAUSED"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.topic.clone(),
            self.published_count.to_string(),
            self.delayed_count.to_string(),
            self.retained_count.to_string(),
            bytesize::ByteSize::b(self.retained_bytes).to_string(),
            self.subscribers.len().to_string(),
            yes(self.paused),
        ]
    }
}

/// Ages are read at a glance: whole seconds are enough from one second on.
fn seconds(age_ms: u64) -> String {
    let age = std::time::Duration::from_millis(age_ms);
    let shown = if age_ms < 1_000 { age } else { std::time::Duration::from_secs(age.as_secs()) };
    humantime::format_duration(shown).to_string()
}
