//! Dead letters, and cancelling without a receipt.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::{Answer, Model, No, Place, Row, State, Subscriber, Topic, refused};
use crate::operation::DeadLetters;

impl Model {
    /// Dead letters, in the order in which they died.
    fn dead(&self, topic: &str, subscriber: &str) -> Result<Vec<(Place, Row)>, No> {
        let rows = &self.subscriber(topic, subscriber)?.rows;
        let topic = self.topic(topic)?;
        let mut dead: Vec<_> = rows
            .iter()
            .filter_map(|(place, row)| match row.state {
                State::Dead { at } => Some((at, topic.key(*place), *place, row.clone())),
                _ => None,
            })
            .collect();
        dead.sort_by_key(|(at, key, ..)| (*at, *key));
        Ok(dead.into_iter().map(|(_, _, place, row)| (place, row)).collect())
    }

    fn chosen(&self, topic: &str, subscriber: &str, which: &DeadLetters) -> Result<Vec<Place>, No> {
        let dead = self.dead(topic, subscriber)?.into_iter().map(|(place, _)| place);
        Ok(match which {
            DeadLetters::All => dead.collect(),
            DeadLetters::Oldest(limit) => {
                dead.take(usize::try_from(*limit).unwrap_or(usize::MAX)).collect()
            }
            DeadLetters::Ids(ids) => {
                let wanted: Vec<_> = ids.iter().map(|id| self.place_of(topic, id)).collect();
                dead.filter(|place| wanted.contains(&Some(*place))).collect()
            }
        })
    }

    pub(super) fn redrive(
        &mut self,
        topic: &str,
        subscriber: &str,
        which: &DeadLetters,
        dry_run: bool,
    ) -> Answer {
        let chosen = self.chosen(topic, subscriber, which)?;
        let ready_at = self.now;
        let rows = &mut self.subscriber_mut(topic, subscriber)?.rows;
        for place in chosen.iter().filter(|_| !dry_run) {
            if let Some(row) = rows.get_mut(place) {
                row.state = State::Retrying { ready_at };
                row.attempts = 0;
            }
        }
        Ok(json!({ "count": chosen.len() }))
    }

    pub(super) fn purge(
        &mut self,
        topic: &str,
        subscriber: &str,
        which: &DeadLetters,
        dry_run: bool,
    ) -> Answer {
        let chosen = self.chosen(topic, subscriber, which)?;
        let rows = &mut self.subscriber_mut(topic, subscriber)?.rows;
        for place in chosen.iter().filter(|_| !dry_run) {
            rows.remove(place);
        }
        Ok(json!({ "count": chosen.len() }))
    }

    pub(super) fn dead_letters(&self, topic: &str, subscriber: &str) -> Answer {
        let of = self.topic(topic)?;
        let letters = self.dead(topic, subscriber)?.into_iter().map(|(place, row)| {
            let id = of.message(place).map(|message| &message.id);
            json!({ "message": { "id": id }, "attempts": row.attempts, "failures": row.failures })
        });
        Ok(json!({ "items": letters.collect::<Vec<_>>(), "next": null }))
    }

    pub(super) fn cancel_delivery(&mut self, topic: &str, subscriber: &str, id: &str) -> Answer {
        self.subscriber(topic, subscriber)?;
        if self.is_delayed(topic, id) {
            return refused("invalid_argument");
        }
        let place = self.kept(topic, id)?;
        let subscriber = self.subscriber_mut(topic, subscriber)?;
        let is_ahead = subscriber.cursor(place.0) < place.1;
        if is_ahead {
            // The cursor will get to it, and must pass over it.
            let row = Row { state: State::Skipped, attempts: 0, failures: 0, receipt: None };
            subscriber.rows.insert(place, row);
        } else {
            subscriber.rows.remove(&place);
        }
        Ok(json!({}))
    }

    pub(super) fn cancel_message(&mut self, topic: &str, id: &str) -> Answer {
        if self.is_delayed(topic, id) {
            let topic = self.topic_mut(topic)?;
            topic.delayed.retain(|delayed| delayed.id != id);
            let names = topic.subscribers.keys();
            let pending = |name| json!({ "subscriber": name, "state": "pending" });
            return Ok(names.map(pending).collect());
        }
        let place = self.kept(topic, id)?;
        let topic = self.topic_mut(topic)?;
        let stood: Vec<Value> = topic
            .subscribers
            .iter_mut()
            .map(|(name, subscriber)| {
                let state = subscriber.state_name(place);
                subscriber.rows.remove(&place);
                json!({ "subscriber": name, "state": state })
            })
            .collect();
        if let Some(log) = topic.logs.get_mut(&Reverse(place.0))
            && let Some(message) = log.messages.get_mut(place.1 - 1)
        {
            message.removed = true;
        }
        Ok(Value::from(stood))
    }

    pub(super) fn is_delayed(&self, topic: &str, id: &str) -> bool {
        let Some(topic) = self.topics.get(topic) else { return false };
        topic.delayed.iter().any(|delayed| delayed.id == id)
    }

    /// The place of a message that is certainly still there.
    pub(super) fn kept(&self, topic: &str, id: &str) -> Result<Place, No> {
        self.topic(topic)?;
        let place = self.place_of(topic, id).ok_or(No::Impossible)?;
        if self.is_surely_kept(topic, place) { Ok(place) } else { Err(No::Impossible) }
    }
}

impl Topic {
    /// Messages are ordered by the age of their log, then by sequence number.
    fn key(&self, place: Place) -> (u64, usize) {
        (self.logs.get(&Reverse(place.0)).map_or(0, |log| log.number), place.1)
    }

    pub(crate) fn message(&self, place: Place) -> Option<&super::Logged> {
        self.logs.get(&Reverse(place.0))?.messages.get(place.1 - 1)
    }
}

impl Subscriber {
    pub(super) fn state_name(&self, place: Place) -> &'static str {
        match self.rows.get(&place).map(|row| row.state) {
            Some(State::Leased { .. }) => "leased",
            Some(State::Retrying { .. }) => "retrying",
            Some(State::Dead { .. }) => "dead_lettered",
            None if self.cursor(place.0) < place.1 => "pending",
            Some(State::Skipped) | None => "settled",
        }
    }
}
