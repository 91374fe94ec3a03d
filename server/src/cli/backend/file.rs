//! The queue in a file, through the engine in this process.

use std::path::Path;
use std::time::Duration;

use blockqueue::{
    ClaimOptions, Error, MessageId, NackOptions, NewSchedule, NewSubscriber, NewTopic, OpenOptions,
    Page, Purge, Queue, Receipt, Redrive, Reply, ScheduleOptions, Seek, SubscriberChange,
    SubscriberOptions, TopicChange, limits,
};

use super::{Backend, Lease, Named, Source};
use crate::cli::failure::{Failure, Outcome};
use crate::cli::stop::Stop;
use crate::cli::view::{
    DeadLetter, Delivery, DeliveryStatus, FailedAttempt, Listed, MessageResult, MessageStatus,
    Peeked, Published, Schedule, ScheduleRun, Sought, Subscriber, Topic, TopicStats,
};

/// Whether a command may make the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// A file that is not there is made.
    Create,
    /// A file that is not there is an error.
    Refuse,
}

/// A queue in a file. Dropping it waits until the engine has finished.
#[derive(Debug)]
pub(crate) struct FileBackend {
    queue: Queue,
}

impl FileBackend {
    /// Opens the file.
    pub(crate) fn open(path: &Path, missing: Missing) -> Outcome<Self> {
        let options = OpenOptions::default().with_must_exist(missing == Missing::Refuse);
        Ok(Self { queue: Queue::open_with(path, options)? })
    }

    /// The engine's handle, for what only a file can do.
    pub(crate) const fn queue(&self) -> &Queue {
        &self.queue
    }
}

impl Drop for FileBackend {
    fn drop(&mut self) {
        // What was answered is durable already; an error here changes nothing for the user.
        let _ = self.queue.shutdown().wait();
    }
}

fn receipts(leases: &[Lease]) -> Outcome<Vec<Receipt>> {
    leases.iter().map(|lease| Ok(lease.receipt.parse()?)).collect()
}

fn message_id(id: &str) -> Outcome<MessageId> {
    Ok(id.parse()?)
}

