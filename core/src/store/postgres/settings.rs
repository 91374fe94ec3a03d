//! Settings of topics, subscribers and schedules as objects of columns, in both directions.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clock::{Millis, duration_millis, from_millis, to_millis};
use crate::error::{Error, Result};
use crate::options::{
    BacklogLimit, BacklogPolicy, Message, MisfirePolicy, NewSubscriber, OnDead, OnExpiry,
    OverlapPolicy, RateLimit, Retention, RetryPolicy, ScheduleOptions, StartFrom, SubscriberChange,
    SubscriberOptions, TopicChange, TopicOptions,
};

type Columns = Map<String, Value>;

fn add(columns: &mut Columns, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        columns.insert(name.clone(), value.clone());
    }
}

// --- topics ---------------------------------------------------------------------------------------------

pub(super) fn topic(options: &TopicOptions) -> Value {
    topic_change(&TopicChange {
        retention: Some(options.retention),
        backlog_limit: Some(options.backlog_limit),
        idempotency_window: Some(options.idempotency_window),
        ttl: Some(options.ttl),
    })
}

/// Only what changes.
pub(super) fn topic_change(change: &TopicChange) -> Value {
    let mut columns = Columns::new();
    if let Some(retention) = change.retention {
        let (ms, count, bytes) = match retention {
            Retention::None => (None, None, None),
            Retention::Duration(duration) => (Some(duration_millis(duration)), None, None),
            Retention::Count(count) => (None, Some(signed(count)), None),
            Retention::Bytes(bytes) => (None, None, Some(signed(bytes))),
        };
        add(
            &mut columns,
            &json!({ "retention_ms": ms, "retention_count": count, "retention_bytes": bytes }),
        );
    }
    if let Some(limit) = change.backlog_limit {
        let more = json!({
            "backlog_count": limit.messages.map(signed),
            "backlog_bytes": limit.bytes.map(signed),
            "backlog_ms": limit.age.map(duration_millis),
            "backlog_policy": i32::from(limit.policy == BacklogPolicy::DropOldest),
        });
        add(&mut columns, &more);
    }
    if let Some(window) = change.idempotency_window {
        add(&mut columns, &json!({ "idempotency_ms": duration_millis(window) }));
    }
    if let Some(ttl) = change.ttl {
        add(&mut columns, &json!({ "ttl_ms": ttl.map(duration_millis) }));
    }
    Value::Object(columns)
}

/// The columns of a topic's row.
#[derive(Deserialize)]
pub(super) struct TopicRow {
    pub id: u64,
    pub name: String,
    pub created_at: Millis,
    pub paused: bool,
    retention_ms: Option<u64>,
    retention_count: Option<u64>,
    retention_bytes: Option<u64>,
    backlog_count: Option<u64>,
    backlog_bytes: Option<u64>,
    backlog_ms: Option<u64>,
    backlog_policy: i32,
    idempotency_ms: u64,
    ttl_ms: Option<u64>,
}

impl TopicRow {
    pub(super) fn options(&self) -> TopicOptions {
        let retention = match (self.retention_ms, self.retention_count, self.retention_bytes) {
            (Some(ms), ..) => Retention::Duration(Duration::from_millis(ms)),
            (_, Some(count), _) => Retention::Count(count),
            (.., Some(bytes)) => Retention::Bytes(bytes),
            _ => Retention::None,
        };
        let policy = match self.backlog_policy {
            1 => BacklogPolicy::DropOldest,
            _ => BacklogPolicy::Refuse,
        };
        let backlog_limit = BacklogLimit {
            messages: self.backlog_count,
            bytes: self.backlog_bytes,
            age: self.backlog_ms.map(Duration::from_millis),
            policy,
        };
        TopicOptions {
            retention,
            backlog_limit,
            idempotency_window: Duration::from_millis(self.idempotency_ms),
            ttl: self.ttl_ms.map(Duration::from_millis),
        }
    }
}

// --- subscribers ----------------------------------------------------------------------------------------

