//! Makes up what happens next, from what there is: mostly what makes sense, sometimes what does not.
#![expect(clippy::indexing_slicing, reason = "members of JSON objects, made if they are not there")]

use fastrand::Rng;
use serde_json::{Value, json};

use super::Kind;
use crate::model::{Model, State};
use crate::operation::Retention;

const TOPICS: [&str; 2] = ["t", "u"];
const SUBSCRIBERS: [&str; 2] = ["a", "b"];
const PAUSES_MS: [i64; 8] = [1, 5, 50, 100, 500, 1_000, 5_000, 40_000];
const SCHEDULES: [&str; 2] = ["x", "y"];
/// Each means a time at a fixed distance, which is all that the model can read.
const CRONS: [&str; 6] =
    ["*/1 * * * * *", "*/5 * * * * *", "*/20 * * * * *", "@every 1s", "@every 7s", "@every 90s"];
const OVERLAPS: [&str; 3] = ["allow", "skip", "queue"];
const LEASES_MS: [i64; 5] = [1, 60, 600, 6_000, 60_000];

pub(super) struct Author {
    /// The clock is set back now and then. What is forgotten by the clock does not come back, so such a
    /// history has neither retention by time nor short windows of idempotency keys.
    goes_back: bool,
    kind: Kind,
    /// Subscribers do not select, and messages have no keys.
    plain: bool,
    /// Topics have schedules.
    fires: bool,
    /// The topic in which messages expire. What a backlog limit and unique keys do depends there on when
    /// upkeep passes over them.
    expiring: Option<&'static str>,
    messages: usize,
}

fn pick<T: Copy>(rng: &mut Rng, all: &[T]) -> Option<T> {
    rng.choice(all.iter().copied())
}

