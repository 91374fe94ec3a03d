//! Publish: idempotency keys, backlog limits, delays.
#![expect(clippy::indexing_slicing, reason = "members of JSON objects, made if they are not there")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Body, Delayed, Model, No, State, Topic, refused};
use crate::operation::{BacklogPolicy, Message};

/// An idempotency key that was used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    message: Message,
    id: String,
    due_at: Option<i64>,
    expires_at: i64,
}

impl Known {
    pub(super) fn forget_name(&mut self, prefix: &str) {
        if self.id.starts_with(prefix) {
            self.id.clear();
        }
    }

    fn is_of(&self, message: &Message) -> bool {
        // Whoever asks again may be traced elsewhere; how long it lives and what it excludes say nothing.
        let Message { correlation_id, ttl_ms, unique_key, .. } = self.message.clone();
        self.message == Message { correlation_id, ttl_ms, unique_key, ..message.clone() }
    }
}

/// What waits for the slowest subscribers.
struct Backlog {
    messages: usize,
    bytes: usize,
    oldest_at: Option<i64>,
}

impl Model {
    pub(super) fn publish(
        &mut self,
        topic_name: &str,
        messages: &[Message],
        id_of: impl Fn(usize) -> String,
    ) -> Result<Vec<Value>, No> {
        let now = self.now;
        let topic = self.topic(topic_name)?;
        let (subscribers, window_ms) = (topic.subscribers.len(), topic.options.window_ms);
        let mut keys: BTreeMap<String, Known> = BTreeMap::new();
        let mut unique: BTreeMap<String, String> = BTreeMap::new();
        let mut answers = Vec::new();
        let mut new = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            let due_at = message.delay_ms.map(|delay| now + delay).or(message.deliver_at);
            let due_at = due_at.filter(|at| *at > now);
            let id = id_of(index);
            let mut answer = json!({ "duplicate": false, "deliver_at": due_at, "subscriber_count": subscribers });
            if let Some(key) = &message.idempotency_key {
                let earlier = topic.keys.get(key).filter(|known| known.expires_at > now);
                if let Some(known) = keys.get(key).or(earlier) {
                    if !known.is_of(message) {
                        return Err(No::Refused("idempotency_conflict", Some(index)));
                    }
                    answer["duplicate"] = json!(true);
                    answer["deliver_at"] = json!(known.due_at);
                    // The id of a message of the same batch is not known before its answer is.
                    if !keys.contains_key(key) && !known.id.is_empty() {
                        answer["id"] = json!(known.id);
                    }
                    answers.push(answer);
                    continue;
                }
                let (message, id) = (message.clone(), id.clone());
                let known = Known { message, id, due_at, expires_at: now + window_ms };
                keys.insert(key.clone(), known);
            }
            if let Some(key) = &message.unique_key {
                if unique.insert(key.clone(), id.clone()).is_some() {
                    return refused("invalid_argument");
                }
                if topic.unique.get(key).is_some_and(String::is_empty) {
                    return Err(No::Impossible);
                }
                if topic.unique.get(key).is_some_and(|first| !self.is_done(topic_name, first)) {
                    return Err(No::Refused("unique_conflict", Some(index)));
                }
            }
            answers.push(answer);
            new.push((body(message, id, topic.options.ttl_ms, now), message.priority, due_at));
        }
        let added = new.iter().map(|(body, ..)| body.size()).collect::<Vec<_>>();
        if topic.refuses(&added, now) {
            return Err(No::Refused("backlog_full", None));
        }
        self.accept(topic_name, new)?;
        let topic = self.topic_mut(topic_name)?;
        topic.keys.extend(keys);
        topic.unique.extend(unique);
        Ok(answers)
    }

    /// Publishes what came from another topic: without a name until it is claimed.
    pub(super) fn publish_copies(
        &mut self,
        topic: &str,
        copies: Vec<(Body, i16, i64)>,
    ) -> Result<(), No> {
        let now = self.now;
        let of = self.topic(topic)?;
        let added: Vec<usize> = copies.iter().map(|(body, ..)| body.size()).collect();
        if of.refuses(&added, now) {
            return refused("backlog_full");
        }
        let expires_at = of.options.ttl_ms.map(|ttl| now + ttl);
        let copies = copies.into_iter().map(|(body, priority, due_at)| {
            (Body { expires_at, ..body }, priority, Some(due_at).filter(|at| *at > now))
        });
        self.accept(topic, copies.collect())
    }

    fn accept(&mut self, topic: &str, new: Vec<(Body, i16, Option<i64>)>) -> Result<(), No> {
        let now = self.now;
        let any_new = !new.is_empty();
        for (body, priority, due_at) in new {
            match due_at {
                Some(due_at) => {
                    let delayed = Delayed { body, priority, due_at };
                    self.topic_mut(topic)?.delayed.push(delayed);
                }
                None => self.append(topic, priority, body, now),
            }
        }
        if any_new {
            self.topic_mut(topic)?.drop_oldest(now);
        }
        Ok(())
    }
}

