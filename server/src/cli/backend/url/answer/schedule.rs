//! Schedules, and what they did.

use blockqueue::{Message, MisfirePolicy, OverlapPolicy, ScheduleOptions};
use serde::Deserialize;

use super::{Span, Text, misunderstood};
use crate::cli::failure::Outcome;
use crate::cli::view::{self, Headers, Moment};

#[derive(Deserialize)]
pub(in super::super) struct Schedules {
    pub(in super::super) schedules: Vec<Schedule>,
    pub(in super::super) next_cursor: Option<String>,
}

#[derive(Deserialize)]
pub(in super::super) struct Schedule {
    name: String,
    version: u64,
    paused: bool,
    next_run_at: Option<Moment>,
    due_at: Option<Moment>,
    last_run_at: Option<Moment>,
    queued_at: Option<Moment>,
    created_at: Moment,
    #[serde(flatten)]
    settings: Settings,
}

#[derive(Deserialize)]
struct Settings {
    cron: String,
    timezone: String,
    misfire_policy: Misfire,
    misfire_limit: Option<u32>,
    overlap_policy: Overlap,
    start: Option<Moment>,
    end: Option<Moment>,
    jitter: Span,
    grace: Span,
    #[serde(flatten)]
    text: Text,
    content_type: Option<String>,
    headers: Headers,
    correlation_id: Option<String>,
    key: Option<String>,
    ttl: Option<Span>,
    priority: i16,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Misfire {
    Skip,
    FireOnce,
    All,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Overlap {
    Allow,
    Skip,
    Queue,
}

impl Schedule {
    pub(in super::super) fn into_view(self) -> Outcome<view::Schedule> {
        Ok(view::Schedule {
            name: self.name,
            version: self.version,
            paused: self.paused,
            next_at: self.next_run_at,
            due_at: self.due_at,
            last_at: self.last_run_at,
            queued_at: self.queued_at,
            created_at: self.created_at,
            settings: view::ScheduleSettings(self.settings.into_options()?),
        })
    }
}

impl Settings {
    fn into_options(self) -> Outcome<ScheduleOptions> {
        let mut message = Message::new(self.text.into_payload()?.0);
        message.content_type = self.content_type;
        message.headers = self.headers;
        message.correlation_id = self.correlation_id;
        message.ordering_key = self.key;
        message.ttl = self.ttl.map(|ttl| ttl.duration()).transpose()?;
        message.priority = self.priority;
        let mut options = ScheduleOptions::new(self.cron, message).with_timezone(self.timezone);
        options.misfire = match self.misfire_policy {
            Misfire::Skip => MisfirePolicy::Skip,
            Misfire::FireOnce => MisfirePolicy::Once,
            Misfire::All => MisfirePolicy::All { limit: self.misfire_limit.unwrap_or_default() },
        };
        options.overlap = match self.overlap_policy {
            Overlap::Allow => OverlapPolicy::Allow,
            Overlap::Skip => OverlapPolicy::Skip,
            Overlap::Queue => OverlapPolicy::Queue,
        };
        options.start = self.start.map(|Moment(at)| at);
        options.end = self.end.map(|Moment(at)| at);
        options.jitter = self.jitter.duration()?;
        options.grace = self.grace.duration()?;
        Ok(options)
    }
}

#[derive(Deserialize)]
pub(in super::super) struct Runs {
    pub(in super::super) runs: Vec<Run>,
    pub(in super::super) next_cursor: Option<String>,
}

#[derive(Deserialize)]
pub(in super::super) struct Run {
    id: String,
    status: String,
    scheduled_for: Option<Moment>,
    scheduled_until: Option<Moment>,
    started_at: Moment,
    message_id: Option<String>,
    error: Option<String>,
}

impl Run {
    pub(in super::super) fn into_view(self) -> Outcome<view::ScheduleRun> {
        Ok(view::ScheduleRun {
            run: self.id.parse().map_err(|_| misunderstood("a run has no number"))?,
            status: self.status,
            occurrence_at: self.scheduled_for,
            until_at: self.scheduled_until,
            at: self.started_at,
            message_id: self.message_id,
            error: self.error,
        })
    }
}
