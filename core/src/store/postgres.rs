//! The store in a PostgreSQL database, for engines on many hosts.
//!
//! The rules of the verbs are functions in the database (`core/sql/postgres/functions`); a group is one call of
//! one of them, which is one transaction and one round trip. Here are the connection, the encoding, and what
//! becomes of a group whose answer was lost. Invariant: a group is done once, however often it is sent.

mod address;
mod decode;
mod encode;
mod error;
mod fire;
mod link;
mod listen;
mod migrate;
mod query;
mod rows;
mod settings;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use uuid::Uuid;

use address::Address;
use decode::{Decoder, Row, Told, read};
use encode::Group;
use link::{Link, Lost, Patience, on_own_thread};
use listen::Listener;
use query::{Asker, test_time};

pub(crate) use rows::fill;

use super::recent::Recent;
use super::rows::Rows;
use super::{
    Applied, EVERYTHING, Effects, Fault, Follow, Heard, Look, Others, Owner, Quiet, Read, Store,
};
use crate::clock::{Clock, Millis, monotonic};
use crate::entropy;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::op::{Answer, Claim, ClaimOutcome, Op, Outcome, Query, Source};
use crate::options::OpenOptions;

/// How long a group that could not be sent, or whose answer was lost, is sent again.
const SETTLE_WITHIN: Duration = Duration::from_secs(20);
/// How long a query is asked again.
const READ_WITHIN: Duration = Duration::from_secs(5);
/// How often a group that met another one is sent again.
const MEETINGS_MAX: u32 = 5;
/// How often a store that heard nothing looks all the same.
const SAFETY: Duration = Duration::from_secs(1);

const APPLY: &str = include_str!("../../sql/postgres/apply.sql");
const ASK: &str = include_str!("../../sql/postgres/ask.sql");

pub(crate) struct PostgresStore {
    address: Address,
    clock: Clock,
    tag: u16,
    /// `None`: it was lost, and not made anew yet.
    link: Option<Link>,
    /// The number of its process at the server, whose commits are no news.
    own: Arc<AtomicI32>,
    recent: Recent,
    /// The server's time less this machine's.
    skew: Millis,
    /// When the next schedule is due, in the server's time.
    next_schedule: Option<Millis>,
    /// Others have committed something since the last look.
    changed: Arc<AtomicBool>,
    looked: Instant,
    listener: Mutex<Option<Listener>>,
}

/// What came of a group.
struct Reply {
    rows: VecDeque<Row>,
    told: Told,
}

impl PostgresStore {
    pub(crate) fn open(address: &str, options: &OpenOptions) -> Result<Self> {
        let address = Address::parse(address, options.durability)?;
        let (link, tag) = on_own_thread(|| {
            let mut link = Link::connect(&address)?;
            let tag = migrate::migrate(&mut link, &address, options)?;
            link.prepare(APPLY)?;
            Ok((link, tag))
        })
        .map_err(error::at_open)?;
        Ok(Self {
            address,
            clock: options.clock.clone(),
            tag,
            own: Arc::new(AtomicI32::new(link.process_id())),
            link: Some(link),
            recent: Recent::default(),
            skew: 0,
            next_schedule: Some(Millis::MIN),
            changed: Arc::new(AtomicBool::new(true)),
            looked: monotonic(),
            listener: Mutex::default(),
        })
    }

    /// The connection, made anew if it was lost.
    fn link(&mut self) -> Result<&mut Link> {
        if self.link.as_ref().is_none_or(Link::is_closed) {
            self.link = None;
            let mut link = Link::connect(&self.address)?;
            link.prepare(APPLY)?;
            self.own.store(link.process_id(), Ordering::Release);
            return Ok(self.link.insert(link));
        }
        self.link.as_mut().ok_or_else(|| Error::internal("a connection is lost"))
    }

    fn server_now(&self) -> Millis {
        self.clock.now() + self.skew
    }

