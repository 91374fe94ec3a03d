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
        Op::Publish { .. } => published(data),
        Op::PublishBatch { .. } => list(data, published),
        Op::Claim { topic, subscriber, .. } => list(data, |item| {
            let mut delivery = delivery(item);
            delivery["topic"] = json!(topic);
            delivery["subscriber"] = json!(subscriber);
            delivery
        }),
        Op::Nack(_) => settled(data),
        Op::AckBatch { .. } => list(data, |item| json!({ "error": item["error"]["code"] })),
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
        Op::Message { .. } => json!({
            "message": message(data),
            "delayed": data["delayed"],
            "deliveries": list(&data["deliveries"], status),
        }),
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
    let encoded = document["payload_base64"].as_str().map(str::to_owned);
    let bytes = match &encoded {
        Some(base64) => STANDARD.decode(base64).unwrap(),
        None => document["message"].as_str().unwrap_or_default().as_bytes().to_vec(),
    };
    answer["payload_base64"] = json!(STANDARD.encode(&bytes));
    if let Ok(text) = String::from_utf8(bytes) {
        answer["payload"] = json!(text);
    }
    answer
}

fn topic(data: &Value) -> Value {
    let retention = match &data["retention"]["duration"] {
        Value::Null => data["retention"].clone(),
        duration => json!({ "duration_ms": millis(duration) }),
    };
    let backlog = &data["backlog_limit"];
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
            "idempotency_window_ms": millis(&data["idempotency_window"]),
        },
    })
}

fn subscriber(data: &Value) -> Value {
    let option = &data["option"];
    let retry = &option["retry_policy"];
    json!({
        "name": data["name"],
        "topic": data["topic"],
        "paused": data["paused"],
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
    if let Some(code) = data["error"]["code"].as_str() {
        return json!({ "error": code });
    }
    let state = if data["status"] == "pending" { Some("retrying") } else { state(&data["status"]) };
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
