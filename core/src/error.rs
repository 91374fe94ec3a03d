//! What can go wrong, and what the caller should do about it.
//!
//! Owns the one table of codes. Every face translates a code into its own error form and adds none.
//! Invariant: a code and its number keep their meaning for ever; a number is never reused.

use std::time::Duration;

use serde::Serialize;

use crate::model::MessageId;

/// The result of every operation of the queue.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whether repeating a failed call can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// The same call will fail again: change it, or the world, first.
    Never,
    /// Nothing was done; the same call may succeed later.
    Later,
    /// Nobody knows whether it was done: repeat only under the same idempotency key, or look first.
    Reconcile,
}

/// Everything that can go wrong. Each variant documents what to do when it happens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument breaks a documented rule. Fix the call; `detail` names the argument and the rule.
    #[error("invalid argument: {detail}")]
    InvalidArgument {
        /// The argument and the rule that it breaks.
        detail: String,
    },
    /// Something is over a limit of [`crate::limits`]. Send less, or open with a larger limit.
    #[error("{what} is {actual}, the limit is {limit}")]
    LimitExceeded {
        /// What is too large or too many.
        what: &'static str,
        /// Its size.
        actual: u64,
        /// The largest size allowed.
        limit: u64,
    },
    /// No topic of that name exists. Create it first.
    #[error("unknown topic {topic:?}")]
    UnknownTopic {
        /// The name asked for.
        topic: String,
    },
    /// The topic has no subscriber of that name, or it was deleted meanwhile. Create it first.
    #[error("unknown subscriber {subscriber:?} of topic {topic:?}")]
    UnknownSubscriber {
        /// The topic's name.
        topic: String,
        /// The name asked for.
        subscriber: String,
    },
    /// The topic has no such message: it never had, or it is settled everywhere and trimmed.
    #[error("unknown message {id}")]
    UnknownMessage {
        /// The id asked for.
        id: MessageId,
    },
    /// A topic of that name exists already. Use it, or choose another name.
    #[error("topic {topic:?} exists")]
    TopicExists {
        /// The name.
        topic: String,
    },
    /// The topic has a subscriber of that name already. Use it, or choose another name.
    #[error("subscriber {subscriber:?} of topic {topic:?} exists")]
    SubscriberExists {
        /// The topic's name.
        topic: String,
        /// The subscriber's name.
        subscriber: String,
    },
    /// The topic has no schedule of that name. Create it first.
    #[error("unknown schedule {schedule:?} of topic {topic:?}")]
    UnknownSchedule {
        /// The topic's name.
        topic: String,
        /// The name asked for.
        schedule: String,
    },
    /// The topic has a schedule of that name already. Use it, or choose another name.
    #[error("schedule {schedule:?} of topic {topic:?} exists")]
    ScheduleExists {
        /// The topic's name.
        topic: String,
        /// The name.
        schedule: String,
    },
    /// Somebody changed it since that version. Read it again, and decide anew.
    #[error("version {version} is stale, {current} is the present one")]
    StaleVersion {
        /// The version named by the caller.
        version: u64,
        /// The present version.
        current: u64,
    },
    /// The receipt's lease is over: drop the work, the delivery is settled or belongs to somebody else now.
    #[error("lease lost on message {id}")]
    LeaseLost {
        /// The message that was leased.
        id: MessageId,
    },
    /// The text is not a receipt of this queue. Pass receipts on unchanged.
    #[error("not a receipt")]
    InvalidReceipt,
    /// The idempotency key was used within its window for a different message. Choose another key.
    #[error("idempotency key {key:?} of message {index} was used for a different message")]
    IdempotencyConflict {
        /// Position of the message in the batch, from 0.
        index: usize,
        /// The key.
        key: String,
    },
    /// Some subscriber is not done with an earlier message of this unique key. Publish later, or leave it:
    /// the work is under way. A dead letter counts as done.
    #[error(
        "unique key {key:?} of message {index} is that of message {first}, which is not settled"
    )]
    UniqueConflict {
        /// Position of the message in the batch, from 0.
        index: usize,
        /// The key.
        key: String,
        /// The message that has the key.
        first: MessageId,
    },
    /// The topic's backlog limit is reached and its policy is to refuse. Publish later, or consume.
    #[error("backlog of topic {topic:?} is full ({what})")]
    BacklogFull {
        /// The topic's name.
        topic: String,
        /// Which limit: messages, bytes or age.
        what: &'static str,
    },
    /// Too much work is waiting to be written. Try again after a pause.
    #[error("too much work is waiting")]
    Busy,
    /// Another program held the file's write lock for too long. Try again; find out who holds it.
    #[error("the file is locked by another program")]
    Locked,
    /// The queue was shut down. Open it anew.
    #[error("the queue is shut down")]
    Shutdown,
    /// It cannot be known whether the operation is on disk. Repeat under the same idempotency key, or look first.
    #[error("outcome unknown: {detail}")]
    OutcomeUnknown {
        /// What happened.
        detail: String,
    },
    /// The disk is full; nothing was written. Free space; the queue recovers by itself.
    #[error("disk full")]
    DiskFull,
    /// The file or its directory cannot be written. Fix the permissions.
    #[error("read-only: {detail}")]
    ReadOnly {
        /// What was refused.
        detail: String,
    },
    /// The file cannot be opened or created. Check the path and its permissions.
    #[error("cannot open: {detail}")]
    CannotOpen {
        /// What was refused.
        detail: String,
    },
    /// The file exists and is not an SQLite database. It was left untouched.
    #[error("not a database")]
    NotADatabase,
    /// The file is damaged. It was left untouched; restore a backup.
    #[error("database is damaged: {detail}")]
    Corrupt {
        /// What was found.
        detail: String,
    },
    /// The file was written by a newer release. Update this program.
    #[error("the file has schema version {found}, this release knows up to {known}")]
    NewerSchema {
        /// The version in the file.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// The operating system reported an error; nothing was written. Look at `detail`, then try again.
    #[error("input/output error: {detail}")]
    Io {
        /// What the system said.
        detail: String,
    },
    /// The handle came here by a fork: its threads are in the parent. Open the queue anew.
    #[error("the handle belongs to the process that this one was forked from")]
    Forked,
    /// Another SQLite library in this process has the file open, and on this system the two would destroy
    /// it. Close it there, or use it in another process.
    #[error("another SQLite library in this process has the file open")]
    ForeignSqlite,
    /// A bug in this library. Please report it.
    #[error("internal error: {detail}")]
    Internal {
        /// What was found.
        detail: String,
    },
    /// This thread has a transaction of the queue open, and would wait for itself. Use the transaction's
    /// own methods, or end it first.
    #[error("this thread has a transaction of the queue open")]
    InTransaction,
    /// The transaction was rolled back: its deadline passed, or a statement ended it. Begin a new one.
    #[error("the transaction has ended and was rolled back")]
    TransactionEnded,
    /// SQLite refused a statement of yours. Look at `detail`; the transaction goes on.
    #[error("statement failed: {detail}")]
    SqlFailed {
        /// SQLite's extended result code; 0 if it was not SQLite that refused.
        code: i32,
        /// What SQLite said.
        detail: String,
    },
}

