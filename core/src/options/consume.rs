//! How deliveries are claimed and settled, and where a subscriber goes on.

use std::time::{Duration, SystemTime};

use super::rules::{count, lease, not_longer};
use crate::error::Result;
use crate::limits;
use crate::model::MessageId;

/// Where an existing subscriber goes on after a seek.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeekTo {
    /// The oldest message that the topic's retention keeps.
    Earliest,
    /// After the newest message.
    Latest,
    /// The first message that became deliverable at or after this time; a time to come means after
    /// the newest message.
    Time(SystemTime),
    /// This message; in the logs of other priorities the first that became deliverable no earlier.
    Message(MessageId),
    /// This sequence number of the log of one priority; other priorities stay where they are.
    Sequence {
        /// Which log.
        priority: i16,
        /// The number of the message to deliver next, from 1.
        sequence: u64,
    },
}

/// How to claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClaimOptions {
    /// At most this many deliveries; 1 to 1,000. Default: the subscriber's `claim_limit`.
    pub limit: Option<usize>,
    /// How long to wait when there is nothing to claim. Default: not at all; at most 1 h.
    pub wait: Duration,
    /// How long the deliveries are leased; 1 ms to 12 h. Default: the subscriber's `lease`.
    pub lease: Option<Duration>,
}

impl ClaimOptions {
    setters! {
        /// Sets how many deliveries to claim at most.
        with_limit: limit = usize;
        /// Sets how long to wait when there is nothing to claim.
        with_wait: wait = Duration;
        /// Sets how long the deliveries are leased.
        with_lease: lease = Duration;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if let Some(limit) = self.limit {
            count("limit", limit, limits::CLAIM_MAX)?;
        }
        if let Some(duration) = self.lease {
            lease("lease", duration)?;
        }
        not_longer("wait", self.wait, limits::WAIT_MAX)
    }
}

/// How to report a failure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NackOptions {
    /// Wait this long before the next attempt. Default: as the subscriber's retry policy says.
    pub delay: Option<Duration>,
    /// What went wrong, kept with the delivery; cut at 4 KiB.
    pub error: Option<String>,
    /// Make it a dead letter now, whatever attempts are left.
    pub give_up: bool,
}

impl NackOptions {
    setters! {
        /// Sets the pause before the next attempt.
        with_delay: delay = Duration;
        /// Makes it a dead letter now.
        with_give_up: give_up = bool;
    }

    text_setters! {
        /// Says what went wrong.
        with_error: error;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        self.delay.map_or(Ok(()), |delay| not_longer("delay", delay, limits::DELAY_MAX))
    }
}
