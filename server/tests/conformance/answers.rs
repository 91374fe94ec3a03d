//! The documents of the contract in the words of the scripts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blockqueue_conformance::{Operation as Op, START_MS};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The answer of an operation, from the data of its document.
pub(crate) fn answer(operation: &Op, data: &Value) -> Value {
    match operation {
        Op::CreateTopic { .. } | Op::Topic { .. } | Op::UpdateTopic { .. } => topic(data),
        Op::Topics { .. } => page(data, "topics", topic),
        Op::CreateSubscribers { .. } => list(data, subscriber),
        Op::Subscriber { .. } | Op::UpdateSubscriber { .. } => subscriber(data),
        Op::Subscribers { .. } => page(data, "subscribers", subscriber),
        Op::TopicStats { .. } => topic_stats(data),
        Op::SubscriberStats { .. } => subscriber_stats(data),
        Op::Publish { .. } => published(data),
        Op::PublishBatch { .. } => list(data, published),
        Op::Claim { topic, subscriber, .. } => list(data, |item| {
            let mut delivery = delivery(item);
            delivery["topic"] = json!(topic);
            delivery["subscriber"] = json!(subscriber);
            delivery
        }),
        Op::Nack(_) => settled(data),
        Op::AckBatch { .. } => list(data, |item| json!({ "error": item["error"] })),
        Op::NackBatch { .. } => list(data, settled),
        Op::Extend { .. } => json!({ "lease_expires_at": instant(&data["lease_expires_at"]) }),
        Op::Defer(_) => json!({ "ready_at": instant(&data["visible_at"]) }),
        Op::CancelMessage { .. } => list(data, status),
        Op::DeadLetters { .. } => page(data, "messages", dead_letter),
        Op::Redrive { .. } | Op::PurgeDeadLetters { .. } | Op::Seek { .. } => data.clone(),
        Op::Failures { .. } => page(data, "errors", failure),
        Op::Peek { .. } => page(
            data,
            "messages",
            |item| json!({ "message": message(item), "status": status(item), "receipt": item["receipt_token"] }),
        ),
        Op::Result { .. } => result(data),
        Op::Message { .. } => json!({
            "message": message(data),
            "delayed": data["delayed"],
            "deliveries": list(&data["deliveries"], status),
        }),
        Op::CreateSchedule { topic, .. }
        | Op::Schedule { topic, .. }
        | Op::UpdateSchedule { topic, .. } => {
            let mut schedule = schedule(data);
            schedule["topic"] = json!(topic);
            schedule
        }
        Op::Schedules { .. } => page(data, "schedules", schedule),
        Op::RunScheduleNow { .. } => run(data),
        Op::ScheduleRuns { .. } => page(data, "runs", run),
        _ => json!({}),
    }
}

fn list(items: &Value, one: impl Fn(&Value) -> Value) -> Value {
    items.as_array().into_iter().flatten().map(one).collect()
}

fn page(data: &Value, name: &str, one: impl Fn(&Value) -> Value) -> Value {
    json!({ "items": list(&data[name], one), "next": data["next_cursor"] })
}

/// Milliseconds since the start of the script, from a time of RFC 3339.
fn instant(at: &Value) -> Option<i64> {
    let at: Timestamp = at.as_str()?.parse().unwrap();
    Some(at.as_millisecond() - START_MS)
}

fn millis(duration: &Value) -> Option<i64> {
    let duration: SignedDuration = duration.as_str()?.parse().unwrap();
    Some(i64::try_from(duration.as_millis()).unwrap())
}

fn state(status: &Value) -> Option<&str> {
    Some(match status.as_str()? {
        "dead_letter" => "dead_lettered",
        "processed" | "cancelled" => "settled",
        other => other,
    })
}

fn with_payload(mut answer: Value, document: &Value) -> Value {
    let text = document["message"].as_str().unwrap();
    if document["encoding"] == "base64" {
        answer["payload_base64"] = json!(text);
    } else {
        answer["payload_base64"] = json!(STANDARD.encode(text));
        answer["payload"] = json!(text);
    }
    answer
}

