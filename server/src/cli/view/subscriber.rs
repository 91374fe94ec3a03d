//! A subscriber.

use blockqueue::{Filter, OnDead, OnExpiry, RetryPolicy, SubscriberOptions};
use humantime::format_duration;
use serde::{Serialize, Serializer};

use super::{Moment, Row, millis, or_dash, yes};

/// A subscriber and its settings.
#[derive(Debug, Serialize)]
pub(crate) struct Subscriber {
    /// The topic's name.
    pub(crate) topic: String,
    /// Its name.
    pub(crate) name: String,
    /// Claims wait as on an empty topic.
    pub(crate) paused: bool,
    /// When it was created, where that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<Moment>,
    /// Its settings, where they are told.
    #[serde(flatten)]
    pub(crate) options: Option<SubscriberSettings>,
}

impl From<blockqueue::Subscriber> for Subscriber {
    fn from(subscriber: blockqueue::Subscriber) -> Self {
        Self {
            topic: subscriber.topic,
            name: subscriber.name,
            paused: subscriber.paused,
            created_at: Some(Moment(subscriber.created_at)),
            options: Some(SubscriberSettings(subscriber.options)),
        }
    }
}

impl Row for Subscriber {
    const COLUMNS: &'static [&'static str] =
        &["SUBSCRIBER", "PAUSED", "ATTEMPTS", "LEASE", "CLAIM LIMIT", "RETRY", "CREATED"];

    fn cells(&self) -> Vec<String> {
        let told = |cell: fn(&SubscriberOptions) -> String| {
            or_dash(self.options.as_ref().map(|settings| cell(&settings.0)))
        };
        vec![
            self.name.clone(),
            yes(self.paused),
            told(|options| options.max_attempts.to_string()),
            told(|options| format_duration(options.lease).to_string()),
            told(|options| options.claim_limit.to_string()),
            told(|options| retry(&options.retry)),
            or_dash(self.created_at),
        ]
    }
}

fn retry(retry: &RetryPolicy) -> String {
    let RetryPolicy { initial, max, multiplier, .. } = *retry;
    format!("{} ×{multiplier} up to {}", format_duration(initial), format_duration(max))
}

/// The settings, shown flat and in words.
#[derive(Debug, Clone)]
pub(crate) struct SubscriberSettings(pub(crate) SubscriberOptions);

impl Serialize for SubscriberSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Settings {
            max_attempts: u32,
            lease_ms: u64,
            claim_limit: usize,
            retry_initial_ms: u64,
            retry_max_ms: u64,
            retry_multiplier: f64,
            retry_jitter: f64,
            ordered: bool,
            on_dead: &'static str,
            filter: Option<Filter>,
            on_expiry: &'static str,
            leased_max: Option<u32>,
            rate_count: Option<u32>,
            rate_interval_ms: Option<u64>,
            leased_per_key_max: Option<u32>,
        }
        let Self(options) = self;
        Settings {
            max_attempts: options.max_attempts,
            lease_ms: millis(options.lease),
            claim_limit: options.claim_limit,
            retry_initial_ms: millis(options.retry.initial),
            retry_max_ms: millis(options.retry.max),
            retry_multiplier: options.retry.multiplier,
            retry_jitter: options.retry.jitter,
            ordered: options.ordered,
            on_dead: match options.on_dead {
                OnDead::Block => "block",
                _ => "skip",
            },
            filter: options.filter.clone(),
            on_expiry: match options.on_expiry {
                OnExpiry::DeadLetter => "dead_letter",
                _ => "skip",
            },
            leased_max: options.leased_max,
            rate_count: options.rate.map(|rate| rate.count),
            rate_interval_ms: options.rate.map(|rate| millis(rate.interval)),
            leased_per_key_max: options.leased_per_key_max,
        }
        .serialize(serializer)
    }
}
