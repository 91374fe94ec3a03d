//! What `bq_apply` and `bq_ask` answer, in the engine's words.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::encode::put;
use super::settings::{ScheduleRow, SubscriberRow, TopicRow};
use crate::clock::{Millis, from_millis};
use crate::error::{Error, Result};
use crate::model::{
    Delivery, DeliveryState, DeliveryStatus, IdParts, MessageId, MessageView, Nacked, Published,
    Receipt, RunStatus, Schedule, ScheduleRun, Sought, Subscriber, Topic,
};
use crate::op::{ClaimOutcome, Op, Outcome, Progress, Settle, Settled, Source, Verb};
use crate::store::recent::Recent;

/// One row of an answer.
pub(super) struct Row {
    pub answer: Value,
    pub bodies: Vec<Vec<u8>>,
}

/// What the engine is told at the end of a group, in the server's time.
#[derive(Deserialize)]
pub(super) struct Told {
    pub now: Millis,
    pub more: bool,
    pub next_due: Option<Millis>,
    pub next_schedule: Option<Millis>,
    pub ended: bool,
    pub ready: Vec<(String, String, Option<Millis>)>,
    pub appended: Vec<(String, usize)>,
}

pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value)
        .map_err(|error| Error::internal(format!("an answer that is not understood: {error}")))
}

// --- refusals -------------------------------------------------------------------------------------------

/// The fields of an error, whatever they are.
#[derive(Deserialize)]
struct Refusal {
    code: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    subscriber: String,
    #[serde(default)]
    schedule: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    index: usize,
    #[serde(default)]
    key: String,
    first: Option<(i64, Millis)>,
    #[serde(default)]
    what: String,
    #[serde(default)]
    actual: u64,
    #[serde(default)]
    limit: u64,
    #[serde(default)]
    version: u64,
    #[serde(default)]
    current: u64,
}

/// `id`: the message that the operation is about.
pub(super) fn refusal(fields: Value, id: Option<MessageId>, tag: u16) -> Error {
    let refusal: Refusal = match read(fields) {
        Ok(refusal) => refusal,
        Err(error) => return error,
    };
    let Refusal { topic, subscriber, schedule, detail, index, key, .. } = refusal;
    match refusal.code.as_str() {
        "invalid_argument" => Error::InvalidArgument { detail },
        "limit_exceeded" => {
            let (actual, limit) = (refusal.actual, refusal.limit);
            Error::LimitExceeded { what: "schedules", actual, limit }
        }
        "unknown_topic" => Error::UnknownTopic { topic },
        "unknown_subscriber" => Error::UnknownSubscriber { topic, subscriber },
        "unknown_message" => Error::UnknownMessage { id: id.unwrap_or(MessageId::NIL) },
        "topic_exists" => Error::TopicExists { topic },
        "subscriber_exists" => Error::SubscriberExists { topic, subscriber },
        "unknown_schedule" => Error::UnknownSchedule { topic, schedule },
        "schedule_exists" => Error::ScheduleExists { topic, schedule },
        "stale_version" => {
            Error::StaleVersion { version: refusal.version, current: refusal.current }
        }
        "idempotency_conflict" => Error::IdempotencyConflict { index, key },
        "unique_conflict" => {
            let first = refusal.first.map(|(key, at)| message_id(key, at, tag));
            Error::UniqueConflict { index, key, first: first.unwrap_or(MessageId::NIL) }
        }
        "backlog_full" => {
            let what = match refusal.what.as_str() {
                "messages" => "messages",
                "bytes" => "bytes",
                _ => "age",
            };
            Error::BacklogFull { topic, what }
        }
        // What the engine decided with has changed between the look and the transaction, or an application is
        // settling in a transaction of its own.
        "changed" => Error::Busy,
        code => Error::internal(format!("an unknown refusal {code}")),
    }
}

pub(super) fn message_id(key: i64, at: Millis, tag: u16) -> MessageId {
    MessageId::new(IdParts { at, key, tag })
}

// --- outcomes -------------------------------------------------------------------------------------------

/// Takes the answers of operations apart, one for each operation of the engine.
pub(super) struct Decoder<'a> {
    pub tag: u16,
    pub recent: &'a mut Recent,
}

