//! Callers that wait for the result of a message.
//!
//! Memory only: a wait is a promise to one caller of this process. Each is looked at when it comes, when
//! a transaction of this process has ended a delivery of its message, when another process has
//! committed, and now and then, in case it was settled by a cursor that passed over it. Invariant: a wait
//! leaves only with its answer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::{Answered, HandleId, ReplyTo};
use crate::clock::{Millis, monotonic};
use crate::error::{Error, Result};
use crate::op::{Answer, Looked, Outcome, ResultOf};
use crate::store::EVERYTHING;

/// Waits that are looked at between two groups, at most.
const LOOKS_MAX: usize = 128;
/// How often each wait is looked at although nothing was heard of its message.
const EVERY: Duration = Duration::from_secs(1);

type Ticket = u64;

struct Wait {
    of: ResultOf,
    reply: ReplyTo,
    deadline: Instant,
    place: Place,
}

/// Where to find a wait when something happens.
#[derive(Clone, Copy)]
enum Place {
    /// It is about to be looked at.
    Fresh,
    /// A message in a log.
    Key(i64),
    /// A message that waits for its time.
    Due(Millis),
}

#[derive(Default)]
pub(super) struct Watching {
    waits: BTreeMap<Ticket, Wait>,
    by_key: BTreeSet<(i64, Ticket)>,
    by_due: BTreeSet<(Millis, Ticket)>,
    deadlines: BTreeSet<(Instant, Ticket)>,
    fresh: VecDeque<Ticket>,
    next: Ticket,
    /// When all were last made fresh.
    swept: Option<Instant>,
}

impl Watching {
    pub(super) fn len(&self) -> usize {
        self.waits.len()
    }

    pub(super) fn add(&mut self, of: ResultOf, reply: ReplyTo, deadline: Instant) {
        let ticket = self.next;
        self.next += 1;
        self.deadlines.insert((deadline, ticket));
        self.waits.insert(ticket, Wait { of, reply, deadline, place: Place::Fresh });
        self.fresh.push_back(ticket);
    }

    /// Deliveries of the messages between these keys have ended.
    pub(super) fn ended(&mut self, runs: &[(i64, i64)]) {
        if runs.contains(&EVERYTHING) {
            self.sweep(monotonic());
        }
        if self.by_key.is_empty() {
            return;
        }
        for &(first, last) in runs {
            let found = self.by_key.range((first, Ticket::MIN)..=(last, Ticket::MAX));
            let tickets: Vec<Ticket> = found.map(|&(_, ticket)| ticket).collect();
            self.freshen(tickets);
        }
    }

    /// Another process has committed, or it is time to look at all of them.
    pub(super) fn sweep(&mut self, now: Instant) {
        let all = self.waits.keys().copied().collect();
        self.freshen(all);
        self.swept = Some(now);
    }

    /// Makes fresh whatever the time has come for.
    pub(super) fn tick(&mut self, now: Instant, clock: Millis) {
        let due = self.by_due.iter().take_while(|(at, _)| *at <= clock).map(|&(_, ticket)| ticket);
        let over = self.deadlines.iter().take_while(|(at, _)| *at <= now);
        self.freshen(due.chain(over.map(|&(_, ticket)| ticket)).collect());
        if !self.waits.is_empty() && self.swept.is_none_or(|swept| now - swept >= EVERY) {
            self.sweep(now);
        }
    }

    fn freshen(&mut self, tickets: Vec<Ticket>) {
        for ticket in tickets {
            let Some(wait) = self.waits.get_mut(&ticket) else { continue };
            match std::mem::replace(&mut wait.place, Place::Fresh) {
                Place::Fresh => continue,
                Place::Key(key) => self.by_key.remove(&(key, ticket)),
                Place::Due(at) => self.by_due.remove(&(at, ticket)),
            };
            self.fresh.push_back(ticket);
        }
    }

    /// Some of what is to be looked at. Waits whose caller went away end here.
    pub(super) fn take_fresh(&mut self) -> Vec<(Ticket, ResultOf)> {
        let mut taken = Vec::new();
        while taken.len() < LOOKS_MAX {
            let Some(ticket) = self.fresh.pop_front() else { break };
            match self.waits.get(&ticket) {
                Some(wait) if wait.reply.is_closed() => drop(self.remove(ticket)),
                Some(wait) => taken.push((ticket, wait.of.clone())),
                None => {}
            }
        }
        taken
    }

    /// What a look found: an answer, or where to wait on. Nobody is told that the time is up without a
    /// last look.
    pub(super) fn found(&mut self, ticket: Ticket, looked: Result<Looked>, now: Instant) {
        let Some(wait) = self.waits.get_mut(&ticket) else { return };
        let place = match looked {
            Ok(Looked::Open { .. } | Looked::Delayed { .. }) if wait.deadline <= now => {
                return self.answer(ticket, looked);
            }
            Ok(Looked::Open { key }) => Place::Key(key),
            Ok(Looked::Delayed { due_at }) => Place::Due(due_at),
            ended => return self.answer(ticket, ended),
        };
        wait.place = place;
        match place {
            Place::Fresh => {}
            Place::Key(key) => drop(self.by_key.insert((key, ticket))),
            Place::Due(at) => drop(self.by_due.insert((at, ticket))),
        }
    }

    fn answer(&mut self, ticket: Ticket, looked: Result<Looked>) {
        if let Some(wait) = self.remove(ticket) {
            let outcome = Outcome::Answer(Answer::Results(vec![looked]));
            wait.reply.send(Ok(Answered::new(outcome)));
        }
    }

    fn remove(&mut self, ticket: Ticket) -> Option<Wait> {
        let wait = self.waits.remove(&ticket)?;
        self.deadlines.remove(&(wait.deadline, ticket));
        match wait.place {
            Place::Fresh => {}
            Place::Key(key) => drop(self.by_key.remove(&(key, ticket))),
            Place::Due(at) => drop(self.by_due.remove(&(at, ticket))),
        }
        Some(wait)
    }

    /// When something is to be done at the latest, and on which clock.
    pub(super) fn next(&self, now: Instant) -> (Option<Instant>, Option<Millis>) {
        let deadline = self.deadlines.first().map(|&(at, _)| at);
        let wake = deadline.map(|deadline| match self.swept {
            Some(swept) if self.fresh.is_empty() => deadline.min(swept + EVERY),
            _ => now,
        });
        (wake, self.by_due.first().map(|&(at, _)| at))
    }

    /// Ends the waits of this handle, which was shut down.
    pub(super) fn leave(&mut self, handle: HandleId) {
        let waits = self.waits.iter().filter(|(_, wait)| wait.reply.handle == handle);
        let tickets: Vec<Ticket> = waits.map(|(&ticket, _)| ticket).collect();
        for ticket in tickets {
            if let Some(wait) = self.remove(ticket) {
                wait.reply.send(Err(Error::Shutdown));
            }
        }
    }

    /// Everybody, for the last answer.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = ReplyTo> + use<> {
        std::mem::take(self).waits.into_values().map(|wait| wait.reply)
    }
}
