//! Publish: append messages to the logs of a topic, or set them aside until they are due.
//!
//! Owns ids and idempotency keys; [`super::append`] owns the rows of logs. Does not know subscribers: its cost
//! is the same for one and for a hundred. Invariant: what is refused has written nothing.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension as _, params};

use super::append::{Accepted, Appender, expires_at, is_plain};
use super::cache::{TopicId, key};
use super::tx::{Step, Stop, Tx};
use super::{backlog, encode, unique};
use crate::clock::{Millis, duration_millis, from_millis, to_millis};
use crate::error::Error;
use crate::limits;
use crate::model::{IdParts, MessageId, Published};
use crate::op::{Op, Outcome};
use crate::options::Message;
use crate::store::fingerprint::{Fingerprint, fingerprint};

/// What is to be done with one message of a batch.
enum Plan {
    Append,
    Delay(Millis),
    /// Its idempotency key was used before, in the database or by an earlier message of the batch.
    Known(Accepted),
    SameAs(usize),
}

impl Plan {
    const fn is_new(&self) -> bool {
        matches!(self, Self::Append | Self::Delay(_))
    }
}

pub(super) fn publish(tx: &mut Tx<'_>, topic: &str, messages: &[Message]) -> Step<Outcome> {
    let topic = tx.topic_id(topic)?;
    let plans = plan(tx, topic, messages)?;
    let new = messages.iter().zip(&plans).filter(|(_, plan)| plan.is_new());
    backlog::check(tx, topic, new.map(|(message, _)| message))?;
    let mut accepted: Vec<Accepted> = Vec::with_capacity(messages.len());
    let mut writing = Writing::to(tx, topic, messages.len())?;
    for (message, plan) in messages.iter().zip(&plans) {
        accepted.push(match *plan {
            Plan::Append => writing.append(tx, message)?,
            Plan::Delay(due_at) => writing.delay(tx, message, due_at)?,
            Plan::Known(first) => first,
            Plan::SameAs(earlier) => {
                *accepted.get(earlier).ok_or_else(|| Error::internal("a duplicate of nothing"))?
            }
        });
    }
    writing.finish(tx)?;
    if plans.iter().any(Plan::is_new) {
        backlog::enforce(tx, topic)?;
    }
    let subscriber_count = tx.topic(topic)?.subscriber_count;
    let published = accepted.iter().zip(&plans).map(|(accepted, plan)| Published {
        id: id_of(tx.tag, accepted),
        duplicate: matches!(plan, Plan::Known(_) | Plan::SameAs(_)),
        deliver_at: accepted.due_at.map(from_millis),
        subscriber_count,
    });
    Ok(Outcome::Published(published.collect()))
}

/// Publishes plain messages for callers that stand side by side in a group: what they write, they write
/// together. The answer is the outcomes of those at the front; none unless there are several, to a topic
/// that asks nothing of a message but its payload.
pub(super) fn publish_run(tx: &mut Tx<'_>, ops: &[Op]) -> Step<Vec<Outcome>> {
    let Some((name, _)) = ops.first().and_then(plain_publish) else { return Ok(Vec::new()) };
    let Some(topic) = tx.find_topic(name)? else { return Ok(Vec::new()) };
    let options = &tx.topic(topic)?.options;
    if options.ttl.is_some() || options.backlog_limit.is_limited() {
        return Ok(Vec::new());
    }
    let same_topic = ops.iter().map_while(plain_publish).take_while(|(other, _)| *other == name);
    let run: Vec<&[Message]> = same_topic.map(|(_, messages)| messages).collect();
    if run.len() < 2 {
        return Ok(Vec::new());
    }
    let count = run.iter().map(|messages| messages.len()).sum();
    let subscriber_count = tx.topic(topic)?.subscriber_count;
    let mut writing = Writing::to(tx, topic, count)?;
    let mut outcomes = Vec::with_capacity(run.len());
    for messages in run {
        let mut published = Vec::with_capacity(messages.len());
        for message in messages {
            let accepted = writing.append(tx, message)?;
            let id = id_of(tx.tag, &accepted);
            published.push(Published { id, duplicate: false, deliver_at: None, subscriber_count });
        }
        outcomes.push(Outcome::Published(published));
    }
    writing.finish(tx)?;
    Ok(outcomes)
}

