//! A schedule, and what it did.

use blockqueue::{MisfirePolicy, OverlapPolicy, RunStatus, ScheduleOptions};
use serde::{Serialize, Serializer};

use super::{Headers, Moment, Payload, Row, millis, or_dash, yes};

/// A schedule and its settings.
#[derive(Debug, Serialize)]
pub(crate) struct Schedule {
    /// Its name.
    pub(crate) name: String,
    /// Counts the changes of its settings.
    pub(crate) version: u64,
    /// It does not fire.
    pub(crate) paused: bool,
    /// The next occurrence.
    pub(crate) next_at: Option<Moment>,
    /// When it is fired.
    pub(crate) due_at: Option<Moment>,
    /// The newest occurrence that was decided about.
    pub(crate) last_at: Option<Moment>,
    /// An occurrence that waits for the message before.
    pub(crate) queued_at: Option<Moment>,
    /// When it was created.
    pub(crate) created_at: Moment,
    /// Its settings.
    #[serde(flatten)]
    pub(crate) settings: ScheduleSettings,
}

impl From<blockqueue::Schedule> for Schedule {
    fn from(schedule: blockqueue::Schedule) -> Self {
        Self {
            name: schedule.name,
            version: schedule.version,
            paused: schedule.paused,
            next_at: schedule.next_at.map(Moment),
            due_at: schedule.due_at.map(Moment),
            last_at: schedule.last_at.map(Moment),
            queued_at: schedule.queued_at.map(Moment),
            created_at: Moment(schedule.created_at),
            settings: ScheduleSettings(schedule.options),
        }
    }
}

impl Row for Schedule {
    const COLUMNS: &'static [&'static str] =
        &["SCHEDULE", "CRON", "TIME ZONE", "PAUSED", "NEXT", "LAST", "PAYLOAD"];

    fn cells(&self) -> Vec<String> {
        let ScheduleSettings(options) = &self.settings;
        vec![
            self.name.clone(),
            options.cron.clone(),
            options.timezone.clone(),
            yes(self.paused),
            or_dash(self.due_at),
            or_dash(self.last_at),
            Payload(options.message.payload.clone()).excerpt(),
        ]
    }
}

/// The settings, shown flat and in words.
#[derive(Debug)]
pub(crate) struct ScheduleSettings(pub(crate) ScheduleOptions);

impl Serialize for ScheduleSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Settings<'a> {
            cron: &'a str,
            timezone: &'a str,
            misfire: String,
            overlap: &'static str,
            start: Option<Moment>,
            end: Option<Moment>,
            jitter_ms: u64,
            grace_ms: u64,
            #[serde(flatten)]
            payload: Payload,
            content_type: Option<&'a str>,
            headers: &'a Headers,
            correlation_id: Option<&'a str>,
            ordering_key: Option<&'a str>,
            ttl_ms: Option<u64>,
            priority: i16,
        }
        let Self(options) = self;
        let message = &options.message;
        Settings {
            cron: &options.cron,
            timezone: &options.timezone,
            misfire: match options.misfire {
                MisfirePolicy::Skip => "skip".to_owned(),
                MisfirePolicy::All { limit } => format!("all:{limit}"),
                _ => "once".to_owned(),
            },
            overlap: match options.overlap {
                OverlapPolicy::Allow => "allow",
                OverlapPolicy::Queue => "queue",
                _ => "skip",
            },
            start: options.start.map(Moment),
            end: options.end.map(Moment),
            jitter_ms: millis(options.jitter),
            grace_ms: millis(options.grace),
            payload: Payload(message.payload.clone()),
            content_type: message.content_type.as_deref(),
            headers: &message.headers,
            correlation_id: message.correlation_id.as_deref(),
            ordering_key: message.ordering_key.as_deref(),
            ttl_ms: message.ttl.map(millis),
            priority: message.priority,
        }
        .serialize(serializer)
    }
}

/// What became of an occurrence.
#[derive(Debug, Serialize)]
pub(crate) struct ScheduleRun {
    /// Its number within the schedule.
    pub(crate) run: u64,
    /// What happened.
    pub(crate) status: String,
    /// The occurrence; none for a manual run.
    pub(crate) occurrence_at: Option<Moment>,
    /// The last of several that were missed together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until_at: Option<Moment>,
    /// When it was decided.
    pub(crate) at: Moment,
    /// The message that was published.
    pub(crate) message_id: Option<String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

impl From<blockqueue::ScheduleRun> for ScheduleRun {
    fn from(run: blockqueue::ScheduleRun) -> Self {
        Self {
            run: run.run,
            status: status(run.status).to_owned(),
            occurrence_at: run.occurrence_at.map(Moment),
            until_at: run.until_at.map(Moment),
            at: Moment(run.at),
            message_id: run.message_id.map(|id| id.to_string()),
            error: run.error,
        }
    }
}

impl Row for ScheduleRun {
    const COLUMNS: &'static [&'static str] =
        &["RUN", "STATUS", "OCCURRENCE", "UNTIL", "AT", "MESSAGE", "ERROR"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.run.to_string(),
            self.status.clone(),
            or_dash(self.occurrence_at),
            or_dash(self.until_at),
            self.at.to_string(),
            or_dash(self.message_id.as_ref()),
            or_dash(self.error.as_ref()),
        ]
    }
}

/// The word for a status, the same that its JSON has.
const fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Fired => "fired",
        RunStatus::Manual => "manual",
        RunStatus::Queued => "queued",
        RunStatus::SkippedMisfire => "skipped_misfire",
        RunStatus::SkippedOverlap => "skipped_overlap",
        RunStatus::Refused => "refused",
        RunStatus::Stopped => "stopped",
        _ => "unknown",
    }
}