fn topic(data: &Value) -> Value {
    let option = &data["option"];
    let backlog = &option["backlog_limit"];
    let retention = match option["retention"].get("duration") {
        Some(kept) => json!({ "duration_ms": millis(kept) }),
        None => option["retention"].clone(),
    };
    json!({
        "id": data["id"],
        "name": data["name"],
        "paused": data["paused"],
        "created_at": instant(&data["created_at"]),
        "options": {
            "retention": retention,
            "backlog_limit": {
                "messages": backlog["messages"],
                "bytes": backlog["bytes"],
                "age_ms": millis(&backlog["age"]),
                "policy": backlog["policy"],
            },
            "idempotency_window_ms": millis(&option["idempotency_window"]),
            "ttl_ms": millis(&option["ttl"]),
        },
    })
}

fn subscriber(data: &Value) -> Value {
    let option = &data["option"];
    let retry = &option["retry_policy"];
    json!({
        "id": data["id"],
        "name": data["name"],
        "topic": data["topic"],
        "paused": data["paused"],
        "created_at": instant(&data["created_at"]),
        "options": {
            "max_attempts": option["max_attempts"],
            "lease_ms": millis(&option["visibility_duration"]),
            "claim_limit": option["dequeue_batch_size"],
            "retry": {
                "initial_ms": millis(&retry["initial_delay"]),
                "max_ms": millis(&retry["max_delay"]),
                "multiplier": retry["multiplier"],
                "jitter": retry["jitter"],
            },
            "ordered": option["ordered"],
            "on_dead": option["on_dead"],
            "filter": option["filter"],
            "on_expiry": option["on_expiry"],
            "leased_max": option["leased_max"],
            "rate": option["rate"].as_object().map(|rate| {
                json!({ "count": rate["count"], "interval_ms": millis(&rate["interval"]) })
            }),
            "leased_per_key_max": option["leased_per_key_max"],
        },
    })
}

fn published(data: &Value) -> Value {
    json!({
        "id": data["message_id"],
        "duplicate": data["duplicate"],
        "deliver_at": instant(&data["scheduled_at"]),
        "subscriber_count": data["subscriber_count"],
    })
}

fn delivery(data: &Value) -> Value {
    let answer = json!({
        "message_id": data["id"],
        "receipt": data["receipt_token"],
        "content_type": data["content_type"],
        "headers": data["headers"],
        "correlation_id": data["correlation_id"],
        "ordering_key": data["key"],
        "expires_at": instant(&data["expires_at"]),
        "priority": data["priority"],
        "attempt": data["delivery_count"],
        "failures": data["failure_count"],
        "published_at": instant(&data["created_at"]),
        "lease_expires_at": instant(&data["lease_expires_at"]),
    });
    with_payload(answer, data)
}

/// A nack tells `pending` of a delivery that waits for its next attempt.
fn settled(data: &Value) -> Value {
    if let Some(code) = data["error"].as_str() {
        return json!({ "error": code });
    }
    let state = if data["status"] == "pending" { Some("retrying") } else { state(&data["status"]) };
    json!({ "state": state, "ready_at": instant(&data["visible_at"]) })
}

fn result(data: &Value) -> Value {
    let state = match data["status"].as_str() {
        Some("replied") => {
            let answer = json!({
                "state": "replied",
                "content_type": data["content_type"],
                "replied_at": instant(&data["replied_at"]),
                "expires_at": instant(&data["expires_at"]),
            });
            return with_payload(answer, data);
        }
        Some("pending") => Some("unsettled"),
        _ => state(&data["status"]),
    };
    json!({ "state": state })
}

fn status(data: &Value) -> Value {
    json!({
        "subscriber": data["subscriber"],
        "state": state(&data["status"]),
        "attempts": data["delivery_count"],
        "failures": data["failure_count"],
        "ready_at": instant(&data["visible_at"]),
    })
}

