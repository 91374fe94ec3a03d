//! A subscriber.

use blockqueue::SubscriberOptions;
use humantime::format_duration;
use serde::{Serialize, Serializer};

use super::{Moment, Row, millis, yes};

/// A subscriber and its settings.
#[derive(Debug, Serialize)]
pub(crate) struct Subscriber {
    /// The topic's name.
    pub(crate) topic: String,
    /// Its name.
    pub(crate) name: String,
    /// Claims wait as on an empty topic.
    pub(crate) paused: bool,
    /// When it was created.
    pub(crate) created_at: Moment,
    /// Its settings.
    #[serde(flatten, serialize_with = "settings")]
    pub(crate) options: SubscriberOptions,
}

impl From<blockqueue::Subscriber> for Subscriber {
    fn from(subscriber: blockqueue::Subscriber) -> Self {
        Self {
            topic: subscriber.topic,
            name: subscriber.name,
            paused: subscriber.paused,
            created_at: Moment(subscriber.created_at),
            options: subscriber.options,
        }
    }
}

impl Row for Subscriber {
    const COLUMNS: &'static [&'static str] =
        &["SUBSCRIBER", "PAUSED", "ATTEMPTS", "LEASE", "CLAIM LIMIT", "RETRY", "CREATED"];

    fn cells(&self) -> Vec<String> {
        let options = &self.options;
        let retry = &options.retry;
        vec![
            self.name.clone(),
            yes(self.paused),
            options.max_attempts.to_string(),
            format_duration(options.lease).to_string(),
            options.claim_limit.to_string(),
            format!(
                "{} ×{} up to {}",
                format_duration(retry.initial),
                retry.multiplier,
                format_duration(retry.max)
            ),
            self.created_at.to_string(),
        ]
    }
}

fn settings<S: Serializer>(options: &SubscriberOptions, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Settings {
        max_attempts: u32,
        lease_ms: u64,
        claim_limit: usize,
        retry_initial_ms: u64,
        retry_max_ms: u64,
        retry_multiplier: f64,
        retry_jitter: f64,
    }
    let retry = &options.retry;
    Settings {
        max_attempts: options.max_attempts,
        lease_ms: millis(options.lease),
        claim_limit: options.claim_limit,
        retry_initial_ms: millis(retry.initial),
        retry_max_ms: millis(retry.max),
        retry_multiplier: retry.multiplier,
        retry_jitter: retry.jitter,
    }
    .serialize(serializer)
}
