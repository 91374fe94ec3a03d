//! Operations as `bq_apply` takes them: objects, and payloads beside them.

use serde_json::{Map, Value, json};

use super::settings::{hex, new_subscriber, schedule, subscriber_change, topic, topic_change};
use crate::clock::{Millis, duration_millis, to_millis};
use crate::entropy;
use crate::limits;
use crate::model::{IdParts, MessageId, Receipt};
use crate::op::{Claim, Op, Progress, Settle, Source, Verb};
use crate::options::{DeadLetters, Message, SeekTo};
use crate::store::fingerprint::fingerprint;

/// What one transaction is asked to do.
#[derive(Default)]
pub(super) struct Group<'a> {
    pub ops: Vec<Value>,
    /// How many operations of the engine each of them is: publishes that follow one another are one, and so
    /// are acks.
    pub sizes: Vec<usize>,
    pub claims: Vec<Value>,
    pub bodies: Vec<&'a [u8]>,
    pub topics: Vec<String>,
    pub subscribers: Vec<i64>,
    tag: u16,
}

impl<'a> Group<'a> {
    pub(super) fn new(tag: u16) -> Self {
        Self { tag, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.claims.is_empty()
    }

    /// Adds an operation that is complete.
    pub(super) fn push(&mut self, op: Value) {
        self.ops.push(op);
        self.sizes.push(1);
    }

    pub(super) fn claim_all(&mut self, claims: &[Claim]) {
        for claim in claims {
            self.claim(claim);
        }
    }

    fn claim(&mut self, claim: &Claim) {
        let source = |source: &Source| json!([&*source.topic, &*source.subscriber]);
        self.topics.extend(claim.sources.iter().map(|source| source.topic.to_string()));
        let mut object = Map::new();
        object.insert("sources".into(), claim.sources.iter().map(source).collect());
        object.insert("token".into(), json!(hex(&entropy::bytes::<16>())));
        set(&mut object, "limit", claim.limit);
        set(&mut object, "lease_ms", claim.lease_ms);
        set(&mut object, "ends", claim.ends.as_deref());
        self.claims.push(Value::Object(object));
    }

    /// Adds payloads; the answer is the place of the first.
    pub(super) fn add_bodies(&mut self, bodies: impl IntoIterator<Item = &'a [u8]>) -> usize {
        let first = self.bodies.len() + 1;
        self.bodies.extend(bodies);
        first
    }

    pub(super) fn op(&mut self, op: &'a Op) {
        if let Op::Publish { topic, messages } = op {
            return self.publish(topic, messages);
        }
        if let Op::Settle(items) = op {
            return self.settle_all(items);
        }
        let object = match op {
            Op::Publish { .. } | Op::Settle(_) => return,
            Op::CreateTopic(new) => json!({
                "op": "create_topic",
                "topic": new.name,
                "options": topic(&new.options),
                "subscribers": new.subscribers.iter().map(new_subscriber).collect::<Value>(),
            }),
            Op::UpdateTopic { topic, change } => {
                json!({ "op": "update_topic", "topic": topic, "options": topic_change(change) })
            }
            Op::DeleteTopic { topic } => json!({ "op": "delete_topic", "topic": topic }),
            Op::PauseTopic { topic, paused } => {
                json!({ "op": "pause_topic", "topic": topic, "paused": paused })
            }
            Op::CreateSubscribers { topic, subscribers } => json!({
                "op": "create_subscribers",
                "topic": topic,
                "subscribers": subscribers.iter().map(new_subscriber).collect::<Value>(),
            }),
            Op::UpdateSubscriber { source, change } => {
                let options = subscriber_change(change);
                of(source, json!({ "op": "update_subscriber", "options": options }))
            }
            Op::DeleteSubscriber { source } => of(source, json!({ "op": "delete_subscriber" })),
            Op::PauseSubscriber { source, paused } => {
                of(source, json!({ "op": "pause_subscriber", "paused": paused }))
            }
            Op::Release(receipts) => {
                let items: Value =
                    receipts.iter().map(|receipt| Value::Object(self.receipt(receipt))).collect();
                json!({ "op": "release", "items": items })
            }
            Op::CancelMessage { topic, id } => {
                let (key, at) = self.parts(*id);
                json!({ "op": "cancel_message", "topic": topic, "key": key, "at": at })
            }
            Op::CancelDelivery { source, id, reason } => {
                let (key, at) = self.parts(*id);
                let op = json!({ "op": "cancel_delivery", "key": key, "at": at, "reason": reason });
                of(source, op)
            }
            Op::Redrive { source, options, so_far } => {
                self.topics.extend(options.to.clone());
                let mut op = self.letters("redrive", &options.which, options.dry_run, *so_far);
                set(&mut op, "filter", options.filter.as_ref());
                set(&mut op, "to", options.to.as_ref());
                set(&mut op, "rate", options.rate);
                of(source, Value::Object(op))
            }
            Op::PurgeDeadLetters { source, options, so_far } => {
                let mut op = self.letters("purge", &options.which, options.dry_run, *so_far);
                set(&mut op, "filter", options.filter.as_ref());
                of(source, Value::Object(op))
            }
            Op::Seek { source, seek } => {
                let to = self.place(seek.to);
                of(source, json!({ "op": "seek", "to": to, "dry_run": seek.dry_run }))
            }
            Op::DeleteSchedule { of } => {
                json!({ "op": "delete_schedule", "topic": of.topic, "name": of.schedule })
            }
            Op::RunSchedule { of } => {
                json!({ "op": "run_schedule", "topic": of.topic, "name": of.schedule })
            }
            // Those need to know the time, or the schedule: see `fire`.
            Op::CreateSchedule { .. } | Op::UpdateSchedule { .. } | Op::PauseSchedule { .. } => {
                json!({ "op": "none" })
            }
            Op::Upkeep => json!({ "op": "upkeep" }),
        };
        self.topics.extend(object.get("topic").and_then(Value::as_str).map(str::to_owned));
        self.push(object);
    }

    /// Joins the publish before, if that is to the same topic.
    fn publish(&mut self, topic: &str, messages: &'a [Message]) {
        let first = self.add_bodies(messages.iter().map(|message| message.payload.as_slice()));
        let objects = messages.iter().map(message);
        if let (Some(op), Some(size)) = (self.ops.last_mut(), self.sizes.last_mut())
            && op.get("op").is_some_and(|verb| verb == "publish")
            && op.get("topic").is_some_and(|other| other == topic)
        {
            append(op, "parts", [json!(messages.len())]);
            append(op, "messages", objects);
            *size += 1;
            return;
        }
        self.topics.push(topic.to_owned());
        self.push(json!({
            "op": "publish",
            "topic": topic,
            "first": first,
            "parts": [messages.len()],
            "messages": objects.collect::<Value>(),
        }));
    }

    /// Acks join the acks before.
    fn settle_all(&mut self, items: &'a [Settle]) {
        let verb = if items.iter().all(|item| item.verb == Verb::Ack) { "ack" } else { "settle" };
        let objects: Vec<Value> = items.iter().map(|item| self.settle(item)).collect();
        if let (Some(op), Some(size)) = (self.ops.last_mut(), self.sizes.last_mut())
            && verb == "ack"
            && op.get("op").is_some_and(|before| before == verb)
        {
            append(op, "items", objects);
            *size += 1;
            return;
        }
        self.push(json!({ "op": verb, "items": objects }));
    }

    fn receipt(&mut self, receipt: &Receipt) -> Map<String, Value> {
        self.subscribers.push(i64::from(receipt.subscriber));
        let mut object = Map::new();
        object.insert("key".into(), json!(receipt.key));
        object.insert("subscriber".into(), json!(receipt.subscriber));
        object.insert("token".into(), json!(hex(&receipt.token)));
        object
    }

    fn settle(&mut self, item: &'a Settle) -> Value {
        let mut object = self.receipt(&item.receipt);
        let verb = match &item.verb {
            Verb::Ack => "ack",
            Verb::Reply(reply) => {
                let parts = item.receipt.message.parts();
                let ttl = reply.ttl.unwrap_or(limits::REPLY_TTL_DEFAULT);
                set(&mut object, "accepted_key", parts.map(|parts| parts.key));
                set(&mut object, "accepted_at", parts.map(|parts| parts.at));
                set(&mut object, "content_type", reply.content_type.as_ref());
                set(&mut object, "ttl_ms", Some(duration_millis(ttl)));
                let body = self.add_bodies([reply.payload.as_slice()]);
                set(&mut object, "body", Some(body));
                "reply"
            }
            Verb::Nack { delay_ms, error, give_up } => {
                set(&mut object, "delay_ms", *delay_ms);
                set(&mut object, "error", error.as_ref());
                set(&mut object, "give_up", Some(give_up));
                "nack"
            }
            Verb::Extend { lease_ms } => {
                set(&mut object, "lease_ms", Some(lease_ms));
                "extend"
            }
            Verb::Defer { delay_ms } => {
                set(&mut object, "delay_ms", Some(delay_ms));
                "defer"
            }
            Verb::Cancel { reason } => {
                set(&mut object, "reason", reason.as_ref());
                "cancel"
            }
        };
        object.insert("verb".into(), json!(verb));
        Value::Object(object)
    }

    /// Key and time of an id; those of no message if it is not of this database.
    pub(super) fn parts(&self, id: MessageId) -> (i64, Millis) {
        parts(id, self.tag)
    }

    fn letters(
        &self,
        verb: &str,
        which: &DeadLetters,
        dry_run: bool,
        so_far: Option<Progress>,
    ) -> Map<String, Value> {
        let which = match which {
            DeadLetters::Ids(ids) => ids.iter().map(|id| json!(self.parts(*id))).collect(),
            DeadLetters::Oldest(limit) => json!(limit),
            DeadLetters::All => json!("all"),
        };
        let mut object = Map::new();
        object.insert("op".into(), json!(verb));
        object.insert("which".into(), which);
        object.insert("dry_run".into(), json!(dry_run));
        let so_far = so_far.map(|Progress { done, left, place, since }| {
            json!({ "done": done, "left": left, "place": place, "since": since })
        });
        set(&mut object, "so_far", so_far);
        object
    }

    fn place(&self, to: SeekTo) -> Value {
        match to {
            SeekTo::Earliest => json!("earliest"),
            SeekTo::Latest => json!("latest"),
            SeekTo::Time(at) => json!({ "time": to_millis(at) }),
            SeekTo::Message(id) => json!({ "message": self.parts(id) }),
            SeekTo::Sequence { priority, sequence } => {
                let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
                json!({ "priority": priority, "sequence": sequence })
            }
        }
    }

    /// Settings of a schedule and its message's payload, with which operation `op` goes on.
    pub(super) fn add_schedule(
        &mut self,
        mut op: Value,
        options: &'a crate::options::ScheduleOptions,
    ) {
        let body = self.add_bodies([options.message.payload.as_slice()]);
        put(&mut op, "row", schedule(options));
        put(&mut op, "first", body);
        self.topics.extend(op.get("topic").and_then(Value::as_str).map(str::to_owned));
        self.push(op);
    }
}

pub(super) fn parts(id: MessageId, tag: u16) -> (i64, Millis) {
    match id.parts() {
        Some(IdParts { at, key, tag: of }) if of == tag => (key, at),
        _ => (-1, -1),
    }
}

fn set(object: &mut Map<String, Value>, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), json!(value));
    }
}

