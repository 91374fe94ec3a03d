//! The queue as people look at it.

use std::collections::HashMap;

use blockqueue::Result;

use crate::bytes::Bytes;
use crate::error::unknown;
use crate::number::{duration_millis, millis, signed};
use crate::page::pages;

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum DeliveryState {
    /// Not claimed yet.
    Pending,
    /// Leased to a consumer.
    Leased,
    /// Waiting for its next attempt, or ready for it.
    Retrying,
    /// Waiting behind another delivery of its ordering key.
    Parked,
    /// Out of attempts, kept for people.
    DeadLettered,
    /// Done: acked, cancelled or skipped.
    Settled,
}

impl DeliveryState {
    pub(crate) fn from_core(state: blockqueue::DeliveryState) -> Result<Self> {
        Ok(match state {
            blockqueue::DeliveryState::Pending => Self::Pending,
            blockqueue::DeliveryState::Leased => Self::Leased,
            blockqueue::DeliveryState::Retrying => Self::Retrying,
            blockqueue::DeliveryState::Parked => Self::Parked,
            blockqueue::DeliveryState::DeadLettered => Self::DeadLettered,
            blockqueue::DeliveryState::Settled => Self::Settled,
            other => return Err(unknown(other)),
        })
    }
}

/// A message as people look at it: without a receipt.
#[derive(Debug, Clone, uniffi::Record)]
pub struct MessageView {
    /// The message's id.
    pub id: String,
    /// The bytes that were published.
    pub payload: Bytes,
    /// What the payload is.
    pub content_type: Option<String>,
    /// The headers that were published.
    pub headers: HashMap<String, String>,
    /// What the publisher tied the message to.
    pub correlation_id: Option<String>,
    /// The key that makes a repeat harmless, while it is remembered.
    pub idempotency_key: Option<String>,
    /// What the message is in order with.
    pub ordering_key: Option<String>,
    /// The message's priority.
    pub priority: i32,
    /// When it was accepted.
    pub accepted_at_ms: i64,
    /// When it became deliverable, or will.
    pub deliver_at_ms: i64,
    /// When it expires, if it does.
    pub expires_at_ms: Option<i64>,
}

impl From<blockqueue::MessageView> for MessageView {
    fn from(message: blockqueue::MessageView) -> Self {
        Self {
            id: message.id.to_string(),
            payload: Bytes(message.payload),
            content_type: message.content_type,
            headers: message.headers.into_iter().collect(),
            correlation_id: message.correlation_id,
            idempotency_key: message.idempotency_key,
            ordering_key: message.ordering_key,
            priority: message.priority.into(),
            accepted_at_ms: millis(message.accepted_at),
            deliver_at_ms: millis(message.deliver_at),
            expires_at_ms: message.expires_at.map(millis),
        }
    }
}

/// Where a message stands with one subscriber.
#[derive(Debug, Clone, uniffi::Record)]
pub struct DeliveryStatus {
    /// The subscriber's number.
    pub subscriber_id: i64,
    /// The subscriber's name.
    pub subscriber: String,
    /// The state.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: i64,
    /// Attempts that ended badly so far.
    pub failures: i64,
    /// When it can be claimed, or could; for a leased one when its lease expires.
    pub ready_at_ms: Option<i64>,
}

impl DeliveryStatus {
    pub(crate) fn from_core(status: blockqueue::DeliveryStatus) -> Result<Self> {
        Ok(Self {
            subscriber_id: signed(status.subscriber_id),
            subscriber: status.subscriber,
            state: DeliveryState::from_core(status.state)?,
            attempts: status.attempts.into(),
            failures: status.failures.into(),
            ready_at_ms: status.ready_at.map(millis),
        })
    }
}

/// A message and where it stands with every subscriber of its topic.
#[derive(Debug, Clone, uniffi::Record)]
pub struct MessageStatus {
    /// The message.
    pub message: MessageView,
    /// It waits for its time.
    pub delayed: bool,
    /// Where it stands, by subscriber. Subscribers that began after it are left out.
    pub deliveries: Vec<DeliveryStatus>,
}

impl MessageStatus {
    pub(crate) fn from_core(status: blockqueue::MessageStatus) -> Result<Self> {
        let deliveries: Result<_> =
            status.deliveries.into_iter().map(DeliveryStatus::from_core).collect();
        Ok(Self {
            message: status.message.into(),
            delayed: status.delayed,
            deliveries: deliveries?,
        })
    }
}

