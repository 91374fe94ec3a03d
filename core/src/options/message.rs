//! What a message may carry.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::rules::{at_most, not_longer, ttl};
use crate::error::{Error, Result};
use crate::limits;

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Message {
    /// Any bytes, also none. At most 1 MiB unless the queue was opened with more.
    pub payload: Vec<u8>,
    /// What the payload is, for example `application/json`.
    pub content_type: Option<String>,
    /// Unique names and their values; order is not kept.
    pub headers: BTreeMap<String, String>,
    /// Ties the message to others, for example to a request.
    pub correlation_id: Option<String>,
    /// −1000 to 1000; higher is delivered first, and lower ones may starve. Default 0.
    pub priority: i16,
    /// Deliver it this long after now. Not together with `deliver_at`.
    pub delay: Option<Duration>,
    /// Deliver it at this time; a time in the past means now. Before the year 10000. Not together with `delay`.
    pub deliver_at: Option<SystemTime>,
    /// A repeat of the key within the topic's window publishes nothing and returns the first id.
    pub idempotency_key: Option<String>,
    /// Messages of one key go to a subscriber that asks for order one at a time; 1 to 255 bytes.
    pub ordering_key: Option<String>,
    /// It is not delivered any more this long after it was published, its delay included; 1 ms to ten
    /// years. Default: the topic's.
    pub ttl: Option<Duration>,
    /// While some subscriber is not done with a message of this key, the topic takes no other of it.
    /// See [`crate::Error::UniqueConflict`].
    pub unique_key: Option<String>,
}

impl Message {
    /// A message with this payload and nothing else.
    pub fn new(payload: impl Into<Vec<u8>>) -> Self {
        Self { payload: payload.into(), ..Self::default() }
    }

    setters! {
        /// Sets the priority.
        with_priority: priority = i16;
        /// Delays the delivery.
        with_delay: delay = Duration;
        /// Sets the time of delivery.
        with_deliver_at: deliver_at = SystemTime;
        /// Sets how long it may be delivered, from now on.
        with_ttl: ttl = Duration;
        /// Replaces all headers.
        with_headers: headers = BTreeMap<String, String>;
    }

    text_setters! {
        /// Says what the payload is.
        with_content_type: content_type;
        /// Ties the message to others.
        with_correlation_id: correlation_id;
        /// Makes a repeat of this publish harmless.
        with_idempotency_key: idempotency_key;
        /// Puts the message in order with others of this key.
        with_ordering_key: ordering_key;
        /// Refuses this message while an earlier one of the key is not settled.
        with_unique_key: unique_key;
    }

    /// Adds a header, or replaces it.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Bytes of payload, headers, content type and correlation id: what limits and statistics count.
    pub fn size_bytes(&self) -> usize {
        self.payload.len() + self.header_bytes()
    }

    fn header_bytes(&self) -> usize {
        let headers: usize =
            self.headers.iter().map(|(header, value)| header.len() + value.len()).sum();
        headers
            + self.content_type.as_ref().map_or(0, String::len)
            + self.correlation_id.as_ref().map_or(0, String::len)
    }

    pub(crate) fn validate(&self, payload_bytes_max: usize) -> Result<()> {
        at_most("payload", self.payload.len(), payload_bytes_max)?;
        if self.delay.is_some() && self.deliver_at.is_some() {
            return Err(Error::invalid("delay and deliver_at exclude each other"));
        }
        if let Some(delay) = self.delay {
            not_longer("delay", delay, limits::DELAY_MAX)?;
        }
        if self.deliver_at.is_some_and(|at| at > UNIX_EPOCH + limits::DELIVER_AT_MAX) {
            return Err(Error::invalid("deliver_at must be before the year 10000"));
        }
        if !(limits::PRIORITY_MIN..=limits::PRIORITY_MAX).contains(&self.priority) {
            return Err(Error::invalid("priority must be from -1000 to 1000"));
        }
        key("idempotency_key", self.idempotency_key.as_deref(), limits::KEY_BYTES_MAX)?;
        key("unique_key", self.unique_key.as_deref(), limits::KEY_BYTES_MAX)?;
        key("ordering_key", self.ordering_key.as_deref(), limits::ORDERING_KEY_BYTES_MAX)?;
        if let Some(life) = self.ttl {
            ttl(life)?;
        }
        if self.headers.contains_key("") {
            return Err(Error::invalid("a header must have a name"));
        }
        at_most("headers", self.header_bytes(), limits::HEADER_BYTES_MAX)
    }
}

fn key(what: &'static str, key: Option<&str>, bytes_max: usize) -> Result<()> {
    match key {
        Some("") => Err(Error::invalid(format!("{what} must not be empty"))),
        Some(key) => at_most(what, key.len(), bytes_max),
        None => Ok(()),
    }
}

impl From<&str> for Message {
    fn from(payload: &str) -> Self {
        Self::new(payload)
    }
}

impl From<String> for Message {
    fn from(payload: String) -> Self {
        Self::new(payload)
    }
}

impl From<&[u8]> for Message {
    fn from(payload: &[u8]) -> Self {
        Self::new(payload)
    }
}

impl From<Vec<u8>> for Message {
    fn from(payload: Vec<u8>) -> Self {
        Self::new(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_may_wait_until_the_end_of_the_year_9999_and_no_longer() {
        let at = |at: Duration| Message::new("x").with_deliver_at(UNIX_EPOCH + at).validate(1);
        assert!(at(limits::DELIVER_AT_MAX).is_ok());
        let error = at(limits::DELIVER_AT_MAX + Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.code(), "invalid_argument");
    }
}
