//! Looking at the queue, and its upkeep.

use super::{Queue, source};
use crate::error::Result;
use crate::model::{
    Diagnosis, EngineStats, Listed, MessageId, MessageStatus, Peeked, SubscriberStats, TopicStats,
};
use crate::op::{Answer, Query};
use crate::options::{Backup, Page};
use crate::pending::Pending;

impl Queue {
    /// A topic and its subscribers in numbers.
    ///
    /// # Errors
    /// `unknown_topic`.
    pub fn topic_stats(&self, topic: &str) -> Pending<TopicStats> {
        self.read(Query::TopicStats { topic: topic.into() }, |answer| match answer {
            Answer::TopicStats(stats) => Some(stats),
            _ => None,
        })
    }

    /// A subscriber in numbers.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`.
    pub fn subscriber_stats(&self, topic: &str, subscriber: &str) -> Pending<SubscriberStats> {
        let source = source(topic, subscriber);
        self.read(Query::SubscriberStats { source }, |answer| match answer {
            Answer::SubscriberStats(stats) => Some(stats),
            _ => None,
        })
    }

    /// Deliveries in flight, then pending ones, without leasing them; a page ends at 16 MiB.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument` for the page.
    pub fn peek(&self, topic: &str, subscriber: &str, page: Page) -> Pending<Listed<Peeked>> {
        let source = source(topic, subscriber);
        let query = page.limit().map(|limit| Query::Peek { source, limit, after: page.after });
        self.read_checked(query, |answer| match answer {
            Answer::Peeked(peeked) => Some(peeked),
            _ => None,
        })
    }

    /// A message by its id, with its state for every subscriber.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_message`.
    pub fn message(&self, topic: &str, id: MessageId) -> Pending<MessageStatus> {
        self.read(Query::Message { topic: topic.into(), id }, |answer| match answer {
            Answer::Message(message) => Some(message),
            _ => None,
        })
    }

    /// What the engine has done for all handles that share it, and the size of the file.
    ///
    /// # Errors
    /// `io`.
    pub fn engine_stats(&self) -> Result<EngineStats> {
        self.handle.stats()
    }

    /// Writes a consistent copy of the queue as of now to a new file, and verifies it. Work goes on. See
    /// [`Backup`] for how to be told how far it is.
    ///
    /// # Errors
    /// `cannot_open` if the file exists or cannot be created, `disk_full`, `corrupt`.
    pub fn backup(&self, backup: impl Into<Backup>) -> Pending<()> {
        self.read(Query::Backup(backup.into()), |answer| match answer {
            Answer::Done => Some(()),
            _ => None,
        })
    }

    /// Examines the file: integrity, counters, sizes. Reads all of it; changes nothing.
    ///
    /// # Errors
    /// `io`, `corrupt` if it cannot even be read.
    pub fn diagnose(&self) -> Pending<Diagnosis> {
        self.read(Query::Diagnose, |answer| match answer {
            Answer::Diagnosis(diagnosis) => Some(diagnosis),
            _ => None,
        })
    }
}
