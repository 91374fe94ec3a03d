//! Messages, and where they stand.

use blockqueue::{
    DeadLetter, DeliveryResult, DeliveryStatus, Failure, MessageStatus, MessageView, Peeked,
};
use serde_json::{Value, json};

use super::{ToJson, instant, with_payload};

impl ToJson for MessageView {
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

impl ToJson for DeliveryStatus {
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

impl ToJson for MessageStatus {
    fn to_json(&self) -> Value {
        json!({
            "message": self.message.to_json(),
            "delayed": self.delayed,
            "deliveries": self.deliveries.to_json(),
        })
    }
}

impl ToJson for Peeked {
    fn to_json(&self) -> Value {
        json!({ "message": self.message.to_json(), "status": self.status.to_json() })
    }
}

impl ToJson for DeadLetter {
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

impl ToJson for Failure {
    fn to_json(&self) -> Value {
        json!({
            "failure": self.failure,
            "error": self.error,
            "failed_at": instant(self.failed_at),
        })
    }
}

impl ToJson for DeliveryResult {
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
