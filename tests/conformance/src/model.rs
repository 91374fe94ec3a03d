//! A model of the queue, in memory and written to be read: what each operation must answer.
//!
//! It knows no SQL, no caches and no trimming: it keeps every message for ever. Where the answer of a real
//! queue depends on what was trimmed so far, it says nothing ([`Model::is_surely_kept`]). Texts of ids and
//! receipts are made by the queue, so the model names them as the scripts do: `$s7.0.receipt`.

mod claim;
mod failures;
mod keys;
mod letters;
mod look;
mod publish;
mod results;
mod schedules;
mod seek;
mod settle;
mod topology;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::operation::{self, Operation};

/// What an operation answers, as far as it is certain; for the members that are not named anything is.
pub(crate) type Answer = Result<Value, No>;

/// Why there is no answer.
#[derive(Debug, PartialEq)]
pub(crate) enum No {
    /// The queue refuses, with this code and, for a batch, the item that is to blame.
    Refused(&'static str, Option<usize>),
    /// It cannot be asked: it is about something that a shorter history does not have.
    Impossible,
}

pub(crate) fn refused<T>(code: &'static str) -> Result<T, No> {
    Err(No::Refused(code, None))
}

/// One message of a log: priority and sequence number, from 1.
pub(crate) type Place = (i16, usize);

#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Model {
    pub now: i64,
    pub topics: BTreeMap<String, Topic>,
    /// Every receipt that was ever handed out.
    pub receipts: BTreeMap<String, Given>,
    /// What was settled since the queue was opened: answered the same if it is settled again.
    pub settled: BTreeMap<String, (settle::Verb, Value)>,
    /// Somebody else may be asked the next time, who does not know what was settled.
    pub forgets: bool,
    /// Replies, by message and number of the subscriber.
    pub replies: BTreeMap<(String, u64), results::Stored>,
    /// Topics, subscribers and logs are numbered, so that a name that is used again means another.
    numbers: u64,
}

/// What a receipt was given for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Given {
    pub topic: String,
    pub subscriber: String,
    /// The subscriber's number.
    pub number: u64,
    pub place: Place,
}

