//! Schedules.

use blockqueue::{Message, MisfirePolicy, OverlapPolicy, ScheduleOptions};
use pyo3::prelude::*;

use super::message::message_or_payload;
use super::{Instant, Seconds};
use crate::error::invalid_argument;

/// `blockqueue.ScheduleOptions`.
#[derive(FromPyObject)]
pub(crate) struct ScheduleArgument {
    cron: String,
    timezone: String,
    message: MessageOrPayload,
    misfire: Misfire,
    overlap: Overlap,
    start: Option<Instant>,
    end: Option<Instant>,
    jitter: Seconds,
    grace: Seconds,
}

impl ScheduleArgument {
    pub(crate) fn into_core(self) -> ScheduleOptions {
        let mut options = ScheduleOptions::new(self.cron, self.message.0)
            .with_timezone(self.timezone)
            .with_misfire(self.misfire.0)
            .with_overlap(self.overlap.0)
            .with_jitter(self.jitter.0)
            .with_grace(self.grace.0);
        options.start = self.start.map(|start| start.0);
        options.end = self.end.map(|end| end.0);
        options
    }
}

struct MessageOrPayload(Message);

impl<'py> FromPyObject<'_, 'py> for MessageOrPayload {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        message_or_payload(&value).map(Self)
    }
}

/// `"skip"`, `"once"`, or how many of the newest.
struct Misfire(MisfirePolicy);

impl<'py> FromPyObject<'_, 'py> for Misfire {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.extract() {
            Ok("skip") => Ok(Self(MisfirePolicy::Skip)),
            Ok("once") => Ok(Self(MisfirePolicy::Once)),
            Ok(_) => Err(invalid_argument(value.py(), "misfire is skip, once, or a number")),
            Err(_) => Ok(Self(MisfirePolicy::All { limit: value.extract()? })),
        }
    }
}

struct Overlap(OverlapPolicy);

impl<'py> FromPyObject<'_, 'py> for Overlap {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.extract()? {
            "allow" => Ok(Self(OverlapPolicy::Allow)),
            "skip" => Ok(Self(OverlapPolicy::Skip)),
            "queue" => Ok(Self(OverlapPolicy::Queue)),
            _ => Err(invalid_argument(value.py(), "overlap is allow, skip or queue")),
        }
    }
}
