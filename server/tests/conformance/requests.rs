//! One HTTP request for each operation of the scripts.

use std::fmt::Write as _;

use blockqueue_conformance::Operation as Op;
use serde_json::{Value, json};

use crate::bodies::{
    message, nack_body, new_subscriber, place, reply, schedule_options, subscriber_options,
    topic_options, which, without_nulls,
};

pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

/// The delivery that a receipt was given for.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) topic: String,
    pub(crate) subscriber: String,
    pub(crate) message_id: String,
}

impl Held {
    /// For a receipt that nobody was given: the names that such scripts use, and the id of no message.
    pub(crate) fn nowhere() -> Self {
        let message_id = "00000000-0000-0000-0000-000000000000".to_owned();
        Self { topic: "t".to_owned(), subscriber: "s".to_owned(), message_id }
    }

    fn path(&self, verb: &str) -> String {
        let source = subscriber_path(&self.topic, &self.subscriber);
        format!("{source}/messages/{}/{verb}", self.message_id)
    }
}

type Whose<'a> = &'a dyn Fn(&str) -> Held;

/// The request of an operation; `whose` tells which delivery a receipt belongs to.
pub(crate) fn request(operation: &Op, whose: Whose<'_>) -> Request {
    let families = [topics, subscribers, publish_and_claim, settle, dead_letters, schedules, look];
    let request = families.iter().find_map(|family| family(operation, whose));
    request.unwrap_or_else(|| panic!("{operation:?} is not among the omissions"))
}

fn bare(method: &'static str, path: String) -> Request {
    Request { method, path, body: None }
}

fn with(method: &'static str, path: String, body: Value) -> Request {
    Request { method, path, body: Some(without_nulls(body)) }
}

fn topics(operation: &Op, _: Whose<'_>) -> Option<Request> {
    Some(match operation {
        Op::CreateTopic { topic, options, subscribers } => {
            let subscribers: Value = subscribers.iter().map(new_subscriber).collect();
            let option = topic_options(options);
            let body = json!({ "name": topic, "option": option, "subscribers": subscribers });
            with("POST", "/v1/topics".to_owned(), body)
        }
        Op::Topic { topic } => bare("GET", topic_path(topic)),
        Op::Topics { limit, after } => {
            bare("GET", format!("/v1/topics{}", page(*limit, after.as_deref())))
        }
        Op::UpdateTopic { topic, options } => {
            with("PATCH", topic_path(topic), topic_options(options))
        }
        Op::DeleteTopic { topic } => bare("DELETE", topic_path(topic)),
        Op::PauseTopic { topic } => bare("POST", format!("{}/pause", topic_path(topic))),
        Op::ResumeTopic { topic } => bare("POST", format!("{}/resume", topic_path(topic))),
        Op::TopicStats { topic } => bare("GET", format!("{}/stats", topic_path(topic))),
        _ => return None,
    })
}

fn subscribers(operation: &Op, _: Whose<'_>) -> Option<Request> {
    Some(match operation {
        Op::CreateSubscribers { topic, subscribers } => {
            let body = subscribers.iter().map(new_subscriber).collect();
            with("POST", format!("{}/subscribers", topic_path(topic)), body)
        }
        Op::Subscribers { topic, limit, after } => bare(
            "GET",
            format!("{}/subscribers{}", topic_path(topic), page(*limit, after.as_deref())),
        ),
        Op::Subscriber { topic, subscriber } | Op::SubscriberStats { topic, subscriber } => {
            bare("GET", subscriber_path(topic, subscriber))
        }
        Op::UpdateSubscriber { topic, subscriber, options } => {
            with("PATCH", subscriber_path(topic, subscriber), subscriber_options(options))
        }
        Op::DeleteSubscriber { topic, subscriber } => {
            bare("DELETE", subscriber_path(topic, subscriber))
        }
        Op::PauseSubscriber { topic, subscriber } => {
            bare("POST", format!("{}/pause", subscriber_path(topic, subscriber)))
        }
        Op::ResumeSubscriber { topic, subscriber } => {
            bare("POST", format!("{}/resume", subscriber_path(topic, subscriber)))
        }
        Op::Seek { topic, subscriber, to, dry_run } => {
            let mut body = place(to);
            body["dry_run"] = json!(dry_run);
            with("POST", format!("{}/seek", subscriber_path(topic, subscriber)), body)
        }
        _ => return None,
    })
}