/// Its life begins now, whatever its delay.
fn body(message: &Message, id: String, default_ttl_ms: Option<i64>, now: i64) -> Body {
    Body {
        id,
        payload: message.payload.clone().unwrap_or_default(),
        headers: message.headers.clone(),
        ordering_key: message.ordering_key.clone(),
        expires_at: message.ttl_ms.or(default_ttl_ms).map(|ttl| now + ttl),
    }
}

impl Topic {
    /// Up to here a log counts for nobody; what was removed counts with the message before it.
    fn backlog(&self, floors: &BTreeMap<i16, usize>) -> Backlog {
        let mut messages = self.delayed.len();
        let mut bytes = self.delayed.iter().map(|delayed| delayed.body.size()).sum();
        for (priority, log) in &self.logs {
            let above = log.messages.iter().skip(floors.get(&priority.0).copied().unwrap_or(0));
            let waiting = above.skip_while(|message| message.removed);
            messages += waiting.clone().count();
            bytes += waiting.map(|message| message.body.size()).sum::<usize>();
        }
        let oldest_at = self.oldest(floors).map(|(at, ..)| at);
        Backlog { messages, bytes, oldest_at }
    }

    /// Time, number of its log, and place of the oldest message that somebody has not claimed.
    fn oldest(&self, floors: &BTreeMap<i16, usize>) -> Option<(i64, u64, i16, usize)> {
        let heads = self.logs.iter().filter_map(|(priority, log)| {
            let floor = floors.get(&priority.0).copied().unwrap_or(0);
            let place = log.messages.iter().skip(floor).position(|message| !message.removed)?;
            let seq = floor + place + 1;
            let at = log.messages.get(seq - 1)?.published_at;
            Some((at, log.number, priority.0, seq))
        });
        heads.min()
    }

    fn floors(&self) -> BTreeMap<i16, usize> {
        let priorities = self.logs.keys().map(|priority| priority.0);
        priorities.map(|priority| (priority, self.claimed_by_all(priority))).collect()
    }

    fn is_beyond(&self, backlog: &Backlog, now: i64) -> bool {
        let limit = &self.options.backlog;
        let over = |limit: Option<u64>, found: usize| limit.is_some_and(|max| found as u64 > max);
        let too_old = |at: i64| limit.age_ms.is_some_and(|max| now - at > max);
        over(limit.messages, backlog.messages)
            || over(limit.bytes, backlog.bytes)
            || backlog.oldest_at.is_some_and(too_old)
    }

    fn refuses(&self, added: &[usize], now: i64) -> bool {
        let policy = self.options.backlog.policy.unwrap_or(BacklogPolicy::Refuse);
        if policy != BacklogPolicy::Refuse || self.subscribers.is_empty() || added.is_empty() {
            return false;
        }
        let mut backlog = self.backlog(&self.floors());
        backlog.messages += added.len();
        backlog.bytes += added.iter().sum::<usize>();
        self.is_beyond(&backlog, now)
    }

    fn drop_oldest(&mut self, now: i64) {
        if self.options.backlog.policy != Some(BacklogPolicy::DropOldest) {
            return;
        }
        let mut floors = self.floors();
        while self.is_beyond(&self.backlog(&floors), now) {
            let Some((_, _, priority, seq)) = self.oldest(&floors) else { break };
            floors.insert(priority, seq);
        }
        for subscriber in self.subscribers.values_mut() {
            for (priority, floor) in &floors {
                let cursor = subscriber.cursor(*priority);
                if cursor < *floor {
                    subscriber.counts.dropped += floor - cursor;
                    subscriber.move_cursor(*priority, *floor);
                    subscriber.rows.retain(|place, row| {
                        let is_passed = place.0 == *priority && place.1 <= *floor;
                        row.state != State::Skipped || !is_passed
                    });
                }
            }
        }
    }
}
