//! A message leased to this process.

use serde::Serialize;

use super::{Headers, Moment, Payload};

/// A leased message. The receipt is not shown: this process settles what it claims.
#[derive(Debug, Serialize)]
pub(crate) struct Delivery {
    /// The message's id.
    pub(crate) id: String,
    /// The right to settle this delivery.
    #[serde(skip)]
    pub(crate) receipt: String,
    /// The topic's name.
    pub(crate) topic: String,
    /// The subscriber's name.
    pub(crate) subscriber: String,
    /// What was published.
    #[serde(flatten)]
    pub(crate) payload: Payload,
    /// What the payload is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    /// The headers that were published.
    pub(crate) headers: Headers,
    /// What the publisher tied the message to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_id: Option<String>,
    /// What the message is in order with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ordering_key: Option<String>,
    /// The message's priority.
    pub(crate) priority: i16,
    /// Which attempt this is, from 1.
    pub(crate) attempt: u32,
    /// Attempts that ended badly so far.
    pub(crate) failures: u32,
    /// When the message became deliverable.
    pub(crate) published_at: Moment,
    /// When the message expires, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Moment>,
    /// When the lease expires.
    pub(crate) lease_expires_at: Moment,
}

impl From<blockqueue::Delivery> for Delivery {
    fn from(delivery: blockqueue::Delivery) -> Self {
        Self {
            id: delivery.message_id.to_string(),
            receipt: delivery.receipt.to_string(),
            topic: delivery.topic.as_ref().to_owned(),
            subscriber: delivery.subscriber.as_ref().to_owned(),
            payload: Payload(delivery.payload),
            content_type: delivery.content_type,
            headers: delivery.headers,
            correlation_id: delivery.correlation_id,
            ordering_key: delivery.ordering_key,
            priority: delivery.priority,
            attempt: delivery.attempt,
            failures: delivery.failures,
            published_at: Moment(delivery.published_at),
            expires_at: delivery.expires_at.map(Moment),
            lease_expires_at: Moment(delivery.lease_expires_at),
        }
    }
}
