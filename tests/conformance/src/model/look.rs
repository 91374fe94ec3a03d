//! What people look at: numbers, and one message.
#![expect(clippy::indexing_slicing, reason = "members of JSON objects, made if they are not there")]

use serde_json::{Value, json};

use super::{Answer, Logged, Model, Row, State, Subscriber};
use crate::filter::matches;
use crate::operation::OnExpiry;

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
            "parked_count": count(|state| matches!(state, State::Parked)),
            "claimed_count": counts.claimed,
            "acked_count": counts.acked,
            "nacked_count": counts.nacked,
            "expired_count": counts.expired,
            "ttl_expired_count": counts.ttl_expired,
            "filtered_count": counts.filtered,
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
                json!(waiting.map(|message| message.body.size()).sum::<usize>());
            stats["ready_count"] =
                json!(pending + states().filter(|(_, state)| due(*state)).count());
            stats["oldest_age_ms"] = json!(oldest.map(|at| (self.now - at).max(0)));
        }
        Ok(stats)
    }

    pub(super) fn topic_stats(&self, name: &str) -> Answer {
        let topic = self.topic(name)?;
        let logs = topic.logs.iter().map(|(priority, log)| {
            json!({ "priority": priority.0, "last_sequence": log.messages.len() })
        });
        Ok(json!({
            "paused": topic.paused,
            "delayed_count": topic.delayed.len(),
            "logs": logs.collect::<Vec<_>>(),
        }))
    }

    /// What is in flight, then what waits.
    pub(super) fn peek(&self, topic: &str, name: &str) -> Answer {
        let subscriber = self.subscriber(topic, name)?;
        let topic = self.topic(topic)?;
        let is_in_flight = |row: &Row| !matches!(row.state, State::Dead { .. } | State::Skipped);
        let rows = subscriber.rows.iter().filter(|(_, row)| is_in_flight(row));
        let mut places: Vec<_> = rows.map(|(place, _)| *place).collect();
        places.sort_by_key(|place| topic.key(*place));
        for (priority, log) in &topic.logs {
            let waiting = (1..).zip(&log.messages).skip(subscriber.cursor(priority.0));
            let coming = waiting.filter(|(seq, message)| {
                let has_row = subscriber.rows.contains_key(&(priority.0, *seq));
                !message.removed && !has_row && !subscriber.will_pass(message, self.now)
            });
            places.extend(coming.map(|(seq, _)| (priority.0, seq)));
        }
        let items = places.into_iter().map(|place| {
            let message = topic.message(place).map(|message| &message.body);
            let mut view = json!({ "payload": message.map(|body| &body.payload) });
            if let Some(id) = message.map(|body| &body.id).filter(|id| !id.is_empty()) {
                view["id"] = json!(id);
            }
            let row = subscriber.rows.get(&place);
            json!({ "message": view, "status": {
                "subscriber": name,
                "state": subscriber.state_name(place),
                "attempts": row.map_or(0, |row| row.attempts),
                "failures": row.map_or(0, |row| row.failures),
            } })
        });
        Ok(json!({ "items": items.collect::<Vec<_>>(), "next": null }))
    }

    pub(super) fn message(&self, topic_name: &str, id: &str) -> Answer {
        let topic = self.topic(topic_name)?;
        if let Some(delayed) = topic.delayed.iter().find(|delayed| delayed.body.id == id) {
            let pending = |name| json!({ "subscriber": name, "state": "pending" });
            return Ok(json!({
                "message": { "id": id, "payload": delayed.body.payload, "deliver_at": delayed.due_at },
                "delayed": true,
                "deliveries": topic.subscribers.keys().map(pending).collect::<Vec<_>>(),
            }));
        }
        let place = self.kept(topic_name, id)?;
        let message = topic.message(place).ok_or(super::No::Impossible)?;
        let mut deliveries: Vec<Value> = Vec::new();
        for (name, subscriber) in &topic.subscribers {
            let row = subscriber.rows.get(&place);
            let is_ahead = subscriber.cursor(place.0) < place.1;
            let filter = subscriber.options.filter.as_ref();
            let is_filtered = filter.is_some_and(|filter| !matches(filter, &message.body.headers));
            if row.is_none() && is_ahead && is_filtered {
                deliveries.push(json!({ "subscriber": name, "state": "settled" }));
                continue;
            }
            let state = subscriber.state_name(place);
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
            "message": { "id": id, "payload": message.body.payload, "deliver_at": message.published_at },
            "delayed": false,
            "deliveries": deliveries,
        }))
    }
}

impl Subscriber {
    /// A pending message is passed over rather than delivered.
    fn will_pass(&self, message: &Logged, now: i64) -> bool {
        let filter = self.options.filter.as_ref();
        let is_wanted = filter.is_none_or(|filter| matches(filter, &message.body.headers));
        !is_wanted || (message.has_expired(now) && self.options.on_expiry == OnExpiry::Skip)
    }
}