/// The topic and the messages of a publish in which every message is a payload to be delivered now.
fn plain_publish(op: &Op) -> Option<(&str, &[Message])> {
    let Op::Publish { topic, messages } = op else { return None };
    let is_now = |message: &Message| {
        message.delay.is_none() && message.deliver_at.is_none() && message.ttl.is_none()
    };
    let is_plain = messages.iter().all(|message| is_plain(message) && is_now(message));
    is_plain.then_some((topic, messages))
}

/// Appends what was accepted already, in order. Only a conflict of idempotency keys is still found here,
/// one per message: the messages after it go on.
pub(super) fn publish_staged<'m>(
    tx: &mut Tx<'_>,
    topic: TopicId,
    messages: impl Iterator<Item = &'m Message>,
) -> Step<Vec<Result<(), Error>>> {
    let mut writing = Writing::to(tx, topic, limits::STEP_ROWS)?;
    let mut outcomes = Vec::new();
    for message in messages {
        let outcome = match plan(tx, topic, std::slice::from_ref(message)) {
            Ok(plans) => {
                match plans.first() {
                    Some(Plan::Append) => {
                        writing.append(tx, message)?;
                    }
                    Some(Plan::Delay(due_at)) => {
                        writing.delay(tx, message, *due_at)?;
                    }
                    // A duplicate: it is there already.
                    Some(Plan::Known(_) | Plan::SameAs(_)) | None => {}
                }
                Ok(())
            }
            Err(Stop::Refused(error)) => Err(error),
            Err(broken) => return Err(broken),
        };
        outcomes.push(outcome);
    }
    writing.finish(tx)?;
    // Nothing of it was counted against the limit.
    if let Some(kept) = tx.cache.topics.get_mut(&topic) {
        kept.value.backlog = None;
    }
    backlog::enforce(tx, topic)?;
    Ok(outcomes)
}

/// Writes new messages to a topic, with what their keys leave behind. It must be finished: what is appended
/// is written several at a time, and then told to whoever waits for it.
struct Writing<'m> {
    topic: TopicId,
    appender: Appender<'m>,
    /// For so many messages a log must have room.
    room: usize,
    appended: usize,
}

impl<'m> Writing<'m> {
    fn to(tx: &Tx<'_>, topic: TopicId, room: usize) -> Step<Self> {
        let appender = Appender::new(tx.topic(topic)?.options.ttl);
        Ok(Self { topic, appender, room, appended: 0 })
    }

    fn append(&mut self, tx: &mut Tx<'_>, message: &'m Message) -> Step<Accepted> {
        self.appended += 1;
        let accepted = self.appender.append(tx, self.topic, message, self.room)?;
        remember(tx, self.topic, message, accepted)?;
        Ok(accepted)
    }

    fn delay(&self, tx: &mut Tx<'_>, message: &Message, due_at: Millis) -> Step<Accepted> {
        let accepted = delay(tx, self.topic, message, due_at)?;
        remember(tx, self.topic, message, accepted)?;
        Ok(accepted)
    }

    fn finish(self, tx: &mut Tx<'_>) -> Step<()> {
        self.appender.finish(tx)?;
        if self.appended > 0 {
            let name = Arc::clone(&tx.topic(self.topic)?.name);
            tx.effects.appended.push((name, self.appended));
        }
        Ok(())
    }
}

fn id_of(tag: u16, accepted: &Accepted) -> MessageId {
    MessageId::new(IdParts { at: accepted.at, key: accepted.key, tag })
}

