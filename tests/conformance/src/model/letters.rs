//! Dead letters, and cancelling without a receipt.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::{Answer, Body, Model, No, Place, Row, State, Subscriber, Topic, refused};
use crate::filter::matches;
use crate::operation::DeadLetters;

/// The header that says where a message came from.
pub(super) const ORIGIN: &str = "blockqueue-origin";

/// Which dead letters, of those that match a filter.
pub(super) type Choice<'a> = (&'a DeadLetters, Option<&'a Value>);

/// How dead letters are redriven.
pub(super) struct Way<'a> {
    /// To another topic.
    pub to: Option<&'a str>,
    /// How many per second.
    pub rate: Option<f64>,
    pub dry_run: bool,
}

impl Way<'_> {
    /// When the letter at this place falls due.
    fn due_at(&self, now: i64, place: usize) -> i64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "few letters"
        )]
        let spacing = |rate: f64| (place as f64 * 1_000.0 / rate) as i64;
        now + self.rate.map_or(0, spacing)
    }
}

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

    fn chosen(
        &self,
        topic: &str,
        subscriber: &str,
        (which, filter): Choice<'_>,
    ) -> Result<Vec<Place>, No> {
        let of = self.topic(topic)?;
        let dead = self.dead(topic, subscriber)?.into_iter().map(|(place, _)| place);
        let dead = dead.filter(|place| {
            let headers = of.message(*place).map(|message| &message.body.headers);
            filter.is_none_or(|filter| headers.is_some_and(|headers| matches(filter, headers)))
        });
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
        choice: Choice<'_>,
        way: &Way<'_>,
    ) -> Answer {
        if way.to == Some(topic) {
            return refused("invalid_argument");
        }
        let chosen = self.chosen(topic, subscriber, choice)?;
        if let Some(to) = way.to {
            self.topic(to)?;
        }
        if way.dry_run {
            return Ok(json!({ "count": chosen.len() }));
        }
        if chosen.len() > 1 && self.subscriber(topic, subscriber)?.blurred {
            return Err(No::Impossible);
        }
        let now = self.now;
        if let Some(to) = way.to {
            let from = format!("{topic}/{subscriber}");
            let copies = chosen.iter().enumerate().map(|(index, place)| {
                let message = self.topic(topic)?.message(*place).ok_or(No::Impossible)?;
                // An origin that it has already is replaced. Ids have 36 characters.
                let origin = format!("{from}/{}", "x".repeat(36));
                let mut body = Body { id: String::new(), ..message.body.clone() };
                body.headers.insert(ORIGIN.to_owned(), origin);
                Ok((body, place.0, way.due_at(now, index)))
            });
            let copies = copies.collect::<Result<Vec<_>, No>>()?;
            if !copies.is_empty() {
                self.publish_copies(to, copies)?;
            }
            self.end(topic, subscriber, &chosen)?;
        } else {
            let (subscriber, logs) = self.subscriber_and_logs(topic, subscriber)?;
            for (index, place) in chosen.iter().enumerate() {
                if !subscriber.revive(*place, logs, now)
                    && let Some(row) = subscriber.rows.get_mut(place)
                {
                    row.state = State::Retrying { ready_at: way.due_at(now, index) };
                    row.attempts = 0;
                }
            }
        }
        Ok(json!({ "count": chosen.len() }))
    }

    /// Ends deliveries, one after the other.
    fn end(&mut self, topic: &str, subscriber: &str, places: &[Place]) -> Result<(), No> {
        let now = self.now;
        let (subscriber, logs) = self.subscriber_and_logs(topic, subscriber)?;
        for place in places {
            let row = subscriber.rows.remove(place);
            subscriber.freed(row.and_then(|row| row.key).as_deref(), logs, now);
        }
        Ok(())
    }

    pub(super) fn purge(
        &mut self,
        topic: &str,
        subscriber: &str,
        choice: Choice<'_>,
        dry_run: bool,
    ) -> Answer {
        let chosen = self.chosen(topic, subscriber, choice)?;
        if !dry_run {
            if matches!(choice.0, DeadLetters::Oldest(_))
                && self.subscriber(topic, subscriber)?.blurred
            {
                return Err(No::Impossible);
            }
            self.end(topic, subscriber, &chosen)?;
        }
        Ok(json!({ "count": chosen.len() }))
    }

    pub(super) fn dead_letters(&self, topic: &str, subscriber: &str) -> Answer {
        let of = self.topic(topic)?;
        let dead = self.dead(topic, subscriber)?;
        let subscriber = self.subscriber(topic, subscriber)?;
        let letters = dead.into_iter().map(|(place, row)| {
            let message = of.message(place).map(|message| match message.body.id.as_str() {
                "" => json!({ "payload": message.body.payload }),
                id => json!({ "id": id }),
            });
            let error = subscriber.last_error(place);
            json!({ "message": message, "attempts": row.attempts, "failures": row.failures,
                    "error": error })
        });
        let mut letters: Vec<Value> = letters.collect();
        if subscriber.blurred {
            // What fits one letter alone is looked for first.
            letters.sort_by_key(|letter| letter.pointer("/message/id").is_none());
        }
        let items = Value::from(letters);
        let items = if subscriber.blurred { json!({ "$unordered": items }) } else { items };
        Ok(json!({ "items": items, "next": null }))
    }

    pub(super) fn cancel_delivery(
        &mut self,
        topic: &str,
        subscriber: &str,
        id: &str,
        reason: Option<&str>,
    ) -> Answer {
        self.subscriber(topic, subscriber)?;
        if self.is_delayed(topic, id) {
            return refused("invalid_argument");
        }
        let place = self.kept(topic, id)?;
        let now = self.now;
        let before = self.subscriber(topic, subscriber)?.rows.get(&place).cloned();
        self.end(topic, subscriber, &[place])?;
        let subscriber = self.subscriber_mut(topic, subscriber)?;
        let is_settled = match &before {
            Some(row) => row.state == State::Skipped,
            None => subscriber.cursor(place.0) >= place.1,
        };
        if !is_settled && reason.is_some() {
            let failures = before.map_or(0, |row| row.failures);
            subscriber.record_failure(place, failures + 1, reason, Some(now));
        }
        if subscriber.cursor(place.0) < place.1 {
            // The cursor will get to it, and must pass over it.
            subscriber.rows.insert(place, Row::new(State::Skipped));
        }
        Ok(json!({}))
    }

    pub(super) fn cancel_message(&mut self, topic: &str, id: &str) -> Answer {
        if self.is_delayed(topic, id) {
            let topic = self.topic_mut(topic)?;
            topic.delayed.retain(|delayed| delayed.body.id != id);
            let names = topic.subscribers.keys();
            let pending = |name| json!({ "subscriber": name, "state": "pending" });
            return Ok(names.map(pending).collect());
        }
        let place = self.kept(topic, id)?;
        let names: Vec<String> = self.topic(topic)?.subscribers.keys().cloned().collect();
        let mut stood = Vec::new();
        for name in names {
            let state = self.subscriber(topic, &name)?.state_name(place);
            stood.push(json!({ "subscriber": name, "state": state }));
            self.end(topic, &name, &[place])?;
        }
        let topic = self.topic_mut(topic)?;
        if let Some(log) = topic.logs.get_mut(&Reverse(place.0))
            && let Some(message) = log.messages.get_mut(place.1 - 1)
        {
            message.removed = true;
        }
        Ok(Value::from(stood))
    }

    pub(super) fn is_delayed(&self, topic: &str, id: &str) -> bool {
        let Some(topic) = self.topics.get(topic) else { return false };
        topic.delayed.iter().any(|delayed| delayed.body.id == id)
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
    pub(super) fn key(&self, place: Place) -> (u64, usize) {
        (self.logs.get(&Reverse(place.0)).map_or(0, |log| log.number), place.1)
    }

    pub(crate) fn message(&self, place: Place) -> Option<&super::Logged> {
        super::message(&self.logs, place)
    }
}

impl Subscriber {
    pub(super) fn state_name(&self, place: Place) -> &'static str {
        match self.rows.get(&place).map(|row| row.state) {
            Some(State::Leased { .. }) => "leased",
            Some(State::Retrying { .. }) => "retrying",
            Some(State::Parked) => "parked",
            Some(State::Dead { .. }) => "dead_lettered",
            None if self.cursor(place.0) < place.1 => "pending",
            Some(State::Skipped) | None => "settled",
        }
    }
}
