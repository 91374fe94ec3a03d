//! Settle: what the holder of a live receipt may decide.

use serde_json::{Value, json};

use super::results::Stored;
use super::{Answer, Model, No, Place, Row, State, refused};
use crate::operation::Operation as Op;

/// What a receipt is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    Ack,
    Nack { delay_ms: Option<i64>, error: Option<String>, give_up: bool },
    Extend { lease_ms: i64 },
    Defer { delay_ms: i64 },
    Cancel { reason: Option<String> },
}

impl Verb {
    fn is_same(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Model {
    pub(super) fn settle(&mut self, operation: &Op) -> Answer {
        let nack = |nack: &crate::operation::Nack| {
            let error = nack.error_text.clone();
            let verb = Verb::Nack { delay_ms: nack.delay_ms, error, give_up: nack.give_up };
            (nack.receipt.clone(), verb)
        };
        let defer = |deferral: &crate::operation::Deferral| {
            (deferral.receipt.clone(), Verb::Defer { delay_ms: deferral.delay_ms })
        };
        let all = |receipts: &[String], verb: &Verb| -> Vec<(String, Verb)> {
            receipts.iter().map(|receipt| (receipt.clone(), verb.clone())).collect()
        };
        match operation {
            Op::Ack { receipt, result } => self.ack(receipt, result.as_ref()),
            Op::Nack(one) => {
                let (receipt, verb) = nack(one);
                self.settle_one(&receipt, &verb)
            }
            Op::Extend { receipt, lease_ms } => {
                let receipts = std::slice::from_ref(receipt);
                let answer = self.settle_one(receipt, &Verb::Extend { lease_ms: *lease_ms })?;
                self.extended(receipts);
                Ok(answer)
            }
            Op::Defer(one) => {
                let (receipt, verb) = defer(one);
                self.settle_one(&receipt, &verb)
            }
            Op::Cancel { receipt, reason } => {
                self.settle_one(receipt, &Verb::Cancel { reason: reason.clone() })
            }
            Op::AckBatch { receipts } => self.settle_many(&all(receipts, &Verb::Ack)),
            Op::ExtendBatch { receipts, lease_ms } => {
                let answers =
                    self.settle_many(&all(receipts, &Verb::Extend { lease_ms: *lease_ms }))?;
                self.extended(receipts);
                Ok(answers)
            }
            Op::CancelBatch { receipts, reason } => {
                self.settle_many(&all(receipts, &Verb::Cancel { reason: reason.clone() }))
            }
            Op::NackBatch { items } => {
                self.settle_many(&items.iter().map(nack).collect::<Vec<_>>())
            }
            Op::DeferBatch { items } => {
                self.settle_many(&items.iter().map(defer).collect::<Vec<_>>())
            }
            _ => Err(No::Impossible),
        }
    }

    /// A reply is stored by the settlement that ends the delivery, not by one that repeats it.
    fn ack(&mut self, receipt: &str, reply: Option<&crate::operation::Reply>) -> Answer {
        let is_first = !self.settled.contains_key(receipt);
        let answer = self.settle_one(receipt, &Verb::Ack)?;
        if let (Some(reply), true) = (reply, is_first) {
            let given = self.receipts.get(receipt).ok_or(No::Impossible)?;
            let message = self.topic(&given.topic)?.message(given.place).ok_or(No::Impossible)?;
            let payload = reply.payload.clone().unwrap_or_default();
            let expires_at = self.now + reply.ttl_ms.unwrap_or(3_600_000);
            let of = (message.body.id.clone(), given.number);
            self.replies.insert(of, Stored { payload, expires_at });
        }
        Ok(answer)
    }

    /// Some deliveries of a lease that were extended without the others are under a lease of their own.
    fn extended(&mut self, receipts: &[String]) {
        let mut leases: std::collections::BTreeMap<(String, String, u64), Vec<Place>> =
            std::collections::BTreeMap::new();
        for receipt in receipts {
            let Ok(Some((subscriber, _))) = self.holder(receipt) else { continue };
            let rows = subscriber.rows.iter();
            let mut held = rows.filter(|(_, row)| row.receipt.as_ref() == Some(receipt));
            let Some((place, lease)) = held.find_map(|(place, row)| Some((*place, row.lease?.0)))
            else {
                continue;
            };
            let Some(given) = self.receipts.get(receipt) else { continue };
            let of = (given.topic.clone(), given.subscriber.clone(), lease);
            let places = leases.entry(of).or_default();
            if !places.contains(&place) {
                places.push(place);
            }
        }
        for ((topic, name, lease), mut places) in leases {
            if let Some(topic) = self.topics.get_mut(&topic)
                && let Some(subscriber) = topic.subscribers.get_mut(&name)
            {
                let is_under = |row: &&Row| row.lease.is_some_and(|(number, _)| number == lease);
                if subscriber.rows.values().filter(is_under).count() == places.len() {
                    continue;
                }
                subscriber.leases += 1;
                places.sort_by_key(|place| {
                    topic.logs.get(&std::cmp::Reverse(place.0)).map(|log| (log.number, place.1))
                });
                for (index, place) in places.into_iter().enumerate() {
                    if let Some(row) = subscriber.rows.get_mut(&place) {
                        row.lease = Some((subscriber.leases, index));
                    }
                }
            }
        }
    }

    fn settle_many(&mut self, items: &[(String, Verb)]) -> Answer {
        if items.iter().any(|(receipt, _)| !self.receipts.contains_key(receipt)) {
            return Err(No::Impossible);
        }
        let mut answers = Vec::new();
        for (receipt, verb) in items {
            answers.push(match self.settle_one(receipt, verb) {
                Ok(answer) => answer,
                Err(No::Refused(code, _)) => json!({ "error": code }),
                Err(No::Impossible) => return Err(No::Impossible),
            });
        }
        Ok(Value::from(answers))
    }

    fn settle_one(&mut self, receipt: &str, verb: &Verb) -> Answer {
        let now = self.now;
        let place = self.receipts.get(receipt).ok_or(No::Impossible)?.place;
        let row = self.holder(receipt)?.and_then(|(subscriber, logs)| {
            let row = subscriber.rows.get(&place)?.clone();
            (row.receipt.as_deref() == Some(receipt)).then_some((subscriber, logs, row))
        });
        let Some((subscriber, logs, row)) = row else {
            if self.forgets && self.settled.contains_key(receipt) {
                return Err(No::Impossible);
            }
            let same = self.settled.get(receipt).filter(|(before, _)| before.is_same(verb));
            return same.map_or_else(|| refused("lease_lost"), |(_, answer)| Ok(answer.clone()));
        };
        let expired = matches!(row.state, State::Retrying { .. });
        let (after, answer) = match verb {
            Verb::Ack => {
                subscriber.counts.acked += 1;
                (None, json!({}))
            }
            Verb::Cancel { reason } => {
                if reason.is_some() {
                    let failures = row.failures + 1;
                    subscriber.record_failure(place, failures, reason.as_deref(), Some(now));
                }
                (None, json!({}))
            }
            Verb::Extend { lease_ms } => {
                let expires_at = now + lease_ms;
                let state = State::Leased { expires_at };
                (Some(Row { state, ..row }), json!({ "lease_expires_at": expires_at }))
            }
            Verb::Defer { delay_ms } => {
                let ready_at = now + delay_ms;
                let attempts = row.attempts - 1;
                let state = State::Retrying { ready_at };
                let after = Row { state, attempts, receipt: None, lease: None, ..row };
                (Some(after), json!({ "ready_at": ready_at }))
            }
            Verb::Nack { delay_ms, error, give_up } => {
                subscriber.counts.nacked += 1;
                // Its expiry was counted as a failure already.
                let failures = if expired { row.failures } else { row.failures + 1 };
                let error = error.as_deref();
                if expired {
                    subscriber.correct_failure(place, failures, error, Some(now));
                } else {
                    subscriber.record_failure(place, failures, error, Some(now));
                }
                let dead = *give_up || row.attempts >= subscriber.options.max_attempts;
                let ready_at = now + delay_ms.unwrap_or_else(|| subscriber.options.pause(failures));
                let (state, answer) = if dead {
                    (State::Dead { at: now }, json!({ "state": "dead_lettered", "ready_at": null }))
                } else {
                    let answer = json!({ "state": "retrying", "ready_at": ready_at });
                    (State::Retrying { ready_at }, answer)
                };
                (Some(Row { state, failures, receipt: None, lease: None, ..row }), answer)
            }
        };
        let before = match after {
            Some(after) => subscriber.rows.insert(place, after),
            None => subscriber.rows.remove(&place),
        };
        if !matches!(verb, Verb::Extend { .. }) {
            let key = before.and_then(|row| row.key);
            subscriber.freed(key.as_deref(), logs, now);
        }
        if !matches!(verb, Verb::Extend { .. }) {
            self.settled.insert(receipt.to_owned(), (verb.clone(), answer.clone()));
        }
        Ok(answer)
    }
}
