//! Messages and deliveries.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blockqueue::{
    Delivery, DeliveryState, DeliveryStatus, Error, Message, MessageId, MessageView, Published,
    Receipt, SeekTo, Subscriber,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::{Instant, Span, optional, time};
use crate::http::payload;
use crate::http::v1::Problem;

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageIn {
    /// The payload as text; or `payload_base64`.
    pub(super) message: Option<String>,
    pub(super) payload_base64: Option<String>,
    pub(super) content_type: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) correlation_id: Option<String>,
    pub(super) idempotency_key: Option<String>,
    /// While some subscriber is not done with a message of this key, another of it is refused.
    pub(super) unique_key: Option<String>,
    #[serde(default)]
    pub(super) priority: i16,
    pub(super) delay: Option<Span>,
    pub(super) schedule_at: Option<Instant>,
    /// Messages of one key go to an ordered subscriber one at a time.
    pub(super) key: Option<String>,
    /// Not delivered any more this long after it was published.
    pub(super) ttl: Option<Span>,
}

impl MessageIn {
    pub(crate) fn into_message(self) -> Result<Message, Problem> {
        let payload = payload_of(self.message, self.payload_base64)?;
        let mut message =
            Message::new(payload).with_headers(self.headers).with_priority(self.priority);
        message.content_type = self.content_type;
        message.correlation_id = self.correlation_id;
        message.idempotency_key = self.idempotency_key;
        message.ordering_key = self.key;
        message.ttl = optional(self.ttl.as_ref(), "ttl")?;
        message.unique_key = self.unique_key;
        message.delay = optional(self.delay.as_ref(), "delay")?;
        message.deliver_at = self.schedule_at.map(|at| at.time("schedule_at")).transpose()?;
        Ok(message)
    }
}

/// A payload that is given as text or as base64.
pub(crate) fn payload_of(text: Option<String>, base64: Option<String>) -> Result<Vec<u8>, Problem> {
    match (text, base64) {
        (Some(text), None) => Ok(text.into_bytes()),
        (None, Some(base64)) => {
            STANDARD.decode(base64).map_err(|_| Problem::invalid("payload_base64 is not base64"))
        }
        _ => Err(Problem::invalid("one of message and payload_base64 is needed")),
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublishedOut {
    #[schema(value_type = String)]
    pub message_id: MessageId,
    state: &'static str,
    duplicate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<String>,
    subscriber_count: usize,
}

impl From<Published> for PublishedOut {
    fn from(published: Published) -> Self {
        Self {
            message_id: published.id,
            state: "persisted",
            duplicate: published.duplicate,
            scheduled_at: published.deliver_at.map(time),
            subscriber_count: published.subscriber_count,
        }
    }
}

/// A message as people look at it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageOut {
    #[schema(value_type = String)]
    id: MessageId,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
    correlation_id: Option<String>,
    idempotency_key: Option<String>,
    key: Option<String>,
    priority: i16,
    scheduled_at: String,
    created_at: String,
    expires_at: Option<String>,
}

impl From<MessageView> for MessageOut {
    fn from(view: MessageView) -> Self {
        let (message, encoding) = payload::encode(view.payload);
        Self {
            id: view.id,
            message,
            encoding,
            content_type: view.content_type,
            headers: view.headers,
            correlation_id: view.correlation_id,
            idempotency_key: view.idempotency_key,
            key: view.ordering_key,
            priority: view.priority,
            scheduled_at: time(view.deliver_at),
            created_at: time(view.accepted_at),
            expires_at: view.expires_at.map(time),
        }
    }
}

/// Where a message stands with one subscriber.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryOut {
    subscriber_id: u64,
    subscriber: String,
    status: &'static str,
    delivery_count: u32,
    failure_count: u32,
    visible_at: Option<String>,
}

impl From<DeliveryStatus> for DeliveryOut {
    fn from(delivery: DeliveryStatus) -> Self {
        Self {
            subscriber_id: delivery.subscriber_id,
            subscriber: delivery.subscriber,
            status: status(delivery.state),
            delivery_count: delivery.attempts,
            failure_count: delivery.failures,
            visible_at: delivery.ready_at.map(time),
        }
    }
}

/// A state in the words of the wire.
pub(crate) fn status(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Pending => "pending",
        DeliveryState::Leased => "leased",
        DeliveryState::Retrying => "retrying",
        DeliveryState::Parked => "parked",
        DeliveryState::DeadLettered => "dead_letter",
        _ => "processed",
    }
}

/// A delivery leased to the caller.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClaimedOut {
    topic: String,
    subscriber: String,
    #[schema(value_type = String)]
    id: MessageId,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
    correlation_id: Option<String>,
    key: Option<String>,
    status: &'static str,
    delivery_count: u32,
    failure_count: u32,
    priority: i16,
    receipt_token: String,
    lease_expires_at: String,
    visible_at: String,
    created_at: String,
    expires_at: Option<String>,
}

impl From<Delivery> for ClaimedOut {
    fn from(delivery: Delivery) -> Self {
        let (message, encoding) = payload::encode(delivery.payload);
        let lease_expires_at = time(delivery.lease_expires_at);
        Self {
            topic: delivery.topic.to_string(),
            subscriber: delivery.subscriber.to_string(),
            id: delivery.message_id,
            message,
            encoding,
            content_type: delivery.content_type,
            headers: delivery.headers,
            correlation_id: delivery.correlation_id,
            key: delivery.ordering_key,
            status: status(DeliveryState::Leased),
            delivery_count: delivery.attempt,
            failure_count: delivery.failures,
            priority: delivery.priority,
            receipt_token: delivery.receipt.to_string(),
            visible_at: lease_expires_at.clone(),
            lease_expires_at,
            created_at: time(delivery.published_at),
            expires_at: delivery.expires_at.map(time),
        }
    }
}

pub(crate) fn message_id(text: &str) -> Result<MessageId, Problem> {
    Ok(text.parse()?)
}

/// A receipt of the message named beside it and of the subscriber of the path: whoever may settle for one
/// subscriber must not reach another's deliveries through it.
pub(crate) fn receipt_of(token: &str, id: &str, of: &Subscriber) -> Result<Receipt, Problem> {
    let receipt: Receipt = token.parse()?;
    if receipt.message_id() != message_id(id)? {
        return Err(Problem::invalid("the receipt is that of another message"));
    }
    if receipt.subscriber_id() != of.id {
        return Err(Error::LeaseLost { id: receipt.message_id() }.into());
    }
    Ok(receipt)
}

/// A place to seek to, in words.
pub(crate) fn seek_to(text: &str) -> Result<SeekTo, Problem> {
    match text {
        "earliest" => Ok(SeekTo::Earliest),
        "latest" => Ok(SeekTo::Latest),
        _ => match text.parse::<MessageId>() {
            Ok(id) => Ok(SeekTo::Message(id)),
            Err(_) => Ok(SeekTo::Time(Instant::Text(text.to_owned()).time("to")?)),
        },
    }
}