impl Error {
    /// The stable code, the same in every language and on the wire.
    pub const fn code(&self) -> &'static str {
        self.row().0
    }

    /// The stable number of the code, for languages that prefer one.
    pub const fn number(&self) -> u16 {
        self.row().1
    }

    /// Whether repeating the call can help.
    pub const fn retry(&self) -> Retry {
        self.row().2
    }

    /// The one table: variant, code, number, retry. The golden file is generated from it.
    const fn row(&self) -> (&'static str, u16, Retry) {
        use Retry::{Later, Never, Reconcile};
        match self {
            Self::InvalidArgument { .. } => ("invalid_argument", 1, Never),
            Self::LimitExceeded { .. } => ("limit_exceeded", 2, Never),
            Self::UnknownTopic { .. } => ("unknown_topic", 3, Never),
            Self::UnknownSubscriber { .. } => ("unknown_subscriber", 4, Never),
            Self::UnknownMessage { .. } => ("unknown_message", 5, Never),
            Self::TopicExists { .. } => ("topic_exists", 6, Never),
            Self::SubscriberExists { .. } => ("subscriber_exists", 7, Never),
            Self::LeaseLost { .. } => ("lease_lost", 8, Never),
            Self::InvalidReceipt => ("invalid_receipt", 9, Never),
            Self::IdempotencyConflict { .. } => ("idempotency_conflict", 10, Never),
            Self::BacklogFull { .. } => ("backlog_full", 11, Later),
            Self::Busy => ("busy", 12, Later),
            Self::Locked => ("locked", 13, Later),
            Self::Shutdown => ("shutdown", 14, Never),
            Self::OutcomeUnknown { .. } => ("outcome_unknown", 15, Reconcile),
            Self::DiskFull => ("disk_full", 16, Later),
            Self::ReadOnly { .. } => ("read_only", 17, Never),
            Self::CannotOpen { .. } => ("cannot_open", 18, Never),
            Self::NotADatabase => ("not_a_database", 19, Never),
            Self::Corrupt { .. } => ("corrupt", 20, Never),
            Self::NewerSchema { .. } => ("newer_schema", 21, Never),
            Self::Io { .. } => ("io", 22, Later),
            Self::Internal { .. } => ("internal", 23, Never),
            Self::InTransaction => ("in_transaction", 24, Never),
            Self::TransactionEnded => ("transaction_ended", 25, Never),
            Self::SqlFailed { .. } => ("sql_failed", 26, Never),
            Self::UnknownSchedule { .. } => ("unknown_schedule", 27, Never),
            Self::ScheduleExists { .. } => ("schedule_exists", 28, Never),
            Self::StaleVersion { .. } => ("stale_version", 29, Never),
            Self::UniqueConflict { .. } => ("unique_conflict", 30, Later),
            Self::Forked => ("forked", 31, Never),
            Self::ForeignSqlite => ("foreign_sqlite", 32, Never),
        }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::InvalidArgument { detail: detail.into() }
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::Internal { detail: detail.into() }
    }

    pub(crate) fn unknown_topic(topic: &str) -> Self {
        Self::UnknownTopic { topic: topic.to_owned() }
    }

    pub(crate) fn unknown_subscriber(topic: &str, subscriber: &str) -> Self {
        Self::UnknownSubscriber { topic: topic.to_owned(), subscriber: subscriber.to_owned() }
    }

    /// One value of each variant, in the order of their numbers: what the golden file lists.
    fn samples() -> [Self; 32] {
        let text = String::new;
        let id = MessageId::NIL;
        [
            Self::InvalidArgument { detail: text() },
            Self::LimitExceeded { what: "", actual: 0, limit: 0 },
            Self::UnknownTopic { topic: text() },
            Self::UnknownSubscriber { topic: text(), subscriber: text() },
            Self::UnknownMessage { id },
            Self::TopicExists { topic: text() },
            Self::SubscriberExists { topic: text(), subscriber: text() },
            Self::LeaseLost { id },
            Self::InvalidReceipt,
            Self::IdempotencyConflict { index: 0, key: text() },
            Self::BacklogFull { topic: text(), what: "" },
            Self::Busy,
            Self::Locked,
            Self::Shutdown,
            Self::OutcomeUnknown { detail: text() },
            Self::DiskFull,
            Self::ReadOnly { detail: text() },
            Self::CannotOpen { detail: text() },
            Self::NotADatabase,
            Self::Corrupt { detail: text() },
            Self::NewerSchema { found: 0, known: 0 },
            Self::Io { detail: text() },
            Self::Internal { detail: text() },
            Self::InTransaction,
            Self::TransactionEnded,
            Self::SqlFailed { code: 0, detail: text() },
            Self::UnknownSchedule { topic: text(), schedule: text() },
            Self::ScheduleExists { topic: text(), schedule: text() },
            Self::StaleVersion { version: 0, current: 0 },
            Self::UniqueConflict { index: 0, key: text(), first: id },
            Self::Forked,
            Self::ForeignSqlite,
        ]
    }
}

/// One row of the table of codes, as the golden file `tests/golden/error_codes.json` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ErrorCode {
    /// The stable code.
    pub code: &'static str,
    /// The stable number.
    pub number: u16,
    /// Whether repeating the call can help.
    pub retry: Retry,
}

/// Every code there is, in the order of their numbers.
pub fn error_codes() -> Vec<ErrorCode> {
    Error::samples()
        .iter()
        .map(|error| ErrorCode { code: error.code(), number: error.number(), retry: error.retry() })
        .collect()
}

pub(crate) fn positive(what: &str, duration: Duration) -> Result<()> {
    if duration < Duration::from_millis(1) {
        return Err(Error::invalid(format!("{what} must be at least 1 ms")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_up_without_gaps_and_codes_are_unique() {
        let codes = error_codes();
        for (position, row) in codes.iter().enumerate() {
            assert_eq!(usize::from(row.number), position + 1, "{}", row.code);
        }
        let mut names: Vec<_> = codes.iter().map(|row| row.code).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), codes.len());
    }
}