impl Decoder<'_> {
    /// The outcomes of neighbours that were one operation for the database.
    pub(super) fn outcomes(&mut self, ops: &[Op], row: Row) -> Vec<Result<Outcome>> {
        let mut answer = row.answer;
        if let [op] = ops {
            return vec![self.outcome(op, answer)];
        }
        if let Some(Value::Array(parts)) = answer.get_mut("parts").map(Value::take) {
            return ops.iter().zip(parts).map(|(op, part)| self.outcome(op, part)).collect();
        }
        let Some(mut all) = answer.get_mut("ok").map(Value::take) else {
            return ops.iter().map(|op| self.outcome(op, answer.clone())).collect();
        };
        if let Value::Array(mut results) = all {
            let settle = |op: &Op| match op {
                Op::Settle(items) => items.len(),
                _ => 0,
            };
            return ops
                .iter()
                .map(|op| {
                    let rest = results.split_off(settle(op).min(results.len()));
                    let own = std::mem::replace(&mut results, rest);
                    self.outcome(op, json!({ "ok": own }))
                })
                .collect();
        }
        // One publish for all of them.
        let Some(Value::Array(mut published)) = all.get_mut("published").map(Value::take) else {
            return ops.iter().map(|_| Err(Error::internal("a publish with no answer"))).collect();
        };
        let mut outcomes = Vec::with_capacity(ops.len());
        for op in ops {
            let Op::Publish { messages, .. } = op else { continue };
            let rest = published.split_off(messages.len().min(published.len()));
            put(&mut all, "published", std::mem::replace(&mut published, rest));
            outcomes.push(self.published(all.clone()));
        }
        outcomes
    }

    fn outcome(&mut self, op: &Op, mut answer: Value) -> Result<Outcome> {
        if let Some(error) = answer.get_mut("error") {
            let id = match op {
                Op::CancelMessage { id, .. } | Op::CancelDelivery { id, .. } => Some(*id),
                Op::Seek { seek, .. } => match seek.to {
                    crate::options::SeekTo::Message(id) => Some(id),
                    _ => None,
                },
                _ => None,
            };
            return Err(refusal(error.take(), id, self.tag));
        }
        let answer = answer.get_mut("ok").map(Value::take).unwrap_or_default();
        match op {
            Op::Publish { .. } => self.published(answer),
            Op::Settle(items) => self.settled(items, answer),
            Op::CreateTopic(_) | Op::UpdateTopic { .. } => topic(answer).map(Outcome::Topic),
            Op::CreateSubscribers { .. } => {
                let rows: Vec<Value> = read(answer)?;
                let subscribers: Result<Vec<_>> = rows.into_iter().map(subscriber).collect();
                subscribers.map(Outcome::Subscribers)
            }
            Op::UpdateSubscriber { .. } => Ok(Outcome::Subscribers(vec![subscriber(answer)?])),
            Op::CancelMessage { .. } => {
                let rows: Vec<StatusRow> = read(answer)?;
                Ok(Outcome::Cancelled(rows.into_iter().map(StatusRow::into_status).collect()))
            }
            Op::Redrive { .. } | Op::PurgeDeadLetters { .. } => letters(answer),
            Op::Seek { .. } => sought(answer).map(Outcome::Sought),
            Op::CreateSchedule { .. } | Op::UpdateSchedule { .. } => {
                schedule(answer).map(|schedule| Outcome::Schedule(Box::new(schedule)))
            }
            Op::RunSchedule { .. } => run(answer, self.tag).map(Outcome::Run),
            Op::Upkeep => Ok(Outcome::Upkeep { more: answer == true }),
            Op::DeleteTopic { .. }
            | Op::PauseTopic { .. }
            | Op::DeleteSubscriber { .. }
            | Op::PauseSubscriber { .. }
            | Op::Release(_)
            | Op::CancelDelivery { .. }
            | Op::DeleteSchedule { .. }
            | Op::PauseSchedule { .. } => Ok(Outcome::Done),
        }
    }

    fn published(&self, answer: Value) -> Result<Outcome> {
        #[derive(Deserialize)]
        struct All {
            published: Vec<(i64, Millis, Option<Millis>, bool)>,
            subscriber_count: usize,
        }
        let All { published, subscriber_count } = read(answer)?;
        let published = published.into_iter().map(|(key, at, due_at, duplicate)| Published {
            id: message_id(key, at, self.tag),
            duplicate,
            deliver_at: due_at.map(from_millis),
            subscriber_count,
        });
        Ok(Outcome::Published(published.collect()))
    }

    fn settled(&mut self, items: &[Settle], answer: Value) -> Result<Outcome> {
        #[derive(Deserialize)]
        struct Times {
            ready_at: Option<Millis>,
            expires_at: Option<Millis>,
            /// An application is settling it in a transaction of its own.
            #[serde(default)]
            is_locked: bool,
        }
        let results: Vec<Option<Times>> = read(answer)?;
        let mut settled = Vec::with_capacity(items.len());
        for (Settle { receipt, verb }, times) in items.iter().zip(results) {
            let Some(Times { ready_at, expires_at, is_locked }) = times else {
                let repeated = self.recent.repeat(receipt, verb);
                settled.push(repeated.ok_or(Error::LeaseLost { id: receipt.message }));
                continue;
            };
            if is_locked {
                settled.push(Err(Error::Locked));
                continue;
            }
            let result = match verb {
                Verb::Ack | Verb::Reply(_) => Settled::Acked,
                Verb::Nack { .. } => Settled::Nacked(Nacked {
                    state: match ready_at {
                        Some(_) => DeliveryState::Retrying,
                        None => DeliveryState::DeadLettered,
                    },
                    ready_at: ready_at.map(from_millis),
                }),
                Verb::Extend { .. } => Settled::Extended { expires_at: expires_at.unwrap_or(0) },
                Verb::Defer { .. } => Settled::Deferred { ready_at: ready_at.unwrap_or(0) },
                Verb::Cancel { .. } => Settled::Cancelled,
            };
            if !matches!(verb, Verb::Extend { .. }) {
                self.recent.add(receipt, receipt.key, result);
            }
            settled.push(Ok(result));
        }
        Ok(Outcome::Settled(settled))
    }

    /// The outcome of a claim.
    pub(super) fn claimed(&self, row: Row) -> Result<Outcome> {
        let mut answer = row.answer;
        if let Some(error) = answer.get_mut("error") {
            return Err(refusal(error.take(), None, self.tag));
        }
        let answer = answer.get_mut("ok").map(Value::take).unwrap_or_default();
        claimed(answer, row.bodies, self.tag).map(Outcome::Claimed)
    }
}