fn message(data: &Value) -> Value {
    let answer = json!({
        "id": data["id"],
        "content_type": data["content_type"],
        "headers": data["headers"],
        "correlation_id": data["correlation_id"],
        "idempotency_key": data["idempotency_key"],
        "ordering_key": data["key"],
        "expires_at": instant(&data["expires_at"]),
        "priority": data["priority"],
        "accepted_at": instant(&data["created_at"]),
        "deliver_at": instant(&data["scheduled_at"]),
    });
    with_payload(answer, data)
}

fn dead_letter(data: &Value) -> Value {
    json!({
        "message": message(data),
        "attempts": data["delivery_count"],
        "failures": data["failure_count"],
        "error": data["error"],
        "dead_at": instant(&data["dead_at"]),
    })
}

fn failure(data: &Value) -> Value {
    json!({
        "failure": data["failure_count"],
        "error": data["error"],
        "failed_at": instant(&data["failed_at"]),
    })
}

fn topic_stats(data: &Value) -> Value {
    json!({
        "topic": data["topic"],
        "paused": data["paused"],
        "published_count": data["published_total"],
        "delayed_count": data["delayed"],
        "retained_count": data["retained"],
        "retained_bytes": data["retained_bytes"],
        "logs": data["logs"],
        "subscribers": list(&data["subscribers"], subscriber_stats),
    })
}

fn subscriber_stats(data: &Value) -> Value {
    json!({
        "topic": data["topic"],
        "subscriber": data["name"],
        "paused": data["paused"],
        "pending_count": data["pending"],
        "pending_bytes": data["pending_bytes"],
        "ready_count": data["ready"],
        "leased_count": data["leased"],
        "retrying_count": data["retrying"],
        "parked_count": data["parked"],
        "dead_count": data["dead_letter"],
        "exact": data["exact"],
        "oldest_age_ms": data["oldest_age_ms"],
        "cursors": data["cursors"],
        "claimed_count": data["claimed_total"],
        "acked_count": data["acked_total"],
        "nacked_count": data["nacked_total"],
        "expired_count": data["expired_total"],
        "ttl_expired_count": data["ttl_expired_total"],
        "filtered_count": data["filtered_total"],
        "dropped_count": data["dropped_total"],
    })
}

fn schedule(data: &Value) -> Value {
    let message = with_payload(
        json!({
            "content_type": data["content_type"],
            "headers": data["headers"],
            "correlation_id": data["correlation_id"],
            "priority": data["priority"],
            "ordering_key": data["key"],
            "ttl_ms": millis(&data["ttl"]),
        }),
        data,
    );
    let misfire = match data["misfire_policy"].as_str() {
        Some("fire_once") => json!("once"),
        Some("all") => json!({ "all": data["misfire_limit"] }),
        other => json!(other),
    };
    json!({
        "name": data["name"],
        "version": data["version"],
        "paused": data["paused"],
        "next_at": instant(&data["next_run_at"]),
        "due_at": instant(&data["due_at"]),
        "last_at": instant(&data["last_run_at"]),
        "queued_at": instant(&data["queued_at"]),
        "created_at": instant(&data["created_at"]),
        "options": {
            "cron": data["cron"],
            "timezone": data["timezone"],
            "message": message,
            "misfire": misfire,
            "overlap": data["overlap_policy"],
            "start_at": instant(&data["start"]),
            "end_at": instant(&data["end"]),
            "jitter_ms": millis(&data["jitter"]),
            "grace_ms": millis(&data["grace"]),
        },
    })
}

fn run(data: &Value) -> Value {
    json!({
        "run": data["id"].as_str().unwrap().parse::<u64>().unwrap(),
        "status": data["status"],
        "occurrence_at": instant(&data["scheduled_for"]),
        "until_at": instant(&data["scheduled_until"]),
        "at": instant(&data["started_at"]),
        "message_id": data["message_id"],
        "error": data["error"],
    })
}