/// A pending or leased delivery as people look at it: without a receipt.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Peeked {
    /// The message.
    pub message: MessageView,
    /// Where it stands.
    pub status: DeliveryStatus,
}

impl Peeked {
    fn from_core(peeked: blockqueue::Peeked) -> Result<Self> {
        let status = DeliveryStatus::from_core(peeked.status)?;
        Ok(Self { message: peeked.message.into(), status })
    }
}

pages! {
    /// Deliveries in flight, then pending ones.
    PeekedPage: Peeked of Peeked;
}

/// One log of a topic in numbers.
#[derive(Debug, Clone, uniffi::Record)]
pub struct LogStats {
    /// The priority of its messages.
    pub priority: i32,
    /// The sequence number of its newest message.
    pub last_sequence: i64,
    /// Messages at or below this sequence number were trimmed, or are held back by a delivery.
    pub trimmed_sequence: i64,
}

/// A topic in numbers. Costs the same whatever the backlog.
#[derive(Debug, Clone, uniffi::Record)]
pub struct TopicStats {
    /// The topic's name.
    pub topic: String,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// Messages ever accepted.
    pub published_count: i64,
    /// Messages that wait for their time.
    pub delayed_count: i64,
    /// Messages between the trim frontier and the end: what the topic holds, give or take a few.
    pub retained_count: i64,
    /// Their bytes of payload and headers.
    pub retained_bytes: i64,
    /// The logs, highest priority first.
    pub logs: Vec<LogStats>,
    /// The subscribers, by name.
    pub subscribers: Vec<SubscriberStats>,
}

impl From<blockqueue::TopicStats> for TopicStats {
    fn from(stats: blockqueue::TopicStats) -> Self {
        let logs = stats.logs.into_iter().map(|log| LogStats {
            priority: log.priority.into(),
            last_sequence: signed(log.last_sequence),
            trimmed_sequence: signed(log.trimmed_sequence),
        });
        Self {
            topic: stats.topic,
            paused: stats.paused,
            published_count: signed(stats.published_count),
            delayed_count: signed(stats.delayed_count),
            retained_count: signed(stats.retained_count),
            retained_bytes: signed(stats.retained_bytes),
            logs: logs.collect(),
            subscribers: stats.subscribers.into_iter().map(Into::into).collect(),
        }
    }
}

/// Where a subscriber stands in one log.
#[derive(Debug, Clone, uniffi::Record)]
pub struct CursorStats {
    /// The priority of the log.
    pub priority: i32,
    /// The newest sequence number that was claimed or skipped.
    pub sequence: i64,
    /// The sequence number of the log's newest message.
    pub last_sequence: i64,
}

/// A subscriber in numbers. Costs the same whatever the backlog.
#[derive(Debug, Clone, uniffi::Record)]
pub struct SubscriberStats {
    /// The topic's name.
    pub topic: String,
    /// The subscriber's name.
    pub subscriber: String,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// Messages not claimed yet; an upper bound unless `exact`.
    pub pending_count: i64,
    /// Their bytes of payload and headers; an upper bound unless `exact`.
    pub pending_bytes: i64,
    /// Deliveries that could be claimed now: pending and due retries.
    pub ready_count: i64,
    /// Leased deliveries, expired ones included until somebody takes them over.
    pub leased_count: i64,
    /// Deliveries that wait for their next attempt, or are ready for it.
    pub retrying_count: i64,
    /// Deliveries that wait behind another of their ordering key.
    pub parked_count: i64,
    /// Dead letters.
    pub dead_count: i64,
    /// Whether `pending_count` and `pending_bytes` are exact.
    pub exact: bool,
    /// Age of the oldest pending message.
    pub oldest_age_ms: Option<i64>,
    /// The cursor in each log: the newest sequence number claimed, highest priority first.
    pub cursors: Vec<CursorStats>,
    /// Deliveries ever claimed, counted once per attempt.
    pub claimed_count: i64,
    /// Deliveries ever acked.
    pub acked_count: i64,
    /// Attempts ever nacked.
    pub nacked_count: i64,
    /// Leases ever expired.
    pub expired_count: i64,
    /// Messages that expired before they were settled.
    pub ttl_expired_count: i64,
    /// Messages ever skipped by the filter.
    pub filtered_count: i64,
    /// Messages ever skipped by the backlog limit.
    pub dropped_count: i64,
}

