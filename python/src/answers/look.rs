//! The queue in numbers.

use blockqueue::{
    BackupProgress, CursorStats, Diagnosis, EngineStats, LogStats, SubscriberStats, TopicStats,
};
use pyo3::prelude::*;

use super::{Answer, model};

impl Answer for TopicStats {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "TopicStats", {
            topic: self.topic,
            paused: self.paused,
            published_count: self.published_count,
            delayed_count: self.delayed_count,
            retained_count: self.retained_count,
            retained_bytes: self.retained_bytes,
            logs: self.logs.to_python(py)?,
            subscribers: self.subscribers.to_python(py)?,
        })
    }
}

impl Answer for LogStats {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "LogStats", {
            priority: self.priority,
            last_sequence: self.last_sequence,
            trimmed_sequence: self.trimmed_sequence,
        })
    }
}

impl Answer for SubscriberStats {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "SubscriberStats", {
            topic: self.topic,
            subscriber: self.subscriber,
            paused: self.paused,
            pending_count: self.pending_count,
            pending_bytes: self.pending_bytes,
            ready_count: self.ready_count,
            leased_count: self.leased_count,
            retrying_count: self.retrying_count,
            parked_count: self.parked_count,
            dead_count: self.dead_count,
            exact: self.exact,
            oldest_age: self.oldest_age,
            cursors: self.cursors.to_python(py)?,
            claimed_count: self.claimed_count,
            acked_count: self.acked_count,
            nacked_count: self.nacked_count,
            expired_count: self.expired_count,
            ttl_expired_count: self.ttl_expired_count,
            filtered_count: self.filtered_count,
            dropped_count: self.dropped_count,
        })
    }
}

impl Answer for CursorStats {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "CursorStats", {
            priority: self.priority,
            sequence: self.sequence,
            last_sequence: self.last_sequence,
        })
    }
}

impl Answer for EngineStats {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "EngineStats", {
            commits: self.commits,
            operations: self.operations,
            failed_commits: self.failed_commits,
            commits_by_size: self.commits_by_size,
            commits_by_duration: self.commits_by_duration,
            commit_time: self.commit_time,
            waiting_claims: self.waiting_claims,
            file_bytes: self.file_bytes,
            wal_bytes: self.wal_bytes,
        })
    }
}

impl Answer for BackupProgress {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "BackupProgress", { bytes_done: self.bytes_done, bytes_total: self.bytes_total, })
    }
}

impl Answer for Diagnosis {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "Diagnosis", {
            schema_version: self.schema_version,
            sqlite_version: self.sqlite_version,
            file_bytes: self.file_bytes,
            wal_bytes: self.wal_bytes,
            free_bytes: self.free_bytes,
            problems: self.problems,
            advice: self.advice,
        })
    }
}
