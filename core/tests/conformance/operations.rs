//! One call of the library for each operation of the scripts, a function per family.

use blockqueue::{Error, NewSchedule, Pending, Purge, Queue, Redrive, Seek};
use blockqueue_conformance::Operation as Op;
use serde_json::{Value, json};

use crate::answers::Answer;
use crate::arguments::{self, claim_options, duration, page};

/// `None`: the operation belongs to another family.
type Told = Result<Option<Value>, Error>;

/// Carries out an operation and waits for its answer.
pub(crate) fn perform(queue: &Queue, operation: &Op) -> Result<Value, Error> {
    let families = [
        publish_and_claim,
        topics,
        subscribers,
        settle,
        settle_many,
        dead_letters,
        schedules,
        look,
    ];
    for family in families {
        if let Some(answer) = family(queue, operation)? {
            return Ok(answer);
        }
    }
    panic!("no family has {operation:?}");
}

fn told<T: Answer>(pending: Pending<T>) -> Result<Value, Error> {
    pending.wait().map(|answer| answer.to_json())
}

fn publish_and_claim(queue: &Queue, operation: &Op) -> Told {
    Ok(Some(match operation {
        Op::Publish { topic, message } => told(queue.publish(topic, arguments::message(message)))?,
        Op::PublishBatch { topic, messages } => {
            told(queue.publish_batch(topic, messages.iter().map(arguments::message).collect()))?
        }
        Op::Claim { topic, subscriber, limit, wait_ms, lease_ms } => {
            told(queue.claim(topic, subscriber, &claim_options(*limit, *wait_ms, *lease_ms)))?
        }
        Op::ClaimAny { sources, limit, wait_ms, lease_ms } => {
            let sources: Vec<_> = sources
                .iter()
                .map(|source| (source.topic.as_str(), source.subscriber.as_str()))
                .collect();
            told(queue.claim_any(&sources, &claim_options(*limit, *wait_ms, *lease_ms)))?
        }
        Op::Shutdown {} => told(queue.shutdown())?,
        _ => return Ok(None),
    }))
}

fn topics(queue: &Queue, operation: &Op) -> Told {
    Ok(Some(match operation {
        Op::CreateTopic { topic, options, subscribers } => {
            told(queue.create_topic(arguments::new_topic(topic, options, subscribers)?))?
        }
        Op::Topic { topic } => told(queue.topic(topic))?,
        Op::Topics { limit, after } => told(queue.topics(page(*limit, after.as_deref())))?,
        Op::UpdateTopic { topic, options } => {
            told(queue.update_topic(topic, arguments::topic_change(options)))?
        }
        Op::DeleteTopic { topic } => told(queue.delete_topic(topic))?,
        Op::PauseTopic { topic } => told(queue.pause_topic(topic))?,
        Op::ResumeTopic { topic } => told(queue.resume_topic(topic))?,
        Op::TopicStats { topic } => told(queue.topic_stats(topic))?,
        _ => return Ok(None),
    }))
}

fn subscribers(queue: &Queue, operation: &Op) -> Told {
    Ok(Some(match operation {
        Op::CreateSubscribers { topic, subscribers } => match subscribers.as_slice() {
            [one] => {
                json!([told(queue.create_subscriber(topic, arguments::new_subscriber(one)?))?])
            }
            many => {
                let many: Result<Vec<_>, Error> =
                    many.iter().map(arguments::new_subscriber).collect();
                told(queue.create_subscribers(topic, many?))?
            }
        },
        Op::Subscriber { topic, subscriber } => told(queue.subscriber(topic, subscriber))?,
        Op::Subscribers { topic, limit, after } => {
            told(queue.subscribers(topic, page(*limit, after.as_deref())))?
        }
        Op::UpdateSubscriber { topic, subscriber, options } => {
            let change = arguments::subscriber_change(options)?;
            told(queue.update_subscriber(topic, subscriber, change))?
        }
        Op::DeleteSubscriber { topic, subscriber } => {
            told(queue.delete_subscriber(topic, subscriber))?
        }
        Op::PauseSubscriber { topic, subscriber } => {
            told(queue.pause_subscriber(topic, subscriber))?
        }
        Op::ResumeSubscriber { topic, subscriber } => {
            told(queue.resume_subscriber(topic, subscriber))?
        }
        Op::SubscriberStats { topic, subscriber } => {
            told(queue.subscriber_stats(topic, subscriber))?
        }
        Op::Seek { topic, subscriber, to, dry_run } => {
            let seek = Seek::to(arguments::place(to)?).with_dry_run(*dry_run);
            told(queue.seek(topic, subscriber, seek))?
        }
        _ => return Ok(None),
    }))
}

