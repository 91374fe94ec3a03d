//! Results: what came of a message for one subscriber.

use serde_json::json;

use super::{Answer, Logged, Model, No, Place, State, Subscriber};
use crate::filter::matches;

/// A reply that came with an ack.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub payload: String,
    pub expires_at: i64,
}

/// Where a message stands with a subscriber.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Standing {
    Open,
    Dead,
    Settled,
}

impl Subscriber {
    /// What will not be delivered is done: filtered out or expired, even before the cursor has passed it.
    pub(super) fn standing(&self, place: Place, message: &Logged, now: i64) -> Standing {
        let has_expired = message.has_expired(now);
        let is_ahead = self.cursor(place.0) < place.1;
        let filter = self.options.filter.as_ref();
        let is_wanted = filter.is_none_or(|filter| matches(filter, &message.body.headers));
        let is_to_come = is_ahead && !has_expired && is_wanted;
        match self.rows.get(&place).map(|row| row.state) {
            Some(State::Leased { .. }) => Standing::Open,
            Some(State::Retrying { .. } | State::Parked) if !has_expired => Standing::Open,
            // Ahead of the cursor it comes alive again.
            Some(State::Dead { .. }) | None if is_to_come => Standing::Open,
            Some(State::Dead { .. }) => Standing::Dead,
            _ => Standing::Settled,
        }
    }
}

impl Model {
    /// Every subscriber is done with the message: it is settled or a dead letter.
    pub(super) fn is_done(&self, topic: &str, id: &str) -> bool {
        if self.is_delayed(topic, id) {
            return false;
        }
        !self.place_of(topic, id).is_some_and(|place| self.is_open(topic, place))
    }

    /// Some subscriber is not done with the message at this place.
    pub(super) fn is_open(&self, topic: &str, place: Place) -> bool {
        let Some(of) = self.topics.get(topic) else { return false };
        let Some(message) = of.message(place).filter(|message| !message.removed) else {
            return false;
        };
        let is_open = |subscriber: &Subscriber| {
            subscriber.standing(place, message, self.now) == Standing::Open
        };
        of.subscribers.values().any(is_open)
    }

    pub(super) fn result(&self, topic: &str, name: &str, id: &str) -> Answer {
        let subscriber = self.subscriber(topic, name)?;
        let stored = self.replies.get(&(id.to_owned(), subscriber.number));
        if let Some(stored) = stored.filter(|stored| stored.expires_at > self.now) {
            let Stored { payload, expires_at } = stored;
            return Ok(json!({ "state": "replied", "payload": payload, "expires_at": expires_at }));
        }
        if self.is_delayed(topic, id) {
            return Ok(json!({ "state": "unsettled" }));
        }
        // Of a topic that was deleted, perhaps.
        let known = self.topic(topic)?.logs.values().flat_map(|log| &log.messages);
        if !known.into_iter().any(|message| message.body.id == id) {
            return Err(No::Impossible);
        }
        let of = self.topic(topic)?;
        let standing = self
            .place_of(topic, id)
            .and_then(|place| Some(subscriber.standing(place, of.message(place)?, self.now)));
        let state = match standing {
            Some(Standing::Open) => "unsettled",
            Some(Standing::Dead) => "dead_lettered",
            Some(Standing::Settled) | None => "settled",
        };
        Ok(json!({ "state": state, "payload": null }))
    }
}
