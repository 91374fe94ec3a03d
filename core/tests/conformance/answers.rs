//! The library's answers in the words of the scripts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blockqueue::{
    BacklogPolicy, DeadLetter, Delivery, DeliveryResult, DeliveryStatus, Error, Failure, Listed,
    MessageStatus, MessageView, MisfirePolicy, Nacked, OnDead, OnExpiry, OverlapPolicy, Peeked,
    Published, Retention, Schedule, ScheduleRun, Sought, Subscriber, SubscriberStats, Topic,
    TopicStats,
};
use blockqueue_conformance::START_MS;
use serde_json::{Value, json};

/// An answer that the scripts can look at.
pub(crate) trait Answer {
    fn to_json(&self) -> Value;
}

/// Milliseconds since the start of the script.
fn instant(at: SystemTime) -> i64 {
    let since_1970 = at.duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since_1970.as_millis()).unwrap() - START_MS
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}

/// Bytes as base64, and as text where they are text.
fn with_payload(mut answer: Value, payload: &[u8]) -> Value {
    answer["payload_base64"] = json!(STANDARD.encode(payload));
    if let Ok(text) = std::str::from_utf8(payload) {
        answer["payload"] = json!(text);
    }
    answer
}

impl Answer for () {
    fn to_json(&self) -> Value {
        json!({})
    }
}

impl Answer for u64 {
    fn to_json(&self) -> Value {
        json!(self)
    }
}

impl Answer for SystemTime {
    fn to_json(&self) -> Value {
        json!(instant(*self))
    }
}

impl<T: Answer> Answer for Vec<T> {
    fn to_json(&self) -> Value {
        self.iter().map(Answer::to_json).collect()
    }
}

/// One item of a batch.
impl<T: Answer> Answer for Result<T, Error> {
    fn to_json(&self) -> Value {
        match self {
            Ok(answer) => answer.to_json(),
            Err(error) => json!({ "error": error.code() }),
        }
    }
}

impl<T: Answer> Answer for Listed<T> {
    fn to_json(&self) -> Value {
        json!({ "items": self.items.to_json(), "next": self.next })
    }
}

impl Answer for Topic {
    fn to_json(&self) -> Value {
        let retention = match self.options.retention {
            Retention::Duration(duration) => json!({ "duration_ms": millis(duration) }),
            Retention::Count(count) => json!({ "count": count }),
            Retention::Bytes(bytes) => json!({ "bytes": bytes }),
            _ => json!("none"),
        };
        let backlog = &self.options.backlog_limit;
        let policy = match backlog.policy {
            BacklogPolicy::DropOldest => "drop_oldest",
            _ => "refuse",
        };
        json!({
            "id": self.id,
            "name": self.name,
            "paused": self.paused,
            "created_at": instant(self.created_at),
            "options": {
                "retention": retention,
                "backlog_limit": {
                    "messages": backlog.messages,
                    "bytes": backlog.bytes,
                    "age_ms": backlog.age.map(millis),
                    "policy": policy,
                },
                "idempotency_window_ms": millis(self.options.idempotency_window),
                "ttl_ms": self.options.ttl.map(millis),
            },
        })
    }
}

impl Answer for Subscriber {
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

impl Answer for Published {
    fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "duplicate": self.duplicate,
            "deliver_at": self.deliver_at.map(instant),
            "subscriber_count": self.subscriber_count,
        })
    }
}

impl Answer for Delivery {
    fn to_json(&self) -> Value {
        let answer = json!({
            "topic": &*self.topic,
            "subscriber": &*self.subscriber,
            "message_id": self.message_id,
            "receipt": self.receipt.to_string(),
            "content_type": self.content_type,
            "headers": self.headers,
            "correlation_id": self.correlation_id,
            "ordering_key": self.ordering_key,
            "expires_at": self.expires_at.map(instant),
            "priority": self.priority,
            "attempt": self.attempt,
            "failures": self.failures,
            "published_at": instant(self.published_at),
            "lease_expires_at": instant(self.lease_expires_at),
        });
        with_payload(answer, &self.payload)
    }
}

impl Answer for DeliveryResult {
    fn to_json(&self) -> Value {
        let state = match self {
            DeliveryResult::Replied(reply) => {
                let answer = json!({
                    "state": "replied",
                    "content_type": reply.content_type,
                    "replied_at": instant(reply.replied_at),
                    "expires_at": instant(reply.expires_at),
                });
                return with_payload(answer, &reply.payload);
            }
            DeliveryResult::Settled => "settled",
            DeliveryResult::DeadLettered => "dead_lettered",
            _ => "unsettled",
        };
        json!({ "state": state })
    }
}

impl Answer for Nacked {
    fn to_json(&self) -> Value {
        json!({ "state": self.state, "ready_at": self.ready_at.map(instant) })
    }
}

impl Answer for Sought {
    fn to_json(&self) -> Value {
        json!({
            "clamped": self.clamped,
            "replayed_count": self.replayed_count,
            "skipped_count": self.skipped_count,
            "exact": self.exact,
        })
    }
}