fn name(rng: &mut Rng, names: [&'static str; 2]) -> &'static str {
    // The second is there less often, and has less to do.
    if rng.u8(..4) == 0 { names[1] } else { names[0] }
}

fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(..n) == 0
}

fn ms(rng: &mut Rng, of: &[i64]) -> i64 {
    pick(rng, of).unwrap_or(1)
}

impl Author {
    pub(super) fn new(rng: &mut Rng, kind: Kind) -> Self {
        let (goes_back, plain, fires) = (one_in(rng, 4), one_in(rng, 4), one_in(rng, 2));
        let expires = !goes_back && !plain && one_in(rng, 2);
        let expiring = expires.then(|| name(rng, TOPICS));
        Self { goes_back, kind, plain, fires, expiring, messages: 0 }
    }

    pub(super) fn next(&mut self, rng: &mut Rng, model: &Model) -> Value {
        let step = self.step(rng, model);
        // A claim that waits for its rate is not told that the clock went back behind it.
        if self.kind.waits && !self.goes_back && one_in(rng, 3) {
            let mut claim = claim(rng);
            claim["wait_ms"] = json!(60_000);
            if claim["topic"].is_string() && step["topic"].is_string() {
                claim["topic"] = step["topic"].clone();
            }
            return json!({ "do": "await", "claim": claim, "then": step });
        }
        step
    }

    fn step(&mut self, rng: &mut Rng, model: &Model) -> Value {
        let missing = TOPICS.into_iter().find(|topic| !model.topics.contains_key(*topic));
        if let Some(topic) = missing {
            return self.create_topic(rng, topic);
        }
        match rng.u32(..100) {
            0..20 => self.publish(rng),
            20..39 => claim(rng),
            39..57 => settle(rng, model, !self.goes_back),
            57..70 => self.move_clock(rng, model),
            70..75 => letters(rng, model),
            75..79 => cancel(rng, model),
            79..82 => seek(rng, model),
            82..87 => self.topology(rng),
            87..94 if self.fires => self.schedule(rng, model),
            _ => look(rng, model),
        }
    }

    /// Looks at everything, then takes everything.
    pub(super) fn end(model: &Model) -> Vec<Value> {
        let mut steps = Vec::new();
        let sources = || {
            let of = |(topic, names): (&String, &super::super::model::Topic)| {
                names
                    .subscribers
                    .keys()
                    .map(|name| (topic.clone(), name.clone()))
                    .collect::<Vec<_>>()
            };
            model.topics.iter().flat_map(of).collect::<Vec<_>>()
        };
        for (topic, subscriber) in sources() {
            let look = |word| json!({ "do": word, "topic": topic, "subscriber": subscriber });
            let mut peek = look("peek");
            peek["limit"] = json!(1_000);
            steps.extend([look("subscriber_stats"), look("dead_letters"), peek]);
        }
        steps.push(json!({ "do": "advance", "ms": 10_000_000 }));
        for (topic, of) in &model.topics {
            for name in of.schedules.keys() {
                let runs = json!({ "do": "schedule_runs", "topic": topic, "schedule": name,
                                   "limit": 1_000 });
                steps.push(json!({ "do": "schedule", "topic": topic, "schedule": name }));
                steps.push(runs);
            }
        }
        for (topic, subscriber) in sources() {
            steps.push(json!({ "do": "resume_topic", "topic": topic }));
            steps.push(
                json!({ "do": "resume_subscriber", "topic": topic, "subscriber": subscriber }),
            );
            for word in ["claim", "claim", "subscriber_stats"] {
                let mut step = json!({ "do": word, "topic": topic, "subscriber": subscriber });
                if word == "claim" {
                    step["limit"] = json!(1_000);
                }
                steps.push(step);
            }
        }
        steps
    }

    fn create_topic(&self, rng: &mut Rng, topic: &str) -> Value {
        let mut options = self.topic_options(rng, topic);
        if topic == "u" && one_in(rng, 2) {
            // See `keeps_priorities_apart`.
            options["retention"] = match rng.u32(..2) {
                0 => json!({ "count": rng.u64(..10) }),
                _ => json!({ "bytes": rng.u64(..60) }),
            };
        } else if !self.goes_back && one_in(rng, 2) {
            options["retention"] = json!({ "duration_ms": ms(rng, &PAUSES_MS) });
        }
        let names = SUBSCRIBERS.iter().filter(|_| rng.u32(..5) > 0).collect::<Vec<_>>();
        let subscribers: Vec<_> = names
            .into_iter()
            .map(|name| json!({ "name": name, "options": self.subscriber_options(rng) }))
            .collect();
        json!({ "do": "create_topic", "topic": topic, "options": options, "subscribers": subscribers })
    }

    fn topic_options(&self, rng: &mut Rng, topic: &str) -> Value {
        let mut options = json!({});
        if self.expiring == Some(topic) {
            if one_in(rng, 3) {
                options["ttl_ms"] = json!(ms(rng, &LEASES_MS));
            }
            return options;
        }
        if !self.goes_back && one_in(rng, 2) {
            options["idempotency_window_ms"] = json!(ms(rng, &PAUSES_MS));
        }
        if one_in(rng, 4) {
            let mut limit = json!({ "policy": pick(rng, &["refuse", "drop_oldest"]) });
            match rng.u32(..4) {
                0 => limit["messages"] = json!(rng.u64(..12)),
                1 => limit["bytes"] = json!(rng.u64(..100)),
                2 => limit["age_ms"] = json!(ms(rng, &PAUSES_MS)),
                _ => {}
            }
            options["backlog_limit"] = limit;
        }
        options
    }

    fn publish(&mut self, rng: &mut Rng) -> Value {
        let topic = name(rng, TOPICS);
        if one_in(rng, 2) {
            return json!({ "do": "publish", "topic": topic, "message": self.message(rng, topic) });
        }
        let count = 1 + rng.usize(..5);
        let messages: Vec<_> = (0..count).map(|_| self.message(rng, topic)).collect();
        json!({ "do": "publish_batch", "topic": topic, "messages": messages })
    }

    fn message(&mut self, rng: &mut Rng, topic: &str) -> Value {
        self.messages += 1;
        let mut message =
            json!({ "payload": format!("{}{}", self.messages, "x".repeat(rng.usize(..9))) });
        if topic == "t" && one_in(rng, 4) {
            message["priority"] = json!(pick(rng, &[5, -5]));
        }
        if !self.plain {
            self.select_by(rng, topic, &mut message);
        }
        match rng.u32(..12) {
            0 | 1 => message["delay_ms"] = json!(rng.i64(0..3) * ms(rng, &PAUSES_MS)),
            2 => message["deliver_at"] = json!(rng.i64(0..100_000)),
            _ => {}
        }
        if one_in(rng, 5) {
            let key = format!("k{}", rng.u32(..3));
            if !one_in(rng, 4) {
                message = json!({ "payload": format!("of {key}") });
            }
            message["idempotency_key"] = json!(key);
        }
        message
    }

    /// What subscribers select by, and what excludes other messages.
    fn select_by(&self, rng: &mut Rng, topic: &str, message: &mut Value) {
        if one_in(rng, 2) {
            message["headers"] = json!({ "type": pick(rng, &["a", "b", "bc"]) });
        }
        if one_in(rng, 2) {
            // One key, one priority: order is that of one priority.
            let priority = message["priority"].as_i64().unwrap_or(0);
            message["ordering_key"] = json!(format!("o{}/{priority}", rng.u32(..3)));
        }
        if self.expiring == Some(topic) {
            if one_in(rng, 3) {
                message["ttl_ms"] = json!(ms(rng, &LEASES_MS));
            }
        } else if one_in(rng, 8) {
            message["unique_key"] = json!(format!("q{}", rng.u32(..3)));
        }
    }

    fn move_clock(&self, rng: &mut Rng, model: &Model) -> Value {
        if self.goes_back && one_in(rng, 3) {
            let back = ms(rng, &PAUSES_MS);
            return json!({ "do": "set_clock", "at": (model.now - back).max(0) });
        }
        json!({ "do": "advance", "ms": ms(rng, &PAUSES_MS) })
    }

    fn topology(&self, rng: &mut Rng) -> Value {
        let (topic, subscriber) = (name(rng, TOPICS), name(rng, SUBSCRIBERS));
        let on_topic = |word| json!({ "do": word, "topic": topic });
        let on_subscriber = |word| json!({ "do": word, "topic": topic, "subscriber": subscriber });
        match rng.u32(..13) {
            0 => on_topic("pause_topic"),
            1 | 2 => on_topic("resume_topic"),
            3 => on_subscriber("pause_subscriber"),
            4 | 5 => on_subscriber("resume_subscriber"),
            6 => on_subscriber("delete_subscriber"),
            7 if one_in(rng, 2) => on_topic("delete_topic"),
            8 if self.kind.reopens => json!({ "do": "reopen" }),
            9 => {
                let options = self.topic_options(rng, topic);
                json!({ "do": "update_topic", "topic": topic, "options": options })
            }
            10 => {
                let options = self.subscriber_options(rng);
                json!({ "do": "update_subscriber", "topic": topic, "subscriber": subscriber,
                        "options": options })
            }
            _ => {
                let start = match rng.u32(..3) {
                    0 => json!("now"),
                    1 => json!("earliest"),
                    _ => json!({ "at": rng.i64(0..100_000) }),
                };
                let options = self.subscriber_options(rng);
                let new = json!({ "name": subscriber, "options": options, "start": start });
                json!({ "do": "create_subscribers", "topic": topic, "subscribers": [new] })
            }
        }
    }

    fn schedule(&mut self, rng: &mut Rng, model: &Model) -> Value {
        let (topic, name) = (name(rng, TOPICS), name(rng, SCHEDULES));
        let of = model.topics.get(topic).and_then(|topic| topic.schedules.get(name));
        let step = |word| json!({ "do": word, "topic": topic, "schedule": name });
        let Some(schedule) = of.filter(|_| !one_in(rng, 12)) else {
            let mut step = step("create_schedule");
            step["options"] = self.schedule_options(rng, topic);
            return step;
        };
        match rng.u32(..10) {
            0..3 => step("run_schedule_now"),
            3 => step("pause_schedule"),
            4 | 5 => step("resume_schedule"),
            6 => step("delete_schedule"),
            _ => {
                let mut step = step("update_schedule");
                let is_stale = one_in(rng, 5);
                step["version"] = json!(schedule.version - u64::from(is_stale));
                step["options"] = self.schedule_options(rng, topic);
                step
            }
        }
    }

    fn schedule_options(&mut self, rng: &mut Rng, topic: &str) -> Value {
        let mut message = self.message(rng, topic);
        if let Some(message) = message.as_object_mut() {
            for given_once in ["delay_ms", "deliver_at", "idempotency_key", "unique_key"] {
                message.remove(given_once);
            }
        }
        let overlaps = if self.expiring == Some(topic) {
            // Whether the one before is settled depends there on when upkeep passes over it.
            &OVERLAPS[..1]
        } else {
            &OVERLAPS
        };
        let misfire = match rng.u32(..3) {
            0 => json!("skip"),
            1 => json!("once"),
            _ => json!({ "all": 1 + rng.u32(..4) }),
        };
        let mut options = json!({
            "cron": pick(rng, &CRONS),
            "message": message,
            "misfire": misfire,
            "overlap": pick(rng, overlaps),
            "grace_ms": pick(rng, &[0, 1_000, 60_000]),
        });
        if one_in(rng, 4) {
            let start = rng.i64(0..100_000);
            options["start_at"] = json!(start);
            if one_in(rng, 2) {
                options["end_at"] = json!(start + rng.i64(0..100_000));
            }
        }
        options
    }

    fn subscriber_options(&self, rng: &mut Rng) -> Value {
        let mut options = json!({
            "max_attempts": 1 + rng.u32(..4),
            "lease_ms": ms(rng, &LEASES_MS),
            "claim_limit": 1 + rng.usize(..5),
            "retry": { "initial_ms": rng.i64(0..200), "max_ms": 1_000, "jitter": 0.0 },
        });
        if self.plain {
            return options;
        }
        let none = || json!("none");
        (options["ordered"], options["leased_per_key_max"]) = match rng.u32(..4) {
            0 | 1 => (json!(true), none()),
            2 => (json!(false), json!(1 + rng.u32(..3))),
            _ => (json!(false), none()),
        };
        options["on_dead"] = json!(pick(rng, &["skip", "block"]));
        options["on_expiry"] = json!(pick(rng, &["skip", "dead_letter"]));
        options["filter"] = if one_in(rng, 3) { filter(rng, 2) } else { none() };
        options["leased_max"] = if one_in(rng, 4) { json!(1 + rng.u32(..4)) } else { none() };
        options["rate"] = if one_in(rng, 6) {
            json!({ "count": 1 + rng.u32(..4), "interval_ms": ms(rng, &PAUSES_MS) })
        } else {
            none()
        };
        options
    }
}

fn filter(rng: &mut Rng, depth: u32) -> Value {
    if depth > 0 && one_in(rng, 3) {
        return match rng.u32(..3) {
            0 => json!({ "not": filter(rng, depth - 1) }),
            1 => json!({ "all": [filter(rng, depth - 1), filter(rng, depth - 1)] }),
            _ => json!({ "any": [filter(rng, depth - 1), filter(rng, depth - 1)] }),
        };
    }
    match rng.u32(..4) {
        0 => json!({ "header": "type", "equals": pick(rng, &["a", "b"]) }),
        1 => json!({ "header": "type", "any_of": ["a", "bc"] }),
        2 => json!({ "header": "type", "prefix": "b" }),
        _ => json!({ "header": "type", "exists": rng.bool() }),
    }
}

fn claim(rng: &mut Rng) -> Value {
    let mut step = if one_in(rng, 8) {
        let sources: Vec<_> = (0..2)
            .map(|_| json!({ "topic": name(rng, TOPICS), "subscriber": name(rng, SUBSCRIBERS) }))
            .collect();
        json!({ "do": "claim_any", "sources": sources })
    } else {
        json!({ "do": "claim", "topic": name(rng, TOPICS), "subscriber": name(rng, SUBSCRIBERS) })
    };
    if one_in(rng, 2) {
        step["limit"] = json!(1 + rng.usize(..8));
    }
    if one_in(rng, 2) {
        step["lease_ms"] = json!(ms(rng, &LEASES_MS));
    }
    step
}

/// Receipts to settle: mostly live ones, neighbours of one claim among them.
fn receipts(rng: &mut Rng, model: &Model) -> Vec<String> {
    let rows = || {
        let subscribers = model.topics.values().flat_map(|topic| topic.subscribers.values());
        subscribers.flat_map(|subscriber| subscriber.rows.values())
    };
    let live: Vec<String> = rows().filter_map(|row| row.receipt.clone()).collect();
    let mut receipts = Vec::new();
    if !live.is_empty() && !one_in(rng, 6) {
        let start = rng.usize(..live.len());
        let count = 1 + rng.usize(..5);
        receipts.extend(live.into_iter().skip(start).take(count));
    }
    if one_in(rng, 4) || receipts.is_empty() {
        receipts.extend(rng.choice(model.receipts.keys()).cloned());
    }
    receipts
}

fn settle(rng: &mut Rng, model: &Model, ttl: bool) -> Value {
    let receipts = receipts(rng, model);
    let Some(first) = receipts.first() else { return claim(rng) };
    let (lease_ms, delay_ms) = (ms(rng, &LEASES_MS), ms(rng, &PAUSES_MS));
    let nack = |rng: &mut Rng, receipt: &String| {
        let mut nack = json!({ "receipt": receipt, "give_up": one_in(rng, 8) });
        if one_in(rng, 2) {
            nack["delay_ms"] = json!(ms(rng, &PAUSES_MS));
        }
        if one_in(rng, 2) {
            nack["error_text"] = json!(format!("e{}", rng.u32(..100)));
        }
        nack
    };
    match rng.u32(..16) {
        0 | 1 => json!({ "do": "ack", "receipt": first }),
        2 => {
            let mut reply = json!({ "payload": "reply" });
            if ttl && one_in(rng, 2) {
                reply["ttl_ms"] = json!(ms(rng, &PAUSES_MS));
            }
            json!({ "do": "ack", "receipt": first, "result": reply })
        }
        3..6 => json!({ "do": "ack_batch", "receipts": receipts }),
        6 | 7 => {
            let mut step = nack(rng, first);
            step["do"] = json!("nack");
            step
        }
        8 | 9 => {
            let items: Vec<_> = receipts.iter().map(|receipt| nack(rng, receipt)).collect();
            json!({ "do": "nack_batch", "items": items })
        }
        10 => json!({ "do": "extend", "receipt": first, "lease_ms": lease_ms }),
        11 => json!({ "do": "extend_batch", "receipts": receipts, "lease_ms": lease_ms }),
        12 => json!({ "do": "defer", "receipt": first, "delay_ms": delay_ms }),
        13 => {
            let defer = |receipt| json!({ "receipt": receipt, "delay_ms": delay_ms });
            json!({ "do": "defer_batch", "items": receipts.iter().map(defer).collect::<Vec<_>>() })
        }
        14 => json!({ "do": "cancel", "receipt": first, "reason": "why" }),
        _ => json!({ "do": "cancel_batch", "receipts": receipts }),
    }
}

fn letters(rng: &mut Rng, model: &Model) -> Value {
    let (topic, subscriber) = (name(rng, TOPICS), name(rng, SUBSCRIBERS));
    let word = if rng.bool() { "redrive" } else { "purge_dead_letters" };
    let which = match rng.u32(..3) {
        0 => json!("all"),
        1 => json!({ "oldest": 1 + rng.u64(..3) }),
        _ => match message_id(rng, model, topic, subscriber) {
            Some(id) => json!({ "ids": [id] }),
            None => json!("all"),
        },
    };
    let mut step = json!({ "do": word, "topic": topic, "subscriber": subscriber, "which": which,
                           "dry_run": one_in(rng, 6) });
    if one_in(rng, 6) {
        step["filter"] = filter(rng, 1);
    }
    if word == "redrive" {
        let to = name(rng, [TOPICS[1], TOPICS[0]]);
        if one_in(rng, 3) && keeps_priorities_apart(model, to) {
            step["to"] = json!(to);
        }
        if one_in(rng, 4) {
            step["rate"] = json!(pick(rng, &[1, 4, 1_000]));
        }
    }
    step
}

/// Whether a topic may get messages of several priorities: with one, a number of messages means the same at
/// any time.
fn keeps_priorities_apart(model: &Model, topic: &str) -> bool {
    let retention = model.topics.get(topic).map(|topic| topic.options.retention);
    !matches!(retention, Some(Retention::Count(_) | Retention::Bytes(_)))
}

/// A message that is there: in flight or dead for this subscriber, or any.
fn message_id(rng: &mut Rng, model: &Model, topic: &str, subscriber: &str) -> Option<String> {
    let of = model.topics.get(topic)?;
    let rows = of.subscribers.get(subscriber).map(|subscriber| &subscriber.rows);
    let dead =
        rows.into_iter().flatten().filter(|(_, row)| matches!(row.state, State::Dead { .. }));
    let dead: Vec<_> = dead.filter_map(|(place, _)| of.message(*place)).collect();
    if !dead.is_empty() && one_in(rng, 2) {
        let named = dead.into_iter().map(|message| message.body.id.clone());
        return rng.choice(named.filter(|id| !id.is_empty()).collect::<Vec<_>>());
    }
    let logged = of.logs.iter().flat_map(|(priority, log)| {
        let messages = (1..).zip(&log.messages).filter(|(_, message)| !message.removed);
        messages.filter_map(|(seq, message)| {
            let is_kept = model.is_surely_kept(topic, (priority.0, seq));
            is_kept.then(|| message.body.id.clone())
        })
    });
    let delayed = of.delayed.iter().map(|delayed| delayed.body.id.clone());
    // What a redrive published has no name before it is claimed.
    rng.choice(logged.chain(delayed).filter(|id| !id.is_empty()).collect::<Vec<_>>())
}

fn cancel(rng: &mut Rng, model: &Model) -> Value {
    let (topic, subscriber) = (name(rng, TOPICS), name(rng, SUBSCRIBERS));
    let Some(id) = message_id(rng, model, topic, subscriber) else { return claim(rng) };
    if one_in(rng, 2) {
        return json!({ "do": "cancel_message", "topic": topic, "message_id": id });
    }
    let mut step = json!({ "do": "cancel_delivery", "topic": topic, "subscriber": subscriber,
                           "message_id": id });
    if one_in(rng, 2) {
        step["reason"] = json!("why");
    }
    step
}

fn seek(rng: &mut Rng, model: &Model) -> Value {
    let (topic, subscriber) = (name(rng, TOPICS), name(rng, SUBSCRIBERS));
    let to = match rng.u32(..6) {
        0 | 1 => json!("earliest"),
        2 => json!("latest"),
        3 => json!({ "at": rng.i64(0..100_000) }),
        4 => match message_id(rng, model, topic, subscriber) {
            Some(id) => json!({ "message_id": id }),
            None => json!("earliest"),
        },
        _ => {
            let sequence = 1 + rng.u64(..20);
            json!({ "sequence": { "priority": pick(rng, &[0, 0, 5]), "sequence": sequence } })
        }
    };
    json!({ "do": "seek", "topic": topic, "subscriber": subscriber, "to": to,
            "dry_run": one_in(rng, 6) })
}

fn look(rng: &mut Rng, model: &Model) -> Value {
    let (topic, subscriber) = (name(rng, TOPICS), name(rng, SUBSCRIBERS));
    let id = message_id(rng, model, topic, subscriber);
    let named = model.topics.get(topic).map(|topic| topic.schedules.keys()).into_iter().flatten();
    if let Some(name) = rng.choice(named.collect::<Vec<_>>()).filter(|_| one_in(rng, 3)) {
        return match rng.u32(..3) {
            0 => json!({ "do": "schedules", "topic": topic }),
            1 => json!({ "do": "schedule", "topic": topic, "schedule": name }),
            _ => json!({ "do": "schedule_runs", "topic": topic, "schedule": name, "limit": 1_000 }),
        };
    }
    match (rng.u32(..6), id) {
        (4, _) => json!({ "do": "peek", "topic": topic, "subscriber": subscriber, "limit": 1_000 }),
        (5, Some(id)) => {
            json!({ "do": "failures", "topic": topic, "subscriber": subscriber, "message_id": id })
        }
        (0, Some(id)) => json!({ "do": "message", "topic": topic, "message_id": id }),
        (3, Some(id)) => {
            // What was settled long ago has a result, too.
            let replied = rng.choice(model.replies.keys()).map(|(id, _)| id.clone());
            let id = replied.filter(|_| rng.bool()).unwrap_or(id);
            json!({ "do": "result", "topic": topic, "subscriber": subscriber, "message_id": id })
        }
        (1, _) => json!({ "do": "dead_letters", "topic": topic, "subscriber": subscriber }),
        _ => json!({ "do": "subscriber_stats", "topic": topic, "subscriber": subscriber }),
    }
}
