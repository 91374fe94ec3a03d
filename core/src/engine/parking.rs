//! Claims that found nothing and wait.
//!
//! Memory only: a waiting claim is a promise to one caller of this process. Oldest first, per
//! subscriber. Invariant: a parked claim is in the queue of each of its sources until it is removed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use super::{HandleId, ReplyTo};
use crate::clock::Millis;
use crate::op::{Claim, Ends, Source};

/// A waiting claim, named by when it came.
pub(super) type Ticket = u64;

pub(super) struct Parked {
    pub claim: Claim,
    pub reply: ReplyTo,
    pub deadline: Instant,
}

#[derive(Default)]
struct Waiters {
    tickets: BTreeSet<Ticket>,
    /// When something of this subscriber becomes claimable, as far as is known.
    due: Option<Millis>,
}

#[derive(Default)]
pub(super) struct Parking {
    claims: BTreeMap<Ticket, Parked>,
    by_topic: HashMap<Arc<str>, HashMap<Arc<str>, Waiters>>,
    deadlines: BTreeSet<(Instant, Ticket)>,
    /// Claims that found nothing yet and go on in the next transaction, whatever their deadline.
    unfinished: BTreeSet<Ticket>,
    next: Ticket,
    /// At how many claims those are looked for whose callers went away.
    sweep_at: usize,
}

/// So few are not worth a look.
const SWEEP_MIN: usize = 1_024;

impl Parking {
    pub(super) fn len(&self) -> usize {
        self.claims.len()
    }

    pub(super) fn park(&mut self, parked: Parked) -> Ticket {
        if self.claims.len() >= self.sweep_at.max(SWEEP_MIN) {
            self.sweep();
        }
        let ticket = self.next;
        self.next += 1;
        for source in parked.claim.sources.iter() {
            let subscribers = self.by_topic.entry(Arc::clone(&source.topic)).or_default();
            let waiters = subscribers.entry(Arc::clone(&source.subscriber)).or_default();
            waiters.tickets.insert(ticket);
        }
        self.deadlines.insert((parked.deadline, ticket));
        self.claims.insert(ticket, parked);
        ticket
    }

    /// Forgets claims whose callers went away: nobody tells, and their deadlines may be far. As it is done each
    /// time that their number has doubled, it costs each claim little, and what is kept is at most twice what
    /// waits.
    fn sweep(&mut self) {
        let gone = self.claims.iter().filter(|(_, parked)| parked.reply.is_closed());
        for ticket in gone.map(|(ticket, _)| *ticket).collect::<Vec<_>>() {
            self.remove(ticket);
        }
        self.sweep_at = 2 * self.claims.len();
    }

    pub(super) fn get(&self, ticket: Ticket) -> Option<&Parked> {
        self.claims.get(&ticket)
    }

    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Parked> {
        let parked = self.claims.remove(&ticket)?;
        self.unfinished.remove(&ticket);
        self.deadlines.remove(&(parked.deadline, ticket));
        for source in parked.claim.sources.iter() {
            let Some(subscribers) = self.by_topic.get_mut(&source.topic) else { continue };
            if let Some(waiters) = subscribers.get_mut(&source.subscriber) {
                waiters.tickets.remove(&ticket);
                if waiters.tickets.is_empty() {
                    subscribers.remove(&source.subscriber);
                }
            }
            if subscribers.is_empty() {
                self.by_topic.remove(&source.topic);
            }
        }
        Some(parked)
    }

    /// Those whose time is up, but for those that go on.
    pub(super) fn overdue(&self, now: Instant) -> Vec<Ticket> {
        self.past(now).filter(|ticket| !self.goes_on(*ticket)).collect()
    }

    /// Those that go on although their time is up.
    pub(super) fn late(&self, now: Instant) -> Vec<Ticket> {
        self.past(now).filter(|ticket| self.goes_on(*ticket)).collect()
    }

    fn past(&self, now: Instant) -> impl Iterator<Item = Ticket> {
        let past = self.deadlines.iter().take_while(move |(at, _)| *at <= now);
        past.map(|&(_, ticket)| ticket)
    }

    /// It is not to be answered before it has come to an end, if anybody still waits for it.
    fn goes_on(&self, ticket: Ticket) -> bool {
        self.unfinished.contains(&ticket)
            && self.claims.get(&ticket).is_some_and(|parked| !parked.reply.is_closed())
    }

