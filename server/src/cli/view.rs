//! What commands show: the nouns of the queue, the same from a file and from a server.
//!
//! Serialised, they are the `--json` output: one document per line, times in RFC 3339, durations in
//! milliseconds, payloads as text where they are text and as base64 where they are not.

mod delivery;
mod message;
mod moment;
mod payload;
mod result;
mod schedule;
mod sought;
mod stats;
mod subscriber;
mod topic;

use std::collections::BTreeMap;

pub(crate) use delivery::Delivery;
pub(crate) use message::{
    DeadLetter, DeliveryStatus, FailedAttempt, Message, MessageStatus, Peeked,
};
pub(crate) use moment::Moment;
pub(crate) use payload::Payload;
pub(crate) use result::{MessageResult, Reply};
pub(crate) use schedule::{Schedule, ScheduleRun, ScheduleSettings};
pub(crate) use sought::Sought;
pub(crate) use stats::{Cursor, Log, SubscriberStats, TopicStats};
pub(crate) use subscriber::{Subscriber, SubscriberSettings};
pub(crate) use topic::{Topic, TopicSettings};

/// Headers of a message.
pub(crate) type Headers = BTreeMap<String, String>;

/// Something that a table shows in a row.
pub(crate) trait Row {
    /// The heads of the columns.
    const COLUMNS: &'static [&'static str];

    /// What is in the columns.
    fn cells(&self) -> Vec<String>;
}

/// Part of a list, and where the next part begins.
#[derive(Debug)]
pub(crate) struct Listed<T> {
    /// The entries.
    pub(crate) items: Vec<T>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

impl<T> Listed<T> {
    /// A page of the engine's as a page of this face's.
    pub(crate) fn of<S>(listed: blockqueue::Listed<S>) -> Self
    where
        T: From<S>,
    {
        Self { items: listed.items.into_iter().map(T::from).collect(), next: listed.next }
    }
}

/// What became of a message that was handed in.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Published {
    /// The message's id.
    pub(crate) id: String,
    /// An earlier publish with this idempotency key counts instead.
    pub(crate) duplicate: bool,
    /// When it will become deliverable, if that is not now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deliver_at: Option<Moment>,
}

impl From<blockqueue::Published> for Published {
    fn from(published: blockqueue::Published) -> Self {
        Self {
            id: published.id.to_string(),
            duplicate: published.duplicate,
            deliver_at: published.deliver_at.map(Moment),
        }
    }
}

/// A text for an optional value.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// `yes` or nothing, so that what is unusual stands out.
pub(crate) fn yes(value: bool) -> String {
    if value { "yes".to_owned() } else { String::new() }
}

/// A duration in whole milliseconds.
pub(crate) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
