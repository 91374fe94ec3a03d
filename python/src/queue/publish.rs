//! Publish.

use std::collections::BTreeMap;

use pyo3::prelude::*;

use super::Queue;
use crate::arguments::{Instant, MessageFields, Messages, Seconds, new_message};
use crate::pending::Pending;

#[pymethods]
impl Queue {
    #[expect(clippy::too_many_arguments, reason = "the fields of a message")]
    fn publish(
        &self,
        topic: &str,
        payload: &Bound<'_, PyAny>,
        content_type: Option<String>,
        headers: Option<BTreeMap<String, String>>,
        correlation_id: Option<String>,
        priority: i16,
        delay: Option<Seconds>,
        deliver_at: Option<Instant>,
        idempotency_key: Option<String>,
        ordering_key: Option<String>,
        unique_key: Option<String>,
        ttl: Option<Seconds>,
    ) -> PyResult<Pending> {
        let fields = MessageFields {
            content_type,
            headers,
            correlation_id,
            priority,
            delay,
            deliver_at,
            idempotency_key,
            ordering_key,
            unique_key,
            ttl,
        };
        Ok(Pending::new(self.0.publish(topic, new_message(payload, fields)?)))
    }

    fn publish_many(&self, topic: &str, messages: Messages) -> Pending {
        Pending::new(self.0.publish_batch(topic, messages.0))
    }
}
