//! Replies to messages, and waiting for them.

use std::time::Duration;

use super::{Queue, source, unexpected};
use crate::engine::Work;
use crate::error::{Error, Result};
use crate::limits;
use crate::model::{DeliveryResult, MessageId, Receipt};
use crate::op::{Answer, Looked, Outcome, Query, ResultOf, Settled, Verb};
use crate::options::{self, Reply};
use crate::pending::Pending;

impl Queue {
    /// Settles a delivery, done, and stores a reply for whoever waits for the message's result.
    ///
    /// # Errors
    /// `lease_lost`, `invalid_argument`, `limit_exceeded`.
    pub fn ack_with_result(&self, receipt: &Receipt, reply: Reply) -> Pending<()> {
        match reply.validate() {
            Ok(()) => self.settle(receipt, Verb::Reply(reply), |settled| match settled {
                Settled::Acked => Some(()),
                _ => None,
            }),
            Err(error) => Pending::failed(error),
        }
    }

    /// What came of a message for one subscriber so far.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`; `unknown_message` for an id that the topic never gave out.
    pub fn result(&self, topic: &str, subscriber: &str, id: MessageId) -> Pending<DeliveryResult> {
        let of = ResultOf { source: source(topic, subscriber), id };
        self.handle.start_query(Query::Results(vec![of]), into_result)
    }

    /// Waits until a message is settled for one subscriber, or a dead letter: up to 1 h, after which it
    /// is [`DeliveryResult::Unsettled`].
    ///
    /// # Errors
    /// As [`result`](Self::result), also if the subscriber is deleted meanwhile; `invalid_argument`,
    /// `busy`, `shutdown` while waiting.
    pub fn wait_result(
        &self,
        topic: &str,
        subscriber: &str,
        id: MessageId,
        wait: Duration,
    ) -> Pending<DeliveryResult> {
        if let Err(error) = options::not_longer("wait", wait, limits::WAIT_MAX) {
            return Pending::failed(error);
        }
        let of = ResultOf { source: source(topic, subscriber), id };
        self.handle.start_work(Work::Watch { of, wait }, into_result)
    }
}

fn into_result(outcome: Outcome) -> Result<DeliveryResult> {
    let Outcome::Answer(Answer::Results(mut looked)) = outcome else {
        return Err(unexpected(&outcome));
    };
    match looked.pop() {
        Some(looked) => looked.map(Looked::into_result),
        None => Err(Error::internal("nothing was looked at")),
    }
}
