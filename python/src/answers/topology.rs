//! Topics and subscribers.

use blockqueue::{
    BacklogLimit, BacklogPolicy, Filter, OnDead, OnExpiry, RateLimit, Retention, RetryPolicy,
    Subscriber, SubscriberOptions, Topic, TopicOptions,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::{Answer, model};

impl Answer for Topic {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "Topic", {
            id: self.id,
            name: self.name,
            options: self.options.to_python(py)?,
            paused: self.paused,
            created_at: self.created_at,
        })
    }
}

impl Answer for TopicOptions {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "TopicOptions", {
            retention: self.retention.to_python(py)?,
            backlog_limit: self.backlog_limit.to_python(py)?,
            idempotency_window: self.idempotency_window,
            ttl: self.ttl,
        })
    }
}

impl Answer for Retention {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Duration(duration) => model!(py, "Retention", { duration: duration, }),
            Self::Count(count) => model!(py, "Retention", { count: count, }),
            Self::Bytes(bytes) => model!(py, "Retention", { bytes: bytes, }),
            _ => model!(py, "Retention", {}),
        }
    }
}

impl Answer for BacklogLimit {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let policy = match self.policy {
            BacklogPolicy::DropOldest => "drop_oldest",
            _ => "refuse",
        };
        model!(py, "BacklogLimit", {
            messages: self.messages,
            bytes: self.bytes,
            age: self.age,
            policy: policy,
        })
    }
}

impl Answer for Subscriber {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "Subscriber", {
            id: self.id,
            topic: self.topic,
            name: self.name,
            options: self.options.to_python(py)?,
            paused: self.paused,
            created_at: self.created_at,
        })
    }
}

impl Answer for SubscriberOptions {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "SubscriberOptions", {
            max_attempts: self.max_attempts,
            lease: self.lease,
            claim_limit: self.claim_limit,
            retry: self.retry.to_python(py)?,
            ordered: self.ordered,
            on_dead: if self.on_dead == OnDead::Block { "block" } else { "skip" },
            filter: self.filter.map(|filter| from_json(py, &filter)).transpose()?,
            on_expiry: if self.on_expiry == OnExpiry::DeadLetter { "dead_letter" } else { "skip" },
            leased_max: self.leased_max,
            rate: self.rate.map(|rate| rate.to_python(py)).transpose()?,
            leased_per_key_max: self.leased_per_key_max,
        })
    }
}

/// A filter as a dictionary.
fn from_json<'py>(py: Python<'py>, filter: &Filter) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS.import(py, "json", "loads")?.call1((filter.to_string(),))
}

impl Answer for RateLimit {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "RateLimit", { count: self.count, interval: self.interval, })
    }
}

impl Answer for RetryPolicy {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "RetryPolicy", {
            initial: self.initial,
            max: self.max,
            multiplier: self.multiplier,
            jitter: self.jitter,
        })
    }
}
