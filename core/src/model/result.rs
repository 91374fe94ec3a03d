//! What came of a message for one subscriber.

use std::time::SystemTime;

/// What came of a message for one subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliveryResult {
    /// The subscriber acked it with this reply.
    Replied(ReplyView),
    /// It is settled without a reply: acked or cancelled, passed over, or its reply has expired.
    Settled,
    /// It ran out of attempts. A redrive may still bring a reply.
    DeadLettered,
    /// Nothing yet.
    Unsettled,
}

/// A reply as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplyView {
    /// The bytes of the reply.
    pub payload: Vec<u8>,
    /// What the payload is.
    pub content_type: Option<String>,
    /// When the message was acked.
    pub replied_at: SystemTime,
    /// Until when the reply is kept.
    pub expires_at: SystemTime,
}
