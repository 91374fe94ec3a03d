//! Dead letters, and what went wrong with a delivery.

use super::{Queue, source, unexpected};
use crate::error::Result;
use crate::model::{DeadLetter, Failure, Listed, MessageId};
use crate::op::{Answer, Op, Outcome, Query};
use crate::options::{DeadLetters, Page};
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

    /// Makes dead letters claimable again, with all their attempts; the answer is how many.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument`.
    pub fn redrive(&self, topic: &str, subscriber: &str, which: DeadLetters) -> Pending<u64> {
        let source = source(topic, subscriber);
        self.checked(which.validate(), |()| Op::Redrive { source, which, done: 0 }, into_count)
    }

    /// Deletes dead letters; the answer is how many.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument`.
    pub fn purge_dead_letters(
        &self,
        topic: &str,
        subscriber: &str,
        which: DeadLetters,
    ) -> Pending<u64> {
        let source = source(topic, subscriber);
        self.checked(
            which.validate(),
            |()| Op::PurgeDeadLetters { source, which, done: 0 },
            into_count,
        )
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