    /// Asks over the writer's connection, and again if it is lost: to ask changes nothing.
    fn ask<T>(
        &mut self,
        patience: Duration,
        mut ask: impl FnMut(&Asker<'_>) -> Result<T>,
    ) -> Result<T> {
        let (clock, tag) = (self.clock.clone(), self.tag);
        let mut patience = Patience::of(patience);
        loop {
            let answer = self
                .link()
                .and_then(|link| ask(&Asker { link, clock: &clock, tag, statement: None }));
            if !matches!(answer, Err(Error::Io { .. })) {
                return answer;
            }
            self.link = None;
            if !patience.pause() {
                return answer;
            }
        }
    }

    // --- groups -----------------------------------------------------------------------------------

    /// Carries out a group, once.
    fn send(&mut self, group: &Group<'_>) -> Result<Reply, Fault> {
        let id = Uuid::from_bytes(entropy::bytes()).to_string();
        let (mut again, mut meetings) = (false, 0);
        let mut patience = Patience::of(SETTLE_WITHIN);
        loop {
            let (fault, is_over) = match self.send_once(&id, again, group) {
                Ok(reply) => return Ok(reply),
                Err(Sent::Not(fault)) => (fault, !again),
                Err(Sent::Met(error)) => {
                    meetings += 1;
                    (Fault::NotApplied(error), !again && meetings > MEETINGS_MAX)
                }
                Err(Sent::Nowhere(error)) => {
                    let comes_back = matches!(error, Error::Io { .. });
                    (Fault::NotApplied(error), !again && !comes_back)
                }
                Err(Sent::Perhaps(detail)) => {
                    again = true;
                    (Fault::Unknown(Error::OutcomeUnknown { detail }), false)
                }
            };
            if !is_over && patience.pause() {
                continue;
            }
            if again {
                let detail = fault.error().to_string();
                return Err(Fault::Unknown(Error::OutcomeUnknown { detail }));
            }
            return Err(fault);
        }
    }

    fn send_once(&mut self, id: &str, again: bool, group: &Group<'_>) -> Result<Reply, Sent> {
        let (now, tag) = (test_time(&self.clock), i32::from(self.tag));
        let text = |of: &Vec<serde_json::Value>| {
            serde_json::to_string(of)
                .map_err(|error| Sent::Not(Fault::NotApplied(Error::internal(error.to_string()))))
        };
        let (ops, claims) = (text(&group.ops)?, text(&group.claims)?);
        let link = self.link().map_err(Sent::Nowhere)?;
        let Some(statement) = link.statement.clone() else {
            return Err(Sent::Not(Fault::NotApplied(Error::internal("nothing is prepared"))));
        };
        failpoint::hit("before_commit");
        let sent = monotonic();
        let answer = link.wait(link.client.query(
            &statement,
            &[
                &id,
                &again,
                &now,
                &tag,
                &group.topics,
                &group.subscribers,
                &ops,
                &claims,
                &group.bodies,
            ],
        ));
        failpoint::hit("after_commit");
        let rows = match answer {
            Ok(rows) => rows,
            Err(Lost::Answered(error)) if error::is_transient(&error) => {
                return Err(Sent::Met(error::from_statement(&error)));
            }
            // Its other attempt was just committed.
            Err(Lost::Answered(error)) if error::is_known_group(&error) => {
                return Err(Sent::Perhaps("the group was done meanwhile".into()));
            }
            Err(Lost::Answered(error)) => return Err(Sent::Not(error::fault(&error))),
            Err(Lost::Unanswered(detail)) => {
                self.link = None;
                return Err(Sent::Perhaps(detail));
            }
        };
        let answer_took = sent.elapsed();
        self.reply(&rows, answer_took).map_err(|error| Sent::Perhaps(error.to_string()))
    }

    fn reply(&mut self, rows: &[tokio_postgres::Row], took: Duration) -> Result<Reply> {
        let mut decoded = VecDeque::with_capacity(rows.len());
        for row in rows {
            let (answer, bodies): (&str, Option<Vec<Vec<u8>>>) = (row.get(0), row.get(1));
            let answer = serde_json::from_str(answer);
            let answer = answer.map_err(|error| Error::internal(error.to_string()))?;
            decoded.push_back(Row { answer, bodies: bodies.unwrap_or_default() });
        }
        let told: Told = match decoded.pop_back() {
            Some(row) => read(row.answer)?,
            None => return Err(Error::internal("a group with no answer")),
        };
        // As of the middle of the way there and back. A test's clock is everybody's.
        if test_time(&self.clock).is_none() {
            let half = Millis::try_from(took.as_millis() / 2).unwrap_or(0);
            self.skew = told.now + half - self.clock.now();
        }
        self.next_schedule = told.next_schedule;
        Ok(Reply { rows: decoded, told })
    }

    /// Adds the effects of a group, in this machine's time.
    fn take_effects(&self, told: Told, effects: &mut Effects, applied: &mut Applied) {
        let here = |at: Millis| at.saturating_sub(self.skew);
        let ready = told.ready.into_iter().filter_map(|(topic, subscriber, at)| {
            Some((decode::source(&topic, &subscriber), here(at?)))
        });
        effects.ready.extend(ready);
        let appended = told.appended.into_iter().map(|(topic, count)| (topic.into(), count));
        effects.appended.extend(appended);
        if told.ended {
            applied.ended.push(EVERYTHING);
        }
        applied.next_due = told.next_due.map(here);
        applied.more |= told.more;
    }

    /// Fires what is due of schedules, before or after whatever else is done.
    fn fire(&mut self, effects: &mut Effects, applied: &mut Applied) -> Result<(), Fault> {
        let group = self
            .ask(SETTLE_WITHIN, |asker| {
                let mut group = Group::new(asker.tag);
                fire::add_due(&mut group, asker)?;
                Ok(group)
            })
            .map_err(Fault::NotApplied)?;
        if group.is_empty() {
            self.next_schedule = None;
            return Ok(());
        }
        let reply = self.send(&group)?;
        self.take_effects(reply.told, effects, applied);
        Ok(())
    }

    fn is_schedule_due(&self) -> bool {
        self.next_schedule.is_some_and(|at| at <= self.server_now())
    }

    /// Encodes operations; an outcome that is known without asking for it stands in `known`.
    fn encode<'a>(&mut self, ops: &'a [Op], known: &mut Vec<(usize, Error)>) -> Result<Group<'a>> {
        let now = self.server_now();
        let mut group = Group::new(self.tag);
        for (place, op) in ops.iter().enumerate() {
            if !fire::is_decided_here(op) {
                group.op(op);
                continue;
            }
            match self.ask(SETTLE_WITHIN, |asker| fire::add(&mut group, asker, op, now)) {
                Ok(()) => {}
                Err(error @ (Error::Io { .. } | Error::CannotOpen { .. })) => return Err(error),
                Err(error) => {
                    known.push((place, error));
                    group.push(json!({ "op": "none" }));
                }
            }
        }
        Ok(group)
    }

    /// Carries out a group of the engine, and whatever claims follow from it.
    fn apply_group(&mut self, ops: &[Op], follow: &mut dyn Follow) -> Result<Applied, Fault> {
        let mut effects = predicted(ops);
        let mut applied =
            Applied { outcomes: Vec::new(), next_due: None, ended: ended(ops), more: false };
        if self.is_schedule_due() {
            // Whatever became of that, nothing was done yet of what is asked for.
            self.fire(&mut effects, &mut applied)
                .map_err(|fault| Fault::NotApplied(fault.error().clone()))?;
        }
        let mut claims = follow.follow(&mut effects, self.clock.now(), Vec::new());
        let mut known = Vec::new();
        let mut group = self.encode(ops, &mut known).map_err(Fault::NotApplied)?;
        group.claim_all(&claims);
        let Reply { mut rows, told } = self.send(&group)?;
        let mut decoder = Decoder { tag: self.tag, recent: &mut self.recent };
        let mut left = ops;
        for size in &group.sizes {
            let (these, others) = left.split_at((*size).min(left.len()));
            left = others;
            if let Some(row) = rows.pop_front() {
                applied.outcomes.extend(decoder.outcomes(these, row));
            }
        }
        for (place, error) in known {
            if let Some(outcome) = applied.outcomes.get_mut(place) {
                *outcome = Err(error);
            }
        }
        self.recent.commit();
        self.take_effects(told, &mut effects, &mut applied);
        // Whoever waits for an answer that is certain does not wait for a server that has gone away since.
        let mut is_cut_off = false;
        loop {
            let answers = self.claimed(&claims, rows);
            if !is_cut_off && self.is_schedule_due() {
                // What fails now is due still.
                is_cut_off = self.fire(&mut effects, &mut applied).is_err();
            }
            claims = follow.follow(&mut effects, self.clock.now(), answers);
            if claims.is_empty() {
                return Ok(applied);
            }
            rows = VecDeque::new();
            if is_cut_off {
                continue;
            }
            // What was done so far is certain: these are in a transaction of their own.
            let mut group = Group::new(self.tag);
            group.claim_all(&claims);
            match self.send(&group) {
                Ok(reply) => {
                    self.take_effects(reply.told, &mut effects, &mut applied);
                    rows = reply.rows;
                }
                Err(_) => is_cut_off = true,
            }
        }
    }

    /// The outcomes of claims. One that has none looks again.
    fn claimed(&mut self, claims: &[Claim], rows: VecDeque<Row>) -> Vec<Result<Outcome>> {
        let (now, skew) = (self.clock.now(), self.skew);
        let decoder = Decoder { tag: self.tag, recent: &mut self.recent };
        let mut rows = rows.into_iter();
        let outcomes = claims.iter().map(|_| {
            let Some(row) = rows.next() else {
                let again = ClaimOutcome { next_due: Some(now), ..ClaimOutcome::default() };
                return Ok(Outcome::Claimed(again));
            };
            let mut outcome = decoder.claimed(row)?;
            if let Outcome::Claimed(claimed) = &mut outcome {
                claimed.next_due = claimed.next_due.map(|at| at.saturating_sub(skew));
            }
            Ok(outcome)
        });
        outcomes.collect()
    }
}

