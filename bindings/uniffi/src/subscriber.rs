//! Subscribers, and where they go on.

use blockqueue::{Result, SubscriberChange};

use crate::error::unknown;
use crate::number::{
    count, duration, duration_millis, instant, maybe_count, maybe_duration, millis, priority,
    signed,
};
use crate::page::pages;

/// How long a failed delivery waits before its next attempt: exponential, with jitter.
#[derive(Debug, Clone, uniffi::Record)]
pub struct RetryPolicy {
    /// The first pause. Default 1 s.
    #[uniffi(default)]
    pub initial_ms: Option<i64>,
    /// The longest pause. Default 1 h.
    #[uniffi(default)]
    pub max_ms: Option<i64>,
    /// Each pause is this many times the one before. Default 2; at least 1.
    #[uniffi(default)]
    pub multiplier: Option<f64>,
    /// Each pause is shortened or lengthened at random by up to this share. Default 0.2; 0 to 1.
    #[uniffi(default)]
    pub jitter: Option<f64>,
}

impl RetryPolicy {
    fn into_core(self) -> Result<blockqueue::RetryPolicy> {
        let mut policy = blockqueue::RetryPolicy::default();
        if let Some(initial) = maybe_duration("retry.initial", self.initial_ms)? {
            policy.initial = initial;
        }
        if let Some(max) = maybe_duration("retry.max", self.max_ms)? {
            policy.max = max;
        }
        policy.multiplier = self.multiplier.unwrap_or(policy.multiplier);
        policy.jitter = self.jitter.unwrap_or(policy.jitter);
        Ok(policy)
    }

    fn from_core(policy: blockqueue::RetryPolicy) -> Self {
        Self {
            initial_ms: Some(duration_millis(policy.initial)),
            max_ms: Some(duration_millis(policy.max)),
            multiplier: Some(policy.multiplier),
            jitter: Some(policy.jitter),
        }
    }
}

/// What becomes of an ordering key when one of its messages is dead-lettered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum OnDead {
    /// Its next message is delivered. The default.
    Skip,
    /// Later messages of the key wait until the dead letter is redriven, purged or cancelled.
    Block,
}

/// What becomes of a message that expires before it is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum OnExpiry {
    /// It is skipped, and counted. The default.
    Skip,
    /// It becomes a dead letter with the error `expired`, and is counted.
    DeadLetter,
}

/// At most so many deliveries per interval.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct RateLimit {
    /// How many; 1 to 1,000,000.
    pub count: i64,
    /// Per how long; 1 ms to 24 h.
    pub interval_ms: i64,
}

/// Which messages are delivered.
#[derive(Debug, Clone, uniffi::Enum)]
pub enum FilterChange {
    /// All of them.
    Remove,
    /// Those whose headers match this filter, as JSON.
    Set {
        /// The filter.
        filter: String,
    },
}

/// A limit that there may be.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum LimitChange {
    /// No limit.
    Remove,
    /// At most this many.
    Set {
        /// How many.
        limit: i64,
    },
}

impl LimitChange {
    fn into_core(self, what: &str) -> Result<Option<u32>> {
        match self {
            Self::Remove => Ok(None),
            Self::Set { limit } => count(what, limit).map(Some),
        }
    }
}

/// A limit of deliveries per interval that there may be.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum RateChange {
    /// No limit.
    Remove,
    /// At most so many.
    Set {
        /// How many, and per how long.
        rate: RateLimit,
    },
}

impl RateChange {
    fn into_core(self) -> Result<Option<blockqueue::RateLimit>> {
        let Self::Set { rate } = self else { return Ok(None) };
        let interval = duration("rate.interval", rate.interval_ms)?;
        Ok(Some(blockqueue::RateLimit::new(count("rate.count", rate.count)?, interval)))
    }
}