/// Decides about each message, and refuses, before anything is written.
fn plan(tx: &mut Tx<'_>, topic: TopicId, messages: &[Message]) -> Step<Vec<Plan>> {
    let mut plans = Vec::with_capacity(messages.len());
    let mut keys: HashMap<&str, (usize, Fingerprint)> = HashMap::new();
    let mut unique_keys: HashMap<&str, usize> = HashMap::new();
    for (index, message) in messages.iter().enumerate() {
        let mut plan = match due_at(message, tx.now) {
            Some(due_at) => Plan::Delay(due_at),
            None => Plan::Append,
        };
        if let Some(idempotency_key) = message.idempotency_key.as_deref() {
            let fingerprint = fingerprint(message);
            let conflict = || Error::IdempotencyConflict { index, key: idempotency_key.to_owned() };
            if let Some((earlier, theirs)) = keys.get(idempotency_key) {
                if *theirs != fingerprint {
                    return Err(conflict().into());
                }
                plan = Plan::SameAs(*earlier);
            } else {
                if let Some((first, theirs)) = remembered(tx, topic, idempotency_key)? {
                    if theirs != fingerprint {
                        return Err(conflict().into());
                    }
                    plan = Plan::Known(first);
                }
                keys.insert(idempotency_key, (index, fingerprint));
            }
        }
        if let Some(unique_key) = message.unique_key.as_deref()
            && plan.is_new()
        {
            if let Some(earlier) = unique_keys.insert(unique_key, index) {
                let detail = format!("messages {earlier} and {index} have the same unique key");
                return Err(Error::invalid(detail).into());
            }
            unique::check(tx, topic, index, unique_key)?;
        }
        plans.push(plan);
    }
    Ok(plans)
}

/// When the message becomes deliverable, if that is not now.
fn due_at(message: &Message, now: Millis) -> Option<Millis> {
    let delay = message.delay.map(|delay| now + duration_millis(delay));
    delay.or_else(|| message.deliver_at.map(to_millis)).filter(|at| *at > now)
}

/// Sets a message aside until it is due. Its id comes from the topic's origin log and stays with it.
fn delay(tx: &mut Tx<'_>, topic: TopicId, message: &Message, due_at: Millis) -> Step<Accepted> {
    let log = tx.origin_log(topic)?;
    let ttl = tx.topic(topic)?.options.ttl;
    let now = tx.now;
    let state = tx.log_mut(log)?;
    state.last_seq += 1;
    state.published_at = now.max(state.published_at);
    let accepted =
        Accepted { key: key(log, state.last_seq), at: state.published_at, due_at: Some(due_at) };
    let headers = encode::headers_to_json(&message.headers);
    let size = message.size_bytes().cast_signed() as i64;
    tx.connection.prepare_cached(include_str!("../../../sql/sqlite/delayed_insert.sql"))?.execute(
        params![
            accepted.key,
            topic,
            message.priority,
            due_at,
            accepted.at,
            size,
            message.content_type,
            headers,
            message.correlation_id,
            message.idempotency_key,
            message.ordering_key,
            expires_at(message, ttl, now),
            message.payload,
        ],
    )?;
    let state = tx.topic_mut(topic)?;
    state.delayed_count += 1;
    state.delayed_bytes += size;
    tx.cache.next_delayed.note(due_at);
    Ok(accepted)
}

// --- keys -----------------------------------------------------------------------------------------------

fn remember(tx: &mut Tx<'_>, topic: TopicId, message: &Message, first: Accepted) -> Step<()> {
    if let Some(unique_key) = &message.unique_key {
        unique::take(tx, topic, unique_key, (first.key, first.at), first.due_at)?;
    }
    let Some(idempotency_key) = &message.idempotency_key else { return Ok(()) };
    let expires_at = tx.now + duration_millis(tx.topic(topic)?.options.idempotency_window);
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/idempotency_set.sql"))?
        .execute(params![
            topic,
            idempotency_key,
            first.key,
            first.at,
            first.due_at,
            fingerprint(message),
            expires_at,
        ])?;
    Ok(())
}

fn remembered(
    tx: &Tx<'_>,
    topic: TopicId,
    idempotency_key: &str,
) -> Step<Option<(Accepted, Fingerprint)>> {
    let row = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/idempotency_get.sql"))?
        .query_row(params![topic, idempotency_key, tx.now], |row| {
            let first = Accepted { key: row.get(0)?, at: row.get(1)?, due_at: row.get(2)? };
            Ok((first, row.get(3)?))
        })
        .optional()?;
    Ok(row)
}
