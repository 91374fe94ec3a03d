//! What the requests carry, in the words of the contract.

use blockqueue_conformance::{
    self as script, BacklogPolicy, DeadLetters, NewSubscriber, OnDead, OnExpiry, OrNone, Place,
    Retention, START_MS, Start, SubscriberOptions, TopicOptions,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What is not given is left out of a body, at any depth.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, member)| !member.is_null());
            let members = members.map(|(name, member)| (name, without_nulls(member)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

fn instant(at: i64) -> String {
    Timestamp::from_millisecond(START_MS + at).unwrap().to_string()
}

pub(crate) fn message(message: &script::Message) -> Value {
    let text = message.payload.as_deref();
    json!({
        "message": if message.payload_base64.is_some() { None } else { text.or(Some("")) },
        "payload_base64": message.payload_base64,
        "content_type": message.content_type,
        "headers": message.headers,
        "correlation_id": message.correlation_id,
        "idempotency_key": message.idempotency_key,
        "key": message.ordering_key,
        "ttl": message.ttl_ms,
        "unique_key": message.unique_key,
        "priority": message.priority,
        "delay": message.delay_ms,
        "schedule_at": message.deliver_at.map(instant),
    })
}

pub(crate) fn reply(reply: &script::Reply) -> Value {
    let text = reply.payload.as_deref();
    json!({
        "message": if reply.payload_base64.is_some() { None } else { text.or(Some("")) },
        "payload_base64": reply.payload_base64,
        "content_type": reply.content_type,
        "ttl": reply.ttl_ms,
    })
}

pub(crate) fn nack_body(nack: &script::Nack) -> Value {
    json!({
        "receipt_token": nack.receipt,
        "retry_delay": nack.delay_ms,
        "error": nack.error_text,
        "give_up": nack.give_up.then_some(true),
    })
}

pub(crate) fn topic_options(options: &TopicOptions) -> Value {
    let retention = options.retention.map(|retention| match retention {
        Retention::None => json!("none"),
        Retention::DurationMs(ms) => json!({ "duration": ms }),
        Retention::Count(count) => json!({ "count": count }),
        Retention::Bytes(bytes) => json!({ "bytes": bytes }),
    });
    let backlog_limit = options.backlog_limit.map(|limit| {
        let policy = limit.policy.map(|policy| match policy {
            BacklogPolicy::Refuse => "refuse",
            BacklogPolicy::DropOldest => "drop_oldest",
        });
        json!({
            "messages": limit.messages,
            "bytes": limit.bytes,
            "age": limit.age_ms,
            "policy": policy,
        })
    });
    json!({
        "retention": retention,
        "backlog_limit": backlog_limit,
        "idempotency_window": options.idempotency_window_ms,
        "ttl": options.ttl_ms.map(or_none),
    })
}

/// A setting, or the word that takes it back.
fn or_none<T: Into<Value>>(setting: OrNone<T>) -> Value {
    setting.into_option().map_or_else(|| json!("none"), Into::into)
}

pub(crate) fn new_subscriber(subscriber: &NewSubscriber) -> Value {
    let start = match subscriber.start {
        Start::Now => None,
        Start::Earliest => Some("earliest".to_owned()),
        Start::At(at) => Some(instant(at)),
    };
    let option = subscriber_options(&subscriber.options);
    json!({ "name": subscriber.name, "option": option, "start": start })
}

pub(crate) fn subscriber_options(options: &SubscriberOptions) -> Value {
    let retry = options.retry.map(|retry| {
        json!({
            "initial_delay": retry.initial_ms,
            "max_delay": retry.max_ms,
            "multiplier": retry.multiplier,
            "jitter": retry.jitter,
        })
    });
    json!({
        "max_attempts": options.max_attempts,
        "visibility_duration": options.lease_ms,
        "dequeue_batch_size": options.claim_limit,
        "retry_policy": retry,
        "ordered": options.ordered,
        "on_dead": options.on_dead.map(|policy| match policy {
            OnDead::Skip => "skip",
            OnDead::Block => "block",
        }),
        "filter": options.filter,
        "on_expiry": options.on_expiry.map(|policy| match policy {
            OnExpiry::Skip => "skip",
            OnExpiry::DeadLetter => "dead_letter",
        }),
        "leased_max": options.leased_max.map(or_none),
        "rate": options.rate.map(|rate| {
            rate.into_option().map_or_else(
                || json!("none"),
                |rate| json!({ "count": rate.count, "interval": rate.interval_ms }),
            )
        }),
        "leased_per_key_max": options.leased_per_key_max.map(or_none),
    })
}

pub(crate) fn place(place: &Place) -> Value {
    let to = match place {
        Place::Earliest => "earliest".to_owned(),
        Place::Latest => "latest".to_owned(),
        Place::At(at) => instant(*at),
        Place::MessageId(id) => id.clone(),
        Place::Sequence { priority, sequence } => {
            return json!({ "priority": priority, "sequence": sequence });
        }
    };
    json!({ "to": to })
}

pub(crate) fn which(which: &DeadLetters) -> Value {
    match which {
        DeadLetters::All => json!({ "all": true }),
        DeadLetters::Oldest(limit) => json!({ "limit": limit }),
        DeadLetters::Ids(ids) => json!({ "message_ids": ids }),
    }
}

pub(crate) fn schedule_options(options: &script::ScheduleOptions) -> Value {
    let mut body = message(&options.message);
    let (misfire, limit) = match options.misfire {
        None => (None, None),
        Some(script::Misfire::Skip) => (Some("skip"), None),
        Some(script::Misfire::Once) => (Some("fire_once"), None),
        Some(script::Misfire::All(limit)) => (Some("all"), Some(limit)),
    };
    let overlap = options.overlap.map(|overlap| match overlap {
        script::Overlap::Allow => "allow",
        script::Overlap::Skip => "skip",
        script::Overlap::Queue => "queue",
    });
    body["cron"] = json!(options.cron);
    body["timezone"] = json!(options.timezone);
    body["misfire_policy"] = json!(misfire);
    body["misfire_limit"] = json!(limit);
    body["overlap_policy"] = json!(overlap);
    body["start"] = json!(options.start_at.map(instant));
    body["end"] = json!(options.end_at.map(instant));
    body["jitter"] = json!(options.jitter_ms);
    body["grace"] = json!(options.grace_ms);
    body
}
