//! Messages and deliveries as people look at them, and what became of them.

use blockqueue::{
    DeadLetter, DeliveryResult, DeliveryState, DeliveryStatus, Failure, MessageStatus, MessageView,
    Nacked, Peeked, Sought,
};
use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::{Answer, model};

/// The words of `blockqueue.DeliveryState`.
fn word(state: DeliveryState) -> PyResult<&'static str> {
    Ok(match state {
        DeliveryState::Pending => "pending",
        DeliveryState::Leased => "leased",
        DeliveryState::Retrying => "retrying",
        DeliveryState::Parked => "parked",
        DeliveryState::DeadLettered => "dead_lettered",
        DeliveryState::Settled => "settled",
        other => return Err(PyNotImplementedError::new_err(format!("no word for {other:?}"))),
    })
}

impl Answer for MessageView {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "MessageView", {
            id: self.id.to_string(),
            payload: PyBytes::new(py, &self.payload),
            content_type: self.content_type,
            headers: self.headers,
            correlation_id: self.correlation_id,
            idempotency_key: self.idempotency_key,
            ordering_key: self.ordering_key,
            priority: self.priority,
            accepted_at: self.accepted_at,
            deliver_at: self.deliver_at,
            expires_at: self.expires_at,
        })
    }
}

impl Answer for MessageStatus {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "MessageStatus", {
            message: self.message.to_python(py)?,
            delayed: self.delayed,
            deliveries: self.deliveries.to_python(py)?,
        })
    }
}

impl Answer for DeliveryStatus {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "DeliveryStatus", {
            subscriber_id: self.subscriber_id,
            subscriber: self.subscriber,
            state: word(self.state)?,
            attempts: self.attempts,
            failures: self.failures,
            ready_at: self.ready_at,
        })
    }
}

impl Answer for Peeked {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "Peeked", {
            message: self.message.to_python(py)?,
            status: self.status.to_python(py)?,
        })
    }
}

impl Answer for DeadLetter {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "DeadLetter", {
            message: self.message.to_python(py)?,
            attempts: self.attempts,
            failures: self.failures,
            error: self.error,
            dead_at: self.dead_at,
        })
    }
}

impl Answer for Failure {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "Failure", {
            failure: self.failure,
            error: self.error,
            failed_at: self.failed_at,
        })
    }
}

impl Answer for Nacked {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "Nacked", { state: word(self.state)?, ready_at: self.ready_at, })
    }
}

impl Answer for Sought {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "Sought", {
            clamped: self.clamped,
            replayed_count: self.replayed_count,
            skipped_count: self.skipped_count,
            exact: self.exact,
        })
    }
}

impl Answer for DeliveryResult {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let state = match self {
            Self::Replied(reply) => {
                return model!(py, "DeliveryResult", {
                    state: "replied",
                    payload: PyBytes::new(py, &reply.payload),
                    content_type: reply.content_type,
                    replied_at: reply.replied_at,
                    expires_at: reply.expires_at,
                });
            }
            Self::Settled => "settled",
            Self::DeadLettered => "dead_lettered",
            Self::Unsettled => "unsettled",
            other => return Err(PyNotImplementedError::new_err(format!("no word for {other:?}"))),
        };
        model!(py, "DeliveryResult", { state: state, })
    }
}