fn letters(answer: Value) -> Result<Outcome> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Letters {
        All(u64),
        Part { done: u64, left: u64, place: (i64, i64), since: Millis },
    }
    Ok(match read(answer)? {
        Letters::All(count) => Outcome::Count(count),
        Letters::Part { done, left, place, since } => {
            Outcome::Partial(Progress { done, left, place, since })
        }
    })
}

fn sought(answer: Value) -> Result<Sought> {
    #[derive(Deserialize)]
    struct Row {
        clamped: bool,
        replayed_count: u64,
        skipped_count: u64,
        exact: bool,
    }
    let Row { clamped, replayed_count, skipped_count, exact } = read(answer)?;
    Ok(Sought { clamped, replayed_count, skipped_count, exact })
}

// --- claims ---------------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Claimed {
    #[serde(default)]
    topic: String,
    #[serde(default)]
    subscriber: String,
    #[serde(default)]
    subscriber_id: u32,
    #[serde(default)]
    lease: i64,
    #[serde(default)]
    expires_at: Millis,
    #[serde(default)]
    token: String,
    #[serde(default)]
    deliveries: Vec<DeliveryRow>,
    next_due: Option<Millis>,
    go_on: Option<Vec<(i64, i64)>>,
}

#[derive(Deserialize)]
struct DeliveryRow {
    key: i64,
    published_at: Millis,
    origin: Option<i64>,
    accepted_at: Option<Millis>,
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    correlation_id: Option<String>,
    ordering_key: Option<String>,
    expires_at: Option<Millis>,
    priority: i16,
    attempt: u32,
    failures: u32,
}

fn claimed(answer: Value, bodies: Vec<Vec<u8>>, tag: u16) -> Result<ClaimOutcome> {
    let claimed: Claimed = read(answer)?;
    let (topic, subscriber) = (Arc::from(claimed.topic), Arc::from(claimed.subscriber));
    let token = u128::from_str_radix(&claimed.token, 16).unwrap_or(0).to_be_bytes();
    let deliveries = claimed.deliveries.into_iter().zip(bodies).map(|(row, payload)| {
        let at = row.accepted_at.unwrap_or(row.published_at);
        let id = message_id(row.origin.unwrap_or(row.key), at, tag);
        let receipt = Receipt {
            key: row.key,
            message: id,
            subscriber: claimed.subscriber_id,
            lease: claimed.lease,
            token,
        };
        Delivery {
            topic: Arc::clone(&topic),
            subscriber: Arc::clone(&subscriber),
            message_id: id,
            receipt,
            payload,
            content_type: row.content_type,
            headers: row.headers,
            correlation_id: row.correlation_id,
            ordering_key: row.ordering_key,
            priority: row.priority,
            attempt: row.attempt,
            failures: row.failures,
            published_at: from_millis(row.published_at),
            expires_at: row.expires_at.map(from_millis),
            lease_expires_at: from_millis(claimed.expires_at),
        }
    });
    Ok(ClaimOutcome {
        deliveries: deliveries.collect(),
        next_due: claimed.next_due,
        go_on: claimed.go_on.map(Into::into),
    })
}

