//! What a subscriber may be told.

use std::time::{Duration, SystemTime};

use super::rules::{at_most, count, lease, name, not_longer};
use crate::error::{Error, Result};
use crate::limits;

/// How long a failed delivery waits before its next attempt: exponential, with jitter.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The first pause. Default 1 s.
    pub initial: Duration,
    /// The longest pause. Default 1 h.
    pub max: Duration,
    /// Each pause is this many times the one before. Default 2; at least 1.
    pub multiplier: f64,
    /// Each pause is shortened or lengthened at random by up to this share. Default 0.2; 0 to 1.
    pub jitter: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            max: Duration::from_hours(1),
            multiplier: 2.0,
            jitter: 0.2,
        }
    }
}

impl RetryPolicy {
    setters! {
        /// Sets the first pause.
        with_initial: initial = Duration;
        /// Sets the longest pause.
        with_max: max = Duration;
        /// Sets how many times the pause before each pause is.
        with_multiplier: multiplier = f64;
        /// Sets the share of each pause that is left to chance.
        with_jitter: jitter = f64;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        not_longer("retry.initial", self.initial, limits::DELAY_MAX)?;
        not_longer("retry.max", self.max, limits::DELAY_MAX)?;
        if self.initial > self.max {
            return Err(Error::invalid("retry.initial must not be longer than retry.max"));
        }
        if !(1.0..=1_000.0).contains(&self.multiplier) {
            return Err(Error::invalid("retry.multiplier must be from 1 to 1000"));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(Error::invalid("retry.jitter must be from 0 to 1"));
        }
        Ok(())
    }
}

/// The settings of a subscriber.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SubscriberOptions {
    /// Attempts before a delivery becomes a dead letter. Default 5; at least 1.
    pub max_attempts: u32,
    /// The lease of a claim that does not say. Default 30 s; 1 ms to 12 h.
    pub lease: Duration,
    /// The limit of a claim that does not say. Default 10; 1 to 1,000.
    pub claim_limit: usize,
    /// How long a failed delivery waits before its next attempt.
    pub retry: RetryPolicy,
}

impl Default for SubscriberOptions {
    fn default() -> Self {
        Self {
            max_attempts: limits::ATTEMPTS_DEFAULT,
            lease: limits::LEASE_DEFAULT,
            claim_limit: 10,
            retry: RetryPolicy::default(),
        }
    }
}

impl SubscriberOptions {
    setters! {
        /// Sets the attempts before a delivery becomes a dead letter.
        with_max_attempts: max_attempts = u32;
        /// Sets the lease of a claim that does not say.
        with_lease: lease = Duration;
        /// Sets the limit of a claim that does not say.
        with_claim_limit: claim_limit = usize;
        /// Sets how long a failed delivery waits before its next attempt.
        with_retry: retry = RetryPolicy;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if self.max_attempts == 0 {
            return Err(Error::invalid("max_attempts must be at least 1"));
        }
        at_most("max_attempts", self.max_attempts as usize, limits::ATTEMPTS_MAX as usize)?;
        lease("lease", self.lease)?;
        count("claim_limit", self.claim_limit, limits::CLAIM_MAX)?;
        self.retry.validate()
    }
}

/// Where a new subscriber begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StartFrom {
    /// With what becomes deliverable from now on. The default.
    #[default]
    Now,
    /// With the oldest message that the topic's retention keeps.
    Earliest,
    /// With the first message that became deliverable at or after this time; a time to come means now.
    Time(SystemTime),
}

/// A subscriber to create.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NewSubscriber {
    /// 1 to 150 bytes, without `/` and control characters.
    pub name: String,
    /// Its settings.
    pub options: SubscriberOptions,
    /// Where it begins.
    pub start: StartFrom,
}

impl NewSubscriber {
    /// A subscriber with default settings that begins now.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            options: SubscriberOptions::default(),
            start: StartFrom::default(),
        }
    }

    setters! {
        /// Sets the subscriber's settings.
        with_options: options = SubscriberOptions;
        /// Sets where it begins.
        with_start: start = StartFrom;
    }
}

impl From<&str> for NewSubscriber {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

pub(crate) fn validate_subscribers(subscribers: &[NewSubscriber]) -> Result<()> {
    count("subscribers", subscribers.len(), limits::SUBSCRIBERS_PER_CALL_MAX)?;
    let mut names = std::collections::HashSet::new();
    for subscriber in subscribers {
        name("subscriber", &subscriber.name)?;
        subscriber.options.validate()?;
        if !names.insert(subscriber.name.as_str()) {
            return Err(Error::invalid(format!("subscriber {:?} is named twice", subscriber.name)));
        }
    }
    Ok(())
}

/// Changes to a subscriber's settings; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct SubscriberChange {
    /// The new number of attempts, for failures from now on.
    pub max_attempts: Option<u32>,
    /// The new lease, for claims from now on.
    pub lease: Option<Duration>,
    /// The new limit of a claim that does not say.
    pub claim_limit: Option<usize>,
    /// The new retry policy, for failures from now on.
    pub retry: Option<RetryPolicy>,
}

impl SubscriberChange {
    setters! {
        /// Changes the number of attempts.
        with_max_attempts: max_attempts = u32;
        /// Changes the lease.
        with_lease: lease = Duration;
        /// Changes the limit of a claim that does not say.
        with_claim_limit: claim_limit = usize;
        /// Changes the retry policy.
        with_retry: retry = RetryPolicy;
    }

    pub(crate) fn apply(&self, options: &SubscriberOptions) -> SubscriberOptions {
        SubscriberOptions {
            max_attempts: self.max_attempts.unwrap_or(options.max_attempts),
            lease: self.lease.unwrap_or(options.lease),
            claim_limit: self.claim_limit.unwrap_or(options.claim_limit),
            retry: self.retry.unwrap_or(options.retry),
        }
    }
}