/// What became of one attempt.
enum Sent {
    /// There is no connection.
    Nowhere(Error),
    /// Nothing was done.
    Not(Fault),
    /// Nothing was done, because of another transaction.
    Met(Error),
    /// Nobody knows.
    Perhaps(String),
}

/// What operations will have done if nothing goes wrong: claims that wait for it go with them.
fn predicted(ops: &[Op]) -> Effects {
    let mut effects = Effects::default();
    for op in ops {
        match op {
            Op::Publish { topic, messages } => {
                effects.appended.push((Arc::clone(topic), messages.len()));
            }
            Op::CreateTopic(new) => effects.changed.push((new.name.as_str().into(), None)),
            Op::DeleteTopic { topic }
            | Op::PauseTopic { topic, .. }
            | Op::CreateSubscribers { topic, .. } => {
                effects.changed.push((topic.as_str().into(), None));
            }
            Op::UpdateSubscriber { source, .. }
            | Op::DeleteSubscriber { source }
            | Op::PauseSubscriber { source, .. } => {
                let subscriber = Some(Arc::clone(&source.subscriber));
                effects.changed.push((Arc::clone(&source.topic), subscriber));
            }
            _ => {}
        }
    }
    effects
}

/// The messages of which operations end deliveries, or perhaps do.
fn ended(ops: &[Op]) -> Vec<(i64, i64)> {
    let mut ended = Vec::new();
    for op in ops {
        match op {
            Op::Settle(items) => {
                ended.extend(items.iter().map(|item| (item.receipt.key, item.receipt.key)));
            }
            Op::DeleteTopic { .. }
            | Op::DeleteSubscriber { .. }
            | Op::CancelMessage { .. }
            | Op::CancelDelivery { .. }
            | Op::Redrive { .. }
            | Op::PurgeDeadLetters { .. }
            | Op::Seek { .. } => ended.push(EVERYTHING),
            _ => {}
        }
    }
    ended
}

