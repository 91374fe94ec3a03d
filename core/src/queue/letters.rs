//! Dead letters, and what went wrong with a delivery.

use super::{Queue, source, unexpected};
use crate::error::Result;
use crate::model::{DeadLetter, Failure, Listed, MessageId};
use crate::op::{Answer, Op, Outcome, Query};
use crate::options::{Page, Purge, Redrive};
use crate::pending::Pending;

impl Queue {
    /// The dead letters of a subscriber, oldest first.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument` for the page.
    pub fn dead_letters(
        &self,
        topic: &str,
        subscriber: &str,
        page: Page,
    ) -> Pending<Listed<DeadLetter>> {
        let source = source(topic, subscriber);
        let query =
            page.limit().map(|limit| Query::DeadLetters { source, limit, after: page.after });
        self.read_checked(query, |answer| match answer {
            Answer::DeadLetters(dead) => Some(dead),
            _ => None,
        })
    }

    /// Makes dead letters claimable again, with all their attempts, or publishes them to another topic;
    /// the answer is how many. See [`Redrive`].
    ///
    /// Many are moved in several transactions: if an error ends it, those before are moved, and the same
    /// call goes on with the rest.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument`; to another topic also those of
    /// [`publish`](Self::publish).
    pub fn redrive(
        &self,
        topic: &str,
        subscriber: &str,
        options: impl Into<Redrive>,
    ) -> Pending<u64> {
        let (source, options) = (source(topic, subscriber), options.into());
        let valid = options.validate(topic);
        self.checked(valid, |()| Op::Redrive { source, options, so_far: None }, into_count)
    }

    /// Deletes dead letters; the answer is how many. See [`Purge`].
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument`.
    pub fn purge_dead_letters(
        &self,
        topic: &str,
        subscriber: &str,
        options: impl Into<Purge>,
    ) -> Pending<u64> {
        let (source, options) = (source(topic, subscriber), options.into());
        let valid = options.validate();
        self.checked(valid, |()| Op::PurgeDeadLetters { source, options, so_far: None }, into_count)
    }

    /// What went wrong with a delivery so far, oldest first.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `unknown_message`, `invalid_argument` for the page.
    pub fn failures(
        &self,
        topic: &str,
        subscriber: &str,
        id: MessageId,
        page: Page,
    ) -> Pending<Listed<Failure>> {
        let source = source(topic, subscriber);
        let query =
            page.limit().map(|limit| Query::Failures { source, id, limit, after: page.after });
        self.read_checked(query, |answer| match answer {
            Answer::Failures(failures) => Some(failures),
            _ => None,
        })
    }
}

fn into_count(outcome: Outcome) -> Result<u64> {
    match outcome {
        Outcome::Count(count) => Ok(count),
        other => Err(unexpected(&other)),
    }
}
