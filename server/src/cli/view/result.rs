//! What came of a message for one subscriber.

use blockqueue::DeliveryResult;
use serde::Serialize;

use super::{Moment, Payload};

/// What came of a message for one subscriber.
#[derive(Debug, Serialize)]
pub(crate) struct MessageResult {
    /// `replied`, `settled`, `dead_lettered` or `unsettled`.
    pub(crate) state: &'static str,
    /// The reply, if there is one.
    #[serde(flatten)]
    pub(crate) reply: Option<Reply>,
}

/// A reply of a subscriber.
#[derive(Debug, Serialize)]
pub(crate) struct Reply {
    /// What was replied.
    #[serde(flatten)]
    pub(crate) payload: Payload,
    /// What the payload is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    /// When the message was acked.
    pub(crate) replied_at: Moment,
    /// Until when the reply is kept.
    pub(crate) expires_at: Moment,
}

impl MessageResult {
    /// Without a reply.
    pub(crate) const fn without(state: &'static str) -> Self {
        Self { state, reply: None }
    }

    /// With a reply.
    pub(crate) const fn replied(reply: Reply) -> Self {
        Self { state: "replied", reply: Some(reply) }
    }
}

impl From<DeliveryResult> for MessageResult {
    fn from(result: DeliveryResult) -> Self {
        match result {
            DeliveryResult::Replied(reply) => Self::replied(Reply {
                payload: Payload(reply.payload),
                content_type: reply.content_type,
                replied_at: Moment(reply.replied_at),
                expires_at: Moment(reply.expires_at),
            }),
            DeliveryResult::Settled => Self::without("settled"),
            DeliveryResult::DeadLettered => Self::without("dead_lettered"),
            _ => Self::without("unsettled"),
        }
    }
}