/// Settings of a subscriber to choose. What is left out is the default of a new subscriber, and stays in an
/// update.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct SubscriberSettings {
    /// Attempts before a delivery becomes a dead letter. Default 5; at least 1.
    #[uniffi(default)]
    pub max_attempts: Option<i64>,
    /// The lease of a claim that does not say. Default 30 s; 1 ms to 12 h.
    #[uniffi(default)]
    pub lease_ms: Option<i64>,
    /// The limit of a claim that does not say. Default 10; 1 to 1,000.
    #[uniffi(default)]
    pub claim_limit: Option<i64>,
    /// How long a failed delivery waits before its next attempt. Replaced as a whole.
    #[uniffi(default)]
    pub retry: Option<RetryPolicy>,
    /// Messages of one ordering key are delivered one at a time, in the order in which they were
    /// published. Default: no.
    #[uniffi(default)]
    pub ordered: Option<bool>,
    /// What becomes of a key when one of its messages is dead-lettered, if `ordered`. Default: it goes on.
    #[uniffi(default)]
    pub on_dead: Option<OnDead>,
    /// Only messages whose headers match are delivered; others are skipped, and counted. Default: all.
    #[uniffi(default)]
    pub filter: Option<FilterChange>,
    /// What becomes of a message that expires before it is claimed. Default: it is skipped.
    #[uniffi(default)]
    pub on_expiry: Option<OnExpiry>,
    /// At most so many deliveries are leased at once, over all processes. Default: no limit; 1 to
    /// 1,000,000.
    #[uniffi(default)]
    pub leased_max: Option<LimitChange>,
    /// At most so many deliveries are claimed per interval, over all processes. Default: no limit.
    #[uniffi(default)]
    pub rate: Option<RateChange>,
    /// At most so many deliveries of one ordering key are leased at once. Default: no limit; 1 to 1,000.
    #[uniffi(default)]
    pub leased_per_key_max: Option<LimitChange>,
}

impl SubscriberSettings {
    pub(crate) fn into_core(self) -> Result<SubscriberChange> {
        let mut change = SubscriberChange::default();
        change.max_attempts = maybe_count("max_attempts", self.max_attempts)?;
        change.lease = maybe_duration("lease", self.lease_ms)?;
        change.claim_limit = maybe_count("claim_limit", self.claim_limit)?;
        change.retry = self.retry.map(RetryPolicy::into_core).transpose()?;
        change.ordered = self.ordered;
        change.on_dead = self.on_dead.map(|on_dead| match on_dead {
            OnDead::Skip => blockqueue::OnDead::Skip,
            OnDead::Block => blockqueue::OnDead::Block,
        });
        change.filter = match self.filter {
            Some(FilterChange::Set { filter }) => Some(Some(filter.parse()?)),
            Some(FilterChange::Remove) => Some(None),
            None => None,
        };
        change.on_expiry = self.on_expiry.map(|on_expiry| match on_expiry {
            OnExpiry::Skip => blockqueue::OnExpiry::Skip,
            OnExpiry::DeadLetter => blockqueue::OnExpiry::DeadLetter,
        });
        let limit =
            |what, given: Option<LimitChange>| given.map(|given| given.into_core(what)).transpose();
        change.leased_max = limit("leased_max", self.leased_max)?;
        change.rate = self.rate.map(RateChange::into_core).transpose()?;
        change.leased_per_key_max = limit("leased_per_key_max", self.leased_per_key_max)?;
        Ok(change)
    }
}

/// The settings of a subscriber.
#[derive(Debug, Clone, uniffi::Record)]
pub struct SubscriberOptions {
    /// Attempts before a delivery becomes a dead letter.
    pub max_attempts: i64,
    /// The lease of a claim that does not say.
    pub lease_ms: i64,
    /// The limit of a claim that does not say.
    pub claim_limit: i64,
    /// How long a failed delivery waits before its next attempt.
    pub retry: RetryPolicy,
    /// Messages of one ordering key are delivered one at a time, in order.
    pub ordered: bool,
    /// What becomes of a key when one of its messages is dead-lettered, if `ordered`.
    pub on_dead: OnDead,
    /// Which messages are delivered, as JSON; none: all.
    pub filter: Option<String>,
    /// What becomes of a message that expires before it is claimed.
    pub on_expiry: OnExpiry,
    /// At most so many deliveries are leased at once.
    pub leased_max: Option<i64>,
    /// At most so many deliveries are claimed per interval.
    pub rate: Option<RateLimit>,
    /// At most so many deliveries of one ordering key are leased at once.
    pub leased_per_key_max: Option<i64>,
}

impl SubscriberOptions {
    fn from_core(options: blockqueue::SubscriberOptions) -> Result<Self> {
        Ok(Self {
            max_attempts: options.max_attempts.into(),
            lease_ms: duration_millis(options.lease),
            claim_limit: signed(options.claim_limit),
            retry: RetryPolicy::from_core(options.retry),
            ordered: options.ordered,
            on_dead: match options.on_dead {
                blockqueue::OnDead::Skip => OnDead::Skip,
                blockqueue::OnDead::Block => OnDead::Block,
                other => return Err(unknown(other)),
            },
            filter: options.filter.map(|filter| filter.to_string()),
            on_expiry: match options.on_expiry {
                blockqueue::OnExpiry::Skip => OnExpiry::Skip,
                blockqueue::OnExpiry::DeadLetter => OnExpiry::DeadLetter,
                other => return Err(unknown(other)),
            },
            leased_max: options.leased_max.map(Into::into),
            rate: options.rate.map(|rate| RateLimit {
                count: rate.count.into(),
                interval_ms: duration_millis(rate.interval),
            }),
            leased_per_key_max: options.leased_per_key_max.map(Into::into),
        })
    }
}

