//! Messages leased to this process, and what became of them.

use serde::Deserialize;

use super::Text;
use crate::cli::failure::Outcome;
use crate::cli::view::{self, Headers, Moment};

#[derive(Deserialize)]
pub(in super::super) struct Claimed {
    id: String,
    topic: String,
    subscriber: String,
    #[serde(flatten)]
    text: Text,
    content_type: Option<String>,
    headers: Headers,
    correlation_id: Option<String>,
    key: Option<String>,
    delivery_count: u32,
    failure_count: u32,
    priority: i16,
    receipt_token: String,
    lease_expires_at: Moment,
    created_at: Moment,
    expires_at: Option<Moment>,
}

impl Claimed {
    pub(in super::super) fn into_view(self) -> Outcome<view::Delivery> {
        Ok(view::Delivery {
            id: self.id,
            receipt: self.receipt_token,
            topic: self.topic,
            subscriber: self.subscriber,
            payload: self.text.into_payload()?,
            content_type: self.content_type,
            headers: self.headers,
            correlation_id: self.correlation_id,
            ordering_key: self.key,
            priority: self.priority,
            attempt: self.delivery_count,
            failures: self.failure_count,
            published_at: self.created_at,
            expires_at: self.expires_at,
            lease_expires_at: self.lease_expires_at,
        })
    }
}

/// The answer to one item of a batch; `error` is a code.
#[derive(Deserialize)]
pub(in super::super) struct Item {
    pub(in super::super) error: Option<String>,
}

#[derive(Deserialize)]
pub(in super::super) struct Nacked {
    status: String,
}

impl Nacked {
    pub(in super::super) fn is_dead(&self) -> bool {
        self.status == "dead_letter"
    }
}