impl From<blockqueue::SubscriberStats> for SubscriberStats {
    fn from(stats: blockqueue::SubscriberStats) -> Self {
        let cursors = stats.cursors.into_iter().map(|cursor| CursorStats {
            priority: cursor.priority.into(),
            sequence: signed(cursor.sequence),
            last_sequence: signed(cursor.last_sequence),
        });
        Self {
            topic: stats.topic,
            subscriber: stats.subscriber,
            paused: stats.paused,
            pending_count: signed(stats.pending_count),
            pending_bytes: signed(stats.pending_bytes),
            ready_count: signed(stats.ready_count),
            leased_count: signed(stats.leased_count),
            retrying_count: signed(stats.retrying_count),
            parked_count: signed(stats.parked_count),
            dead_count: signed(stats.dead_count),
            exact: stats.exact,
            oldest_age_ms: stats.oldest_age.map(duration_millis),
            cursors: cursors.collect(),
            claimed_count: signed(stats.claimed_count),
            acked_count: signed(stats.acked_count),
            nacked_count: signed(stats.nacked_count),
            expired_count: signed(stats.expired_count),
            ttl_expired_count: signed(stats.ttl_expired_count),
            filtered_count: signed(stats.filtered_count),
            dropped_count: signed(stats.dropped_count),
        }
    }
}

/// What the engine of this process has done since it was opened.
#[derive(Debug, Clone, uniffi::Record)]
pub struct EngineStats {
    /// Write groups committed.
    pub commits: i64,
    /// Operations in them.
    pub operations: i64,
    /// Groups that failed as a whole.
    pub failed_commits: i64,
    /// Commits by size: how many groups had at most 1, 4, 16, 64, 256, 1,024, 4,096 operations.
    pub commits_by_size: Vec<i64>,
    /// Commits by duration: how many took at most 1, 4, 16, 64, 256, 1,024 ms, or longer.
    pub commits_by_duration: Vec<i64>,
    /// Time spent in write groups, altogether.
    pub commit_time_ms: i64,
    /// Claims that wait for something to claim.
    pub waiting_claims: i64,
    /// Size of the database file, in bytes.
    pub file_bytes: i64,
    /// Size of the write-ahead log, in bytes.
    pub wal_bytes: i64,
}

impl From<blockqueue::EngineStats> for EngineStats {
    fn from(stats: blockqueue::EngineStats) -> Self {
        Self {
            commits: signed(stats.commits),
            operations: signed(stats.operations),
            failed_commits: signed(stats.failed_commits),
            commits_by_size: stats.commits_by_size.into_iter().map(signed).collect(),
            commits_by_duration: stats.commits_by_duration.into_iter().map(signed).collect(),
            commit_time_ms: duration_millis(stats.commit_time),
            waiting_claims: signed(stats.waiting_claims),
            file_bytes: signed(stats.file_bytes),
            wal_bytes: signed(stats.wal_bytes),
        }
    }
}

/// What an examination of the file found.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Diagnosis {
    /// The schema version of the file.
    pub schema_version: i64,
    /// The bundled `SQLite`.
    pub sqlite_version: String,
    /// Size of the database file, in bytes.
    pub file_bytes: i64,
    /// Size of the write-ahead log, in bytes.
    pub wal_bytes: i64,
    /// Bytes in the file that are free for new messages.
    pub free_bytes: i64,
    /// What is wrong, in words; empty if all is well.
    pub problems: Vec<String>,
    /// What could be better, in words.
    pub advice: Vec<String>,
}

impl From<blockqueue::Diagnosis> for Diagnosis {
    fn from(diagnosis: blockqueue::Diagnosis) -> Self {
        Self {
            schema_version: diagnosis.schema_version.into(),
            sqlite_version: diagnosis.sqlite_version,
            file_bytes: signed(diagnosis.file_bytes),
            wal_bytes: signed(diagnosis.wal_bytes),
            free_bytes: signed(diagnosis.free_bytes),
            problems: diagnosis.problems,
            advice: diagnosis.advice,
        }
    }
}
