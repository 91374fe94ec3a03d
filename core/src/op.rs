//! The language between the handle, the engine and a store: operations in, outcomes out.
//!
//! Plain data. Whatever is in an [`Op`] was validated by the handle already.

use std::sync::Arc;

use crate::clock::Millis;
use crate::error::Result;
use crate::model::{
    DeadLetter, Delivery, DeliveryResult, DeliveryStatus, Diagnosis, Failure, Listed, MessageId,
    MessageStatus, Nacked, Peeked, Published, Receipt, Schedule, ScheduleRun, Sought, SqlRows,
    SqlValue, Subscriber, SubscriberStats, Topic, TopicStats,
};
use crate::options::{
    Backup, Message, NewSchedule, NewSubscriber, NewTopic, Purge, Redrive, Reply, ScheduleOptions,
    Seek, SubscriberChange, TopicChange,
};

/// One subscriber of one topic, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Source {
    pub topic: Arc<str>,
    pub subscriber: Arc<str>,
}

/// One schedule of one topic, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub topic: String,
    pub schedule: String,
}

/// Something that writes. A group of these is carried out in one transaction.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    CreateTopic(NewTopic),
    UpdateTopic {
        topic: String,
        change: TopicChange,
    },
    DeleteTopic {
        topic: String,
    },
    PauseTopic {
        topic: String,
        paused: bool,
    },
    CreateSubscribers {
        topic: String,
        subscribers: Vec<NewSubscriber>,
    },
    UpdateSubscriber {
        source: Source,
        change: SubscriberChange,
    },
    DeleteSubscriber {
        source: Source,
    },
    PauseSubscriber {
        source: Source,
        paused: bool,
    },
    Publish {
        topic: Arc<str>,
        messages: Vec<Message>,
    },
    Settle(Vec<Settle>),
    /// Gives back what was claimed for a caller that went away, or that has not begun with it.
    Release(Vec<Receipt>),
    CancelMessage {
        topic: String,
        id: MessageId,
    },
    CancelDelivery {
        source: Source,
        id: MessageId,
        reason: Option<String>,
    },
    Redrive {
        source: Source,
        options: Redrive,
        so_far: Option<Progress>,
    },
    PurgeDeadLetters {
        source: Source,
        options: Purge,
        so_far: Option<Progress>,
    },
    Seek {
        source: Source,
        seek: Seek,
    },
    CreateSchedule {
        topic: String,
        new: Box<NewSchedule>,
    },
    /// The settings change as a whole, if the schedule still has this version.
    UpdateSchedule {
        of: Named,
        version: u64,
        options: Box<ScheduleOptions>,
    },
    DeleteSchedule {
        of: Named,
    },
    PauseSchedule {
        of: Named,
        paused: bool,
    },
    /// Publishes the schedule's message now.
    RunSchedule {
        of: Named,
    },
    /// Bounded upkeep: trim, sweep, reclaim.
    Upkeep,
}

impl Op {
    /// The same operation, of which this much is done.
    pub(crate) fn go_on(mut self, progress: Progress) -> Self {
        if let Self::Redrive { so_far, .. } | Self::PurgeDeadLetters { so_far, .. } = &mut self {
            *so_far = Some(progress);
        }
        self
    }
}

/// How far the earlier transactions of an operation on many rows have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub done: u64,
    /// At most so many rows are yet to be looked at.
    pub left: u64,
    /// The last row that was looked at, by its place in the order in which they are.
    pub place: (i64, i64),
    /// When the first of the transactions was.
    pub since: Millis,
}

/// What the owner of an interactive transaction wants done next.
#[derive(Debug)]
pub(crate) enum TxStep {
    Op(Op),
    /// One statement of the application's.
    Sql {
        sql: String,
        values: Vec<SqlValue>,
        wanted: Wanted,
    },
    Commit,
    RollBack,
}

/// What a statement is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// How many rows it changed.
    Count,
    Rows,
}

#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub sources: Arc<[Source]>,
    pub limit: Option<usize>,
    pub lease_ms: Option<Millis>,
    /// Where its logs ended when it began, if it goes on.
    pub ends: Option<Ends>,
}