pub(super) fn new_subscriber(new: &NewSubscriber) -> Value {
    let start = match new.start {
        StartFrom::Now => json!("now"),
        StartFrom::Earliest => json!("earliest"),
        StartFrom::Time(at) => json!(to_millis(at)),
    };
    let options = &new.options;
    let change = SubscriberChange {
        max_attempts: Some(options.max_attempts),
        lease: Some(options.lease),
        claim_limit: Some(options.claim_limit),
        retry: Some(options.retry),
        ordered: Some(options.ordered),
        on_dead: Some(options.on_dead),
        filter: Some(options.filter.clone()),
        on_expiry: Some(options.on_expiry),
        leased_max: Some(options.leased_max),
        rate: Some(options.rate),
        leased_per_key_max: Some(options.leased_per_key_max),
    };
    json!({ "name": new.name, "start": start, "options": subscriber_change(&change) })
}

/// Only what changes.
pub(super) fn subscriber_change(change: &SubscriberChange) -> Value {
    let mut columns = Columns::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            columns.insert(name.to_owned(), value);
        }
    };
    set("max_attempts", change.max_attempts.map(|attempts| json!(attempts)));
    set("lease_ms", change.lease.map(|lease| json!(duration_millis(lease))));
    set("claim_limit", change.claim_limit.map(|limit| json!(limit)));
    if let Some(retry) = change.retry {
        set("retry_initial_ms", Some(json!(duration_millis(retry.initial))));
        set("retry_max_ms", Some(json!(duration_millis(retry.max))));
        set("retry_multiplier", Some(json!(retry.multiplier)));
        set("retry_jitter", Some(json!(retry.jitter)));
    }
    set("ordered", change.ordered.map(|ordered| json!(ordered)));
    set("on_dead", change.on_dead.map(|on_dead| json!(i32::from(on_dead == OnDead::Block))));
    set("filter", change.filter.as_ref().map(|filter| json!(filter)));
    let on_expiry = |on_expiry| json!(i32::from(on_expiry == OnExpiry::DeadLetter));
    set("on_expiry", change.on_expiry.map(on_expiry));
    set("leased_max", change.leased_max.map(|leased| json!(leased)));
    if let Some(rate) = change.rate {
        set("rate_count", Some(json!(rate.map(|rate| rate.count))));
        set("rate_ms", Some(json!(rate.map(|rate| duration_millis(rate.interval)))));
    }
    set("leased_per_key_max", change.leased_per_key_max.map(|leased| json!(leased)));
    Value::Object(columns)
}

/// The columns of a subscriber's row, and its topic's name.
#[derive(Deserialize)]
pub(super) struct SubscriberRow {
    pub id: u64,
    pub topic: String,
    pub name: String,
    pub created_at: Millis,
    pub paused: bool,
    max_attempts: u32,
    lease_ms: u64,
    claim_limit: usize,
    retry_initial_ms: u64,
    retry_max_ms: u64,
    retry_multiplier: f64,
    retry_jitter: f64,
    ordered: bool,
    on_dead: i32,
    filter: Option<Value>,
    on_expiry: i32,
    leased_max: Option<u32>,
    rate_count: Option<u32>,
    rate_ms: Option<u64>,
    leased_per_key_max: Option<u32>,
}

impl SubscriberRow {
    pub(super) fn options(&self) -> Result<SubscriberOptions> {
        let filter = self.filter.as_ref().map(|filter| filter.to_string().parse());
        let damaged = |error| Error::Corrupt { detail: format!("a filter: {error}") };
        Ok(SubscriberOptions {
            max_attempts: self.max_attempts,
            lease: Duration::from_millis(self.lease_ms),
            claim_limit: self.claim_limit,
            retry: RetryPolicy {
                initial: Duration::from_millis(self.retry_initial_ms),
                max: Duration::from_millis(self.retry_max_ms),
                multiplier: self.retry_multiplier,
                jitter: self.retry_jitter,
            },
            ordered: self.ordered,
            on_dead: if self.on_dead == 1 { OnDead::Block } else { OnDead::Skip },
            filter: filter.transpose().map_err(damaged)?,
            on_expiry: if self.on_expiry == 1 { OnExpiry::DeadLetter } else { OnExpiry::Skip },
            leased_max: self.leased_max,
            rate: match (self.rate_count, self.rate_ms) {
                (Some(count), Some(ms)) => Some(RateLimit::new(count, Duration::from_millis(ms))),
                _ => None,
            },
            leased_per_key_max: self.leased_per_key_max,
        })
    }
}

