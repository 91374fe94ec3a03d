//! What a consumer answers to a message.

use std::time::Duration;

use super::rules::{at_most, not_longer};
use crate::error::{Result, positive};
use crate::limits;

/// A reply to store together with an ack, for whoever waits for the message's result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Reply {
    /// Any bytes, also none. At most 1 MiB.
    pub payload: Vec<u8>,
    /// What the payload is, for example `application/json`; at most 255 bytes.
    pub content_type: Option<String>,
    /// How long it is kept. Default 1 h; 1 ms to 31 days.
    pub ttl: Option<Duration>,
}

impl Reply {
    /// A reply with this payload and nothing else.
    pub fn new(payload: impl Into<Vec<u8>>) -> Self {
        Self { payload: payload.into(), ..Self::default() }
    }

    setters! {
        /// Sets how long it is kept.
        with_ttl: ttl = Duration;
    }

    text_setters! {
        /// Says what the payload is.
        with_content_type: content_type;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        at_most("payload", self.payload.len(), limits::REPLY_BYTES_MAX)?;
        if let Some(content_type) = &self.content_type {
            at_most("content_type", content_type.len(), limits::REPLY_TYPE_BYTES_MAX)?;
        }
        match self.ttl {
            Some(ttl) => {
                positive("ttl", ttl)?;
                not_longer("ttl", ttl, limits::REPLY_TTL_MAX)
            }
            None => Ok(()),
        }
    }
}
