//! Subscribers, and where they go on.

use blockqueue::{
    NewSubscriber, OnDead, OnExpiry, RateLimit, Result, RetryPolicy, Seek, SeekTo, Sought,
    StartFrom, Subscriber, SubscriberChange, SubscriberOptions,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{OrNone, ToJson, instant, millis, optional_duration};
use crate::arguments::{duration, instant as time};

/// A subscriber to create.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSubscriberIn {
    name: String,
    #[serde(default)]
    options: SubscriberIn,
    #[serde(default)]
    start: StartIn,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StartIn {
    #[default]
    Now,
    Earliest,
    At(i64),
}

/// Settings of a subscriber; what is not given keeps its default, or stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubscriberIn {
    max_attempts: Option<u32>,
    lease_ms: Option<i64>,
    claim_limit: Option<usize>,
    retry: Option<RetryIn>,
    ordered: Option<bool>,
    on_dead: Option<OnDeadIn>,
    /// A filter, or the word `none`.
    filter: Option<Value>,
    on_expiry: Option<OnExpiryIn>,
    leased_max: Option<OrNone<u32>>,
    rate: Option<OrNone<RateIn>>,
    leased_per_key_max: Option<OrNone<u32>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnDeadIn {
    Skip,
    Block,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnExpiryIn {
    Skip,
    DeadLetter,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateIn {
    count: u32,
    interval_ms: i64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryIn {
    initial_ms: Option<i64>,
    max_ms: Option<i64>,
    multiplier: Option<f64>,
    jitter: Option<f64>,
}

impl NewSubscriberIn {
    pub(crate) fn into_new(self) -> Result<NewSubscriber> {
        let settings = self.options.into_change()?.apply(&SubscriberOptions::default());
        let start = match self.start {
            StartIn::Now => StartFrom::Now,
            StartIn::Earliest => StartFrom::Earliest,
            StartIn::At(at) => StartFrom::Time(time(at)),
        };
        Ok(NewSubscriber::new(self.name).with_options(settings).with_start(start))
    }
}

impl SubscriberIn {
    pub(crate) fn into_change(self) -> Result<SubscriberChange> {
        let mut change = SubscriberChange::default();
        change.max_attempts = self.max_attempts;
        change.lease = optional_duration("lease_ms", self.lease_ms)?;
        change.claim_limit = self.claim_limit;
        change.retry = self.retry.map(RetryIn::into_core).transpose()?;
        change.ordered = self.ordered;
        change.on_dead = self.on_dead.map(|policy| match policy {
            OnDeadIn::Skip => OnDead::Skip,
            OnDeadIn::Block => OnDead::Block,
        });
        change.filter = match self.filter {
            Some(filter) if filter == "none" => Some(None),
            Some(filter) => Some(Some(filter.to_string().parse()?)),
            None => None,
        };
        change.on_expiry = self.on_expiry.map(|policy| match policy {
            OnExpiryIn::Skip => OnExpiry::Skip,
            OnExpiryIn::DeadLetter => OnExpiry::DeadLetter,
        });
        change.leased_max = self.leased_max.map(OrNone::into_option);
        if let Some(rate) = self.rate {
            change.rate = Some(rate.into_option().map(RateIn::into_core).transpose()?);
        }
        change.leased_per_key_max = self.leased_per_key_max.map(OrNone::into_option);
        Ok(change)
    }
}

impl RateIn {
    fn into_core(self) -> Result<RateLimit> {
        Ok(RateLimit::new(self.count, duration("rate.interval_ms", self.interval_ms)?))
    }
}

impl RetryIn {
    fn into_core(self) -> Result<RetryPolicy> {
        let mut policy = RetryPolicy::default();
        policy.initial =
            optional_duration("retry.initial_ms", self.initial_ms)?.unwrap_or(policy.initial);
        policy.max = optional_duration("retry.max_ms", self.max_ms)?.unwrap_or(policy.max);
        policy.multiplier = self.multiplier.unwrap_or(policy.multiplier);
        policy.jitter = self.jitter.unwrap_or(policy.jitter);
        Ok(policy)
    }
}

/// Where a subscriber goes on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeekIn {
    to: PlaceIn,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PlaceIn {
    Earliest,
    Latest,
    At(i64),
    MessageId(String),
    Sequence { priority: i16, sequence: u64 },
}

impl SeekIn {
    pub(crate) fn into_core(self) -> Result<Seek> {
        let to = match self.to {
            PlaceIn::Earliest => SeekTo::Earliest,
            PlaceIn::Latest => SeekTo::Latest,
            PlaceIn::At(at) => SeekTo::Time(time(at)),
            PlaceIn::MessageId(id) => SeekTo::Message(id.parse()?),
            PlaceIn::Sequence { priority, sequence } => SeekTo::Sequence { priority, sequence },
        };
        Ok(Seek::to(to).with_dry_run(self.dry_run))
    }
}

impl ToJson for Subscriber {
    fn to_json(&self) -> Value {
        let options = &self.options;
        json!({
            "id": self.id,
            "topic": self.topic,
            "name": self.name,
            "paused": self.paused,
            "created_at": instant(self.created_at),
            "options": {
                "max_attempts": options.max_attempts,
                "lease_ms": millis(options.lease),
                "claim_limit": options.claim_limit,
                "retry": {
                    "initial_ms": millis(options.retry.initial),
                    "max_ms": millis(options.retry.max),
                    "multiplier": options.retry.multiplier,
                    "jitter": options.retry.jitter,
                },
                "ordered": options.ordered,
                "on_dead": if options.on_dead == OnDead::Block { "block" } else { "skip" },
                "filter": options.filter,
                "on_expiry": match options.on_expiry {
                    OnExpiry::DeadLetter => "dead_letter",
                    _ => "skip",
                },
                "leased_max": options.leased_max,
                "rate": options.rate.map(|rate| {
                    json!({ "count": rate.count, "interval_ms": millis(rate.interval) })
                }),
                "leased_per_key_max": options.leased_per_key_max,
            },
        })
    }
}

impl ToJson for Sought {
    fn to_json(&self) -> Value {
        json!({
            "clamped": self.clamped,
            "replayed_count": self.replayed_count,
            "skipped_count": self.skipped_count,
            "exact": self.exact,
        })
    }
}
