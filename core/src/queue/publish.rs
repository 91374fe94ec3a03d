//! Publish.

use std::sync::Arc;

use super::{Queue, unexpected};
use crate::error::{Error, Result};
use crate::limits;
use crate::model::Published;
use crate::op::{Op, Outcome};
use crate::options::{self, Message};
use crate::pending::Pending;

impl Queue {
    /// Publishes a message. The answer comes when it is durable.
    ///
    /// # Errors
    /// `unknown_topic`, `idempotency_conflict`, `backlog_full`, `invalid_argument`, `limit_exceeded`,
    /// `outcome_unknown`, `disk_full`.
    pub fn publish(&self, topic: &str, message: impl Into<Message>) -> Pending<Published> {
        self.publish_mapped(topic, vec![message.into()], into_one_published)
    }

    /// Publishes 1 to 1,000 messages, all or none, in order.
    ///
    /// # Errors
    /// As [`publish`](Self::publish); the error of a message names its index.
    pub fn publish_batch(&self, topic: &str, messages: Vec<Message>) -> Pending<Vec<Published>> {
        self.publish_mapped(topic, messages, into_published)
    }

    fn publish_mapped<T>(
        &self,
        topic: &str,
        messages: Vec<Message>,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let valid = validate_messages(&messages, self.payload_bytes_max);
        let topic = Arc::from(topic);
        self.checked(valid, |()| Op::Publish { topic, messages }, map)
    }
}

pub(super) fn validate_messages(messages: &[Message], payload_bytes_max: usize) -> Result<()> {
    options::count("messages", messages.len(), limits::BATCH_MAX)?;
    for message in messages {
        message.validate(payload_bytes_max)?;
    }
    let bytes = messages.iter().map(Message::size_bytes).sum();
    if messages.len() > 1 {
        options::at_most("batch", bytes, limits::BATCH_BYTES_MAX)?;
    }
    Ok(())
}

pub(super) fn into_published(outcome: Outcome) -> Result<Vec<Published>> {
    match outcome {
        Outcome::Published(published) => Ok(published),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn into_one_published(outcome: Outcome) -> Result<Published> {
    into_published(outcome)?.pop().ok_or_else(|| Error::internal("nothing was published"))
}
