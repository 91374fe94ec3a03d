//! Which topics something is about.

use crate::engine::Work;
use crate::op::{Op, Query};

/// All of them; none for what is about a database, or about receipts.
pub(super) fn topics(work: &Work) -> Vec<&str> {
    match work {
        Work::Op(op) => {
            let to =
                if let Op::Redrive { options, .. } = op { options.to.as_deref() } else { None };
            of_op(op).into_iter().chain(to).collect()
        }
        Work::Claim { claim, .. } => claim.sources.iter().map(|source| &*source.topic).collect(),
        Work::Watch { of, .. } => vec![&of.source.topic],
        Work::Query(query) => of_query(query).into_iter().collect(),
        Work::Transaction(_) => Vec::new(),
    }
}

/// The topic that an operation is about.
pub(super) fn of_op(op: &Op) -> Option<&str> {
    Some(match op {
        Op::CreateTopic(new) => &new.name,
        Op::UpdateTopic { topic, .. }
        | Op::DeleteTopic { topic }
        | Op::PauseTopic { topic, .. }
        | Op::CreateSubscribers { topic, .. }
        | Op::CancelMessage { topic, .. }
        | Op::CreateSchedule { topic, .. } => topic,
        Op::Publish { topic, .. } => topic,
        Op::UpdateSubscriber { source, .. }
        | Op::DeleteSubscriber { source }
        | Op::PauseSubscriber { source, .. }
        | Op::CancelDelivery { source, .. }
        | Op::Redrive { source, .. }
        | Op::PurgeDeadLetters { source, .. }
        | Op::Seek { source, .. } => &source.topic,
        Op::UpdateSchedule { of, .. }
        | Op::DeleteSchedule { of }
        | Op::PauseSchedule { of, .. }
        | Op::RunSchedule { of } => &of.topic,
        Op::Settle(_) | Op::Release(_) | Op::Upkeep => return None,
    })
}

/// The topic that a query is about.
pub(super) fn of_query(query: &Query) -> Option<&str> {
    Some(match query {
        Query::Topic { topic }
        | Query::Subscribers { topic, .. }
        | Query::TopicStats { topic }
        | Query::Message { topic, .. }
        | Query::Schedules { topic, .. } => topic,
        Query::Subscriber { source }
        | Query::SubscriberStats { source }
        | Query::Peek { source, .. }
        | Query::DeadLetters { source, .. }
        | Query::Failures { source, .. } => &source.topic,
        Query::Schedule { of } | Query::ScheduleRuns { of, .. } => &of.topic,
        // All are of one call, which is about one message.
        Query::Results(of) => return of.first().map(|of| &*of.source.topic),
        Query::Topics { .. } | Query::Backup(_) | Query::Diagnose | Query::FileBytes => {
            return None;
        }
    })
}
