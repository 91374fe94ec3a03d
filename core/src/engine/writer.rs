//! The writer thread: gathers what waits, applies it in one transaction, answers everyone.
//!
//! There is no flush timer: while one group is on its way to disk the next one gathers.
//! Invariant: a waiting claim leaves the parking only when its answer is certain.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::filler::Filler;
use super::inbox::{Receiver, Sender};
use super::lookout::Lookout;
use super::parking::{Parked, Parking, Ticket};
use super::session::Session;
use super::stats::Stats;
use super::watching::Watching;
use super::{Answered, Command, HandleId, ReplyTo, Request, Work};
use crate::clock::{Clock, Millis, monotonic};
use crate::error::{Error, Result};
use crate::limits;
use crate::op::{Answer, ClaimOutcome, Op, Outcome, Query};
use crate::store::{Fault, Owner as _, Quiet, Store};

/// The longest wait for callers that were just answered.
const MOMENT: Duration = Duration::from_micros(100);
/// How long after the last request upkeep begins.
const PAUSE: Duration = Duration::from_millis(200);
/// How long after the last request the log is truncated.
const REST: Duration = Duration::from_secs(5);
/// How long after a failed group nothing is tried that nobody asks for.
const BACKOFF: Duration = Duration::from_millis(200);
/// Waiting claims of one queue; more are refused with `busy`.
const WAITING_MAX: usize = 1_000_000;
/// How often upkeep looks for what time alone made removable.
const UPKEEP_EVERY: Duration = Duration::from_mins(1);
/// Messages handled without a pause after which upkeep begins to take turns with the groups, until it
/// has caught up. Before that it waits for a pause.
const UPKEEP_AFTER_MESSAGES: usize = 100_000;
/// How long upkeep waits for a pause at most.
const UPKEEP_WITHIN: Duration = Duration::from_secs(5);

pub(super) struct Writer {
    store: Box<dyn Store>,
    clock: Clock,
    inbox: Receiver,
    give_back: Sender,
    parking: Parking,
    watching: Watching,
    lookout: Lookout,
    /// Operations on many rows that go on in the next group.
    carried: Vec<Request>,
    /// Transactions that wait for their turn. There is one in a turn of this, so that others get in between.
    sessions: VecDeque<Session>,
    stats: Arc<Stats>,
    /// When a delayed message or a lease falls due next.
    next_due: Option<Millis>,
    /// The store asked for another, empty group.
    more: bool,
    /// A group failed: until then, do only what is asked for.
    backoff: Option<Instant>,
    /// When the newest request came.
    asked: Instant,
    /// There may be upkeep to do.
    untidy: bool,
    /// There was a rest since the newest request.
    rested: bool,
    /// Requests that were there when the newest group was answered, and as many as it answered.
    expected: usize,
    /// How long to wait for them to be back.
    moment: Duration,
    /// Messages published or settled since upkeep had its last turn.
    handled: usize,
    /// When upkeep had its last turn.
    upkept: Instant,
    /// Handles that were shut down and are not told yet.
    leaving: Vec<(Option<ReplyTo>, HandleId)>,
    /// The last handle was shut down, or dropped; who waits for the end.
    ending: Option<Vec<ReplyTo>>,
}

impl Writer {
    pub(super) fn new(
        store: Box<dyn Store>,
        clock: Clock,
        inbox: Receiver,
        give_back: Sender,
        stats: Arc<Stats>,
    ) -> Self {
        let teller = give_back.clone();
        // After shutdown nobody wants to know.
        let heard = move |sign| drop(teller.send(Command::Heard(sign)));
        Self {
            store,
            clock,
            inbox,
            give_back,
            parking: Parking::default(),
            watching: Watching::default(),
            lookout: Lookout::new(Box::new(heard)),
            carried: Vec::new(),
            sessions: VecDeque::new(),
            stats,
            next_due: None,
            more: true,
            backoff: None,
            asked: monotonic(),
            untidy: true,
            rested: false,
            expected: 0,
            moment: Duration::ZERO,
            handled: 0,
            upkept: monotonic(),
            leaving: Vec::new(),
            ending: None,
        }
    }

