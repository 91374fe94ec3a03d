//! What people look at: numbers, and one message.
#![expect(clippy::indexing_slicing, reason = "members of JSON objects, made if they are not there")]

use serde_json::{Value, json};

use super::{Answer, Model, State};

impl Model {
    pub(super) fn stats(&self, topic: &str, name: &str) -> Answer {
        let subscriber = self.subscriber(topic, name)?;
        let topic = self.topic(topic)?;
        let states = || subscriber.rows.iter().map(|(place, row)| (*place, row.state));
        let count = |is: fn(&State) -> bool| states().filter(|(_, state)| is(state)).count();
        let counts = &subscriber.counts;
        let mut stats = json!({
            "paused": subscriber.paused,
            "leased_count": count(|state| matches!(state, State::Leased { .. })),
            "retrying_count": count(|state| matches!(state, State::Retrying { .. })),
            "dead_count": count(|state| matches!(state, State::Dead { .. })),
            "parked_count": 0,
            "claimed_count": counts.claimed,
            "acked_count": counts.acked,
            "nacked_count": counts.nacked,
            "expired_count": counts.expired,
        });
        let is_ahead = |(priority, seq): (i16, usize)| seq > subscriber.cursor(priority);
        if topic.is_dense() && !states().any(|(place, _)| is_ahead(place)) {
            let waiting = topic.logs.iter().flat_map(|(priority, log)| {
                log.messages.iter().skip(subscriber.cursor(priority.0))
            });
            let due = |state: State| matches!(state, State::Retrying { ready_at } if ready_at <= self.now);
            let pending = waiting.clone().count();
            let oldest = waiting.clone().map(|message| message.published_at).min();
            stats["dropped_count"] = json!(counts.dropped);
            stats["pending_count"] = json!(pending);
            stats["pending_bytes"] =
                json!(waiting.map(|message| message.payload.len()).sum::<usize>());
            stats["ready_count"] =
                json!(pending + states().filter(|(_, state)| due(*state)).count());
            stats["oldest_age_ms"] = json!(oldest.map(|at| (self.now - at).max(0)));
        }
        Ok(stats)
    }

    pub(super) fn message(&self, topic_name: &str, id: &str) -> Answer {
        let topic = self.topic(topic_name)?;
        if let Some(delayed) = topic.delayed.iter().find(|delayed| delayed.id == id) {
            let pending = |name| json!({ "subscriber": name, "state": "pending" });
            return Ok(json!({
                "message": { "id": id, "payload": delayed.payload, "deliver_at": delayed.due_at },
                "delayed": true,
                "deliveries": topic.subscribers.keys().map(pending).collect::<Vec<_>>(),
            }));
        }
        let place = self.kept(topic_name, id)?;
        let message = topic.message(place).ok_or(super::No::Impossible)?;
        let mut deliveries: Vec<Value> = Vec::new();
        for (name, subscriber) in &topic.subscribers {
            let state = subscriber.state_name(place);
            let row = subscriber.rows.get(&place);
            // It began after this message, and has nothing to do with it.
            let began_later = subscriber.created_at > message.published_at;
            if row.is_none() && state == "settled" && began_later {
                continue;
            }
            deliveries.push(json!({
                "subscriber": name,
                "state": state,
                "attempts": row.map_or(0, |row| row.attempts),
                "failures": row.map_or(0, |row| row.failures),
            }));
        }
        Ok(json!({
            "message": { "id": id, "payload": message.payload, "deliver_at": message.published_at },
            "delayed": false,
            "deliveries": deliveries,
        }))
    }
}
