//! What a schedule publishes, and when.

use std::time::{Duration, SystemTime};

use super::Message;
use super::rules::{name, not_longer};
use crate::error::{Error, Result};
use crate::limits;
use crate::recurrence;

/// What a schedule does about occurrences that nobody was there to fire.
///
/// An occurrence is missed if a later one is due as well, or if it could not be fired within the
/// schedule's [`grace`](ScheduleOptions::grace).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MisfirePolicy {
    /// What was missed is left out.
    Skip,
    /// However many were missed, the newest of them is fired. The default.
    #[default]
    Once,
    /// The newest of them are fired, one message each, oldest first; older ones are left out.
    All {
        /// How many; 1 to 1,000.
        limit: u32,
    },
}

/// What a schedule does when an occurrence comes while some subscriber has not settled the message of the
/// one before. A dead letter counts as settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OverlapPolicy {
    /// It is fired all the same.
    Allow,
    /// It is left out. The default.
    #[default]
    Skip,
    /// It is fired as soon as the message before is settled. One waits; those that come meanwhile are
    /// left out.
    Queue,
}

/// The settings of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduleOptions {
    /// Five fields of cron, or six with seconds in front; `@hourly`, `@daily`, `@weekly`, `@monthly`,
    /// `@yearly`; or `@every 90s`.
    pub cron: String,
    /// The IANA time zone that the fields are read in. Default `UTC`.
    pub timezone: String,
    /// What is published. Not delayed, without idempotency key and unique key.
    pub message: Message,
    /// What happens to occurrences that were missed. Default: the newest is fired.
    pub misfire: MisfirePolicy,
    /// What happens while the message before is not settled. Default: the occurrence is left out.
    pub overlap: OverlapPolicy,
    /// No occurrence is earlier. Default: from now on.
    pub start: Option<SystemTime>,
    /// No occurrence is later. Default: for ever.
    pub end: Option<SystemTime>,
    /// Each occurrence is fired up to this much later, by a number that depends on the schedule and the
    /// occurrence alone. Default: none; at most 24 h.
    pub jitter: Duration,
    /// How late an occurrence may be fired before it counts as missed. Default 1 min; at most 24 h.
    pub grace: Duration,
}

impl ScheduleOptions {
    /// A schedule in UTC that publishes this message.
    pub fn new(cron: impl Into<String>, message: impl Into<Message>) -> Self {
        Self {
            cron: cron.into(),
            timezone: "UTC".to_owned(),
            message: message.into(),
            misfire: MisfirePolicy::default(),
            overlap: OverlapPolicy::default(),
            start: None,
            end: None,
            jitter: Duration::ZERO,
            grace: limits::SCHEDULE_GRACE_DEFAULT,
        }
    }

    setters! {
        /// Sets what happens to occurrences that were missed.
        with_misfire: misfire = MisfirePolicy;
        /// Sets what happens while the message before is not settled.
        with_overlap: overlap = OverlapPolicy;
        /// Sets the earliest time of an occurrence.
        with_start: start = SystemTime;
        /// Sets the latest time of an occurrence.
        with_end: end = SystemTime;
        /// Spreads the firing over this time.
        with_jitter: jitter = Duration;
        /// Sets how late an occurrence may be before it counts as missed.
        with_grace: grace = Duration;
    }

    /// Sets when it fires.
    #[must_use]
    pub fn with_cron(mut self, cron: impl Into<String>) -> Self {
        self.cron = cron.into();
        self
    }

    /// Sets what is published.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Message>) -> Self {
        self.message = message.into();
        self
    }

    /// Sets the time zone.
    #[must_use]
    pub fn with_timezone(mut self, timezone: impl Into<String>) -> Self {
        self.timezone = timezone.into();
        self
    }

    pub(crate) fn validate(&self, payload_bytes_max: usize) -> Result<()> {
        self.message.validate(payload_bytes_max)?;
        let message = &self.message;
        if message.delay.is_some()
            || message.deliver_at.is_some()
            || message.idempotency_key.is_some()
            || message.unique_key.is_some()
        {
            return Err(Error::invalid(
                "the message of a schedule has no delay, no time of delivery, no idempotency key and no \
                 unique key",
            ));
        }
        if let MisfirePolicy::All { limit } = self.misfire
            && !(1..=limits::MISFIRES_MAX).contains(&limit)
        {
            return Err(Error::invalid("the limit of misfires must be from 1 to 1000"));
        }
        if self.start.zip(self.end).is_some_and(|(start, end)| start > end) {
            return Err(Error::invalid("start must not be later than end"));
        }
        not_longer("jitter", self.jitter, limits::SCHEDULE_SLACK_MAX)?;
        not_longer("grace", self.grace, limits::SCHEDULE_SLACK_MAX)?;
        recurrence::validate(self)
    }
}

/// A schedule to create.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewSchedule {
    /// 1 to 150 bytes, without `/` and control characters; unique within the topic.
    pub name: String,
    /// Its settings.
    pub options: ScheduleOptions,
}

impl NewSchedule {
    /// A schedule with these settings.
    pub fn new(name: impl Into<String>, options: ScheduleOptions) -> Self {
        Self { name: name.into(), options }
    }

    pub(crate) fn validate(&self, payload_bytes_max: usize) -> Result<()> {
        name("schedule", &self.name)?;
        self.options.validate(payload_bytes_max)
    }
}
