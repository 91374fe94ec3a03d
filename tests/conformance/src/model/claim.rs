//! Claim: the highest priority first; within it what could be claimed first, be it a retry or new.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::{Answer, Given, Log, Model, Place, Row, State, Subscriber};

impl Model {
    pub(super) fn claim(
        &mut self,
        name: &str,
        sources: &[(&str, &str)],
        limit: Option<usize>,
        lease_ms: Option<i64>,
    ) -> Answer {
        for (topic, subscriber) in sources {
            self.subscriber(topic, subscriber)?;
        }
        for (topic, subscriber) in sources {
            let claimed = self.claim_one(name, topic, subscriber, limit, lease_ms)?;
            if !claimed.is_empty() {
                return Ok(Value::from(claimed));
            }
        }
        Ok(json!([]))
    }

    fn claim_one(
        &mut self,
        name: &str,
        topic_name: &str,
        subscriber_name: &str,
        limit: Option<usize>,
        lease_ms: Option<i64>,
    ) -> Result<Vec<Value>, super::No> {
        let now = self.now;
        let topic = self.topic_mut(topic_name)?;
        let subscriber =
            topic.subscribers.get_mut(subscriber_name).ok_or(super::UNKNOWN_SUBSCRIBER)?;
        if topic.paused || subscriber.paused {
            return Ok(Vec::new());
        }
        let limit = limit.unwrap_or(subscriber.options.claim_limit);
        let expires_at = now + lease_ms.unwrap_or(subscriber.options.lease_ms);
        let mut answers: Vec<Value> = Vec::new();
        let mut given = Vec::new();
        for (Reverse(priority), log) in &topic.logs {
            while answers.len() < limit {
                let Some(place) = subscriber.next(*priority, log, now) else { break };
                let receipt = format!("${name}.{}.receipt", answers.len());
                let row = subscriber.lease(place, expires_at, receipt.clone());
                let Some(message) = log.messages.get(place.1 - 1) else { break };
                answers.push(json!({
                    "topic": topic_name,
                    "subscriber": subscriber_name,
                    "message_id": message.id,
                    "payload": message.payload,
                    "priority": priority,
                    "attempt": row.attempts,
                    "failures": row.failures,
                    "published_at": message.published_at,
                    "lease_expires_at": expires_at,
                }));
                given.push((receipt, place));
            }
        }
        let number = subscriber.number;
        for (receipt, place) in given {
            let (topic, subscriber) = (topic_name.to_owned(), subscriber_name.to_owned());
            self.receipts.insert(receipt, Given { topic, subscriber, number, place });
        }
        Ok(answers)
    }
}

impl Log {
    /// The number of messages before this time.
    pub(super) fn before(&self, at: i64) -> usize {
        self.messages.partition_point(|message| message.published_at < at)
    }
}

impl Subscriber {
    /// What it may claim next of one priority. Passes over what it will not get.
    fn next(&mut self, priority: i16, log: &Log, now: i64) -> Option<Place> {
        let due = self.rows.iter().filter_map(|(place, row)| match row.state {
            State::Retrying { ready_at } if place.0 == priority && ready_at <= now => {
                Some((ready_at, *place))
            }
            _ => None,
        });
        let retry = due.min();
        let mut cursor = self.cursor(priority);
        loop {
            let new = log.messages.get(cursor);
            match (retry, new) {
                (None, None) => return None,
                (Some((_, place)), None) => return Some(place),
                (Some((ready_at, place)), Some(new))
                    if !new.removed && ready_at <= new.published_at =>
                {
                    return Some(place);
                }
                (_, Some(new)) => {
                    cursor += 1;
                    self.move_cursor(priority, cursor);
                    let place = (priority, cursor);
                    match self.rows.get(&place).map(|row| row.state) {
                        _ if new.removed => {}
                        None | Some(State::Dead { .. }) => return Some(place),
                        Some(State::Skipped) => {
                            self.rows.remove(&place);
                        }
                        // In flight already.
                        Some(State::Leased { .. } | State::Retrying { .. }) => {}
                    }
                }
            }
        }
    }

    fn lease(&mut self, place: Place, expires_at: i64, receipt: String) -> &Row {
        self.counts.claimed += 1;
        let new = Row { state: State::Skipped, attempts: 0, failures: 0, receipt: None };
        let row = self.rows.entry(place).or_insert(new);
        if matches!(row.state, State::Dead { .. }) {
            // A seek went back behind it: it lives again.
            row.attempts = 0;
        }
        row.attempts += 1;
        row.state = State::Leased { expires_at };
        row.receipt = Some(receipt);
        row
    }

    pub(super) fn move_cursor(&mut self, priority: i16, seq: usize) {
        self.cursors.insert(priority, seq);
    }
}
