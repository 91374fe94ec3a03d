//! Where the queue is: a file, or a server. Commands are written once over this.

mod file;
mod url;

use std::time::Duration;

use blockqueue::{
    ClaimOptions, NackOptions, NewSchedule, NewSubscriber, NewTopic, Page, Purge, Redrive, Reply,
    ScheduleOptions, Seek, SubscriberChange, SubscriberOptions, TopicChange,
};

pub(crate) use file::{FileBackend, Missing};
pub(crate) use url::{Token, UrlBackend};

use super::failure::Outcome;
use super::stop::Stop;
use super::view::{
    DeadLetter, Delivery, DeliveryStatus, FailedAttempt, Listed, MessageResult, MessageStatus,
    Peeked, Published, Schedule, ScheduleRun, Sought, Subscriber, Topic, TopicStats,
};

/// One subscriber of one topic, by name.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct Source {
    /// The topic
    pub(crate) topic: String,
    /// The subscriber
    pub(crate) subscriber: String,
}

/// One schedule of one topic, by name.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct Named {
    /// The topic
    pub(crate) topic: String,
    /// The schedule
    pub(crate) schedule: String,
}

/// The right to settle one delivery, and the message it is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    /// The message's id.
    pub(crate) id: String,
    /// The receipt.
    pub(crate) receipt: String,
}

impl From<&Delivery> for Lease {
    fn from(delivery: &Delivery) -> Self {
        Self { id: delivery.id.clone(), receipt: delivery.receipt.clone() }
    }
}

/// A queue, wherever it is. Every call blocks until its answer is there.
pub(crate) trait Backend: Send + Sync {
    /// Creates a topic.
    fn create_topic(&self, topic: NewTopic) -> Outcome<Topic>;
    /// A topic by name.
    fn topic(&self, topic: &str) -> Outcome<Topic>;
    /// The topics, by name.
    fn topics(&self, page: Page) -> Outcome<Listed<Topic>>;
    /// Changes the settings of a topic.
    fn update_topic(&self, topic: &str, change: TopicChange) -> Outcome<Topic>;
    /// Deletes a topic with its subscribers and messages.
    fn delete_topic(&self, topic: &str) -> Outcome<()>;
    /// Stops claims on the topic, or lets them go on.
    fn pause_topic(&self, topic: &str, paused: bool) -> Outcome<()>;

    /// Creates a subscriber.
    fn create_subscriber(&self, topic: &str, subscriber: NewSubscriber) -> Outcome<()>;
    /// A subscriber by name.
    fn subscriber(&self, source: &Source) -> Outcome<Subscriber>;
    /// The subscribers of a topic, by name.
    fn subscribers(&self, topic: &str, page: Page) -> Outcome<Listed<Subscriber>>;
    /// Changes the settings of a subscriber.
    fn update_subscriber(&self, source: &Source, change: SubscriberChange) -> Outcome<()>;
    /// Deletes a subscriber with its deliveries.
    fn delete_subscriber(&self, source: &Source) -> Outcome<()>;
    /// Stops claims on the subscriber, or lets them go on.
    fn pause_subscriber(&self, source: &Source, paused: bool) -> Outcome<()>;
    /// Moves a subscriber, or tells what that would do.
    fn seek(&self, source: &Source, seek: Seek) -> Outcome<Sought>;

    /// Bytes of payload that a batch to publish should not exceed.
    fn batch_bytes(&self) -> usize;
    /// Publishes messages, all or none.
    fn publish(&self, topic: &str, messages: Vec<blockqueue::Message>) -> Outcome<Vec<Published>>;

    /// The subscriber's settings, where somebody who may only consume can ask for them.
    fn consumer_options(&self, source: &Source) -> Outcome<Option<SubscriberOptions>>;
    /// Leases deliveries; an empty list if there is nothing in time, or the process is to stop.
    fn claim(&self, source: &Source, options: &ClaimOptions, stop: &Stop)
    -> Outcome<Vec<Delivery>>;
    /// Settles deliveries as done and answers for each.
    fn ack(&self, source: &Source, leases: &[Lease]) -> Outcome<Vec<Outcome<()>>>;
    /// Settles a delivery as done, with a reply.
    fn reply(&self, source: &Source, lease: &Lease, reply: Reply) -> Outcome<()>;
    /// Reports a failure; the answer is whether the delivery is a dead letter now.
    fn nack(&self, source: &Source, lease: &Lease, options: NackOptions) -> Outcome<bool>;
    /// Makes leases last until this long after now. Those that are lost are passed over.
    fn extend(&self, source: &Source, leases: &[Lease], duration: Duration) -> Outcome<()>;
    /// Gives deliveries back, so that others can claim them at once. Those that are lost are passed over.
    fn give_back(&self, source: &Source, leases: &[Lease]) -> Outcome<()>;

    /// The dead letters of a subscriber, oldest first.
    fn dead_letters(&self, source: &Source, page: Page) -> Outcome<Listed<DeadLetter>>;
    /// Makes dead letters claimable again, or publishes them elsewhere; the answer is how many.
    fn redrive(&self, source: &Source, options: Redrive) -> Outcome<u64>;
    /// Deletes dead letters; the answer is how many.
    fn purge(&self, source: &Source, options: Purge) -> Outcome<u64>;

    /// Creates a schedule.
    fn create_schedule(&self, topic: &str, schedule: NewSchedule) -> Outcome<Schedule>;
    /// A schedule by name.
    fn schedule(&self, of: &Named) -> Outcome<Schedule>;
    /// The schedules of a topic, by name.
    fn schedules(&self, topic: &str, page: Page) -> Outcome<Listed<Schedule>>;
    /// Replaces the settings of a schedule, if it still has this version.
    fn update_schedule(
        &self,
        of: &Named,
        version: u64,
        options: ScheduleOptions,
    ) -> Outcome<Schedule>;
    /// Deletes a schedule with its history.
    fn delete_schedule(&self, of: &Named) -> Outcome<()>;
    /// Stops a schedule, or lets it go on.
    fn pause_schedule(&self, of: &Named, paused: bool) -> Outcome<()>;
    /// Publishes the message of a schedule now.
    fn run_schedule(&self, of: &Named) -> Outcome<ScheduleRun>;
    /// What became of the occurrences of a schedule, newest first.
    fn schedule_runs(&self, of: &Named, page: Page) -> Outcome<Listed<ScheduleRun>>;

    /// A topic in numbers, with its subscribers.
    fn topic_stats(&self, topic: &str) -> Outcome<TopicStats>;
    /// Deliveries in flight, then pending ones, without leasing them.
    fn peek(&self, source: &Source, page: Page) -> Outcome<Listed<Peeked>>;
    /// A message with its state for every subscriber.
    fn message(&self, topic: &str, id: &str) -> Outcome<MessageStatus>;
    /// What came of a message for one subscriber; waits while it is not settled.
    fn result(&self, source: &Source, id: &str, wait: Duration) -> Outcome<MessageResult>;
    /// Ends a message for every subscriber; the answer is where it stood.
    fn cancel_message(&self, topic: &str, id: &str) -> Outcome<Vec<DeliveryStatus>>;
    /// Ends a message for one subscriber.
    fn cancel_delivery(&self, source: &Source, id: &str, reason: Option<&str>) -> Outcome<()>;
    /// What went wrong with a delivery so far.
    fn failures(&self, source: &Source, id: &str, page: Page) -> Outcome<Listed<FailedAttempt>>;
}
