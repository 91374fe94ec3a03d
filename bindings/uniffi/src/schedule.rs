//! Schedules, and what they did.

use blockqueue::Result;

use crate::error::unknown;
use crate::message::Message;
use crate::number::{count, duration_millis, instant, maybe_duration, millis, signed};
use crate::page::pages;

/// What a schedule does about occurrences that nobody was there to fire.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum MisfirePolicy {
    /// What was missed is left out.
    Skip,
    /// However many were missed, the newest of them is fired. The default.
    Once,
    /// The newest of them are fired, one message each, oldest first; older ones are left out.
    All {
        /// How many; 1 to 1,000.
        limit: i64,
    },
}

/// What a schedule does when an occurrence comes while some subscriber has not settled the message of the
/// one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum OverlapPolicy {
    /// It is fired all the same.
    Allow,
    /// It is left out. The default.
    Skip,
    /// It is fired as soon as the message before is settled.
    Queue,
}

/// The settings of a schedule. An update replaces them as a whole.
#[derive(Debug, Clone, uniffi::Record)]
pub struct ScheduleOptions {
    /// Five fields of cron, or six with seconds in front; `@hourly`, `@daily`, `@weekly`, `@monthly`,
    /// `@yearly`; or `@every 90s`.
    pub cron: String,
    /// What is published. Not delayed, without idempotency key and unique key.
    pub message: Message,
    /// The IANA time zone that the fields are read in. Default `UTC`.
    #[uniffi(default)]
    pub timezone: Option<String>,
    /// What happens to occurrences that were missed. Default: the newest is fired.
    #[uniffi(default)]
    pub misfire: Option<MisfirePolicy>,
    /// What happens while the message before is not settled. Default: the occurrence is left out.
    #[uniffi(default)]
    pub overlap: Option<OverlapPolicy>,
    /// No occurrence is earlier. Default: from now on.
    #[uniffi(default)]
    pub start_ms: Option<i64>,
    /// No occurrence is later. Default: for ever.
    #[uniffi(default)]
    pub end_ms: Option<i64>,
    /// Each occurrence is fired up to this much later. Default: none; at most 24 h.
    #[uniffi(default)]
    pub jitter_ms: Option<i64>,
    /// How late an occurrence may be fired before it counts as missed. Default 1 min; at most 24 h.
    #[uniffi(default)]
    pub grace_ms: Option<i64>,
}

impl ScheduleOptions {
    pub(crate) fn into_core(self) -> Result<blockqueue::ScheduleOptions> {
        let mut options = blockqueue::ScheduleOptions::new(self.cron, self.message.into_core()?);
        if let Some(timezone) = self.timezone {
            options.timezone = timezone;
        }
        options.misfire = match self.misfire {
            None | Some(MisfirePolicy::Once) => blockqueue::MisfirePolicy::Once,
            Some(MisfirePolicy::Skip) => blockqueue::MisfirePolicy::Skip,
            Some(MisfirePolicy::All { limit }) => {
                blockqueue::MisfirePolicy::All { limit: count("misfire limit", limit)? }
            }
        };
        options.overlap = match self.overlap {
            None | Some(OverlapPolicy::Skip) => blockqueue::OverlapPolicy::Skip,
            Some(OverlapPolicy::Allow) => blockqueue::OverlapPolicy::Allow,
            Some(OverlapPolicy::Queue) => blockqueue::OverlapPolicy::Queue,
        };
        options.start = self.start_ms.map(instant);
        options.end = self.end_ms.map(instant);
        if let Some(jitter) = maybe_duration("jitter", self.jitter_ms)? {
            options.jitter = jitter;
        }
        if let Some(grace) = maybe_duration("grace", self.grace_ms)? {
            options.grace = grace;
        }
        Ok(options)
    }