/// The last sequence number of each log.
pub(crate) type Ends = Arc<[(i64, i64)]>;

#[derive(Debug, Clone)]
pub(crate) struct Settle {
    pub receipt: Receipt,
    pub verb: Verb,
}

/// One message for one subscriber.
#[derive(Debug, Clone)]
pub(crate) struct ResultOf {
    pub source: Source,
    pub id: MessageId,
}

/// What a look at the result of a message found.
#[derive(Debug)]
pub(crate) enum Looked {
    /// There will be nothing else.
    Ended(DeliveryResult),
    /// It is in a log, under this key, and not settled.
    Open { key: i64 },
    /// It waits for its time.
    Delayed { due_at: Millis },
}

impl Looked {
    pub(crate) fn into_result(self) -> DeliveryResult {
        match self {
            Self::Ended(result) => result,
            Self::Open { .. } | Self::Delayed { .. } => DeliveryResult::Unsettled,
        }
    }
}

/// What a receipt is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    Ack,
    /// An ack with a reply.
    Reply(Reply),
    Nack {
        delay_ms: Option<Millis>,
        error: Option<String>,
        give_up: bool,
    },
    Extend {
        lease_ms: Millis,
    },
    Defer {
        delay_ms: Millis,
    },
    Cancel {
        reason: Option<String>,
    },
}

/// The outcome of one [`Op`].
#[derive(Debug)]
pub(crate) enum Outcome {
    Done,
    Topic(Topic),
    Subscribers(Vec<Subscriber>),
    Published(Vec<Published>),
    Claimed(ClaimOutcome),
    Settled(Vec<Result<Settled>>),
    Cancelled(Vec<DeliveryStatus>),
    Count(u64),
    Rows(SqlRows),
    /// There is more to do: the same operation goes on from here in another transaction.
    Partial(Progress),
    Sought(Sought),
    Schedule(Box<Schedule>),
    Run(ScheduleRun),
    Answer(Answer),
    Upkeep {
        more: bool,
    },
}

#[derive(Debug, Default)]
pub(crate) struct ClaimOutcome {
    pub deliveries: Vec<Delivery>,
    /// When the next delivery of these subscribers can be claimed, if that is known; a time in the
    /// past means that there is more.
    pub next_due: Option<Millis>,
    /// It found nothing yet, and goes on in another transaction up to these ends.
    pub go_on: Option<Ends>,
}

/// What a live receipt achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    Acked,
    Nacked(Nacked),
    Extended { expires_at: Millis },
    Deferred { ready_at: Millis },
    Cancelled,
}

/// Something that only reads.
#[derive(Debug, Clone)]
pub(crate) enum Query {
    Topic { topic: String },
    Topics { limit: usize, after: Option<String> },
    Subscriber { source: Source },
    Subscribers { topic: String, limit: usize, after: Option<String> },
    TopicStats { topic: String },
    SubscriberStats { source: Source },
    Peek { source: Source, limit: usize, after: Option<String> },
    Message { topic: String, id: MessageId },
    DeadLetters { source: Source, limit: usize, after: Option<String> },
    Failures { source: Source, id: MessageId, limit: usize, after: Option<String> },
    Schedule { of: Named },
    Schedules { topic: String, limit: usize, after: Option<String> },
    ScheduleRuns { of: Named, limit: usize, after: Option<String> },
    Results(Vec<ResultOf>),
    Backup(Backup),
    Diagnose,
    FileBytes,
}

#[derive(Debug)]
pub(crate) enum Answer {
    Topic(Topic),
    Topics(Listed<Topic>),
    Subscriber(Subscriber),
    Subscribers(Listed<Subscriber>),
    TopicStats(TopicStats),
    SubscriberStats(SubscriberStats),
    Peeked(Listed<Peeked>),
    Message(MessageStatus),
    DeadLetters(Listed<DeadLetter>),
    Failures(Listed<Failure>),
    Schedule(Box<Schedule>),
    Schedules(Listed<Schedule>),
    ScheduleRuns(Listed<ScheduleRun>),
    Results(Vec<Result<Looked>>),
    Done,
    Diagnosis(Diagnosis),
    FileBytes { file: u64, wal: u64 },
}