    /// Ends after `reading`, the thread that reads.
    pub(super) fn run(mut self, reading: Option<JoinHandle<()>>) {
        while self.ending.is_none() {
            let requests = self.gather();
            let outcome = catch_unwind(AssertUnwindSafe(|| self.turn(requests)));
            if outcome.is_err() {
                // The callers of this group see their replies dropped; the transaction was rolled
                // back by the store's guard. Waiting claims go on.
                self.stats.failed();
            }
        }
        self.end(reading);
    }

    /// Waits for work and takes everything that is there, up to the bounds of a group.
    fn gather(&mut self) -> Vec<Request> {
        let mut requests = std::mem::take(&mut self.carried);
        let is_idle = requests.is_empty() && self.sessions.is_empty();
        if is_idle && self.inbox.len() == 0 {
            self.notice_others();
        }
        let patience = if is_idle { self.patience() } else { Duration::ZERO };
        self.inbox.wait(1, patience);
        // Callers that were just answered are about to be back: a moment for them makes one commit of
        // what would be two. Nobody waits for a caller who has not been here.
        if self.inbox.len() > 0 {
            self.inbox.wait(self.expected.min(limits::GROUP_OPS_MAX), self.moment);
        }
        let mut bytes = 0;
        while requests.len() < limits::GROUP_OPS_MAX && bytes < limits::BATCH_BYTES_MAX {
            let Some(command) = self.inbox.take() else { break };
            bytes += self.accept(command, &mut requests);
        }
        requests
    }

    /// The answer is how many bytes came with it.
    fn accept(&mut self, command: Command, requests: &mut Vec<Request>) -> usize {
        match command {
            Command::Run(request) => {
                let bytes = request.work.size_bytes();
                requests.push(request);
                return bytes;
            }
            Command::Wake => {
                self.more = true;
                self.untidy = true;
            }
            Command::Heard(sign) => self.lookout.heard(sign),
            Command::Leave(reply, handle) => self.leaving.push((reply, handle)),
            Command::Shutdown(reply) => self.ending.get_or_insert_default().extend(reply),
        }
        0
    }

    /// How long nothing needs to be done if nobody asks.
    fn patience(&self) -> Duration {
        let far = Duration::from_hours(1);
        let now = monotonic();
        let until = |at: Instant| at.saturating_duration_since(now);
        let due = match self.backoff {
            Some(at) => until(at),
            None if self.more => Duration::ZERO,
            None => self.due().and_then(|at| self.clock.until(at)).unwrap_or(far),
        };
        let (look, look_at) = self.watching.next(now);
        let deadline = [self.parking.next_deadline(), look].into_iter().flatten().min();
        let deadline = deadline.map_or(far, until);
        let look_at = look_at.and_then(|at| self.clock.until(at)).unwrap_or(far);
        let look = until(self.lookout.next());
        let chores = match (self.untidy, self.rested) {
            (true, _) => until(self.asked + PAUSE),
            (false, false) => until(self.asked + REST),
            (false, true) => until(self.upkept + UPKEEP_EVERY),
        };
        due.min(deadline).min(look_at).min(look).min(chores)
    }

    /// When something falls due, as far as is known.
    fn due(&self) -> Option<Millis> {
        [self.next_due, self.parking.next_due()].into_iter().flatten().min()
    }

    fn is_due(&mut self) -> bool {
        if let Some(at) = self.backoff {
            if monotonic() < at {
                return false;
            }
            self.backoff = None;
            return true;
        }
        self.more || self.due().is_some_and(|at| at <= self.clock.now())
    }

    /// One turn: a group if there is anything to do, then what nobody waits for.
    fn turn(&mut self, requests: Vec<Request>) {
        let asked = requests.len() + self.sessions.len();
        self.handled += requests.iter().map(|request| request.work.messages()).sum::<usize>();
        self.run_group(requests);
        self.expire_waits();
        self.look_at_results();
        self.see_off();
        self.stats.waiting_claims.store(self.parking.len() as u64, Ordering::Relaxed);
        if asked > 0 {
            self.asked = monotonic();
            self.untidy = true;
            self.rested = false;
        }
        let (quiet, since) = (self.quiet(), self.upkept.elapsed());
        let busy_for_long = self.handled >= UPKEEP_AFTER_MESSAGES || since >= UPKEEP_WITHIN;
        if (self.untidy && (quiet > Quiet::No || busy_for_long)) || since >= UPKEEP_EVERY {
            self.upkeep(quiet);
        } else if asked > 0 || (quiet == Quiet::Rest && !self.rested) {
            self.rested = quiet == Quiet::Rest;
            // What it fails to do now, it does later.
            let _ = self.store.tidy(quiet);
        }
    }

