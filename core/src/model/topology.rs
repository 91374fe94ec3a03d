//! Topics and subscribers as they are.

use std::time::SystemTime;

use crate::options::{SubscriberOptions, TopicOptions};

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Topic {
    /// Its number in this database; a topic of the same name created later has another.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its settings.
    pub options: TopicOptions,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// When it was created.
    pub created_at: SystemTime,
}

/// A subscriber.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Subscriber {
    /// Its number in this database; a subscriber of the same name created later has another.
    pub id: u64,
    /// The topic's name.
    pub topic: String,
    /// Its name.
    pub name: String,
    /// Its settings.
    pub options: SubscriberOptions,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// When it was created.
    pub created_at: SystemTime,
}
