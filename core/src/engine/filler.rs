//! Serves waiting claims inside the transaction that makes something claimable.
//!
//! Invariant: a claim is asked for once in a transaction, and counts as filled only when the transaction is certain.

use std::collections::HashSet;
use std::sync::Arc;

use super::parking::{Parking, Ticket};
use crate::clock::Millis;
use crate::error::Result;
use crate::op::{Claim, Outcome};
use crate::store::{Effects, Follow};

/// First those that waited, then those that came with the group.
pub(super) struct Filler<'a> {
    parking: &'a mut Parking,
    newcomers: &'a [Ticket],
    newcomers_asked: bool,
    /// Asked for in the round that is being carried out.
    asked: Vec<Ticket>,
    /// Asked for in this transaction; each claim is asked for once.
    done: HashSet<Ticket>,
    filled: Vec<(Ticket, Result<Outcome>)>,
}

impl<'a> Filler<'a> {
    pub(super) fn new(parking: &'a mut Parking, newcomers: &'a [Ticket]) -> Self {
        Self {
            parking,
            newcomers,
            newcomers_asked: newcomers.is_empty(),
            asked: Vec::new(),
            done: HashSet::new(),
            filled: Vec::new(),
        }
    }

    /// The claims that are certain now. If the transaction failed they wait on, and look again.
    pub(super) fn finish(mut self, committed: bool) -> Vec<(Ticket, Result<Outcome>)> {
        if committed {
            return self.filled;
        }
        self.look_again();
        Vec::new()
    }

    /// What was asked for was not done.
    fn look_again(&mut self) {
        for ticket in std::mem::take(&mut self.done) {
            self.note(ticket, Millis::MIN);
        }
    }

    fn note(&mut self, ticket: Ticket, at: Millis) {
        let sources = self.parking.get(ticket).map(|parked| Arc::clone(&parked.claim.sources));
        for source in sources.iter().flat_map(|sources| sources.iter()) {
            self.parking.note(source, at);
        }
    }

    /// Sorts the answers of the last round: filled, failed for good, or still waiting.
    fn take_answers(&mut self, last: Vec<Result<Outcome>>) {
        for (ticket, outcome) in std::mem::take(&mut self.asked).into_iter().zip(last) {
            if let Ok(Outcome::Claimed(claimed)) = &outcome {
                if let Some(at) = claimed.next_due {
                    self.note(ticket, at);
                }
                self.parking.go_on(ticket, claimed.go_on.clone());
            }
            match &outcome {
                Ok(Outcome::Claimed(claimed)) if claimed.deliveries.is_empty() => {}
                _ => self.filled.push((ticket, outcome)),
            }
        }
    }

    /// The oldest waiting claims for which there may be something.
    fn candidates(&mut self, effects: &mut Effects, now: Millis) -> Vec<Ticket> {
        if std::mem::take(&mut effects.foreign) {
            self.parking.note_all(Millis::MIN);
        }
        for (source, at) in effects.ready.drain(..) {
            self.parking.note(&source, at);
        }
        let mut tickets = self.parking.unfinished(&self.done);
        for (topic, count) in effects.appended.drain(..) {
            tickets.extend(self.parking.oldest(&topic, None, count, &self.done));
        }
        for (topic, subscriber) in effects.changed.drain(..) {
            let subscriber = subscriber.as_deref();
            tickets.extend(self.parking.oldest(&topic, subscriber, usize::MAX, &self.done));
        }
        // One each: as long as there is more, the claim that looked says so.
        for source in self.parking.take_due(now) {
            let subscriber = Some(&*source.subscriber);
            tickets.extend(self.parking.oldest(&source.topic, subscriber, 1, &self.done));
        }
        tickets.sort_unstable();
        tickets.dedup();
        tickets
    }
}

impl Follow for Filler<'_> {
    fn again(&mut self) {
        self.asked.clear();
        self.filled.clear();
        self.newcomers_asked = self.newcomers.is_empty();
        self.look_again();
    }

    fn follow(
        &mut self,
        effects: &mut Effects,
        now: Millis,
        last: Vec<Result<Outcome>>,
    ) -> Vec<Claim> {
        self.take_answers(last);
        self.asked = self.candidates(effects, now);
        if self.asked.is_empty() && !std::mem::replace(&mut self.newcomers_asked, true) {
            let new = self.newcomers.iter().filter(|ticket| !self.done.contains(ticket));
            self.asked = new.copied().collect();
        }
        self.done.extend(&self.asked);
        let parked = self.asked.iter().filter_map(|&ticket| self.parking.get(ticket));
        parked.map(|parked| parked.claim.clone()).collect()
    }
}