/// Highest priority first.
pub(crate) type Logs = BTreeMap<Reverse<i16>, Log>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Topic {
    pub options: topology::TopicSettings,
    pub paused: bool,
    pub logs: Logs,
    pub delayed: Vec<Delayed>,
    pub keys: BTreeMap<String, publish::Known>,
    /// The newest message of each unique key.
    pub unique: BTreeMap<String, String>,
    pub subscribers: BTreeMap<String, Subscriber>,
    pub schedules: BTreeMap<String, schedules::Schedule>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Log {
    /// Older logs have smaller numbers.
    pub number: u64,
    pub messages: Vec<Logged>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Body {
    /// A reference to its id; empty as long as no answer has named it.
    pub id: String,
    pub payload: String,
    pub headers: BTreeMap<String, String>,
    pub ordering_key: Option<String>,
    pub expires_at: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Logged {
    pub body: Body,
    /// Never goes back within a log.
    pub published_at: i64,
    pub removed: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delayed {
    pub body: Body,
    pub priority: i16,
    pub due_at: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Subscriber {
    pub number: u64,
    pub options: topology::SubscriberSettings,
    pub created_at: i64,
    pub paused: bool,
    /// By priority: what was claimed or skipped. None means 0.
    pub cursors: BTreeMap<i16, usize>,
    /// Deliveries that are neither pending (above the cursor) nor settled (at or below it).
    pub rows: BTreeMap<Place, Row>,
    pub failures: BTreeMap<Place, Vec<failures::Failure>>,
    pub counts: Counts,
    /// The number of the newest lease.
    pub leases: u64,
    /// The settings of keys have changed: the next claim looks at what is parked.
    pub sifts: bool,
    /// When its rate allows for as much as ever, in microseconds.
    pub full_at_us: i64,
    /// Messages became dead letters before they were claimed: nobody knows in which order.
    pub blurred: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub state: State,
    pub attempts: u32,
    pub failures: u32,
    /// The receipt that is live.
    pub receipt: Option<String>,
    /// The lease that it is or, as long as nobody has taken it over, was under, and its place in it.
    pub lease: Option<(u64, usize)>,
    /// The ordering key that it goes by.
    pub key: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum State {
    Leased {
        expires_at: i64,
    },
    Retrying {
        ready_at: i64,
    },
    /// Behind others of its key.
    Parked,
    Dead {
        at: i64,
    },
    /// Cancelled ahead of the cursor, which will pass over it.
    Skipped,
}

#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Counts {
    pub claimed: usize,
    pub acked: usize,
    pub nacked: usize,
    pub expired: usize,
    pub dropped: usize,
    pub filtered: usize,
    pub ttl_expired: usize,
}

impl Model {
    /// Carries out an operation; `name` is what its answer is saved under.
    pub(crate) fn perform(&mut self, name: &str, operation: &Operation) -> Answer {
        use Operation as Op;
        // Whatever is due happens before anything else does.
        self.bring();
        self.fire()?;
        if self.depends_on_upkeep(operation) {
            return Err(No::Impossible);
        }
        match operation {
            Op::CreateTopic { topic, options, subscribers } => {
                self.create_topic(topic, options, subscribers)
            }
            Op::UpdateTopic { topic, options } => self.update_topic(topic, options),
            Op::DeleteTopic { topic } => {
                self.topics.remove(topic).map(|_| json!({})).ok_or(UNKNOWN_TOPIC)
            }
            Op::PauseTopic { topic } => self.pause_topic(topic, true),
            Op::ResumeTopic { topic } => self.pause_topic(topic, false),
            Op::CreateSubscribers { topic, subscribers } => {
                self.create_subscribers(topic, subscribers)
            }
            Op::UpdateSubscriber { topic, subscriber, options } => {
                self.update_subscriber(topic, subscriber, options)
            }
            Op::DeleteSubscriber { topic, subscriber } => self.delete_subscriber(topic, subscriber),
            Op::PauseSubscriber { topic, subscriber } => {
                self.pause_subscriber(topic, subscriber, true)
            }
            Op::ResumeSubscriber { topic, subscriber } => {
                self.pause_subscriber(topic, subscriber, false)
            }
            Op::Seek { topic, subscriber, to, dry_run } => {
                self.seek(topic, subscriber, to, *dry_run)
            }
            Op::Publish { topic, message } => {
                let one = std::slice::from_ref(message);
                let published = self.publish(topic, one, |_| format!("${name}.id"))?;
                published.into_iter().next().ok_or(No::Impossible)
            }
            Op::PublishBatch { topic, messages } => {
                self.publish(topic, messages, |item| format!("${name}.{item}.id")).map(Value::from)
            }
            Op::Claim { topic, subscriber, limit, lease_ms, .. } => {
                let sources = [(topic.as_str(), subscriber.as_str())];
                self.claim(name, &sources, *limit, *lease_ms)
            }
            Op::ClaimAny { sources, limit, lease_ms, .. } => {
                let sources: Vec<_> = sources
                    .iter()
                    .map(|source| (source.topic.as_str(), source.subscriber.as_str()))
                    .collect();
                self.claim(name, &sources, *limit, *lease_ms)
            }
            Op::CancelDelivery { topic, subscriber, message_id, reason } => {
                self.cancel_delivery(topic, subscriber, message_id, reason.as_deref())
            }
            Op::CancelMessage { topic, message_id } => self.cancel_message(topic, message_id),
            Op::DeadLetters { topic, subscriber, .. } => self.dead_letters(topic, subscriber),
            Op::Redrive { topic, subscriber, which, filter, to, rate, dry_run } => {
                let (to, rate) = (to.as_deref(), *rate);
                let choice = (which, filter.as_ref());
                let way = letters::Way { to, rate, dry_run: *dry_run };
                self.redrive(topic, subscriber, choice, &way)
            }
            Op::PurgeDeadLetters { topic, subscriber, which, filter, dry_run } => {
                self.purge(topic, subscriber, (which, filter.as_ref()), *dry_run)
            }
            Op::SubscriberStats { topic, subscriber } => self.stats(topic, subscriber),
            Op::TopicStats { topic } => self.topic_stats(topic),
            Op::Message { topic, message_id } => self.message(topic, message_id),
            Op::Peek { topic, subscriber, .. } => self.peek(topic, subscriber),
            Op::Failures { topic, subscriber, message_id, .. } => {
                self.failures(topic, subscriber, message_id)
            }
            Op::Result { topic, subscriber, message_id, wait_ms: None } => {
                self.result(topic, subscriber, message_id)
            }
            Op::CreateSchedule { topic, schedule, options } => {
                self.create_schedule(topic, schedule, options)
            }
            Op::UpdateSchedule { topic, schedule, version, options } => {
                self.update_schedule(topic, schedule, *version, options)
            }
            Op::DeleteSchedule { topic, schedule } => self.delete_schedule(topic, schedule),
            Op::PauseSchedule { topic, schedule } => self.pause_schedule(topic, schedule, true),
            Op::ResumeSchedule { topic, schedule } => self.pause_schedule(topic, schedule, false),
            Op::RunScheduleNow { topic, schedule } => self.run_schedule_now(topic, schedule),
            Op::Schedule { topic, schedule } => self.schedule(topic, schedule),
            Op::Schedules { topic, .. } => self.schedules(topic),
            Op::ScheduleRuns { topic, schedule, .. } => self.schedule_runs(topic, schedule),
            Op::Reopen {} => {
                // Another process may know it still.
                if !self.forgets {
                    self.settled.clear();
                }
                Ok(json!({}))
            }
            other => self.settle(other),
        }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn topic(&self, name: &str) -> Result<&Topic, No> {
        self.topics.get(name).ok_or(UNKNOWN_TOPIC)
    }

    pub(crate) fn topic_mut(&mut self, name: &str) -> Result<&mut Topic, No> {
        self.topics.get_mut(name).ok_or(UNKNOWN_TOPIC)
    }

    pub(crate) fn subscriber(&self, topic: &str, name: &str) -> Result<&Subscriber, No> {
        self.topic(topic)?.subscribers.get(name).ok_or(UNKNOWN_SUBSCRIBER)
    }

    pub(crate) fn subscriber_mut(
        &mut self,
        topic: &str,
        name: &str,
    ) -> Result<&mut Subscriber, No> {
        self.topic_mut(topic)?.subscribers.get_mut(name).ok_or(UNKNOWN_SUBSCRIBER)
    }

    /// What time brings: delayed messages are appended, leases expire, messages do.
    fn bring(&mut self) {
        let now = self.now;
        let names: Vec<String> = self.topics.keys().cloned().collect();
        let mut due = Vec::new();
        for name in names {
            let Some(topic) = self.topics.get_mut(&name) else { continue };
            // Of equal times the one that was published first is first: they are kept in that order.
            topic.delayed.sort_by_key(|delayed| delayed.due_at);
            let end = topic.delayed.partition_point(|delayed| delayed.due_at <= now);
            due.extend(topic.delayed.drain(..end).map(|delayed| (name.clone(), delayed)));
        }
        for (topic, delayed) in due {
            self.append(&topic, delayed.priority, delayed.body, delayed.due_at);
        }
        for topic in self.topics.values_mut() {
            for subscriber in topic.subscribers.values_mut() {
                subscriber.expire(&topic.logs, now);
                subscriber.end_expired(&topic.logs, now);
            }
        }
    }

    /// Something falls due at once: the next transaction will see to it.
    pub(crate) fn is_overdue(&self) -> bool {
        self.is_any_released()
            || self.topics.values().any(|topic| {
                let mut subscribers = topic.subscribers.values();
                subscribers.any(|subscriber| !subscriber.expired(&topic.logs, self.now).is_empty())
            })
    }

    /// Pending messages that have expired are passed over by the next claim or, at a time that nobody
    /// knows, by upkeep. Until then there is no telling what these operations answer.
    fn depends_on_upkeep(&self, operation: &Operation) -> bool {
        use Operation as Op;
        let (Op::Seek { topic, .. }
        | Op::CreateSubscribers { topic, .. }
        | Op::UpdateSubscriber { topic, .. }
        | Op::CancelDelivery { topic, .. }
        | Op::CancelMessage { topic, .. }
        | Op::DeadLetters { topic, .. }
        | Op::Redrive { topic, .. }
        | Op::PurgeDeadLetters { topic, .. }
        | Op::Message { topic, .. }
        | Op::Peek { topic, .. }
        | Op::Failures { topic, .. }
        | Op::SubscriberStats { topic, .. }
        | Op::TopicStats { topic }
        | Op::Result { topic, .. }) = operation
        else {
            return false;
        };
        self.topics.get(topic).is_some_and(|topic| topic.has_expired(self.now))
    }

    /// Appends a message that became deliverable at this time.
    pub(crate) fn append(&mut self, topic: &str, priority: i16, body: Body, at: i64) {
        let number = self.number();
        let Some(topic) = self.topics.get_mut(topic) else { return };
        let new = || Log { number, messages: Vec::new() };
        let log = topic.logs.entry(Reverse(priority)).or_insert_with(new);
        let published_at = log.messages.last().map_or(at, |last| last.published_at.max(at));
        log.messages.push(Logged { body, published_at, removed: false });
    }

    /// Nobody got the answer of this name: what was published has no name before it is claimed.
    pub(crate) fn forget_names(&mut self, name: &str) {
        let prefix = format!("${name}.");
        for topic in self.topics.values_mut() {
            let logged = topic.logs.values_mut().flat_map(|log| &mut log.messages);
            let bodies = logged.map(|message| &mut message.body);
            let bodies = bodies.chain(topic.delayed.iter_mut().map(|delayed| &mut delayed.body));
            for body in bodies.filter(|body| body.id.starts_with(&prefix)) {
                body.id.clear();
            }
            topic.keys.values_mut().for_each(|known| known.forget_name(&prefix));
            // Which message has the key is not known any more.
            for id in topic.unique.values_mut().filter(|id| id.starts_with(&prefix)) {
                id.clear();
            }
        }
    }

    /// Where the message of this id stands, if it is in a log.
    pub(crate) fn place_of(&self, topic: &str, id: &str) -> Option<Place> {
        let logs = &self.topics.get(topic)?.logs;
        logs.iter().find_map(|(priority, log)| {
            let is_it = |message: &Logged| message.body.id == id && !message.removed;
            Some((priority.0, log.messages.iter().position(is_it)? + 1))
        })
    }

    /// Nobody can have trimmed it yet: a subscriber is not through with it, or retention keeps it.
    pub(crate) fn is_surely_kept(&self, topic: &str, place: Place) -> bool {
        let Some(topic) = self.topics.get(topic) else { return false };
        let is_held = |subscriber: &Subscriber| subscriber.rows.contains_key(&place);
        place.1 > topic.floor(place.0, self.now) || topic.subscribers.values().any(is_held)
    }
}

pub(crate) const UNKNOWN_TOPIC: No = No::Refused("unknown_topic", None);
pub(crate) const UNKNOWN_SUBSCRIBER: No = No::Refused("unknown_subscriber", None);

impl Subscriber {
    fn expire(&mut self, logs: &Logs, now: i64) {
        let is_over =
            |row: &Row| matches!(row.state, State::Leased { expires_at } if expires_at <= now);
        let over: Vec<Place> =
            self.rows.iter().filter(|(_, row)| is_over(row)).map(|(place, _)| *place).collect();
        for place in over {
            let Some(row) = self.rows.get_mut(&place) else { continue };
            let State::Leased { expires_at } = row.state else { continue };
            row.failures += 1;
            let failure = row.failures;
            self.counts.expired += 1;
            // The receipt lives on until somebody else claims the delivery.
            row.state = State::Retrying { ready_at: expires_at };
            if row.attempts >= self.options.max_attempts {
                row.bury(now);
                let key = row.key.clone();
                self.freed(key.as_deref(), logs, now);
            }
            self.record_failure(place, failure, Some("lease expired"), Some(now));
        }
    }

    /// Deliveries that end because their message has expired: neither leased nor dead ones.
    fn expired(&self, logs: &Logs, now: i64) -> Vec<Place> {
        let waits = |row: &Row| matches!(row.state, State::Retrying { .. } | State::Parked);
        let rows = self.rows.iter().filter(|(_, row)| waits(row));
        rows.map(|(place, _)| *place)
            .filter(|place| message(logs, *place).is_some_and(|message| message.has_expired(now)))
            .collect()
    }

    fn end_expired(&mut self, logs: &Logs, now: i64) {
        for place in self.expired(logs, now) {
            let Some(row) = self.rows.get_mut(&place) else { continue };
            self.counts.ttl_expired += 1;
            let key = row.key.clone().filter(|_| row.state != State::Parked);
            if self.options.on_expiry == operation::OnExpiry::DeadLetter {
                row.failures += 1;
                row.bury(now);
                let failure = row.failures;
                self.record_failure(place, failure, Some("expired"), Some(now));
            } else {
                self.rows.remove(&place);
            }
            self.freed(key.as_deref(), logs, now);
        }
    }

    pub(crate) fn cursor(&self, priority: i16) -> usize {
        self.cursors.get(&priority).copied().unwrap_or(0)
    }
}

impl Row {
    pub(crate) fn new(state: State) -> Self {
        Self { state, attempts: 0, failures: 0, receipt: None, lease: None, key: None }
    }

    pub(crate) fn bury(&mut self, now: i64) {
        self.state = State::Dead { at: now };
        self.receipt = None;
        self.lease = None;
    }

    /// Its lease expired, and nobody has taken it over.
    pub(crate) fn is_lapsed(&self) -> bool {
        matches!(self.state, State::Retrying { .. }) && self.receipt.is_some()
    }
}

impl Body {
    pub(crate) fn size(&self) -> usize {
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.payload.len() + headers
    }
}

impl Logged {
    pub(crate) fn has_expired(&self, now: i64) -> bool {
        self.body.expires_at.is_some_and(|at| at <= now)
    }
}

pub(crate) fn message(logs: &Logs, place: Place) -> Option<&Logged> {
    logs.get(&Reverse(place.0))?.messages.get(place.1 - 1)
}

impl Topic {
    /// A message has expired that somebody has not claimed.
    fn has_expired(&self, now: i64) -> bool {
        self.logs.iter().any(|(priority, log)| {
            let pending = log.messages.iter().skip(self.claimed_by_all(priority.0));
            pending.into_iter().any(|message| !message.removed && message.has_expired(now))
        })
    }

    pub(crate) fn last(&self, priority: i16) -> usize {
        self.logs.get(&Reverse(priority)).map_or(0, |log| log.messages.len())
    }

    /// What every subscriber has claimed or skipped.
    pub(crate) fn claimed_by_all(&self, priority: i16) -> usize {
        let cursors = self.subscribers.values().map(|subscriber| subscriber.cursor(priority));
        cursors.min().unwrap_or_else(|| self.last(priority))
    }

    /// Messages up to here are not kept: retention has passed, and nobody wants them.
    pub(crate) fn floor(&self, priority: i16, now: i64) -> usize {
        let Some(log) = self.logs.get(&Reverse(priority)) else { return 0 };
        let passed = match self.options.retention {
            operation::Retention::None => log.messages.len(),
            operation::Retention::DurationMs(kept) => {
                log.messages.partition_point(|message| message.published_at <= now - kept)
            }
            operation::Retention::Count(kept) => {
                log.messages.len().saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX))
            }
            operation::Retention::Bytes(kept) => log.beyond_bytes(kept),
        };
        passed.min(self.claimed_by_all(priority))
    }

    /// Counting by sequence numbers is exact: no message was removed from the middle of a log.
    pub(crate) fn is_dense(&self) -> bool {
        self.logs.values().flat_map(|log| &log.messages).all(|message| !message.removed)
    }
}

impl Log {
    fn beyond_bytes(&self, kept: u64) -> usize {
        let mut room = usize::try_from(kept).unwrap_or(usize::MAX);
        let newest_first = self.messages.iter().rev();
        let fitting = newest_first.take_while(|message| {
            let fits = message.body.size() <= room;
            room = room.saturating_sub(message.body.size());
            fits
        });
        self.messages.len() - fitting.count()
    }
}
