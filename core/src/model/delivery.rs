//! Messages and deliveries, as they are handed out and looked at.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use super::{MessageId, Receipt};

/// The answer to a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// The message's id, for all its life.
    pub id: MessageId,
    /// The idempotency key was used before: nothing was published, this is the first message's id.
    pub duplicate: bool,
    /// When it will become deliverable, if that is not now.
    pub deliver_at: Option<SystemTime>,
    /// Subscribers that the topic has now, each of which will get it.
    pub subscriber_count: usize,
}

/// A message leased to this consumer. Settle it with its receipt before the lease expires.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The subscriber's name.
    pub subscriber: Arc<str>,
    /// The message's id.
    pub message_id: MessageId,
    /// The right to settle this delivery.
    pub receipt: Receipt,
    /// The bytes that were published.
    pub payload: Vec<u8>,
    /// What the payload is.
    pub content_type: Option<String>,
    /// The headers that were published.
    pub headers: BTreeMap<String, String>,
    /// What the publisher tied the message to.
    pub correlation_id: Option<String>,
    /// What the message is in order with.
    pub ordering_key: Option<String>,
    /// The message's priority.
    pub priority: i16,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Attempts that ended badly so far.
    pub failures: u32,
    /// When the message became deliverable.
    pub published_at: SystemTime,
    /// When the message expires, if it does. A delivery that is leased by then may still be settled.
    pub expires_at: Option<SystemTime>,
    /// When the lease expires.
    pub lease_expires_at: SystemTime,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("topic", &self.topic)
            .field("subscriber", &self.subscriber)
            .field("message_id", &self.message_id)
            .field("attempt", &self.attempt)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeliveryState {
    /// Not claimed yet.
    Pending,
    /// Leased to a consumer.
    Leased,
    /// Waiting for its next attempt, or ready for it.
    Retrying,
    /// Waiting behind another delivery of its ordering key.
    Parked,
    /// Out of attempts, kept for people.
    DeadLettered,
    /// Done: acked, cancelled or skipped.
    Settled,
}

/// What a nack led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nacked {
    /// [`DeliveryState::Retrying`] or [`DeliveryState::DeadLettered`].
    pub state: DeliveryState,
    /// When it can be claimed again, if it can.
    pub ready_at: Option<SystemTime>,
}

/// A message as people look at it: without a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageView {
    /// The message's id.
    pub id: MessageId,
    /// The bytes that were published.
    pub payload: Vec<u8>,
    /// What the payload is.
    pub content_type: Option<String>,
    /// The headers that were published.
    pub headers: BTreeMap<String, String>,
    /// What the publisher tied the message to.
    pub correlation_id: Option<String>,
    /// The key that makes a repeat harmless, while it is remembered.
    pub idempotency_key: Option<String>,
    /// What the message is in order with.
    pub ordering_key: Option<String>,
    /// The message's priority.
    pub priority: i16,
    /// When it was accepted.
    pub accepted_at: SystemTime,
    /// When it became deliverable, or will.
    pub deliver_at: SystemTime,
    /// When it expires, if it does.
    pub expires_at: Option<SystemTime>,
}

/// A message and where it stands with every subscriber of its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageStatus {
    /// The message.
    pub message: MessageView,
    /// It waits for its time.
    pub delayed: bool,
    /// Where it stands, by subscriber. Subscribers that began after it are left out.
    pub deliveries: Vec<DeliveryStatus>,
}

/// Where a message stands with one subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryStatus {
    /// The subscriber's number.
    pub subscriber_id: u64,
    /// The subscriber's name.
    pub subscriber: String,
    /// The state.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// Attempts that ended badly so far.
    pub failures: u32,
    /// When it can be claimed, or could; for a leased one when its lease expires.
    pub ready_at: Option<SystemTime>,
}

/// A pending or leased delivery as people look at it: without a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peeked {
    /// The message.
    pub message: MessageView,
    /// Where it stands.
    pub status: DeliveryStatus,
}

/// A delivery that ran out of attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The message.
    pub message: MessageView,
    /// Attempts made.
    pub attempts: u32,
    /// Attempts that ended badly.
    pub failures: u32,
    /// The last error, if one was given.
    pub error: Option<String>,
    /// When it was given up.
    pub dead_at: SystemTime,
}

/// One attempt that ended badly.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Which failure this was, from 1.
    pub failure: u32,
    /// What went wrong, if it was said.
    pub error: Option<String>,
    /// When.
    pub failed_at: SystemTime,
}

/// What a seek did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sought {
    /// The place asked for is below what retention keeps: it begins at the oldest message kept.
    pub clamped: bool,
    /// Messages that were claimed or skipped before and are delivered again; an upper bound unless `exact`.
    pub replayed_count: u64,
    /// Messages not claimed before that are passed over; an upper bound unless `exact`.
    pub skipped_count: u64,
    /// Whether the two counts are exact.
    pub exact: bool,
}
