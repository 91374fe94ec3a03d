//! Schedules.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blockqueue::{
    Message, MisfirePolicy, OverlapPolicy, Result, Schedule, ScheduleOptions, ScheduleRun,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ToJson, instant, millis, optional_duration, with_payload};
use crate::arguments::{instant as time, invalid};

/// The settings of a schedule; what is not given has its default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleIn {
    cron: String,
    timezone: Option<String>,
    #[serde(default)]
    message: MessageIn,
    misfire: Option<MisfireIn>,
    overlap: Option<OverlapIn>,
    start_at: Option<i64>,
    end_at: Option<i64>,
    jitter_ms: Option<i64>,
    grace_ms: Option<i64>,
}

/// The message of a schedule. Its payload is text or base64; neither means no bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageIn {
    payload: Option<String>,
    payload_base64: Option<String>,
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    correlation_id: Option<String>,
    #[serde(default)]
    priority: i16,
    /// Refused by the core, as the next three: an occurrence cannot have them.
    delay_ms: Option<i64>,
    deliver_at: Option<i64>,
    idempotency_key: Option<String>,
    unique_key: Option<String>,
    ordering_key: Option<String>,
    ttl_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MisfireIn {
    Skip,
    Once,
    All(u32),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OverlapIn {
    Allow,
    Skip,
    Queue,
}

impl ScheduleIn {
    pub(crate) fn into_core(self) -> Result<ScheduleOptions> {
        let mut options = ScheduleOptions::new(self.cron, self.message.into_core()?);
        options.timezone = self.timezone.unwrap_or(options.timezone);
        options.misfire = self.misfire.map_or(options.misfire, |misfire| match misfire {
            MisfireIn::Skip => MisfirePolicy::Skip,
            MisfireIn::Once => MisfirePolicy::Once,
            MisfireIn::All(limit) => MisfirePolicy::All { limit },
        });
        options.overlap = self.overlap.map_or(options.overlap, |overlap| match overlap {
            OverlapIn::Allow => OverlapPolicy::Allow,
            OverlapIn::Skip => OverlapPolicy::Skip,
            OverlapIn::Queue => OverlapPolicy::Queue,
        });
        options.start = self.start_at.map(time);
        options.end = self.end_at.map(time);
        options.jitter = optional_duration("jitter_ms", self.jitter_ms)?.unwrap_or(options.jitter);
        options.grace = optional_duration("grace_ms", self.grace_ms)?.unwrap_or(options.grace);
        Ok(options)
    }
}

impl MessageIn {
    fn into_core(self) -> Result<Message> {
        let payload = match (self.payload, self.payload_base64) {
            (Some(_), Some(_)) => {
                return Err(invalid("payload and payload_base64 exclude each other"));
            }
            (Some(text), None) => text.into_bytes(),
            (None, Some(base64)) => {
                STANDARD.decode(base64).map_err(|_| invalid("payload_base64 is not base64"))?
            }
            (None, None) => Vec::new(),
        };
        let mut message =
            Message::new(payload).with_headers(self.headers).with_priority(self.priority);
        message.content_type = self.content_type;
        message.correlation_id = self.correlation_id;
        message.delay = optional_duration("delay_ms", self.delay_ms)?;
        message.deliver_at = self.deliver_at.map(time);
        message.idempotency_key = self.idempotency_key;
        message.unique_key = self.unique_key;
        message.ordering_key = self.ordering_key;
        message.ttl = optional_duration("ttl_ms", self.ttl_ms)?;
        Ok(message)
    }
}

impl ToJson for Schedule {
    fn to_json(&self) -> Value {
        let options = &self.options;
        let message = &options.message;
        let misfire = match options.misfire {
            MisfirePolicy::Skip => json!("skip"),
            MisfirePolicy::All { limit } => json!({ "all": limit }),
            _ => json!("once"),
        };
        let overlap = match options.overlap {
            OverlapPolicy::Allow => "allow",
            OverlapPolicy::Queue => "queue",
            _ => "skip",
        };
        let message = with_payload(
            json!({
                "content_type": message.content_type,
                "headers": message.headers,
                "correlation_id": message.correlation_id,
                "priority": message.priority,
                "ordering_key": message.ordering_key,
                "ttl_ms": message.ttl.map(millis),
            }),
            &message.payload,
        );
        json!({
            "topic": self.topic,
            "name": self.name,
            "version": self.version,
            "paused": self.paused,
            "next_at": self.next_at.map(instant),
            "due_at": self.due_at.map(instant),
            "last_at": self.last_at.map(instant),
            "queued_at": self.queued_at.map(instant),
            "created_at": instant(self.created_at),
            "options": {
                "cron": options.cron,
                "timezone": options.timezone,
                "message": message,
                "misfire": misfire,
                "overlap": overlap,
                "start_at": options.start.map(instant),
                "end_at": options.end.map(instant),
                "jitter_ms": millis(options.jitter),
                "grace_ms": millis(options.grace),
            },
        })
    }
}

impl ToJson for ScheduleRun {
    fn to_json(&self) -> Value {
        json!({
            "run": self.run,
            "status": self.status,
            "occurrence_at": self.occurrence_at.map(instant),
            "until_at": self.until_at.map(instant),
            "at": instant(self.at),
            "message_id": self.message_id,
            "error": self.error,
        })
    }
}
