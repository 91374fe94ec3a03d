//! What went wrong with a delivery, attempt by attempt.

use serde_json::{Value, json};

use super::{Answer, Model, Place, Subscriber};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    number: u32,
    error: Option<String>,
    /// None: nobody knows.
    at: Option<i64>,
}

impl Subscriber {
    /// Adds to the history.
    pub(super) fn record_failure(
        &mut self,
        place: Place,
        number: u32,
        error: Option<&str>,
        at: Option<i64>,
    ) {
        if number == 1 {
            // What there is was before a seek.
            self.failures.remove(&place);
        }
        self.correct_failure(place, number, error, at);
    }

    /// Says what went wrong, if it was not said before; a text stays if there is no other.
    pub(super) fn correct_failure(
        &mut self,
        place: Place,
        number: u32,
        error: Option<&str>,
        at: Option<i64>,
    ) {
        let history = self.failures.entry(place).or_default();
        let before = history.iter().position(|failure| failure.number == number);
        let before = before.map(|place| history.remove(place));
        let error = error.map(str::to_owned).or_else(|| before?.error);
        history.push(Failure { number, error, at });
        history.sort_by_key(|failure| failure.number);
    }

    /// What a dead letter says.
    pub(super) fn last_error(&self, place: Place) -> Option<&str> {
        self.failures.get(&place)?.last()?.error.as_deref()
    }
}

impl Model {
    pub(super) fn failures(&self, topic: &str, name: &str, id: &str) -> Answer {
        let subscriber = self.subscriber(topic, name)?;
        if self.is_delayed(topic, id) {
            return Ok(json!({ "items": [], "next": null }));
        }
        let place = self.kept(topic, id)?;
        let of = subscriber.failures.get(&place);
        let items = of.into_iter().flatten().map(|failure| {
            let mut view = json!({ "failure": failure.number, "error": failure.error });
            if let (Some(at), Some(view)) = (failure.at, view.as_object_mut()) {
                view.insert("failed_at".to_owned(), json!(at));
            }
            view
        });
        Ok(json!({ "items": items.collect::<Vec<Value>>(), "next": null }))
    }
}