fn publish_and_claim(operation: &Op, _: Whose<'_>) -> Option<Request> {
    Some(match operation {
        Op::Publish { topic, message: content } => {
            with("POST", format!("{}/messages", topic_path(topic)), message(content))
        }
        Op::PublishBatch { topic, messages } => {
            let body = messages.iter().map(message).collect();
            with("POST", format!("{}/messages/batch", topic_path(topic)), body)
        }
        Op::Claim { topic, subscriber, limit, wait_ms, lease_ms } => {
            let query = query([
                ("timeout", Some(format!("{wait_ms}ms"))),
                ("limit", limit.map(|limit| limit.to_string())),
                ("lease", lease_ms.map(|ms| format!("{ms}ms"))),
            ]);
            bare("POST", format!("{}/claim{query}", subscriber_path(topic, subscriber)))
        }
        _ => return None,
    })
}

fn settle(operation: &Op, whose: Whose<'_>) -> Option<Request> {
    Some(match operation {
        Op::Ack { receipt, result } => {
            let body = json!({ "receipt_token": receipt, "result": result.as_ref().map(reply) });
            with("POST", whose(receipt).path("ack"), body)
        }
        Op::Nack(nack) => with("POST", whose(&nack.receipt).path("nack"), nack_body(nack)),
        Op::Extend { receipt, lease_ms } => {
            let body = json!({ "receipt_token": receipt, "extension": lease_ms });
            with("POST", whose(receipt).path("lease"), body)
        }
        Op::Defer(deferral) => {
            let body = json!({ "receipt_token": deferral.receipt, "delay": deferral.delay_ms });
            with("POST", whose(&deferral.receipt).path("snooze"), body)
        }
        Op::AckBatch { receipts } => {
            let items = receipts.iter().map(|receipt| {
                json!({ "message_id": whose(receipt).message_id, "receipt_token": receipt })
            });
            with("POST", batch_path(receipts.first(), whose, "ack"), items.collect())
        }
        Op::NackBatch { items } => {
            let first = items.first().map(|nack| &nack.receipt);
            let path = batch_path(first, whose, "nack");
            let items = items.iter().map(|nack| {
                let mut body = nack_body(nack);
                body["message_id"] = json!(whose(&nack.receipt).message_id);
                body
            });
            with("POST", path, items.collect())
        }
        Op::CancelDelivery { topic, subscriber, message_id, reason } => {
            let source = subscriber_path(topic, subscriber);
            let path = format!("{source}/messages/{}/cancel", segment(message_id));
            with("POST", path, json!({ "reason": reason }))
        }
        Op::CancelMessage { topic, message_id } => {
            let path = format!("{}/messages/{}/cancel", topic_path(topic), segment(message_id));
            with("POST", path, json!({}))
        }
        _ => return None,
    })
}

fn dead_letters(operation: &Op, _: Whose<'_>) -> Option<Request> {
    Some(match operation {
        Op::DeadLetters { topic, subscriber, limit, after } => {
            let path = subscriber_path(topic, subscriber);
            bare("GET", format!("{path}/dlq{}", page(*limit, after.as_deref())))
        }
        Op::Redrive { topic, subscriber, which: some, filter, to, rate, dry_run } => {
            let mut body = which(some);
            body["filter"] = json!(filter);
            body["to"] = json!(to);
            body["rate"] = json!(rate);
            body["dry_run"] = json!(dry_run);
            with("POST", format!("{}/dlq/replay", subscriber_path(topic, subscriber)), body)
        }
        Op::PurgeDeadLetters { topic, subscriber, which: some, filter, dry_run } => {
            let mut body = which(some);
            body["filter"] = json!(filter);
            body["dry_run"] = json!(dry_run);
            with("DELETE", format!("{}/dlq", subscriber_path(topic, subscriber)), body)
        }
        Op::Failures { topic, subscriber, message_id, limit, after } => {
            let source = subscriber_path(topic, subscriber);
            let id = segment(message_id);
            bare("GET", format!("{source}/messages/{id}/errors{}", page(*limit, after.as_deref())))
        }
        _ => return None,
    })
}