/// A subscriber.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Subscriber {
    /// Its number in this database; a subscriber of the same name created later has another.
    pub id: i64,
    /// The topic's name.
    pub topic: String,
    /// Its name.
    pub name: String,
    /// Its settings.
    pub options: SubscriberOptions,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// When it was created.
    pub created_at_ms: i64,
}

impl Subscriber {
    pub(crate) fn from_core(subscriber: blockqueue::Subscriber) -> Result<Self> {
        Ok(Self {
            id: signed(subscriber.id),
            topic: subscriber.topic,
            name: subscriber.name,
            options: SubscriberOptions::from_core(subscriber.options)?,
            paused: subscriber.paused,
            created_at_ms: millis(subscriber.created_at),
        })
    }
}

pages! {
    /// Subscribers, by name.
    SubscriberPage: Subscriber of Subscriber;
}

/// Where a new subscriber begins.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum StartFrom {
    /// With what becomes deliverable from now on. The default.
    Now,
    /// With the oldest message that the topic's retention keeps.
    Earliest,
    /// With the first message that became deliverable at or after this time; a time to come means now.
    Time {
        /// When.
        at_ms: i64,
    },
}

/// A subscriber to create.
#[derive(Debug, Clone, uniffi::Record)]
pub struct NewSubscriber {
    /// 1 to 150 bytes, without `/` and control characters.
    pub name: String,
    /// Its settings.
    #[uniffi(default)]
    pub settings: Option<SubscriberSettings>,
    /// Where it begins. Default: now.
    #[uniffi(default)]
    pub start: Option<StartFrom>,
}

impl NewSubscriber {
    pub(crate) fn into_core(self) -> Result<blockqueue::NewSubscriber> {
        let change = self.settings.unwrap_or_default().into_core()?;
        let start = match self.start {
            None | Some(StartFrom::Now) => blockqueue::StartFrom::Now,
            Some(StartFrom::Earliest) => blockqueue::StartFrom::Earliest,
            Some(StartFrom::Time { at_ms }) => blockqueue::StartFrom::Time(instant(at_ms)),
        };
        let options = change.apply(&blockqueue::SubscriberOptions::default());
        Ok(blockqueue::NewSubscriber::new(self.name).with_options(options).with_start(start))
    }

    pub(crate) fn all_into_core(all: Vec<Self>) -> Result<Vec<blockqueue::NewSubscriber>> {
        all.into_iter().map(Self::into_core).collect()
    }
}

/// Where a subscriber goes on after a seek.
#[derive(Debug, Clone, uniffi::Enum)]
pub enum SeekTo {
    /// The oldest message that the topic's retention keeps.
    Earliest,
    /// After the newest message.
    Latest,
    /// The first message that became deliverable at or after this time; a time to come means after
    /// the newest message.
    Time {
        /// When.
        at_ms: i64,
    },
    /// This message; in the logs of other priorities the first that became deliverable no earlier.
    Message {
        /// Its id.
        id: String,
    },
    /// This sequence number of the log of one priority; other priorities stay where they are.
    Sequence {
        /// Which log.
        priority: i32,
        /// The number of the message to deliver next, from 1.
        sequence: i64,
    },
}

impl SeekTo {
    pub(crate) fn into_core(self) -> Result<blockqueue::SeekTo> {
        Ok(match self {
            Self::Earliest => blockqueue::SeekTo::Earliest,
            Self::Latest => blockqueue::SeekTo::Latest,
            Self::Time { at_ms } => blockqueue::SeekTo::Time(instant(at_ms)),
            Self::Message { id } => blockqueue::SeekTo::Message(id.parse()?),
            Self::Sequence { priority: of, sequence } => blockqueue::SeekTo::Sequence {
                priority: priority(of),
                sequence: count("sequence", sequence)?,
            },
        })
    }
}

/// What a seek did, or would do.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Sought {
    /// The place asked for is below what retention keeps: it begins at the oldest message kept.
    pub clamped: bool,
    /// Messages that were claimed or skipped before and are delivered again; an upper bound unless `exact`.
    pub replayed_count: i64,
    /// Messages not claimed before that are passed over; an upper bound unless `exact`.
    pub skipped_count: i64,
    /// Whether the two counts are exact.
    pub exact: bool,
}

impl From<blockqueue::Sought> for Sought {
    fn from(sought: blockqueue::Sought) -> Self {
        Self {
            clamped: sought.clamped,
            replayed_count: signed(sought.replayed_count),
            skipped_count: signed(sought.skipped_count),
            exact: sought.exact,
        }
    }
}
