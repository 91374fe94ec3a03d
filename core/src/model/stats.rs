//! The queue in numbers.

use std::time::Duration;

use serde::Serialize;

/// A topic in numbers. Costs the same whatever the backlog.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicStats {
    /// The topic's name.
    pub topic: String,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// Messages ever accepted.
    pub published_count: u64,
    /// Messages that wait for their time.
    pub delayed_count: u64,
    /// Messages between the trim frontier and the end: what the topic holds, give or take a few.
    pub retained_count: u64,
    /// Their bytes of payload and headers.
    pub retained_bytes: u64,
    /// The logs, highest priority first.
    pub logs: Vec<LogStats>,
    /// The subscribers, by name.
    pub subscribers: Vec<SubscriberStats>,
}

/// One log of a topic in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogStats {
    /// The priority of its messages.
    pub priority: i16,
    /// The sequence number of its newest message.
    pub last_sequence: u64,
    /// Messages at or below this sequence number were trimmed, or are held back by a delivery.
    pub trimmed_sequence: u64,
}

/// A subscriber in numbers. Costs the same whatever the backlog.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriberStats {
    /// The topic's name.
    pub topic: String,
    /// The subscriber's name.
    pub subscriber: String,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// Messages not claimed yet; an upper bound unless `exact`.
    pub pending_count: u64,
    /// Their bytes of payload and headers; an upper bound unless `exact`.
    pub pending_bytes: u64,
    /// Deliveries that could be claimed now: pending and due retries.
    pub ready_count: u64,
    /// Leased deliveries, expired ones included until somebody takes them over.
    pub leased_count: u64,
    /// Deliveries that wait for their next attempt, or are ready for it.
    pub retrying_count: u64,
    /// Deliveries that wait behind another of their ordering key; at
    /// [`PARKED_MAX`](crate::limits::PARKED_MAX) the subscriber reads no further until one of them moves on.
    pub parked_count: u64,
    /// Dead letters.
    pub dead_count: u64,
    /// Whether `pending_count` and `pending_bytes` are exact.
    pub exact: bool,
    /// Age of the oldest pending message.
    pub oldest_age: Option<Duration>,
    /// The cursor in each log: the newest sequence number claimed, highest priority first.
    pub cursors: Vec<CursorStats>,
    /// Deliveries ever claimed, counted once per attempt.
    pub claimed_count: u64,
    /// Deliveries ever acked.
    pub acked_count: u64,
    /// Attempts ever nacked.
    pub nacked_count: u64,
    /// Leases ever expired.
    pub expired_count: u64,
    /// Messages that expired before they were settled.
    pub ttl_expired_count: u64,
    /// Messages ever skipped by the filter.
    pub filtered_count: u64,
    /// Messages ever skipped by the backlog limit.
    pub dropped_count: u64,
}

/// Where a subscriber stands in one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CursorStats {
    /// The priority of the log.
    pub priority: i16,
    /// The newest sequence number that was claimed or skipped.
    pub sequence: u64,
    /// The sequence number of the log's newest message.
    pub last_sequence: u64,
}

/// What the engine of this process has done since it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct EngineStats {
    /// Write groups committed.
    pub commits: u64,
    /// Operations in them.
    pub operations: u64,
    /// Groups that failed as a whole.
    pub failed_commits: u64,
    /// Commits by size: how many groups had at most 1, 4, 16, 64, 256, 1,024, 4,096 operations.
    pub commits_by_size: [u64; 7],
    /// Commits by duration: how many took at most 1, 4, 16, 64, 256, 1,024 ms, or longer.
    pub commits_by_duration: [u64; 7],
    /// Time spent in write groups, altogether.
    pub commit_time: Duration,
    /// Claims that wait for something to claim.
    pub waiting_claims: u64,
    /// Size of the database file, in bytes.
    pub file_bytes: u64,
    /// Size of the write-ahead log, in bytes.
    pub wal_bytes: u64,
}

/// What an examination of the file found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The schema version of the file.
    pub schema_version: u32,
    /// The bundled SQLite.
    pub sqlite_version: String,
    /// Size of the database file, in bytes.
    pub file_bytes: u64,
    /// Size of the write-ahead log, in bytes.
    pub wal_bytes: u64,
    /// Bytes in the file that are free for new messages.
    pub free_bytes: u64,
    /// What is wrong, in words; empty if all is well.
    pub problems: Vec<String>,
    /// What could be better, in words.
    pub advice: Vec<String>,
}