    fn quiet(&self) -> Quiet {
        match self.asked.elapsed() {
            _ if self.more => Quiet::No,
            since if since >= REST => Quiet::Rest,
            since if since >= PAUSE => Quiet::Pause,
            _ => Quiet::No,
        }
    }

    /// Applies the requests, and whatever is due, as one group.
    fn run_group(&mut self, requests: Vec<Request>) {
        let mut group = Group::default();
        let mut permits = Vec::with_capacity(requests.len());
        let mut queries = Vec::new();
        for Request { work, reply, mut permit } in requests {
            let has_left = permit.as_ref().is_some_and(|permit| permit.semaphore().is_closed());
            match work {
                Work::Op(op) => {
                    group.ops.push(op);
                    group.replies.push(reply);
                }
                Work::Claim { .. } if reply.is_closed() => {}
                Work::Claim { .. } | Work::Watch { .. } if has_left => {
                    reply.send(Err(Error::Shutdown));
                }
                Work::Claim { .. } if self.parking.len() >= WAITING_MAX => {
                    reply.send(Err(Error::Busy));
                }
                Work::Watch { .. } if self.watching.len() >= WAITING_MAX => {
                    reply.send(Err(Error::Busy));
                }
                Work::Watch { of, wait } => self.watching.add(of, reply, monotonic() + wait),
                Work::Claim { claim, wait } => {
                    let deadline = monotonic() + wait;
                    group.claims.push(self.parking.park(Parked { claim, reply, deadline }));
                }
                Work::Query(query) => queries.push((query, reply)),
                Work::Transaction(mut session) => {
                    session.expect(reply, permit.take());
                    self.sessions.push_back(session);
                }
            }
            permits.extend(permit);
        }
        if !group.ops.is_empty() || !group.claims.is_empty() || self.is_due() {
            self.more = false;
            self.apply(group);
        }
        drop(permits);
        for (query, reply) in queries {
            let answer = self.store.read(&query).map(Outcome::Answer);
            reply.send(answer.map(Answered::new));
        }
        while let Some(session) = self.sessions.pop_front() {
            if session.is_wanted() {
                self.converse(session);
                break;
            }
        }
    }

    /// Carries out a transaction as its owner says; nothing else is done meanwhile.
    fn converse(&mut self, mut session: Session) {
        let started = monotonic();
        let mut filler = Filler::new(&mut self.parking, &[]);
        let result = self.store.converse(&mut session, &mut filler);
        let filled = filler.finish(matches!(result, Ok(Some(_))));
        let answer = match result {
            Ok(Some(applied)) => {
                self.stats.committed(1 + filled.len() as u64, started.elapsed());
                self.next_due = applied.next_due;
                self.more |= applied.more;
                self.watching.ended(&applied.ended);
                Ok(Outcome::Done)
            }
            Ok(None) => Ok(Outcome::Done),
            Err(Fault::Divide(error) | Fault::NotApplied(error) | Fault::Unknown(error)) => {
                self.stats.failed();
                Err(error)
            }
        };
        for (ticket, outcome) in filled {
            self.answer_claim(ticket, outcome);
        }
        session.answer(answer);
    }