// --- what queries answer, too ---------------------------------------------------------------------------

pub(super) fn topic(row: Value) -> Result<Topic> {
    let row: TopicRow = read(row)?;
    let (options, created_at) = (row.options(), from_millis(row.created_at));
    Ok(Topic { id: row.id, name: row.name, options, paused: row.paused, created_at })
}

pub(super) fn subscriber(row: Value) -> Result<Subscriber> {
    let row: SubscriberRow = read(row)?;
    let (options, created_at) = (row.options()?, from_millis(row.created_at));
    let SubscriberRow { id, topic, name, paused, .. } = row;
    Ok(Subscriber { id, topic, name, options, paused, created_at })
}

pub(super) fn schedule(row: Value) -> Result<Schedule> {
    let row: ScheduleRow = read(row)?;
    Ok(Schedule {
        id: row.id.cast_unsigned(),
        options: row.options(),
        topic: row.topic,
        name: row.name,
        version: row.version,
        paused: row.paused,
        next_at: row.next_at.map(from_millis),
        due_at: row.due_at.map(from_millis),
        last_at: row.last_at.map(from_millis),
        queued_at: row.queued_at.map(from_millis),
        created_at: from_millis(row.created_at),
    })
}

pub(super) fn run(row: Value, tag: u16) -> Result<ScheduleRun> {
    #[derive(Deserialize)]
    struct Row {
        run: u64,
        status: i32,
        occurrence_at: Option<Millis>,
        until_at: Option<Millis>,
        at: Millis,
        message_id: Option<i64>,
        message_at: Option<Millis>,
        error: Option<String>,
    }
    let row: Row = read(row)?;
    let status = match row.status {
        1 => RunStatus::Fired,
        2 => RunStatus::Manual,
        3 => RunStatus::Queued,
        4 => RunStatus::SkippedMisfire,
        5 => RunStatus::SkippedOverlap,
        6 => RunStatus::Refused,
        _ => RunStatus::Stopped,
    };
    Ok(ScheduleRun {
        run: row.run,
        status,
        occurrence_at: row.occurrence_at.map(from_millis),
        until_at: row.until_at.map(from_millis),
        at: from_millis(row.at),
        message_id: row.message_id.zip(row.message_at).map(|(key, at)| message_id(key, at, tag)),
        error: row.error,
    })
}

/// Where a message stands with a subscriber.
#[derive(Deserialize)]
pub(super) struct StatusRow {
    subscriber_id: u64,
    subscriber: String,
    state: i32,
    attempts: u32,
    failures: u32,
    ready_at: Option<Millis>,
}

impl StatusRow {
    pub(super) fn into_status(self) -> DeliveryStatus {
        let state = match self.state {
            0 => DeliveryState::Pending,
            1 => DeliveryState::Leased,
            2 => DeliveryState::Retrying,
            3 => DeliveryState::Parked,
            4 => DeliveryState::DeadLettered,
            _ => DeliveryState::Settled,
        };
        DeliveryStatus {
            subscriber_id: self.subscriber_id,
            subscriber: self.subscriber,
            state,
            attempts: self.attempts,
            failures: self.failures,
            ready_at: self.ready_at.map(from_millis),
        }
    }
}

/// A message as people look at it, without its payload.
#[derive(Deserialize)]
pub(super) struct MessageRow {
    pub key: i64,
    id_key: i64,
    accepted_at: Millis,
    deliver_at: Millis,
    content_type: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    correlation_id: Option<String>,
    idempotency_key: Option<String>,
    ordering_key: Option<String>,
    expires_at: Option<Millis>,
    priority: i16,
}

impl MessageRow {
    pub(super) fn into_view(self, payload: Vec<u8>, tag: u16) -> MessageView {
        MessageView {
            id: message_id(self.id_key, self.accepted_at, tag),
            payload,
            content_type: self.content_type,
            headers: self.headers.unwrap_or_default(),
            correlation_id: self.correlation_id,
            idempotency_key: self.idempotency_key,
            ordering_key: self.ordering_key,
            priority: self.priority,
            accepted_at: from_millis(self.accepted_at),
            deliver_at: from_millis(self.deliver_at),
            expires_at: self.expires_at.map(from_millis),
        }
    }
}

pub(super) fn source(topic: &str, subscriber: &str) -> Source {
    Source { topic: topic.into(), subscriber: subscriber.into() }
}
