//! What the writer remembers of the database between transactions.
//!
//! A cache, never an authority: it is dropped whenever another connection has committed
//! (`PRAGMA data_version`, read inside the transaction) and whenever a transaction fails. Within a
//! transaction it runs ahead of the rows; [`super::tx::Tx::flush`] writes what changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::Row;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::encode;
use crate::clock::{Millis, from_millis};
use crate::model::{SEQ_BITS, Subscriber, Topic};
use crate::options::{SubscriberOptions, TopicOptions};

pub(super) type TopicId = i64;
pub(super) type LogId = i64;
pub(super) type SubscriberId = u32;

/// The last sequence number of a log.
pub(super) const SEQ_MAX: i64 = (1 << SEQ_BITS) - 1;

/// The key of a message: its log and its sequence number.
pub(super) const fn key(log: LogId, seq: i64) -> i64 {
    log << SEQ_BITS | seq
}

pub(super) const fn log_of(key: i64) -> LogId {
    key >> SEQ_BITS
}

pub(super) const fn seq_of(key: i64) -> i64 {
    key & SEQ_MAX
}

#[derive(Debug)]
pub(super) struct CachedTopic {
    pub id: TopicId,
    pub name: Arc<str>,
    pub options: TopicOptions,
    pub created_at: Millis,
    pub paused: bool,
    /// Logs that deliveries come from: highest priority first, older before younger.
    pub logs: Vec<LogId>,
    /// The open log that ids of delayed messages come from.
    pub origin_log: Option<LogId>,
    pub subscriber_count: usize,
    pub delayed_count: i64,
    pub delayed_bytes: i64,
    pub delayed_cancelled_count: i64,
    /// Upper bounds, so that a publish far from the limit need not look at every subscriber.
    pub backlog: Option<Backlog>,
}

impl CachedTopic {
    /// Without its logs.
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            options: encode::topic_options(row)?,
            created_at: row.get("created_at")?,
            paused: row.get("paused")?,
            logs: Vec::new(),
            origin_log: None,
            subscriber_count: row.get("subscriber_count")?,
            delayed_count: row.get("delayed_count")?,
            delayed_bytes: row.get("delayed_bytes")?,
            delayed_cancelled_count: row.get("delayed_cancelled_count")?,
            backlog: None,
        })
    }

    pub(super) fn view(&self) -> Topic {
        Topic {
            id: self.id.cast_unsigned(),
            name: self.name.to_string(),
            options: self.options.clone(),
            paused: self.paused,
            created_at: from_millis(self.created_at),
        }
    }
}

/// How far the slowest subscriber of a topic lags behind, at most.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Backlog {
    pub messages: u64,
    pub bytes: u64,
    /// When the oldest pending message became deliverable.
    pub oldest_at: Option<Millis>,
}

#[derive(Debug)]
pub(super) struct CachedLog {
    pub id: LogId,
    pub topic: TopicId,
    pub priority: i16,
    pub closed: bool,
    pub last_seq: i64,
    /// What its row says of that: the messages above are there, and plain.
    pub recorded_seq: i64,
    pub trim_seq: i64,
    pub position: i64,
    pub published_at: Millis,
    pub gap_count: i64,
    pub expiring: bool,
    /// Every message that it has, or had, is a payload and nothing else.
    pub is_plain: bool,
}

impl CachedLog {
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            topic: row.get("topic_id")?,
            priority: row.get("priority")?,
            closed: row.get("closed")?,
            last_seq: row.get("last_seq")?,
            recorded_seq: row.get("recorded_seq")?,
            trim_seq: row.get("trim_seq")?,
            position: row.get("position")?,
            published_at: row.get("published_at")?,
            gap_count: row.get("gap_count")?,
            expiring: row.get("expiring")?,
            is_plain: row.get("is_plain")?,
        })
    }
}

#[derive(Debug)]
pub(super) struct CachedSubscriber {
    pub id: SubscriberId,
    pub topic: TopicId,
    pub topic_name: Arc<str>,
    pub name: Arc<str>,
    pub options: SubscriberOptions,
    pub created_at: Millis,
    pub paused: bool,
    pub counts: Counts,
    /// Sequence numbers by log; none means 0.
    pub cursors: HashMap<LogId, i64>,
    pub moved: BTreeSet<LogId>,
    /// The settings of keys were changed: deliveries up to this key have been looked at since.
    pub sifted_key: Option<String>,
}

impl CachedSubscriber {
    /// Without its topic's name and its cursors.
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            topic: row.get("topic_id")?,
            topic_name: Arc::from(""),
            name: row.get("name")?,
            options: encode::subscriber_options(row)?,
            created_at: row.get("created_at")?,
            paused: row.get("paused")?,
            counts: Counts {
                leased: row.get("leased_count")?,
                retrying: row.get("retrying_count")?,
                parked: row.get("parked_count")?,
                dead: row.get("dead_count")?,
                lapsed: row.get("lapsed_count")?,
                ahead: row.get("ahead_count")?,
                claimed: row.get("claimed_count")?,
                acked: row.get("acked_count")?,
                nacked: row.get("nacked_count")?,
                expired: row.get("expired_count")?,
                cancelled: row.get("cancelled_count")?,
                dropped: row.get("dropped_count")?,
                filtered: row.get("filtered_count")?,
                ttl_expired: row.get("ttl_expired_count")?,
                rate_full_at_us: row.get("rate_full_at_us")?,
                lease_seq: row.get("lease_seq")?,
            },
            cursors: HashMap::default(),
            moved: BTreeSet::new(),
            sifted_key: row.get("sifted_key")?,
        })
    }

    pub(super) fn view(&self) -> Subscriber {
        Subscriber {
            id: u64::from(self.id),
            topic: self.topic_name.to_string(),
            name: self.name.to_string(),
            options: self.options.clone(),
            paused: self.paused,
            created_at: from_millis(self.created_at),
        }
    }

    pub(super) fn cursor(&self, log: LogId) -> i64 {
        self.cursors.get(&log).copied().unwrap_or(0)
    }

    pub(super) fn move_cursor(&mut self, log: LogId, seq: i64) {
        if self.cursor(log) != seq {
            self.cursors.insert(log, seq);
            self.moved.insert(log);
        }
    }
}