/// Sets a member of an object.
pub(super) fn put(object: &mut Value, name: &str, value: impl serde::Serialize) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), json!(value));
    }
}

/// Adds to a list that is a member of an object.
fn append(object: &mut Value, name: &str, values: impl IntoIterator<Item = Value>) {
    if let Some(Value::Array(list)) = object.get_mut(name) {
        list.extend(values);
    }
}

fn of(source: &Source, mut op: Value) -> Value {
    put(&mut op, "topic", &*source.topic);
    put(&mut op, "name", &*source.subscriber);
    op
}

/// Without its payload.
fn message(message: &Message) -> Value {
    let mut object = Map::new();
    object.insert("size".into(), json!(message.size_bytes()));
    set(&mut object, "priority", (message.priority != 0).then_some(message.priority));
    set(&mut object, "delay_ms", message.delay.map(duration_millis));
    set(&mut object, "deliver_at", message.deliver_at.map(to_millis));
    set(&mut object, "content_type", message.content_type.as_ref());
    set(&mut object, "headers", (!message.headers.is_empty()).then_some(&message.headers));
    set(&mut object, "correlation_id", message.correlation_id.as_ref());
    set(&mut object, "ordering_key", message.ordering_key.as_ref());
    set(&mut object, "unique_key", message.unique_key.as_ref());
    set(&mut object, "ttl_ms", message.ttl.map(duration_millis));
    if let Some(key) = &message.idempotency_key {
        set(&mut object, "idempotency_key", Some(key));
        set(&mut object, "fingerprint", Some(hex(&fingerprint(message))));
    }
    Value::Object(object)
}
