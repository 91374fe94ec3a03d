//! A message as people look at it, and where it stands.

use serde::Serialize;

use super::{Headers, Moment, Payload, Row, or_dash};

/// A message, without a right to settle it.
#[derive(Debug, Serialize)]
pub(crate) struct Message {
    /// Its id.
    pub(crate) id: String,
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
    /// The key that makes a repeat harmless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idempotency_key: Option<String>,
    /// What the message is in order with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ordering_key: Option<String>,
    /// The message's priority.
    pub(crate) priority: i16,
    /// When it was accepted, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accepted_at: Option<Moment>,
    /// When it became deliverable, or will.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deliver_at: Option<Moment>,
    /// When it expires, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Moment>,
}

impl From<blockqueue::MessageView> for Message {
    fn from(message: blockqueue::MessageView) -> Self {
        Self {
            id: message.id.to_string(),
            payload: Payload(message.payload),
            content_type: message.content_type,
            headers: message.headers,
            correlation_id: message.correlation_id,
            idempotency_key: message.idempotency_key,
            ordering_key: message.ordering_key,
            priority: message.priority,
            accepted_at: Some(Moment(message.accepted_at)),
            deliver_at: Some(Moment(message.deliver_at)),
            expires_at: message.expires_at.map(Moment),
        }
    }
}

/// Where a message stands with one subscriber.
#[derive(Debug, Serialize)]
pub(crate) struct DeliveryStatus {
    /// The subscriber's name.
    pub(crate) subscriber: String,
    /// The state.
    pub(crate) state: String,
    /// Attempts so far.
    pub(crate) attempts: u32,
    /// Attempts that ended badly so far.
    pub(crate) failures: u32,
    /// When it can be claimed, or could; for a leased one when its lease expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ready_at: Option<Moment>,
}

impl From<blockqueue::DeliveryStatus> for DeliveryStatus {
    fn from(status: blockqueue::DeliveryStatus) -> Self {
        Self {
            subscriber: status.subscriber,
            state: state(status.state).to_owned(),
            attempts: status.attempts,
            failures: status.failures,
            ready_at: status.ready_at.map(Moment),
        }
    }
}

impl Row for DeliveryStatus {
    const COLUMNS: &'static [&'static str] =
        &["SUBSCRIBER", "STATE", "ATTEMPTS", "FAILURES", "READY"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.subscriber.clone(),
            self.state.clone(),
            self.attempts.to_string(),
            self.failures.to_string(),
            or_dash(self.ready_at),
        ]
    }
}

/// A message and where it stands with every subscriber.
#[derive(Debug, Serialize)]
pub(crate) struct MessageStatus {
    /// The message.
    #[serde(flatten)]
    pub(crate) message: Message,
    /// Where it stands, by subscriber.
    pub(crate) deliveries: Vec<DeliveryStatus>,
}

impl From<blockqueue::MessageStatus> for MessageStatus {
    fn from(status: blockqueue::MessageStatus) -> Self {
        Self {
            message: status.message.into(),
            deliveries: status.deliveries.into_iter().map(Into::into).collect(),
        }
    }
}

/// A message that waits for its consumer or is with one.
#[derive(Debug, Serialize)]
pub(crate) struct Peeked {
    /// The message.
    #[serde(flatten)]
    pub(crate) message: Message,
    /// Where it stands.
    #[serde(flatten)]
    pub(crate) status: DeliveryStatus,
}

impl From<blockqueue::Peeked> for Peeked {
    fn from(peeked: blockqueue::Peeked) -> Self {
        Self { message: peeked.message.into(), status: peeked.status.into() }
    }
}

impl Row for Peeked {
    const COLUMNS: &'static [&'static str] =
        &["MESSAGE", "STATE", "PRIORITY", "ATTEMPTS", "READY", "PAYLOAD"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.message.id.clone(),
            self.status.state.clone(),
            self.message.priority.to_string(),
            self.status.attempts.to_string(),
            or_dash(self.status.ready_at),
            self.message.payload.excerpt(),
        ]
    }
}

/// A delivery that ran out of attempts.
#[derive(Debug, Serialize)]
pub(crate) struct DeadLetter {
    /// The message.
    #[serde(flatten)]
    pub(crate) message: Message,
    /// Attempts made.
    pub(crate) attempts: u32,
    /// Attempts that ended badly.
    pub(crate) failures: u32,
    /// The last error, if one was given.
    pub(crate) error: Option<String>,
    /// When it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dead_at: Option<Moment>,
}

impl From<blockqueue::DeadLetter> for DeadLetter {
    fn from(dead: blockqueue::DeadLetter) -> Self {
        Self {
            message: dead.message.into(),
            attempts: dead.attempts,
            failures: dead.failures,
            error: dead.error,
            dead_at: Some(Moment(dead.dead_at)),
        }
    }
}

impl Row for DeadLetter {
    const COLUMNS: &'static [&'static str] =
        &["MESSAGE", "DEAD SINCE", "ATTEMPTS", "ERROR", "PAYLOAD"];

    fn cells(&self) -> Vec<String> {
        let error = self.error.as_deref().and_then(|error| error.lines().next());
        vec![
            self.message.id.clone(),
            or_dash(self.dead_at),
            self.attempts.to_string(),
            or_dash(error),
            self.message.payload.excerpt(),
        ]
    }
}

/// One attempt that ended badly.
#[derive(Debug, Serialize)]
pub(crate) struct FailedAttempt {
    /// Which failure this was, from 1.
    pub(crate) failure: u32,
    /// What went wrong, if it was said.
    pub(crate) error: Option<String>,
    /// When.
    pub(crate) failed_at: Moment,
}

impl From<blockqueue::Failure> for FailedAttempt {
    fn from(failure: blockqueue::Failure) -> Self {
        Self {
            failure: failure.failure,
            error: failure.error,
            failed_at: Moment(failure.failed_at),
        }
    }
}

impl Row for FailedAttempt {
    const COLUMNS: &'static [&'static str] = &["FAILURE", "AT", "ERROR"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.failure.to_string(),
            self.failed_at.to_string(),
            or_dash(self.error.as_deref().map(str::trim_end)),
        ]
    }
}

/// The word for a state, the same that its JSON has.
const fn state(state: blockqueue::DeliveryState) -> &'static str {
    use blockqueue::DeliveryState as State;
    match state {
        State::Pending => "pending",
        State::Leased => "leased",
        State::Retrying => "retrying",
        State::Parked => "parked",
        State::DeadLettered => "dead_lettered",
        State::Settled => "settled",
        _ => "unknown",
    }
}
