//! Deliveries, and what becomes of them.

use std::collections::HashMap;
use std::time::SystemTime;

use blockqueue::{Receipt, Result};

use crate::bytes::Bytes;
use crate::error::Problem;
use crate::look::DeliveryState;
use crate::number::{maybe_duration, millis};

/// A message leased to this consumer. Settle it with its receipt before the lease expires.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Delivery {
    /// The topic's name.
    pub topic: String,
    /// The subscriber's name.
    pub subscriber: String,
    /// The message's id.
    pub message_id: String,
    /// The right to settle this delivery.
    pub receipt: String,
    /// The bytes that were published.
    pub payload: Bytes,
    /// What the payload is.
    pub content_type: Option<String>,
    /// The headers that were published.
    pub headers: HashMap<String, String>,
    /// What the publisher tied the message to.
    pub correlation_id: Option<String>,
    /// What the message is in order with.
    pub ordering_key: Option<String>,
    /// The message's priority.
    pub priority: i32,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    /// Attempts that ended badly so far.
    pub failures: i64,
    /// When the message became deliverable.
    pub published_at_ms: i64,
    /// When the message expires, if it does. A delivery that is leased by then may still be settled.
    pub expires_at_ms: Option<i64>,
    /// When the lease expires.
    pub lease_expires_at_ms: i64,
}

impl From<blockqueue::Delivery> for Delivery {
    fn from(delivery: blockqueue::Delivery) -> Self {
        Self {
            topic: delivery.topic.as_ref().to_owned(),
            subscriber: delivery.subscriber.as_ref().to_owned(),
            message_id: delivery.message_id.to_string(),
            receipt: delivery.receipt.to_string(),
            payload: Bytes(delivery.payload),
            content_type: delivery.content_type,
            headers: delivery.headers.into_iter().collect(),
            correlation_id: delivery.correlation_id,
            ordering_key: delivery.ordering_key,
            priority: delivery.priority.into(),
            attempt: delivery.attempt.into(),
            failures: delivery.failures.into(),
            published_at_ms: millis(delivery.published_at),
            expires_at_ms: delivery.expires_at.map(millis),
            lease_expires_at_ms: millis(delivery.lease_expires_at),
        }
    }
}

/// How to report a failure.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct NackOptions {
    /// Wait this long before the next attempt. Default: as the subscriber's retry policy says.
    #[uniffi(default)]
    pub delay_ms: Option<i64>,
    /// What went wrong, kept with the delivery; cut at 4 KiB.
    #[uniffi(default)]
    pub error: Option<String>,
    /// Make it a dead letter now, whatever attempts are left.
    #[uniffi(default)]
    pub give_up: bool,
}

impl NackOptions {
    pub(crate) fn into_core(self) -> Result<blockqueue::NackOptions> {
        let mut options = blockqueue::NackOptions::default().with_give_up(self.give_up);
        options.delay = maybe_duration("delay", self.delay_ms)?;
        options.error = self.error;
        Ok(options)
    }
}

/// What a nack led to.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Nacked {
    /// Retrying or dead-lettered.
    pub state: DeliveryState,
    /// When it can be claimed again, if it can.
    pub ready_at_ms: Option<i64>,
}

impl Nacked {
    pub(crate) fn from_core(nacked: blockqueue::Nacked) -> Result<Self> {
        let state = DeliveryState::from_core(nacked.state)?;
        Ok(Self { state, ready_at_ms: nacked.ready_at.map(millis) })
    }
}

/// What became of one nack of a batch.
#[derive(Debug, Clone, uniffi::Enum)]
pub enum NackOutcome {
    /// It was carried out.
    Done {
        /// What it led to.
        nacked: Nacked,
    },
    /// It could not be.
    Refused {
        /// Why.
        problem: Problem,
    },
}

impl From<Result<blockqueue::Nacked>> for NackOutcome {
    fn from(outcome: Result<blockqueue::Nacked>) -> Self {
        match outcome.and_then(Nacked::from_core) {
            Ok(nacked) => Self::Done { nacked },
            Err(error) => Self::Refused { problem: error.into() },
        }
    }
}

/// What became of one lease or delay of a batch.
#[derive(Debug, Clone, uniffi::Enum)]
pub enum TimeOutcome {
    /// It was carried out.
    Done {
        /// When the lease expires, or the delivery is ready.
        at_ms: i64,
    },
    /// It could not be.
    Refused {
        /// Why.
        problem: Problem,
    },
}

impl From<Result<SystemTime>> for TimeOutcome {
    fn from(outcome: Result<SystemTime>) -> Self {
        match outcome {
            Ok(at) => Self::Done { at_ms: millis(at) },
            Err(error) => Self::Refused { problem: error.into() },
        }
    }
}

/// Nothing, or why it could not be done.
pub(crate) fn problem(outcome: Result<()>) -> Option<Problem> {
    outcome.err().map(Into::into)
}

pub(crate) fn receipts(receipts: &[String]) -> Result<Vec<Receipt>> {
    receipts.iter().map(|receipt| receipt.parse()).collect()
}
