//! What a subscriber may be told.

use std::time::{Duration, SystemTime};

use super::filter::Filter;
use super::rules::{at_most, count, lease, name, not_longer};
use crate::error::{Error, Result, positive};
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

/// What becomes of an ordering key when one of its messages is dead-lettered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnDead {
    /// Its next message is delivered. The default.
    #[default]
    Skip,
    /// Later messages of the key wait until the dead letter is redriven, purged or cancelled.
    Block,
}

/// What becomes of a message that expires before it is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnExpiry {
    /// It is skipped, and counted. The default.
    #[default]
    Skip,
    /// It becomes a dead letter with the error `expired`, and is counted.
    DeadLetter,
}

/// At most so many deliveries per interval: as many may be claimed at once, and each comes back after its
/// share of the interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// How many; 1 to 1,000,000.
    pub count: u32,
    /// Per how long; 1 ms to 24 h.
    pub interval: Duration,
}

impl RateLimit {
    /// At most `count` deliveries per interval.
    pub const fn new(count: u32, interval: Duration) -> Self {
        Self { count, interval }
    }

    fn validate(&self) -> Result<()> {
        count("rate.count", self.count as usize, limits::RATE_COUNT_MAX as usize)?;
        positive("rate.interval", self.interval)?;
        not_longer("rate.interval", self.interval, limits::RATE_INTERVAL_MAX)
    }
}

/// The settings of a subscriber.
#[derive(Debug, Clone, PartialEq)]
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
    /// Messages of one ordering key are delivered one at a time, in the order in which they were
    /// published. Default: no.
    pub ordered: bool,
    /// What becomes of a key when one of its messages is dead-lettered, if `ordered`. Default: it goes on.
    pub on_dead: OnDead,
    /// Only messages whose headers match are delivered; others are skipped, and counted. Default: all.
    pub filter: Option<Filter>,
    /// What becomes of a message that expires before it is claimed. Default: it is skipped.
    pub on_expiry: OnExpiry,
    /// At most so many deliveries are leased at once, over all processes; one whose lease expired counts
    /// until it is claimed again or dead-lettered. Default: no limit; 1 to 1,000,000.
    pub leased_max: Option<u32>,
    /// At most so many deliveries are claimed per interval, over all processes. Default: no limit.
    pub rate: Option<RateLimit>,
    /// At most so many deliveries of one ordering key are leased at once. `ordered` means 1 and excludes
    /// more. Default: no limit; 1 to 1,000.
    pub leased_per_key_max: Option<u32>,
}

impl Default for SubscriberOptions {
    fn default() -> Self {
        Self {
            max_attempts: limits::ATTEMPTS_DEFAULT,
            lease: limits::LEASE_DEFAULT,
            claim_limit: 10,
            retry: RetryPolicy::default(),
            ordered: false,
            on_dead: OnDead::default(),
            filter: None,
            on_expiry: OnExpiry::default(),
            leased_max: None,
            rate: None,
            leased_per_key_max: None,
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
        /// Delivers messages of one ordering key one at a time, in order.
        with_ordered: ordered = bool;
        /// Sets what becomes of a key when one of its messages is dead-lettered.
        with_on_dead: on_dead = OnDead;
        /// Sets which messages are delivered.
        with_filter: filter = Filter;
        /// Sets what becomes of a message that expires before it is claimed.
        with_on_expiry: on_expiry = OnExpiry;
        /// Limits how many deliveries are leased at once.
        with_leased_max: leased_max = u32;
        /// Limits how many deliveries are claimed per interval.
        with_rate: rate = RateLimit;
        /// Limits how many deliveries of one ordering key are leased at once.
        with_leased_per_key_max: leased_per_key_max = u32;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if self.max_attempts == 0 {
            return Err(Error::invalid("max_attempts must be at least 1"));
        }
        at_most("max_attempts", self.max_attempts as usize, limits::ATTEMPTS_MAX as usize)?;
        lease("lease", self.lease)?;
        count("claim_limit", self.claim_limit, limits::CLAIM_MAX)?;
        if let Some(leased) = self.leased_max {
            count("leased_max", leased as usize, limits::LEASED_MAX as usize)?;
        }
        if let Some(rate) = self.rate {
            rate.validate()?;
        }
        if let Some(leased) = self.leased_per_key_max {
            count("leased_per_key_max", leased as usize, limits::LEASED_PER_KEY_MAX as usize)?;
            if self.ordered && leased > 1 {
                let detail = "leased_per_key_max must be 1 if the subscriber is ordered";
                return Err(Error::invalid(detail));
            }
        }
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
    /// Whether messages of one ordering key are delivered one at a time. Messages that are claimed or
    /// dead-lettered when order begins do not take part in it.
    pub ordered: Option<bool>,
    /// What becomes of a key when one of its messages is dead-lettered.
    pub on_dead: Option<OnDead>,
    /// The new filter, for messages that are not claimed yet; `Some(None)`: all are delivered.
    pub filter: Option<Option<Filter>>,
    /// What becomes of a message that expires before it is claimed.
    pub on_expiry: Option<OnExpiry>,
    /// The new limit of leases at once; `Some(None)`: no limit.
    pub leased_max: Option<Option<u32>>,
    /// The new limit of claims per interval; `Some(None)`: no limit.
    pub rate: Option<Option<RateLimit>>,
    /// The new limit of leases at once per ordering key; `Some(None)`: no limit.
    pub leased_per_key_max: Option<Option<u32>>,
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
        /// Changes whether messages of one ordering key are delivered one at a time.
        with_ordered: ordered = bool;
        /// Changes what becomes of a key when one of its messages is dead-lettered.
        with_on_dead: on_dead = OnDead;
        /// Changes which messages are delivered; `None`: all.
        with_filter: filter = Option<Filter>;
        /// Changes what becomes of a message that expires before it is claimed.
        with_on_expiry: on_expiry = OnExpiry;
        /// Changes how many deliveries are leased at once at most; `None`: no limit.
        with_leased_max: leased_max = Option<u32>;
        /// Changes how many deliveries are claimed per interval at most; `None`: no limit.
        with_rate: rate = Option<RateLimit>;
        /// Changes how many deliveries of one ordering key are leased at once at most; `None`: no limit.
        with_leased_per_key_max: leased_per_key_max = Option<u32>;
    }

    /// These settings with the changes made.
    #[must_use]
    pub fn apply(&self, options: &SubscriberOptions) -> SubscriberOptions {
        SubscriberOptions {
            max_attempts: self.max_attempts.unwrap_or(options.max_attempts),
            lease: self.lease.unwrap_or(options.lease),
            claim_limit: self.claim_limit.unwrap_or(options.claim_limit),
            retry: self.retry.unwrap_or(options.retry),
            ordered: self.ordered.unwrap_or(options.ordered),
            on_dead: self.on_dead.unwrap_or(options.on_dead),
            filter: self.filter.clone().unwrap_or_else(|| options.filter.clone()),
            on_expiry: self.on_expiry.unwrap_or(options.on_expiry),
            leased_max: self.leased_max.unwrap_or(options.leased_max),
            rate: self.rate.unwrap_or(options.rate),
            leased_per_key_max: self.leased_per_key_max.unwrap_or(options.leased_per_key_max),
        }
    }
}
