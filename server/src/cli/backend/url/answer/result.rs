//! What came of a message for one subscriber.

use serde::Deserialize;

use super::{Text, misunderstood};
use crate::cli::failure::Outcome;
use crate::cli::view::{self, Moment};

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(in super::super) enum MessageResult {
    Replied(Reply),
    Processed,
    DeadLetter,
    Pending,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
pub(in super::super) struct Reply {
    #[serde(flatten)]
    text: Text,
    content_type: Option<String>,
    replied_at: Moment,
    expires_at: Moment,
}

impl MessageResult {
    pub(in super::super) fn into_view(self) -> Outcome<view::MessageResult> {
        Ok(match self {
            Self::Replied(reply) => view::MessageResult::replied(view::Reply {
                payload: reply.text.into_payload()?,
                content_type: reply.content_type,
                replied_at: reply.replied_at,
                expires_at: reply.expires_at,
            }),
            Self::Processed => view::MessageResult::without("settled"),
            Self::DeadLetter => view::MessageResult::without("dead_lettered"),
            Self::Pending => view::MessageResult::without("unsettled"),
            Self::Other => return Err(misunderstood("a status unknown here")),
        })
    }
}
