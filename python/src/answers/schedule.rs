//! Schedules, and what they did.

use blockqueue::{
    Message, MisfirePolicy, OverlapPolicy, RunStatus, Schedule, ScheduleOptions, ScheduleRun,
};
use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::{Answer, model};

impl Answer for Schedule {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "Schedule", {
            id: self.id,
            topic: self.topic,
            name: self.name,
            options: self.options.to_python(py)?,
            version: self.version,
            paused: self.paused,
            next_at: self.next_at,
            due_at: self.due_at,
            last_at: self.last_at,
            queued_at: self.queued_at,
            created_at: self.created_at,
        })
    }
}

impl Answer for ScheduleOptions {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let misfire = match self.misfire {
            MisfirePolicy::Skip => "skip".into_pyobject(py)?.into_any(),
            MisfirePolicy::All { limit } => limit.into_pyobject(py)?.into_any(),
            _ => "once".into_pyobject(py)?.into_any(),
        };
        let overlap = match self.overlap {
            OverlapPolicy::Allow => "allow",
            OverlapPolicy::Queue => "queue",
            _ => "skip",
        };
        model!(py, "ScheduleOptions", {
            cron: self.cron,
            message: self.message.to_python(py)?,
            timezone: self.timezone,
            misfire: misfire,
            overlap: overlap,
            start: self.start,
            end: self.end,
            jitter: self.jitter,
            grace: self.grace,
        })
    }
}

impl Answer for Message {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "Message", {
            payload: PyBytes::new(py, &self.payload),
            content_type: self.content_type,
            headers: self.headers,
            correlation_id: self.correlation_id,
            priority: self.priority,
            ordering_key: self.ordering_key,
            ttl: self.ttl,
        })
    }
}

impl Answer for ScheduleRun {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "ScheduleRun", {
            run: self.run,
            status: word(self.status)?,
            occurrence_at: self.occurrence_at,
            until_at: self.until_at,
            at: self.at,
            message_id: self.message_id.map(|id| id.to_string()),
            error: self.error,
        })
    }
}

/// The words of `blockqueue.RunStatus`.
fn word(status: RunStatus) -> PyResult<&'static str> {
    Ok(match status {
        RunStatus::Fired => "fired",
        RunStatus::Manual => "manual",
        RunStatus::Queued => "queued",
        RunStatus::SkippedMisfire => "skipped_misfire",
        RunStatus::SkippedOverlap => "skipped_overlap",
        RunStatus::Refused => "refused",
        RunStatus::Stopped => "stopped",
        other => return Err(PyNotImplementedError::new_err(format!("no word for {other:?}"))),
    })
}
