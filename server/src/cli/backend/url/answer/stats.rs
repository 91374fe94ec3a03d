//! Topics and subscribers in numbers.

use serde::Deserialize;

use crate::cli::view::{self, Cursor, Log};

#[derive(Deserialize)]
pub(in super::super) struct TopicStats {
    topic: String,
    paused: bool,
    published_total: u64,
    delayed: u64,
    retained: u64,
    retained_bytes: u64,
    logs: Vec<Log>,
    subscribers: Vec<SubscriberStats>,
}

#[derive(Deserialize)]
struct SubscriberStats {
    topic: String,
    name: String,
    paused: bool,
    pending: u64,
    pending_bytes: u64,
    ready: u64,
    leased: u64,
    retrying: u64,
    parked: u64,
    dead_letter: u64,
    exact: bool,
    oldest_age_ms: Option<u64>,
    cursors: Vec<Cursor>,
    claimed_total: u64,
    acked_total: u64,
    nacked_total: u64,
    expired_total: u64,
    ttl_expired_total: u64,
    filtered_total: u64,
    dropped_total: u64,
}

impl From<TopicStats> for view::TopicStats {
    fn from(stats: TopicStats) -> Self {
        Self {
            topic: stats.topic,
            paused: stats.paused,
            published_count: stats.published_total,
            delayed_count: stats.delayed,
            retained_count: stats.retained,
            retained_bytes: stats.retained_bytes,
            logs: stats.logs,
            subscribers: stats.subscribers.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<SubscriberStats> for view::SubscriberStats {
    fn from(stats: SubscriberStats) -> Self {
        Self {
            topic: stats.topic,
            subscriber: stats.name,
            paused: stats.paused,
            pending_count: stats.pending,
            pending_bytes: stats.pending_bytes,
            ready_count: stats.ready,
            leased_count: stats.leased,
            retrying_count: stats.retrying,
            parked_count: stats.parked,
            dead_count: stats.dead_letter,
            exact: stats.exact,
            oldest_age_ms: stats.oldest_age_ms,
            cursors: stats.cursors,
            claimed_count: stats.claimed_total,
            acked_count: stats.acked_total,
            nacked_count: stats.nacked_total,
            expired_count: stats.expired_total,
            ttl_expired_count: stats.ttl_expired_total,
            filtered_count: stats.filtered_total,
            dropped_count: stats.dropped_total,
        }
    }
}