    fn from_core(options: blockqueue::ScheduleOptions) -> Result<Self> {
        let misfire = match options.misfire {
            blockqueue::MisfirePolicy::Skip => MisfirePolicy::Skip,
            blockqueue::MisfirePolicy::Once => MisfirePolicy::Once,
            blockqueue::MisfirePolicy::All { limit } => MisfirePolicy::All { limit: limit.into() },
            other => return Err(unknown(other)),
        };
        let overlap = match options.overlap {
            blockqueue::OverlapPolicy::Allow => OverlapPolicy::Allow,
            blockqueue::OverlapPolicy::Skip => OverlapPolicy::Skip,
            blockqueue::OverlapPolicy::Queue => OverlapPolicy::Queue,
            other => return Err(unknown(other)),
        };
        Ok(Self {
            cron: options.cron,
            message: Message::from_core(options.message),
            timezone: Some(options.timezone),
            misfire: Some(misfire),
            overlap: Some(overlap),
            start_ms: options.start.map(millis),
            end_ms: options.end.map(millis),
            jitter_ms: Some(duration_millis(options.jitter)),
            grace_ms: Some(duration_millis(options.grace)),
        })
    }
}

/// A schedule: publishes a message to its topic again and again.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Schedule {
    /// Its number in this database; a schedule of the same name created later has another.
    pub id: i64,
    /// The topic's name.
    pub topic: String,
    /// Its name.
    pub name: String,
    /// Its settings.
    pub options: ScheduleOptions,
    /// Counts the changes of its settings, from 1. An update names the version that it changes.
    pub version: i64,
    /// It does not fire.
    pub paused: bool,
    /// The next occurrence; none while it is paused, and when there is none any more.
    pub next_at_ms: Option<i64>,
    /// When the next occurrence is fired: `next_at` and its jitter.
    pub due_at_ms: Option<i64>,
    /// The newest occurrence that was decided about, fired or not.
    pub last_at_ms: Option<i64>,
    /// An occurrence that waits until the message before is settled.
    pub queued_at_ms: Option<i64>,
    /// When it was created.
    pub created_at_ms: i64,
}

impl Schedule {
    pub(crate) fn from_core(schedule: blockqueue::Schedule) -> Result<Self> {
        Ok(Self {
            id: signed(schedule.id),
            topic: schedule.topic,
            name: schedule.name,
            options: ScheduleOptions::from_core(schedule.options)?,
            version: signed(schedule.version),
            paused: schedule.paused,
            next_at_ms: schedule.next_at.map(millis),
            due_at_ms: schedule.due_at.map(millis),
            last_at_ms: schedule.last_at.map(millis),
            queued_at_ms: schedule.queued_at.map(millis),
            created_at_ms: millis(schedule.created_at),
        })
    }
}

/// What became of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
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

impl RunStatus {
    fn from_core(status: blockqueue::RunStatus) -> Result<Self> {
        Ok(match status {
            blockqueue::RunStatus::Fired => Self::Fired,
            blockqueue::RunStatus::Manual => Self::Manual,
            blockqueue::RunStatus::Queued => Self::Queued,
            blockqueue::RunStatus::SkippedMisfire => Self::SkippedMisfire,
            blockqueue::RunStatus::SkippedOverlap => Self::SkippedOverlap,
            blockqueue::RunStatus::Refused => Self::Refused,
            blockqueue::RunStatus::Stopped => Self::Stopped,
            other => return Err(unknown(other)),
        })
    }
}

/// An entry of a schedule's history. The newest 1,000 of each schedule are kept.
#[derive(Debug, Clone, uniffi::Record)]
pub struct ScheduleRun {
    /// Its number within the schedule, from 1.
    pub run: i64,
    /// What happened.
    pub status: RunStatus,
    /// The occurrence, or the first of them; none for a manual run.
    pub occurrence_at_ms: Option<i64>,
    /// The last of several occurrences that were missed together.
    pub until_at_ms: Option<i64>,
    /// When it was decided.
    pub at_ms: i64,
    /// The message that was published.
    pub message_id: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

impl ScheduleRun {
    pub(crate) fn from_core(run: blockqueue::ScheduleRun) -> Result<Self> {
        Ok(Self {
            run: signed(run.run),
            status: RunStatus::from_core(run.status)?,
            occurrence_at_ms: run.occurrence_at.map(millis),
            until_at_ms: run.until_at.map(millis),
            at_ms: millis(run.at),
            message_id: run.message_id.map(|id| id.to_string()),
            error: run.error,
        })
    }
}

pages! {
    /// Schedules, by name.
    SchedulePage: Schedule of Schedule;
    /// Runs, newest first.
    ScheduleRunPage: ScheduleRun of ScheduleRun;
}