impl Store for PostgresStore {
    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn apply(&mut self, ops: &[Op], follow: &mut dyn Follow) -> Result<Applied, Fault> {
        let applied = self.apply_group(ops, follow);
        if applied.is_err() {
            self.recent.roll_back();
        }
        applied
    }

    fn converse(
        &mut self,
        _: &mut dyn Owner,
        _: &mut dyn Follow,
    ) -> Result<Option<Applied>, Fault> {
        let detail = "transactions on the queue's connection are for files: use the SQL contract";
        Err(Fault::NotApplied(Error::invalid(detail)))
    }

    fn changed(&mut self) -> Result<bool> {
        let is_time = self.looked.elapsed() >= SAFETY;
        Ok(self.changed.swap(false, Ordering::AcqRel) || is_time)
    }

    fn look(&mut self, waiting: &[Source]) -> Result<Look> {
        #[derive(serde::Deserialize)]
        struct Found {
            now: Millis,
            next_due: Option<Millis>,
            ready: Vec<(String, String, Option<Millis>)>,
        }
        self.looked = monotonic();
        let waiting: serde_json::Value =
            waiting.iter().map(|source| json!([&*source.topic, &*source.subscriber])).collect();
        let look = json!({ "query": "look", "waiting": waiting });
        // It is asked again soon in any case.
        let row = self.ask(Duration::ZERO, |asker| asker.ask(&look))?;
        let found: Found = read(row.answer)?;
        if test_time(&self.clock).is_none() {
            self.skew = found.now - self.clock.now();
        }
        let skew = self.skew;
        let ready = found.ready.into_iter().filter_map(|(topic, subscriber, at)| {
            Some((decode::source(&topic, &subscriber), at?.saturating_sub(skew)))
        });
        let next_due = found.next_due.map(|at| at.saturating_sub(skew));
        Ok(Look { ready: ready.collect(), next_due })
    }