fn schedules(operation: &Op, _: Whose<'_>) -> Option<Request> {
    Some(match operation {
        Op::CreateSchedule { topic, schedule, options } => {
            let mut body = schedule_options(options);
            body["name"] = json!(schedule);
            with("POST", format!("{}/schedules", topic_path(topic)), body)
        }
        Op::Schedule { topic, schedule } => bare("GET", schedule_path(topic, schedule)),
        Op::Schedules { topic, limit, after } => {
            let page = page(*limit, after.as_deref());
            bare("GET", format!("{}/schedules{page}", topic_path(topic)))
        }
        Op::UpdateSchedule { topic, schedule, version, options } => {
            let mut body = schedule_options(options);
            body["version"] = json!(version);
            with("PUT", schedule_path(topic, schedule), body)
        }
        Op::DeleteSchedule { topic, schedule } => bare("DELETE", schedule_path(topic, schedule)),
        Op::PauseSchedule { topic, schedule } => {
            bare("POST", format!("{}/pause", schedule_path(topic, schedule)))
        }
        Op::ResumeSchedule { topic, schedule } => {
            bare("POST", format!("{}/resume", schedule_path(topic, schedule)))
        }
        Op::RunScheduleNow { topic, schedule } => {
            bare("POST", format!("{}/run-now", schedule_path(topic, schedule)))
        }
        Op::ScheduleRuns { topic, schedule, limit, after } => {
            let page = page(*limit, after.as_deref());
            bare("GET", format!("{}/runs{page}", schedule_path(topic, schedule)))
        }
        _ => return None,
    })
}

fn look(operation: &Op, _: Whose<'_>) -> Option<Request> {
    Some(match operation {
        Op::Peek { topic, subscriber, limit, after } => {
            let path = subscriber_path(topic, subscriber);
            bare("GET", format!("{path}/messages{}", page(*limit, after.as_deref())))
        }
        Op::Message { topic, message_id } => {
            bare("GET", format!("{}/messages/{}", topic_path(topic), segment(message_id)))
        }
        Op::Result { topic, subscriber, message_id, wait_ms } => {
            let path = format!("{}/messages/{}", topic_path(topic), segment(message_id));
            let query = query([("timeout", Some(format!("{}ms", wait_ms.unwrap_or(0))))]);
            bare("GET", format!("{path}/results/{}{query}", segment(subscriber)))
        }
        _ => return None,
    })
}

// --- paths and queries --------------------------------------------------------------------------------

fn topic_path(topic: &str) -> String {
    format!("/v1/topics/{}", segment(topic))
}

fn subscriber_path(topic: &str, subscriber: &str) -> String {
    format!("{}/subscribers/{}", topic_path(topic), segment(subscriber))
}

fn schedule_path(topic: &str, schedule: &str) -> String {
    format!("{}/schedules/{}", topic_path(topic), segment(schedule))
}

fn batch_path(first: Option<&String>, whose: Whose<'_>, verb: &str) -> String {
    let held = first.map_or_else(Held::nowhere, |receipt| whose(receipt));
    format!("{}/messages/batch/{verb}", subscriber_path(&held.topic, &held.subscriber))
}

/// A name as one segment of a path.
fn segment(name: &str) -> String {
    name.bytes().fold(String::new(), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            write!(path, "%{byte:02X}").unwrap();
        }
        path
    })
}

fn page(limit: Option<usize>, after: Option<&str>) -> String {
    query([("limit", limit.map(|limit| limit.to_string())), ("cursor", after.map(segment))])
}

fn query<const N: usize>(parameters: [(&str, Option<String>); N]) -> String {
    let given = parameters.into_iter().filter_map(|(name, value)| Some((name, value?)));
    given.fold(String::new(), |mut query, (name, value)| {
        let separator = if query.is_empty() { '?' } else { '&' };
        write!(query, "{separator}{name}={value}").unwrap();
        query
    })
}
