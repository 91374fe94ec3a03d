//! The queue in numbers.

use blockqueue::{Diagnosis, EngineStats, SubscriberStats, TopicStats};
use serde_json::{Value, json};

use super::{ToJson, millis};

impl ToJson for TopicStats {
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

impl ToJson for SubscriberStats {
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

impl ToJson for EngineStats {
    fn to_json(&self) -> Value {
        json!({
            "commits": self.commits,
            "operations": self.operations,
            "failed_commits": self.failed_commits,
            "commits_by_size": self.commits_by_size,
            "commits_by_duration": self.commits_by_duration,
            "commit_time_ms": millis(self.commit_time),
            "waiting_claims": self.waiting_claims,
            "file_bytes": self.file_bytes,
            "wal_bytes": self.wal_bytes,
        })
    }
}

impl ToJson for Diagnosis {
    fn to_json(&self) -> Value {
        json!(self)
    }
}