    fn apply(&mut self, group: Group) {
        let started = monotonic();
        let mut filler = Filler::new(&mut self.parking, &group.claims);
        let result = self.store.apply(&group.ops, &mut filler);
        let filled = filler.finish(result.is_ok());
        match result {
            Ok(applied) => {
                let operations = group.ops.len() + filled.len();
                let took = started.elapsed();
                self.stats.committed(operations as u64, took);
                self.expected = self.inbox.len() + operations;
                // A lone caller is never waited for: it is back before anybody could be missed.
                self.moment = if operations > 1 { (took / 4).min(MOMENT) } else { Duration::ZERO };
                self.backoff = None;
                self.next_due = applied.next_due;
                self.more |= applied.more;
                self.watching.ended(&applied.ended);
                let requests = group.ops.into_iter().zip(group.replies);
                for (outcome, (op, reply)) in applied.outcomes.into_iter().zip(requests) {
                    self.answer(op, reply, outcome);
                }
                for (ticket, outcome) in filled {
                    self.answer_claim(ticket, outcome);
                }
            }
            Err(Fault::Divide(_)) if group.ops.len() + group.claims.len() > 1 => {
                self.apply_one_by_one(group);
            }
            Err(fault) => {
                self.stats.failed();
                // What is due stays due, but is not tried again at once.
                self.backoff = Some(monotonic() + BACKOFF);
                let error = fault.error();
                let is_of_one = matches!(fault, Fault::Divide(_)) && !group.ops.is_empty();
                // Those that go on have no other end as long as the store fails.
                let late = if is_of_one { Vec::new() } else { self.parking.late(monotonic()) };
                for reply in group.replies {
                    reply.send(Err(error.clone()));
                }
                for ticket in group.claims.into_iter().chain(late) {
                    self.answer_claim(ticket, Err(error.clone()));
                }
            }
        }
    }

    fn answer(&mut self, op: Op, reply: ReplyTo, outcome: Result<Outcome>) {
        if let Ok(Outcome::Partial(progress)) = outcome {
            // It goes on after whatever came in meanwhile.
            let work = Work::Op(op.go_on(progress));
            self.carried.push(Request { work, reply, permit: None });
        } else {
            reply.send(outcome.map(Answered::new));
        }
    }

    /// Finds the operation that cannot be done, and does the others.
    fn apply_one_by_one(&mut self, group: Group) {
        for (op, reply) in group.ops.into_iter().zip(group.replies) {
            self.apply(Group { ops: vec![op], replies: vec![reply], claims: Vec::new() });
        }
        for ticket in group.claims {
            self.apply(Group { claims: vec![ticket], ..Group::default() });
        }
    }

    fn answer_claim(&mut self, ticket: Ticket, outcome: Result<Outcome>) {
        if let Some(parked) = self.parking.remove(ticket) {
            let answered = outcome.map(|outcome| Answered::claimed(outcome, &self.give_back));
            // An answer that nobody takes comes back as a release of its deliveries.
            parked.reply.send(answered);
        }
    }

    fn expire_waits(&mut self) {
        for ticket in self.parking.overdue(monotonic()) {
            self.answer_claim(ticket, Ok(Outcome::Claimed(ClaimOutcome::default())));
        }
    }

    /// Ends the waits of handles that were shut down, and tells those of whom nothing goes on.
    fn see_off(&mut self) {
        for (reply, handle) in std::mem::take(&mut self.leaving) {
            for ticket in self.parking.of(handle) {
                self.answer_claim(ticket, Err(Error::Shutdown));
            }
            self.watching.leave(handle);
            if self.carried.iter().any(|request| request.reply.handle == handle)
                || self.sessions.iter().any(|session| session.waits_for(handle))
            {
                self.leaving.push((reply, handle));
            } else if let Some(reply) = reply {
                reply.send(Ok(Answered::new(Outcome::Done)));
            }
        }
    }

    /// Before the writer sleeps: from here on it hears of commits by others if somebody waits, and what they
    /// have committed before, it sees now. One with nothing to do looks now and then: others may have made
    /// a schedule, and be gone when that falls due.
    fn notice_others(&mut self) {
        let is_time = if self.parking.len() + self.watching.len() > 0 {
            self.lookout.arm(&*self.store)
        } else {
            self.lookout.glance()
        };
        if !is_time {
            return;
        }
        match self.store.changed() {
            Ok(false) => self.lookout.saw_nothing(),
            Ok(true) => {
                let now = self.clock.now();
                self.watching.sweep(monotonic());
                self.look_at_results();
                let is_for_us = self.look().is_none_or(|at| at <= now);
                self.lookout.saw_a_commit(is_for_us);
            }
            // It is looked at again, with the right to write: that says what is wrong.
            Err(_) => self.parking.note_all(Millis::MIN),
        }
    }

