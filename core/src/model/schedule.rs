//! Schedules as they are, and what they did.

use std::time::SystemTime;

use serde::Serialize;

use super::MessageId;
use crate::options::ScheduleOptions;

/// A schedule: publishes a message to its topic again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schedule {
    /// Its number in this database; a schedule of the same name created later has another.
    pub id: u64,
    /// The topic's name.
    pub topic: String,
    /// Its name.
    pub name: String,
    /// Its settings.
    pub options: ScheduleOptions,
    /// Counts the changes of its settings, from 1. An update names the version that it changes.
    pub version: u64,
    /// It does not fire.
    pub paused: bool,
    /// The next occurrence; `None` while it is paused, and when there is none any more.
    pub next_at: Option<SystemTime>,
    /// When the next occurrence is fired: `next_at` and its jitter.
    pub due_at: Option<SystemTime>,
    /// The newest occurrence that was decided about, fired or not.
    pub last_at: Option<SystemTime>,
    /// An occurrence that waits until the message before is settled.
    pub queued_at: Option<SystemTime>,
    /// When it was created.
    pub created_at: SystemTime,
}

/// What became of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunStatus {
    /// Its message was published.
    Fired,
    /// Somebody asked for a message; it is no occurrence.
    Manual,
    /// It waits until the message before is settled.
    Queued,
    /// It was missed and is left out.
    SkippedMisfire,
    /// The message before was not settled: it is left out.
    SkippedOverlap,
    /// The topic refused its message; the error says why.
    Refused,
    /// Its time could not be told, and the schedule has stopped; the error says why.
    Stopped,
}

/// An entry of a schedule's history. The newest 1,000 of each schedule are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduleRun {
    /// Its number within the schedule, from 1.
    pub run: u64,
    /// What happened.
    pub status: RunStatus,
    /// The occurrence, or the first of them; `None` for a manual run.
    pub occurrence_at: Option<SystemTime>,
    /// The last of several occurrences that were missed together.
    pub until_at: Option<SystemTime>,
    /// When it was decided.
    pub at: SystemTime,
    /// The message that was published.
    pub message_id: Option<MessageId>,
    /// What went wrong.
    pub error: Option<String>,
}
