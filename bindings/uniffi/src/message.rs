//! What is published, and the answer.

use std::collections::HashMap;

use blockqueue::Result;

use crate::bytes::Bytes;
use crate::number::{instant, maybe_duration, millis, priority, signed};

/// A message to publish.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct Message {
    /// Any bytes, also none. At most 1 MiB unless the queue was opened with more.
    pub payload: Bytes,
    /// What the payload is, for example `application/json`.
    #[uniffi(default)]
    pub content_type: Option<String>,
    /// Unique names and their values; order is not kept.
    #[uniffi(default)]
    pub headers: HashMap<String, String>,
    /// Ties the message to others, for example to a request.
    #[uniffi(default)]
    pub correlation_id: Option<String>,
    /// −1000 to 1000; higher is delivered first, and lower ones may starve. Default 0.
    #[uniffi(default)]
    pub priority: i32,
    /// Deliver it this long after now. Not together with `deliver_at_ms`.
    #[uniffi(default)]
    pub delay_ms: Option<i64>,
    /// Deliver it at this time; a time in the past means now. Not together with `delay_ms`.
    #[uniffi(default)]
    pub deliver_at_ms: Option<i64>,
    /// A repeat of the key within the topic's window publishes nothing and returns the first id.
    #[uniffi(default)]
    pub idempotency_key: Option<String>,
    /// Messages of one key go to a subscriber that asks for order one at a time; 1 to 255 bytes.
    #[uniffi(default)]
    pub ordering_key: Option<String>,
    /// It is not delivered any more this long after it was published, its delay included; 1 ms to ten
    /// years. Default: the topic's.
    #[uniffi(default)]
    pub ttl_ms: Option<i64>,
    /// While some subscriber is not done with a message of this key, the topic takes no other of it.
    #[uniffi(default)]
    pub unique_key: Option<String>,
}

impl Message {
    pub(crate) fn into_core(self) -> Result<blockqueue::Message> {
        let mut message = blockqueue::Message::new(self.payload.0);
        message.content_type = self.content_type;
        message.headers = self.headers.into_iter().collect();
        message.correlation_id = self.correlation_id;
        message.priority = priority(self.priority);
        message.delay = maybe_duration("delay", self.delay_ms)?;
        message.deliver_at = self.deliver_at_ms.map(instant);
        message.idempotency_key = self.idempotency_key;
        message.ordering_key = self.ordering_key;
        message.ttl = maybe_duration("ttl", self.ttl_ms)?;
        message.unique_key = self.unique_key;
        Ok(message)
    }

    pub(crate) fn from_core(message: blockqueue::Message) -> Self {
        Self {
            payload: Bytes(message.payload),
            content_type: message.content_type,
            headers: message.headers.into_iter().collect(),
            correlation_id: message.correlation_id,
            priority: message.priority.into(),
            delay_ms: message.delay.map(crate::number::duration_millis),
            deliver_at_ms: message.deliver_at.map(millis),
            idempotency_key: message.idempotency_key,
            ordering_key: message.ordering_key,
            ttl_ms: message.ttl.map(crate::number::duration_millis),
            unique_key: message.unique_key,
        }
    }
}

/// The answer to a publish.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Published {
    /// The message's id, for all its life.
    pub id: String,
    /// The idempotency key was used before: nothing was published, this is the first message's id.
    pub duplicate: bool,
    /// When it will become deliverable, if that is not now.
    pub deliver_at_ms: Option<i64>,
    /// Subscribers that the topic has now, each of which will get it.
    pub subscriber_count: i64,
}

impl From<blockqueue::Published> for Published {
    fn from(published: blockqueue::Published) -> Self {
        Self {
            id: published.id.to_string(),
            duplicate: published.duplicate,
            deliver_at_ms: published.deliver_at.map(millis),
            subscriber_count: signed(published.subscriber_count),
        }
    }
}