impl Answer for MessageView {
    fn to_json(&self) -> Value {
        let answer = json!({
            "id": self.id,
            "content_type": self.content_type,
            "headers": self.headers,
            "correlation_id": self.correlation_id,
            "idempotency_key": self.idempotency_key,
            "ordering_key": self.ordering_key,
            "expires_at": self.expires_at.map(instant),
            "priority": self.priority,
            "accepted_at": instant(self.accepted_at),
            "deliver_at": instant(self.deliver_at),
        });
        with_payload(answer, &self.payload)
    }
}

impl Answer for DeliveryStatus {
    fn to_json(&self) -> Value {
        json!({
            "subscriber": self.subscriber,
            "state": self.state,
            "attempts": self.attempts,
            "failures": self.failures,
            "ready_at": self.ready_at.map(instant),
        })
    }
}

impl Answer for MessageStatus {
    fn to_json(&self) -> Value {
        json!({
            "message": self.message.to_json(),
            "delayed": self.delayed,
            "deliveries": self.deliveries.to_json(),
        })
    }
}

impl Answer for Peeked {
    fn to_json(&self) -> Value {
        json!({ "message": self.message.to_json(), "status": self.status.to_json() })
    }
}

impl Answer for DeadLetter {
    fn to_json(&self) -> Value {
        json!({
            "message": self.message.to_json(),
            "attempts": self.attempts,
            "failures": self.failures,
            "error": self.error,
            "dead_at": instant(self.dead_at),
        })
    }
}

impl Answer for Failure {
    fn to_json(&self) -> Value {
        json!({
            "failure": self.failure,
            "error": self.error,
            "failed_at": instant(self.failed_at),
        })
    }
}

impl Answer for SubscriberStats {
    fn to_json(&self) -> Value {
        let cursors = self.cursors.iter().map(|cursor| {
            json!({
                "priority": cursor.priority,
                "sequence": cursor.sequence,
                "last_sequence": cursor.last_sequence,
            })
        });
        json!({
            "topic": self.topic,
            "subscriber": self.subscriber,
            "paused": self.paused,
            "pending_count": self.pending_count,
            "pending_bytes": self.pending_bytes,
            "ready_count": self.ready_count,
            "leased_count": self.leased_count,
            "retrying_count": self.retrying_count,
            "parked_count": self.parked_count,
            "dead_count": self.dead_count,
            "exact": self.exact,
            "oldest_age_ms": self.oldest_age.map(millis),
            "cursors": cursors.collect::<Value>(),
            "claimed_count": self.claimed_count,
            "acked_count": self.acked_count,
            "nacked_count": self.nacked_count,
            "expired_count": self.expired_count,
            "ttl_expired_count": self.ttl_expired_count,
            "filtered_count": self.filtered_count,
            "dropped_count": self.dropped_count,
        })
    }
}

impl Answer for TopicStats {
    fn to_json(&self) -> Value {
        let logs = self.logs.iter().map(|log| {
            json!({
                "priority": log.priority,
                "last_sequence": log.last_sequence,
                "trimmed_sequence": log.trimmed_sequence,
            })
        });
        json!({
            "topic": self.topic,
            "paused": self.paused,
            "published_count": self.published_count,
            "delayed_count": self.delayed_count,
            "retained_count": self.retained_count,
            "retained_bytes": self.retained_bytes,
            "logs": logs.collect::<Value>(),
            "subscribers": self.subscribers.to_json(),
        })
    }
}

impl Answer for Schedule {
    fn to_json(&self) -> Value {
        let options = &self.options;
        let message = &options.message;
        let misfire = match options.misfire {
            MisfirePolicy::Skip => json!("skip"),
            MisfirePolicy::All { limit } => json!({ "all": limit }),
            _ => json!("once"),
        };
        let overlap = match options.overlap {
            OverlapPolicy::Allow => "allow",
            OverlapPolicy::Queue => "queue",
            _ => "skip",
        };
        let message = with_payload(
            json!({
                "content_type": message.content_type,
                "headers": message.headers,
                "correlation_id": message.correlation_id,
                "priority": message.priority,
                "ordering_key": message.ordering_key,
                "ttl_ms": message.ttl.map(millis),
            }),
            &message.payload,
        );
        json!({
            "topic": self.topic,
            "name": self.name,
            "version": self.version,
            "paused": self.paused,
            "next_at": self.next_at.map(instant),
            "due_at": self.due_at.map(instant),
            "last_at": self.last_at.map(instant),
            "queued_at": self.queued_at.map(instant),
            "created_at": instant(self.created_at),
            "options": {
                "cron": options.cron,
                "timezone": options.timezone,
                "message": message,
                "misfire": misfire,
                "overlap": overlap,
                "start_at": options.start.map(instant),
                "end_at": options.end.map(instant),
                "jitter_ms": millis(options.jitter),
                "grace_ms": millis(options.grace),
            },
        })
    }
}

impl Answer for ScheduleRun {
    fn to_json(&self) -> Value {
        json!({
            "run": self.run,
            "status": self.status,
            "occurrence_at": self.occurrence_at.map(instant),
            "until_at": self.until_at.map(instant),
            "at": instant(self.at),
            "message_id": self.message_id,
            "error": self.error,
        })
    }
}
