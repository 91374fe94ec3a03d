//! Schedules and what they did.

use std::collections::BTreeMap;

use blockqueue::{
    MessageId, MisfirePolicy, NewSchedule, OverlapPolicy, RunStatus, Schedule, ScheduleOptions,
    ScheduleRun,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::message::MessageIn;
use super::time::{Instant, Span, optional, span, time};
use crate::http::payload;
use crate::http::v1::Problem;

/// A schedule to create, or all settings of one that is there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleIn {
    /// Needed to create one; it does not change afterwards.
    name: Option<String>,
    /// Needed to change one: the version that was read.
    version: Option<u64>,
    /// Five fields of cron, or six with seconds in front; `@hourly` and the like; `@every 90s`.
    cron: String,
    /// An IANA time zone. Default: UTC.
    timezone: Option<String>,
    /// The payload as text; or `payload_base64`.
    message: Option<String>,
    payload_base64: Option<String>,
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    correlation_id: Option<String>,
    #[serde(default)]
    priority: i16,
    key: Option<String>,
    ttl: Option<Span>,
    /// Default: `fire_once`.
    misfire_policy: Option<MisfireIn>,
    /// With `all`: how many missed occurrences are fired at most.
    misfire_limit: Option<u32>,
    /// Default: `skip`.
    overlap_policy: Option<OverlapIn>,
    start: Option<Instant>,
    end: Option<Instant>,
    jitter: Option<Span>,
    grace: Option<Span>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MisfireIn {
    Skip,
    FireOnce,
    All,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OverlapIn {
    Allow,
    Skip,
    Queue,
}

impl ScheduleIn {
    pub(crate) fn into_new(self) -> Result<NewSchedule, Problem> {
        if self.version.is_some() {
            return Err(Problem::invalid("a new schedule has no version"));
        }
        let name = self.name.clone().ok_or_else(|| Problem::invalid("name is needed"))?;
        Ok(NewSchedule::new(name, self.into_options()?))
    }

    /// The version, and what its settings become.
    pub(crate) fn into_update(self, of: &str) -> Result<(u64, ScheduleOptions), Problem> {
        if self.name.as_deref().is_some_and(|name| name != of) {
            return Err(Problem::invalid("a schedule keeps its name"));
        }
        let version = self.version.ok_or_else(|| Problem::invalid("version is needed"))?;
        Ok((version, self.into_options()?))
    }

    fn into_options(self) -> Result<ScheduleOptions, Problem> {
        let message = MessageIn {
            message: self.message,
            payload_base64: self.payload_base64,
            content_type: self.content_type,
            headers: self.headers,
            correlation_id: self.correlation_id,
            priority: self.priority,
            key: self.key,
            ttl: self.ttl,
            ..MessageIn::default()
        };
        let mut options = ScheduleOptions::new(self.cron, message.into_message()?);
        options.timezone = self.timezone.unwrap_or(options.timezone);
        options.misfire = match (self.misfire_policy, self.misfire_limit) {
            (None, None) => options.misfire,
            (Some(MisfireIn::Skip), None) => MisfirePolicy::Skip,
            (Some(MisfireIn::FireOnce), None) => MisfirePolicy::Once,
            (Some(MisfireIn::All), Some(limit)) => MisfirePolicy::All { limit },
            _ => return Err(Problem::invalid("misfire_limit belongs to misfire_policy all")),
        };
        options.overlap = match self.overlap_policy {
            None => options.overlap,
            Some(OverlapIn::Allow) => OverlapPolicy::Allow,
            Some(OverlapIn::Skip) => OverlapPolicy::Skip,
            Some(OverlapIn::Queue) => OverlapPolicy::Queue,
        };
        options.start = self.start.map(|at| at.time("start")).transpose()?;
        options.end = self.end.map(|at| at.time("end")).transpose()?;
        options.jitter = optional(self.jitter.as_ref(), "jitter")?.unwrap_or(options.jitter);
        options.grace = optional(self.grace.as_ref(), "grace")?.unwrap_or(options.grace);
        Ok(options)
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleOut {
    /// What paths call it by: its name.
    id: String,
    name: String,
    version: u64,
    cron: String,
    timezone: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
    correlation_id: Option<String>,
    priority: i16,
    key: Option<String>,
    ttl: Option<String>,
    misfire_policy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    misfire_limit: Option<u32>,
    overlap_policy: &'static str,
    start: Option<String>,
    end: Option<String>,
    jitter: String,
    grace: String,
    paused: bool,
    /// The next occurrence.
    next_run_at: Option<String>,
    /// When it is fired: with its jitter.
    due_at: Option<String>,
    /// The newest occurrence that was decided about, fired or not.
    last_run_at: Option<String>,
    /// An occurrence that waits until the message before is settled.
    queued_at: Option<String>,
    created_at: String,
}

impl From<Schedule> for ScheduleOut {
    fn from(schedule: Schedule) -> Self {
        let options = schedule.options;
        let message = options.message;
        let (payload, encoding) = payload::encode(message.payload);
        let (misfire_policy, misfire_limit) = match options.misfire {
            MisfirePolicy::Skip => ("skip", None),
            MisfirePolicy::All { limit } => ("all", Some(limit)),
            _ => ("fire_once", None),
        };
        Self {
            id: schedule.name.clone(),
            name: schedule.name,
            version: schedule.version,
            cron: options.cron,
            timezone: options.timezone,
            message: payload,
            encoding,
            content_type: message.content_type,
            headers: message.headers,
            correlation_id: message.correlation_id,
            priority: message.priority,
            key: message.ordering_key,
            ttl: message.ttl.map(span),
            misfire_policy,
            misfire_limit,
            overlap_policy: match options.overlap {
                OverlapPolicy::Allow => "allow",
                OverlapPolicy::Queue => "queue",
                _ => "skip",
            },
            start: options.start.map(time),
            end: options.end.map(time),
            jitter: span(options.jitter),
            grace: span(options.grace),
            paused: schedule.paused,
            next_run_at: schedule.next_at.map(time),
            due_at: schedule.due_at.map(time),
            last_run_at: schedule.last_at.map(time),
            queued_at: schedule.queued_at.map(time),
            created_at: time(schedule.created_at),
        }
    }
}

/// What became of an occurrence, or of several that were missed together.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunOut {
    /// The number of the run within its schedule.
    id: String,
    /// `fired`, `manual`, `queued`, `skipped_misfire`, `skipped_overlap`, `refused` or `stopped`.
    #[schema(value_type = String)]
    status: RunStatus,
    /// The occurrence; none for a manual run.
    scheduled_for: Option<String>,
    /// The last of several that were missed together.
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_until: Option<String>,
    /// When it was decided.
    started_at: String,
    #[schema(value_type = Option<String>)]
    message_id: Option<MessageId>,
    error: Option<String>,
}

impl From<ScheduleRun> for RunOut {
    fn from(run: ScheduleRun) -> Self {
        Self {
            id: run.run.to_string(),
            status: run.status,
            scheduled_for: run.occurrence_at.map(time),
            scheduled_until: run.until_at.map(time),
            started_at: time(run.at),
            message_id: run.message_id,
            error: run.error,
        }
    }
}