    /// A claim looked, found nothing, and goes on up to these ends; or, with `None`, it is at its end.
    pub(super) fn go_on(&mut self, ticket: Ticket, ends: Option<Ends>) {
        let goes_on = ends.is_some();
        if let Some(parked) = self.claims.get_mut(&ticket) {
            parked.claim.ends = ends;
            if goes_on {
                self.unfinished.insert(ticket);
            } else {
                self.unfinished.remove(&ticket);
            }
        }
    }

    /// Claims that go on, oldest first, but for those in `skip`.
    pub(super) fn unfinished(&self, skip: &HashSet<Ticket>) -> Vec<Ticket> {
        let tickets = self.unfinished.iter().copied();
        tickets.filter(|ticket| !skip.contains(ticket) && self.goes_on(*ticket)).collect()
    }

    /// When the time of the next one is up, but for those that go on.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let mut open = self.deadlines.iter().filter(|(_, ticket)| !self.goes_on(*ticket));
        open.next().map(|&(at, _)| at)
    }

    /// When the first subscriber with waiting claims has something due.
    pub(super) fn next_due(&self) -> Option<Millis> {
        if self.unfinished.iter().any(|ticket| self.goes_on(*ticket)) {
            return Some(Millis::MIN);
        }
        self.by_topic.values().flat_map(HashMap::values).filter_map(|waiters| waiters.due).min()
    }

    /// Remembers that something of `source` is claimable from `at` on.
    pub(super) fn note(&mut self, source: &Source, at: Millis) {
        let subscribers = self.by_topic.get_mut(&source.topic);
        if let Some(waiters) = subscribers.and_then(|map| map.get_mut(&source.subscriber)) {
            waiters.due = earlier(waiters.due, Some(at));
        }
    }

    /// Every subscriber with waiting claims may have something: another process has written.
    pub(super) fn note_all(&mut self, at: Millis) {
        for waiters in self.by_topic.values_mut().flat_map(HashMap::values_mut) {
            waiters.due = Some(at);
        }
    }

    /// Subscribers that claims wait for.
    pub(super) fn sources(&self) -> Vec<Source> {
        let topics = self.by_topic.iter();
        topics
            .flat_map(|(topic, subscribers)| {
                subscribers.keys().map(|subscriber| Source {
                    topic: Arc::clone(topic),
                    subscriber: Arc::clone(subscriber),
                })
            })
            .collect()
    }

    /// Subscribers whose time has come; it is forgotten, the claim that looks will tell the next.
    pub(super) fn take_due(&mut self, now: Millis) -> Vec<Source> {
        let mut due = Vec::new();
        for (topic, subscribers) in &mut self.by_topic {
            for (subscriber, waiters) in subscribers {
                if waiters.due.is_some_and(|at| at <= now) {
                    waiters.due = None;
                    let (topic, subscriber) = (Arc::clone(topic), Arc::clone(subscriber));
                    due.push(Source { topic, subscriber });
                }
            }
        }
        due
    }

    /// The oldest waiting claims of one subscriber, or of every subscriber of a topic, that are still
    /// wanted and not in `skip`: at most `limit` for each subscriber.
    pub(super) fn oldest(
        &self,
        topic: &str,
        subscriber: Option<&str>,
        limit: usize,
        skip: &HashSet<Ticket>,
    ) -> Vec<Ticket> {
        let Some(subscribers) = self.by_topic.get(topic) else { return Vec::new() };
        let one = subscriber.and_then(|name| subscribers.get(name));
        let all = subscriber.is_none().then(|| subscribers.values()).into_iter().flatten();
        let mut tickets: Vec<_> = one
            .into_iter()
            .chain(all)
            .flat_map(|waiters| {
                let wanted = waiters.tickets.iter().filter(|ticket| {
                    !skip.contains(ticket)
                        && self.claims.get(ticket).is_some_and(|parked| !parked.reply.is_closed())
                });
                wanted.take(limit).copied()
            })
            .collect();
        tickets.sort_unstable();
        tickets.dedup();
        tickets
    }

    /// Those who came by this handle.
    pub(super) fn of(&self, handle: HandleId) -> Vec<Ticket> {
        let claims = self.claims.iter().filter(|(_, parked)| parked.reply.handle == handle);
        claims.map(|(&ticket, _)| ticket).collect()
    }

    /// Everybody, for the last answer.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Parked> + use<> {
        let all = std::mem::take(self);
        all.claims.into_values()
    }
}

fn earlier(a: Option<Millis>, b: Option<Millis>) -> Option<Millis> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}