// --- schedules ------------------------------------------------------------------------------------------

/// Without the payload of its message, which travels as bytes.
pub(super) fn schedule(options: &ScheduleOptions) -> Value {
    let (misfire, misfire_limit) = match options.misfire {
        MisfirePolicy::Skip => (0, 0),
        MisfirePolicy::Once => (1, 0),
        MisfirePolicy::All { limit } => (2, limit),
    };
    let overlap = match options.overlap {
        OverlapPolicy::Allow => 0,
        OverlapPolicy::Skip => 1,
        OverlapPolicy::Queue => 2,
    };
    let message = &options.message;
    json!({
        "cron": options.cron,
        "timezone": options.timezone,
        "start_at": options.start.map(to_millis),
        "end_at": options.end.map(to_millis),
        "jitter_ms": duration_millis(options.jitter),
        "grace_ms": duration_millis(options.grace),
        "misfire": misfire,
        "misfire_limit": misfire_limit,
        "overlap": overlap,
        "priority": message.priority,
        "content_type": message.content_type,
        "headers": (!message.headers.is_empty()).then_some(&message.headers),
        "correlation_id": message.correlation_id,
        "ordering_key": message.ordering_key,
        "ttl_ms": message.ttl.map(duration_millis),
    })
}

/// The columns of a schedule's row, its topic's name, and the payload.
#[derive(Deserialize)]
pub(super) struct ScheduleRow {
    pub id: i64,
    pub topic: String,
    pub name: String,
    pub created_at: Millis,
    pub version: u64,
    pub paused: bool,
    pub next_at: Option<Millis>,
    pub due_at: Option<Millis>,
    pub last_at: Option<Millis>,
    pub queued_at: Option<Millis>,
    /// Only of those that are due: the time by which they are.
    #[serde(default)]
    pub now: Millis,
    cron: String,
    timezone: String,
    start_at: Option<Millis>,
    end_at: Option<Millis>,
    jitter_ms: u64,
    grace_ms: u64,
    misfire: i32,
    misfire_limit: u32,
    overlap: i32,
    priority: i16,
    content_type: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    correlation_id: Option<String>,
    ordering_key: Option<String>,
    ttl_ms: Option<u64>,
    /// Hexadecimal.
    body: String,
}

impl ScheduleRow {
    pub(super) fn options(&self) -> ScheduleOptions {
        let mut message = Message::new(bytes(&self.body));
        message.content_type.clone_from(&self.content_type);
        message.headers = self.headers.clone().unwrap_or_default();
        message.correlation_id.clone_from(&self.correlation_id);
        message.priority = self.priority;
        message.ordering_key.clone_from(&self.ordering_key);
        message.ttl = self.ttl_ms.map(Duration::from_millis);
        let mut options = ScheduleOptions::new(self.cron.clone(), message);
        options.timezone.clone_from(&self.timezone);
        options.misfire = match self.misfire {
            0 => MisfirePolicy::Skip,
            1 => MisfirePolicy::Once,
            _ => MisfirePolicy::All { limit: self.misfire_limit },
        };
        options.overlap = match self.overlap {
            0 => OverlapPolicy::Allow,
            1 => OverlapPolicy::Skip,
            _ => OverlapPolicy::Queue,
        };
        options.start = self.start_at.map(from_millis);
        options.end = self.end_at.map(from_millis);
        options.jitter = Duration::from_millis(self.jitter_ms);
        options.grace = Duration::from_millis(self.grace_ms);
        options
    }
}

/// Bytes from their hexadecimal text.
fn bytes(hex: &str) -> Vec<u8> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).unwrap_or(0);
    let pair = |pair: &[u8]| pair.iter().fold(0, |byte, next| byte * 16 + digit(next));
    hex.as_bytes().chunks(2).map(|two| u8::try_from(pair(two)).unwrap_or(0)).collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Numbers beyond what a column holds mean the same as the largest one.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
