//! Seek: another place in every log, or in one.
#![expect(clippy::indexing_slicing, reason = "members of JSON objects, made if they are not there")]

use serde_json::json;

use super::{Answer, Model, No, State, refused};
use crate::operation::Place as To;

impl Model {
    pub(super) fn seek(
        &mut self,
        topic_name: &str,
        subscriber_name: &str,
        to: &To,
        dry_run: bool,
    ) -> Answer {
        self.subscriber(topic_name, subscriber_name)?;
        let now = self.now;
        let message = match to {
            To::MessageId(id) if self.is_delayed(topic_name, id) => {
                return refused("unknown_message");
            }
            To::MessageId(id) => Some(self.kept(topic_name, id)?),
            _ => None,
        };
        let topic = self.topic(topic_name)?;
        let mut places = Vec::new();
        let (mut clamped, mut by_time) = (false, false);
        for (priority, log) in &topic.logs {
            let (priority, last) = (priority.0, log.messages.len());
            let asked = match (to, message) {
                (To::Earliest, _) => 0,
                (To::Latest, _) => last,
                (To::At(at), _) => {
                    by_time = true;
                    log.before(*at)
                }
                (To::MessageId(_), Some((of, seq))) if of == priority => seq - 1,
                (To::MessageId(_), Some(place)) => {
                    by_time = true;
                    let at = topic.message(place).ok_or(No::Impossible)?.published_at;
                    log.before(at)
                }
                (To::Sequence { priority: of, .. }, _) if *of != priority => continue,
                (To::Sequence { sequence, .. }, _) => {
                    usize::try_from(*sequence).unwrap_or(usize::MAX).saturating_sub(1).min(last)
                }
                (To::MessageId(_), None) => continue,
            };
            let floor = topic.floor(priority, now);
            clamped |= asked < floor && *to != To::Earliest;
            places.push((priority, asked.max(floor)));
        }
        if matches!(to, To::Sequence { .. }) && places.is_empty() {
            return refused("invalid_argument");
        }
        let mut answer = json!({});
        // The times of messages that were trimmed or cancelled are not known any more.
        let dense = topic.is_dense();
        if (!by_time && dense)
            || topic.logs.keys().all(|priority| topic.floor(priority.0, now) == 0)
        {
            answer["clamped"] = json!(clamped);
        }
        let subscriber = self.subscriber_mut(topic_name, subscriber_name)?;
        let moves = places.iter().map(|(priority, seq)| (subscriber.cursor(*priority), *seq));
        if dense {
            let back = moves.clone().map(|(from, to)| from.saturating_sub(to)).sum::<usize>();
            let ahead = moves.map(|(from, to)| to.saturating_sub(from)).sum::<usize>();
            answer["replayed_count"] = json!(back);
            answer["skipped_count"] = json!(ahead);
        }
        if dry_run {
            return Ok(answer);
        }
        // In flight ends; dead letters stay, and so does what is to be skipped and still lies ahead.
        subscriber.rows.retain(|_, row| matches!(row.state, State::Dead { .. } | State::Skipped));
        for (priority, seq) in places {
            subscriber.move_cursor(priority, seq);
        }
        let cursors = subscriber.cursors.clone();
        subscriber.rows.retain(|(priority, seq), row| {
            row.state != State::Skipped || cursors.get(priority).is_none_or(|cursor| seq > cursor)
        });
        Ok(answer)
    }
}