/// A lease that was lost needs no care any more.
fn unless_lost<T>(results: Vec<Result<T, Error>>) -> Outcome<()> {
    for result in results {
        match result {
            Ok(_) | Err(Error::LeaseLost { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

impl Backend for FileBackend {
    fn create_topic(&self, topic: NewTopic) -> Outcome<Topic> {
        Ok(self.queue.create_topic(topic).wait()?.into())
    }

    fn topic(&self, topic: &str) -> Outcome<Topic> {
        Ok(self.queue.topic(topic).wait()?.into())
    }

    fn topics(&self, page: Page) -> Outcome<Listed<Topic>> {
        Ok(Listed::of(self.queue.topics(page).wait()?))
    }

    fn update_topic(&self, topic: &str, change: TopicChange) -> Outcome<Topic> {
        Ok(self.queue.update_topic(topic, change).wait()?.into())
    }

    fn delete_topic(&self, topic: &str) -> Outcome<()> {
        Ok(self.queue.delete_topic(topic).wait()?)
    }

    fn pause_topic(&self, topic: &str, paused: bool) -> Outcome<()> {
        let pending =
            if paused { self.queue.pause_topic(topic) } else { self.queue.resume_topic(topic) };
        Ok(pending.wait()?)
    }

    fn create_subscriber(&self, topic: &str, subscriber: NewSubscriber) -> Outcome<()> {
        self.queue.create_subscriber(topic, subscriber).wait()?;
        Ok(())
    }

    fn subscriber(&self, source: &Source) -> Outcome<Subscriber> {
        Ok(self.queue.subscriber(&source.topic, &source.subscriber).wait()?.into())
    }

    fn subscribers(&self, topic: &str, page: Page) -> Outcome<Listed<Subscriber>> {
        Ok(Listed::of(self.queue.subscribers(topic, page).wait()?))
    }

    fn update_subscriber(&self, source: &Source, change: SubscriberChange) -> Outcome<()> {
        self.queue.update_subscriber(&source.topic, &source.subscriber, change).wait()?;
        Ok(())
    }

    fn delete_subscriber(&self, source: &Source) -> Outcome<()> {
        Ok(self.queue.delete_subscriber(&source.topic, &source.subscriber).wait()?)
    }

    fn pause_subscriber(&self, source: &Source, paused: bool) -> Outcome<()> {
        let Source { topic, subscriber } = source;
        let pending = if paused {
            self.queue.pause_subscriber(topic, subscriber)
        } else {
            self.queue.resume_subscriber(topic, subscriber)
        };
        Ok(pending.wait()?)
    }

    fn seek(&self, source: &Source, seek: Seek) -> Outcome<Sought> {
        Ok(self.queue.seek(&source.topic, &source.subscriber, seek).wait()?.into())
    }

    fn batch_bytes(&self) -> usize {
        // A largest line still fits in beside the others.
        limits::BATCH_BYTES_MAX / 2
    }

    fn publish(&self, topic: &str, messages: Vec<blockqueue::Message>) -> Outcome<Vec<Published>> {
        let published = self.queue.publish_batch(topic, messages).wait()?;
        Ok(published.into_iter().map(Published::from).collect())
    }

    fn consumer_options(&self, source: &Source) -> Outcome<Option<SubscriberOptions>> {
        let Source { topic, subscriber } = source;
        Ok(Some(self.queue.subscriber(topic, subscriber).wait()?.options))
    }

    fn claim(
        &self,
        source: &Source,
        options: &ClaimOptions,
        stop: &Stop,
    ) -> Outcome<Vec<Delivery>> {
        let claim = self.queue.claim(&source.topic, &source.subscriber, options);
        // A claim that is given up half way gives back what it got.
        let Some(claimed) = stop.or_answer(claim) else { return Ok(Vec::new()) };
        Ok(claimed?.into_iter().map(Delivery::from).collect())
    }

    fn ack(&self, _source: &Source, leases: &[Lease]) -> Outcome<Vec<Outcome<()>>> {
        let acked = self.queue.ack_batch(&receipts(leases)?).wait()?;
        Ok(acked.into_iter().map(|result| result.map_err(Failure::from)).collect())
    }

    fn reply(&self, _source: &Source, lease: &Lease, reply: Reply) -> Outcome<()> {
        Ok(self.queue.ack_with_result(&lease.receipt.parse()?, reply).wait()?)
    }

    fn nack(&self, _source: &Source, lease: &Lease, options: NackOptions) -> Outcome<bool> {
        let nacked = self.queue.nack(&lease.receipt.parse()?, &options).wait()?;
        Ok(nacked.state == blockqueue::DeliveryState::DeadLettered)
    }

    fn extend(&self, _source: &Source, leases: &[Lease], duration: Duration) -> Outcome<()> {
        unless_lost(self.queue.extend_batch(&receipts(leases)?, duration).wait()?)
    }

    fn give_back(&self, _source: &Source, leases: &[Lease]) -> Outcome<()> {
        Ok(self.queue.release_batch(&receipts(leases)?).wait()?)
    }

    fn dead_letters(&self, source: &Source, page: Page) -> Outcome<Listed<DeadLetter>> {
        let dead = self.queue.dead_letters(&source.topic, &source.subscriber, page).wait()?;
        Ok(Listed::of(dead))
    }

    fn redrive(&self, source: &Source, options: Redrive) -> Outcome<u64> {
        Ok(self.queue.redrive(&source.topic, &source.subscriber, options).wait()?)
    }

    fn purge(&self, source: &Source, options: Purge) -> Outcome<u64> {
        Ok(self.queue.purge_dead_letters(&source.topic, &source.subscriber, options).wait()?)
    }

    fn create_schedule(&self, topic: &str, schedule: NewSchedule) -> Outcome<Schedule> {
        Ok(self.queue.create_schedule(topic, schedule).wait()?.into())
    }

    fn schedule(&self, of: &Named) -> Outcome<Schedule> {
        Ok(self.queue.schedule(&of.topic, &of.schedule).wait()?.into())
    }

    fn schedules(&self, topic: &str, page: Page) -> Outcome<Listed<Schedule>> {
        Ok(Listed::of(self.queue.schedules(topic, page).wait()?))
    }

    fn update_schedule(
        &self,
        of: &Named,
        version: u64,
        options: ScheduleOptions,
    ) -> Outcome<Schedule> {
        let Named { topic, schedule } = of;
        Ok(self.queue.update_schedule(topic, schedule, version, options).wait()?.into())
    }

    fn delete_schedule(&self, of: &Named) -> Outcome<()> {
        Ok(self.queue.delete_schedule(&of.topic, &of.schedule).wait()?)
    }

    fn pause_schedule(&self, of: &Named, paused: bool) -> Outcome<()> {
        let Named { topic, schedule } = of;
        let pending = if paused {
            self.queue.pause_schedule(topic, schedule)
        } else {
            self.queue.resume_schedule(topic, schedule)
        };
        Ok(pending.wait()?)
    }

    fn run_schedule(&self, of: &Named) -> Outcome<ScheduleRun> {
        Ok(self.queue.run_schedule_now(&of.topic, &of.schedule).wait()?.into())
    }

    fn schedule_runs(&self, of: &Named, page: Page) -> Outcome<Listed<ScheduleRun>> {
        Ok(Listed::of(self.queue.schedule_runs(&of.topic, &of.schedule, page).wait()?))
    }

    fn topic_stats(&self, topic: &str) -> Outcome<TopicStats> {
        Ok(self.queue.topic_stats(topic).wait()?.into())
    }

    fn peek(&self, source: &Source, page: Page) -> Outcome<Listed<Peeked>> {
        Ok(Listed::of(self.queue.peek(&source.topic, &source.subscriber, page).wait()?))
    }

    fn message(&self, topic: &str, id: &str) -> Outcome<MessageStatus> {
        Ok(self.queue.message(topic, message_id(id)?).wait()?.into())
    }

    fn result(&self, source: &Source, id: &str, wait: Duration) -> Outcome<MessageResult> {
        let Source { topic, subscriber } = source;
        Ok(self.queue.wait_result(topic, subscriber, message_id(id)?, wait).wait()?.into())
    }

    fn cancel_message(&self, topic: &str, id: &str) -> Outcome<Vec<DeliveryStatus>> {
        let stood = self.queue.cancel_message(topic, message_id(id)?).wait()?;
        Ok(stood.into_iter().map(DeliveryStatus::from).collect())
    }

    fn cancel_delivery(&self, source: &Source, id: &str, reason: Option<&str>) -> Outcome<()> {
        let Source { topic, subscriber } = source;
        Ok(self.queue.cancel_delivery(topic, subscriber, message_id(id)?, reason).wait()?)
    }

    fn failures(&self, source: &Source, id: &str, page: Page) -> Outcome<Listed<FailedAttempt>> {
        let Source { topic, subscriber } = source;
        Ok(Listed::of(self.queue.failures(topic, subscriber, message_id(id)?, page).wait()?))
    }
}