/// The counters in a subscriber's row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub leased: i64,
    pub retrying: i64,
    pub parked: i64,
    pub dead: i64,
    /// Of `retrying`: those whose lease expired.
    pub lapsed: i64,
    pub ahead: i64,
    pub claimed: i64,
    pub acked: i64,
    pub nacked: i64,
    pub expired: i64,
    pub cancelled: i64,
    pub dropped: i64,
    pub filtered: i64,
    pub ttl_expired: i64,
    pub rate_full_at_us: i64,
    pub lease_seq: i64,
}

/// A cache entry and whether its row is to be written.
#[derive(Debug)]
pub(super) struct Kept<T> {
    pub value: T,
    pub dirty: bool,
}

/// A schedule with an occurrence that waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queued {
    pub schedule: i64,
    pub topic: TopicId,
    /// The message that must be settled before.
    pub message: Option<i64>,
}

/// When something of the whole database falls due next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Next {
    #[default]
    Unknown,
    Never,
    At(Millis),
}

impl Next {
    pub(super) fn known(at: Option<Millis>) -> Self {
        at.map_or(Self::Never, Self::At)
    }

    pub(super) fn at(self) -> Option<Millis> {
        match self {
            Self::At(at) => Some(at),
            Self::Unknown | Self::Never => None,
        }
    }

    /// It is, or may be.
    pub(super) fn is_due(self, now: Millis) -> bool {
        self == Self::Unknown || self.at().is_some_and(|at| at <= now)
    }

    /// Something falls due at `at`. What is unknown stays so: it is looked up when it matters.
    pub(super) fn note(&mut self, at: Millis) {
        *self = match *self {
            Self::Unknown => Self::Unknown,
            Self::Never => Self::At(at),
            Self::At(earlier) => Self::At(earlier.min(at)),
        };
    }
}

#[derive(Debug, Default)]
pub(super) struct Cache {
    pub topics: HashMap<TopicId, Kept<CachedTopic>>,
    pub topic_names: HashMap<Arc<str>, TopicId>,
    pub logs: HashMap<LogId, Kept<CachedLog>>,
    pub subscribers: HashMap<SubscriberId, Kept<CachedSubscriber>>,
    pub subscriber_names: HashMap<(TopicId, Arc<str>), SubscriberId>,
    /// What to flush.
    pub dirty_topics: Vec<TopicId>,
    pub dirty_logs: Vec<LogId>,
    pub dirty_subscribers: Vec<SubscriberId>,
    /// When the next delayed message is due.
    pub next_delayed: Next,
    /// When the next lease expires at the earliest.
    pub next_expiry: Next,
    /// When the next occurrence of a schedule is due.
    pub next_schedule: Next,
    /// Schedules with an occurrence that waits; `None` means that nobody has looked.
    pub queued: Option<Vec<Queued>>,
    /// When the message of the next retrying or parked delivery expires.
    pub next_ttl: Next,
    /// Logs with messages that expire; `None` means any.
    pub expiring: Option<HashSet<LogId>>,
    /// Logs in which there may be something to trim; `None` means any.
    pub trimmable: Option<HashSet<LogId>>,
    /// The tables of the SQL contract are empty.
    pub nothing_staged: bool,
}

impl Cache {
    pub(super) fn forget_topic(&mut self, topic: TopicId) {
        if let Some(kept) = self.topics.remove(&topic) {
            self.topic_names.remove(&kept.value.name);
        }
        self.logs.retain(|_, log| log.value.topic != topic);
        self.subscribers.retain(|_, subscriber| subscriber.value.topic != topic);
        self.subscriber_names.retain(|(of, _), _| *of != topic);
    }

    pub(super) fn forget_subscriber(&mut self, subscriber: SubscriberId) {
        if let Some(kept) = self.subscribers.remove(&subscriber) {
            self.subscriber_names.remove(&(kept.value.topic, kept.value.name));
        }
    }

    pub(super) fn may_expire(&mut self, log: LogId) {
        if let Some(logs) = &mut self.expiring {
            logs.insert(log);
        }
    }

    pub(super) fn may_trim(&mut self, log: LogId) {
        if let Some(logs) = &mut self.trimmable {
            logs.insert(log);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_log_and_sequence() {
        let largest = key((1 << 23) - 1, SEQ_MAX);
        assert_eq!(largest, i64::MAX);
        assert_eq!((log_of(largest), seq_of(largest)), ((1 << 23) - 1, SEQ_MAX));
        assert!(key(1, SEQ_MAX) < key(2, 0));
    }
}
