//! Messages as people look at them.

use serde::Deserialize;

use super::Text;
use crate::cli::failure::Outcome;
use crate::cli::view::{self, Headers, Moment};

#[derive(Deserialize)]
pub(in super::super) struct Published {
    message_id: String,
    duplicate: bool,
    scheduled_at: Option<Moment>,
}

impl From<Published> for view::Published {
    fn from(published: Published) -> Self {
        Self {
            id: published.message_id,
            duplicate: published.duplicate,
            deliver_at: published.scheduled_at,
        }
    }
}

#[derive(Deserialize)]
pub(in super::super) struct Message {
    id: String,
    #[serde(flatten)]
    text: Text,
    content_type: Option<String>,
    headers: Headers,
    correlation_id: Option<String>,
    idempotency_key: Option<String>,
    key: Option<String>,
    priority: i16,
    scheduled_at: Option<Moment>,
    created_at: Option<Moment>,
    expires_at: Option<Moment>,
}

impl Message {
    fn into_view(self) -> Outcome<view::Message> {
        Ok(view::Message {
            id: self.id,
            payload: self.text.into_payload()?,
            content_type: self.content_type,
            headers: self.headers,
            correlation_id: self.correlation_id,
            idempotency_key: self.idempotency_key,
            ordering_key: self.key,
            priority: self.priority,
            accepted_at: self.created_at,
            deliver_at: self.scheduled_at,
            expires_at: self.expires_at,
        })
    }
}

#[derive(Deserialize)]
pub(in super::super) struct DeliveryStatus {
    subscriber: String,
    status: String,
    #[serde(default)]
    delivery_count: u32,
    #[serde(default)]
    failure_count: u32,
    visible_at: Option<Moment>,
}

impl From<DeliveryStatus> for view::DeliveryStatus {
    fn from(status: DeliveryStatus) -> Self {
        Self {
            subscriber: status.subscriber,
            state: state(status.status),
            attempts: status.delivery_count,
            failures: status.failure_count,
            ready_at: status.visible_at,
        }
    }
}

/// The words of the wire that differ from the queue's own.
fn state(word: String) -> String {
    match word.as_str() {
        "dead_letter" => "dead_lettered".to_owned(),
        "processed" | "cancelled" => "settled".to_owned(),
        _ => word,
    }
}

#[derive(Deserialize)]
pub(in super::super) struct MessageStatus {
    #[serde(flatten)]
    message: Message,
    deliveries: Vec<DeliveryStatus>,
}

impl MessageStatus {
    pub(in super::super) fn into_view(self) -> Outcome<view::MessageStatus> {
        let deliveries = self.deliveries.into_iter().map(Into::into).collect();
        Ok(view::MessageStatus { message: self.message.into_view()?, deliveries })
    }
}

#[derive(Deserialize)]
pub(in super::super) struct Messages<T> {
    pub(in super::super) messages: Vec<T>,
    pub(in super::super) next_cursor: Option<String>,
}

#[derive(Deserialize)]
pub(in super::super) struct Peeked {
    #[serde(flatten)]
    message: Message,
    #[serde(flatten)]
    status: DeliveryStatus,
}

impl Peeked {
    pub(in super::super) fn into_view(self) -> Outcome<view::Peeked> {
        Ok(view::Peeked { message: self.message.into_view()?, status: self.status.into() })
    }
}

#[derive(Deserialize)]
pub(in super::super) struct Letter {
    #[serde(flatten)]
    message: Message,
    delivery_count: u32,
    failure_count: u32,
    error: Option<String>,
    dead_at: Option<Moment>,
}

impl Letter {
    pub(in super::super) fn into_view(self) -> Outcome<view::DeadLetter> {
        Ok(view::DeadLetter {
            message: self.message.into_view()?,
            attempts: self.delivery_count,
            failures: self.failure_count,
            error: self.error,
            dead_at: self.dead_at,
        })
    }
}

#[derive(Deserialize)]
pub(in super::super) struct Count {
    pub(in super::super) count: u64,
}

#[derive(Deserialize)]
pub(in super::super) struct Failures {
    pub(in super::super) errors: Vec<FailedAttempt>,
    pub(in super::super) next_cursor: Option<String>,
}

#[derive(Deserialize)]
pub(in super::super) struct FailedAttempt {
    failure_count: u32,
    error: Option<String>,
    failed_at: Moment,
}

impl From<FailedAttempt> for view::FailedAttempt {
    fn from(failed: FailedAttempt) -> Self {
        Self { failure: failed.failure_count, error: failed.error, failed_at: failed.failed_at }
    }
}