    fn listen(&self, heard: Heard) -> Others {
        let (own, changed) = (Arc::clone(&self.own), Arc::clone(&self.changed));
        let listener = Listener::start(self.address.clone(), own, changed, heard);
        let listener = listener.ok();
        let others = if listener.is_some() { Others::Told } else { Others::Unheard };
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = listener;
        others
    }

    fn tidy(&mut self, _: Quiet) -> Result<bool> {
        // The server's own vacuum does it.
        Ok(false)
    }

    fn reader(&self) -> Result<Option<Box<dyn Read>>> {
        Ok(Some(Box::new(PostgresReader::open(&self.address, &self.clock, self.tag)?)))
    }

    fn read(&mut self, query: &Query) -> Result<Answer> {
        self.ask(READ_WITHIN, |asker| asker.answer(query))
    }

    fn tag(&self) -> u16 {
        self.tag
    }

    fn rows(&self) -> Result<Box<dyn Rows>> {
        Ok(Box::new(self.all_rows()?))
    }
}

struct PostgresReader {
    address: Address,
    clock: Clock,
    tag: u16,
    link: Option<Link>,
}

impl PostgresReader {
    fn open(address: &Address, clock: &Clock, tag: u16) -> Result<Self> {
        let link = on_own_thread(|| Self::connect(address))?;
        let (address, clock) = (address.clone(), clock.clone());
        Ok(Self { address, clock, tag, link: Some(link) })
    }

    fn connect(address: &Address) -> Result<Link> {
        let mut link = Link::connect(address)?;
        link.prepare(ASK)?;
        Ok(link)
    }

    fn read_once(&mut self, query: &Query) -> Result<Answer> {
        if self.link.as_ref().is_none_or(Link::is_closed) {
            self.link = None;
            self.link = Some(Self::connect(&self.address)?);
        }
        let Some(link) = &self.link else { return Err(Error::internal("a connection is lost")) };
        let (clock, tag, statement) = (&self.clock, self.tag, link.statement.as_ref());
        let answer = Asker { link, clock, tag, statement }.answer(query);
        if matches!(answer, Err(Error::Io { .. })) {
            // Lost or silent: the next query makes it anew.
            self.link = None;
        }
        answer
    }
}

impl Read for PostgresReader {
    fn read(&mut self, query: &Query) -> Result<Answer> {
        let mut patience = Patience::of(READ_WITHIN);
        loop {
            match self.read_once(query) {
                // It was lost, and to ask again changes nothing.
                Err(Error::Io { .. }) if patience.pause() => {}
                answer => return answer,
            }
        }
    }

    fn another(&self) -> Result<Box<dyn Read>> {
        Ok(Box::new(Self::open(&self.address, &self.clock, self.tag)?))
    }
}