    /// When there is something for a waiting claim; `None` if that cannot be found out.
    fn look(&mut self) -> Option<Millis> {
        let Ok(look) = self.store.look(&self.parking.sources()) else {
            self.parking.note_all(Millis::MIN);
            return None;
        };
        self.next_due = look.next_due;
        for (source, at) in &look.ready {
            self.parking.note(source, *at);
        }
        let ready = look.ready.iter().map(|(_, at)| *at);
        Some(ready.chain(look.next_due).min().unwrap_or(Millis::MAX))
    }

    /// Looks at results that may be there, and answers those who wait for them.
    fn look_at_results(&mut self) {
        if self.watching.len() == 0 {
            return;
        }
        let now = monotonic();
        self.watching.tick(now, self.clock.now());
        let (tickets, questions): (Vec<_>, Vec<_>) = self.watching.take_fresh().into_iter().unzip();
        if tickets.is_empty() {
            return;
        }
        let looked = match self.store.read(&Query::Results(questions)) {
            Ok(Answer::Results(looked)) => looked,
            Ok(_) => tickets.iter().map(|_| Err(Error::internal("no results"))).collect(),
            Err(error) => tickets.iter().map(|_| Err(error.clone())).collect(),
        };
        for (ticket, looked) in tickets.into_iter().zip(looked) {
            self.watching.found(ticket, looked, now);
        }
    }

    fn upkeep(&mut self, quiet: Quiet) {
        // It also sees what fell due and what others have committed, which may be waited for.
        let mut filler = Filler::new(&mut self.parking, &[]);
        let result = self.store.apply(&[Op::Upkeep], &mut filler);
        let filled = filler.finish(result.is_ok());
        self.untidy = if let Ok(applied) = result {
            self.next_due = applied.next_due;
            self.more |= applied.more;
            self.watching.ended(&applied.ended);
            matches!(applied.outcomes.first(), Some(Ok(Outcome::Upkeep { more: true })))
        } else {
            self.stats.failed();
            self.backoff = Some(monotonic() + BACKOFF);
            false
        };
        for (ticket, outcome) in filled {
            self.answer_claim(ticket, outcome);
        }
        if !self.untidy {
            self.handled = 0;
            self.upkept = monotonic();
            self.untidy = self.store.tidy(quiet).unwrap_or(false);
        }
    }

    /// Finishes what was handed over before the end, then tells everybody who waits.
    fn end(mut self, reading: Option<JoinHandle<()>>) {
        let mut requests = std::mem::take(&mut self.carried);
        let mut ending = self.ending.take().unwrap_or_default();
        ending.extend(std::mem::take(&mut self.leaving).into_iter().filter_map(|(reply, _)| reply));
        self.inbox.close();
        while let Some(command) = self.inbox.take() {
            match command {
                Command::Run(request) => requests.push(request),
                Command::Shutdown(reply) | Command::Leave(reply, _) => ending.extend(reply),
                Command::Wake | Command::Heard(_) => {}
            }
        }
        while !requests.is_empty() || !self.sessions.is_empty() {
            let rest = requests.split_off(requests.len().min(limits::GROUP_OPS_MAX));
            self.run_group(std::mem::replace(&mut requests, rest));
            requests.append(&mut self.carried);
        }
        for parked in self.parking.drain() {
            parked.reply.send(Err(Error::Shutdown));
        }
        for reply in self.watching.drain() {
            reply.send(Err(Error::Shutdown));
        }
        let _ = self.store.tidy(Quiet::Rest);
        // Who is told that the queue is shut down finds its file closed.
        let _ = reading.map(JoinHandle::join);
        drop(self.store);
        for reply in ending {
            reply.send(Ok(Answered::new(Outcome::Done)));
        }
    }
}

/// What one transaction is asked to do.
#[derive(Default)]
struct Group {
    ops: Vec<Op>,
    replies: Vec<ReplyTo>,
    /// Claims that came with this group; parked, and answered with an error if the group fails.
    claims: Vec<Ticket>,
}

#[cfg(test)]
mod tests;