fn settle(queue: &Queue, operation: &Op) -> Told {
    Ok(Some(match operation {
        Op::Ack { receipt, result: None } => told(queue.ack(&receipt.parse()?))?,
        Op::Ack { receipt, result: Some(reply) } => {
            told(queue.ack_with_result(&receipt.parse()?, arguments::reply(reply)))?
        }
        Op::Nack(nack) => told(queue.nack(&nack.receipt.parse()?, &arguments::nack(nack)))?,
        Op::Extend { receipt, lease_ms } => {
            let expiry = told(queue.extend(&receipt.parse()?, duration(*lease_ms)))?;
            named("lease_expires_at", expiry)
        }
        Op::Defer(deferral) => {
            let delay = duration(deferral.delay_ms);
            named("ready_at", told(queue.defer(&deferral.receipt.parse()?, delay))?)
        }
        Op::Cancel { receipt, reason } => told(queue.cancel(&receipt.parse()?, reason.as_deref()))?,
        Op::CancelDelivery { topic, subscriber, message_id, reason } => {
            let id = message_id.parse()?;
            told(queue.cancel_delivery(topic, subscriber, id, reason.as_deref()))?
        }
        Op::CancelMessage { topic, message_id } => {
            told(queue.cancel_message(topic, message_id.parse()?))?
        }
        _ => return Ok(None),
    }))
}

fn settle_many(queue: &Queue, operation: &Op) -> Told {
    Ok(Some(match operation {
        Op::AckBatch { receipts } => told(queue.ack_batch(&arguments::receipts(receipts)?))?,
        Op::NackBatch { items } => {
            let items: Result<Vec<_>, Error> = items
                .iter()
                .map(|item| Ok((item.receipt.parse()?, arguments::nack(item))))
                .collect();
            told(queue.nack_batch(&items?))?
        }
        Op::ExtendBatch { receipts, lease_ms } => {
            let receipts = arguments::receipts(receipts)?;
            named("lease_expires_at", told(queue.extend_batch(&receipts, duration(*lease_ms)))?)
        }
        Op::DeferBatch { items } => {
            let items: Result<Vec<_>, Error> = items
                .iter()
                .map(|item| Ok((item.receipt.parse()?, duration(item.delay_ms))))
                .collect();
            named("ready_at", told(queue.defer_batch(&items?))?)
        }
        Op::CancelBatch { receipts, reason } => {
            told(queue.cancel_batch(&arguments::receipts(receipts)?, reason.as_deref()))?
        }
        _ => return Ok(None),
    }))
}

fn dead_letters(queue: &Queue, operation: &Op) -> Told {
    Ok(Some(match operation {
        Op::DeadLetters { topic, subscriber, limit, after } => {
            told(queue.dead_letters(topic, subscriber, page(*limit, after.as_deref())))?
        }
        Op::Redrive { topic, subscriber, which, filter, to, rate, dry_run } => {
            let mut options = Redrive::from(arguments::which(which)?).with_dry_run(*dry_run);
            options.to.clone_from(to);
            options.rate = *rate;
            options.filter = arguments::filter(filter.as_ref())?;
            named("count", told(queue.redrive(topic, subscriber, options))?)
        }
        Op::PurgeDeadLetters { topic, subscriber, which, filter, dry_run } => {
            let mut options = Purge::from(arguments::which(which)?).with_dry_run(*dry_run);
            options.filter = arguments::filter(filter.as_ref())?;
            named("count", told(queue.purge_dead_letters(topic, subscriber, options))?)
        }
        Op::Failures { topic, subscriber, message_id, limit, after } => {
            let (id, page) = (message_id.parse()?, page(*limit, after.as_deref()));
            told(queue.failures(topic, subscriber, id, page))?
        }
        _ => return Ok(None),
    }))
}

fn schedules(queue: &Queue, operation: &Op) -> Told {
    Ok(Some(match operation {
        Op::CreateSchedule { topic, schedule, options } => {
            let new = NewSchedule::new(schedule, arguments::schedule_options(options));
            told(queue.create_schedule(topic, new))?
        }
        Op::Schedule { topic, schedule } => told(queue.schedule(topic, schedule))?,
        Op::Schedules { topic, limit, after } => {
            told(queue.schedules(topic, page(*limit, after.as_deref())))?
        }
        Op::UpdateSchedule { topic, schedule, version, options } => {
            let options = arguments::schedule_options(options);
            told(queue.update_schedule(topic, schedule, *version, options))?
        }
        Op::DeleteSchedule { topic, schedule } => told(queue.delete_schedule(topic, schedule))?,
        Op::PauseSchedule { topic, schedule } => told(queue.pause_schedule(topic, schedule))?,
        Op::ResumeSchedule { topic, schedule } => told(queue.resume_schedule(topic, schedule))?,
        Op::RunScheduleNow { topic, schedule } => told(queue.run_schedule_now(topic, schedule))?,
        Op::ScheduleRuns { topic, schedule, limit, after } => {
            told(queue.schedule_runs(topic, schedule, page(*limit, after.as_deref())))?
        }
        _ => return Ok(None),
    }))
}

fn look(queue: &Queue, operation: &Op) -> Told {
    Ok(Some(match operation {
        Op::Peek { topic, subscriber, limit, after } => {
            told(queue.peek(topic, subscriber, page(*limit, after.as_deref())))?
        }
        Op::Message { topic, message_id } => told(queue.message(topic, message_id.parse()?))?,
        Op::Result { topic, subscriber, message_id, wait_ms } => {
            let id = message_id.parse()?;
            told(match wait_ms {
                None => queue.result(topic, subscriber, id),
                Some(ms) => queue.wait_result(topic, subscriber, id, duration(*ms)),
            })?
        }
        _ => return Ok(None),
    }))
}

/// Gives a bare number its name, also each of a list.
fn named(name: &str, value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| named(name, item)).collect(),
        Value::Number(number) => json!({ name: number }),
        other => other,
    }
}
