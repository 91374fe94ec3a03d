//! The handle: validates, hands operations to the engine, and gives back what is to come.
//!
//! Owns the life of the engine. Holds no rule of the queue beyond the limits checked at the edge.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::clock::{duration_millis, from_millis};
use crate::engine::{Engine, Work};
use crate::error::{Error, Result};
use crate::limits;
use crate::model::{
    DeadLetter, Delivery, DeliveryStatus, Diagnosis, EngineStats, Failure, Listed, MessageId,
    MessageStatus, Nacked, Peeked, Published, Receipt, Sought, Subscriber, SubscriberStats, Topic,
    TopicStats,
};
use crate::op::{Answer, Claim, Op, Outcome, Query, Settle, Settled, Source, Verb};
use crate::options::{
    self, ClaimOptions, DeadLetters, Message, NackOptions, NewSubscriber, NewTopic, OpenOptions,
    Page, SeekTo, SubscriberChange, TopicChange, validate_subscribers,
};
use crate::pending::Pending;

/// A handle to an open queue. Clones share one engine; the last one dropped shuts it down.
///
/// Every method that touches the queue returns a [`Pending`]: `.await` it on any executor, or call
/// [`wait`](Pending::wait). Arguments are checked before anything is sent, and the errors of the
/// check come out of the same place.
#[derive(Debug, Clone)]
pub struct Queue {
    engine: Arc<Engine>,
    payload_bytes_max: usize,
}

impl Queue {
    /// Opens the queue in this file, and creates the file if there is none; `:memory:` is a queue
    /// that lives and dies with this handle.
    ///
    /// # Errors
    /// `cannot_open`, `read_only`, `not_a_database`, `corrupt`, `newer_schema`, `locked`, `disk_full`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, OpenOptions::default())
    }

    /// Opens the queue in this file with options.
    ///
    /// # Errors
    /// As [`open`](Self::open), and `invalid_argument` or `limit_exceeded` for the options.
    #[expect(clippy::needless_pass_by_value, reason = "options are built in place")]
    pub fn open_with(path: impl AsRef<Path>, options: OpenOptions) -> Result<Self> {
        options.validate()?;
        let payload_bytes_max = options.payload_bytes_limit();
        Ok(Self { engine: Arc::new(Engine::start(path.as_ref(), &options)?), payload_bytes_max })
    }

    /// Finishes what was handed over, answers waiting claims with `shutdown`, and closes the file.
    /// Later calls on any clone fail with `shutdown`; a second shutdown succeeds.
    pub fn shutdown(&self) -> Pending<()> {
        self.engine.shutdown()
    }

    // --- topics -----------------------------------------------------------------------------------

    /// Creates a topic, perhaps with subscribers, in one transaction.
    ///
    /// # Errors
    /// `topic_exists`, `invalid_argument`, `limit_exceeded`.
    pub fn create_topic(&self, topic: impl Into<NewTopic>) -> Pending<Topic> {
        let topic = topic.into();
        self.checked(topic.validate(), |()| Op::CreateTopic(topic), into_topic)
    }

    /// A topic by name.
    ///
    /// # Errors
    /// `unknown_topic`.
    pub fn topic(&self, topic: &str) -> Pending<Topic> {
        self.read(Query::Topic { topic: topic.into() }, |answer| match answer {
            Answer::Topic(topic) => Some(topic),
            _ => None,
        })
    }

    /// The topics, by name.
    ///
    /// # Errors
    /// `invalid_argument` for the page.
    pub fn topics(&self, page: Page) -> Pending<Listed<Topic>> {
        let query = page.limit().map(|limit| Query::Topics { limit, after: page.after });
        self.read_checked(query, |answer| match answer {
            Answer::Topics(topics) => Some(topics),
            _ => None,
        })
    }

    /// Changes the settings of a topic.
    ///
    /// # Errors
    /// `unknown_topic`, `invalid_argument`.
    pub fn update_topic(&self, topic: &str, change: TopicChange) -> Pending<Topic> {
        let valid = change.apply(&options::TopicOptions::default()).validate();
        let topic = topic.to_owned();
        self.checked(valid, |()| Op::UpdateTopic { topic, change }, into_topic)
    }

    /// Deletes a topic with its subscribers and messages. The name is free at once; receipts are
    /// lost; waiting claims get `unknown_topic`; the space is reclaimed in the background.
    ///
    /// # Errors
    /// `unknown_topic`.
    pub fn delete_topic(&self, topic: &str) -> Pending<()> {
        self.write(Op::DeleteTopic { topic: topic.into() }, done)
    }

    /// Stops claims on every subscriber of the topic: they wait as on an empty topic. Publishing goes on.
    ///
    /// # Errors
    /// `unknown_topic`.
    pub fn pause_topic(&self, topic: &str) -> Pending<()> {
        self.write(Op::PauseTopic { topic: topic.into(), paused: true }, done)
    }

    /// Lets claims go on.
    ///
    /// # Errors
    /// `unknown_topic`.
    pub fn resume_topic(&self, topic: &str) -> Pending<()> {
        self.write(Op::PauseTopic { topic: topic.into(), paused: false }, done)
    }

    // --- subscribers ------------------------------------------------------------------------------

    /// Creates a subscriber of a topic.
    ///
    /// # Errors
    /// `unknown_topic`, `subscriber_exists`, `invalid_argument`, `limit_exceeded`.
    pub fn create_subscriber(
        &self,
        topic: &str,
        subscriber: impl Into<NewSubscriber>,
    ) -> Pending<Subscriber> {
        self.create_subscribers_mapped(topic, vec![subscriber.into()], |outcome| match outcome {
            Outcome::Subscribers(mut subscribers) => {
                subscribers.pop().ok_or_else(|| Error::internal("no subscriber was created"))
            }
            other => Err(unexpected(&other)),
        })
    }

    /// Creates up to 1,000 subscribers of a topic: all or none.
    ///
    /// # Errors
    /// `unknown_topic`, `subscriber_exists`, `invalid_argument`, `limit_exceeded`.
    pub fn create_subscribers(
        &self,
        topic: &str,
        subscribers: Vec<NewSubscriber>,
    ) -> Pending<Vec<Subscriber>> {
        self.create_subscribers_mapped(topic, subscribers, |outcome| match outcome {
            Outcome::Subscribers(subscribers) => Ok(subscribers),
            other => Err(unexpected(&other)),
        })
    }

    fn create_subscribers_mapped<T>(
        &self,
        topic: &str,
        subscribers: Vec<NewSubscriber>,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let topic = topic.to_owned();
        let valid = validate_subscribers(&subscribers);
        self.checked(valid, |()| Op::CreateSubscribers { topic, subscribers }, map)
    }

    /// A subscriber by name.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`.
    pub fn subscriber(&self, topic: &str, subscriber: &str) -> Pending<Subscriber> {
        let source = source(topic, subscriber);
        self.read(Query::Subscriber { source }, |answer| match answer {
            Answer::Subscriber(subscriber) => Some(subscriber),
            _ => None,
        })
    }

    /// The subscribers of a topic, by name.
    ///
    /// # Errors
    /// `unknown_topic`, `invalid_argument` for the page.
    pub fn subscribers(&self, topic: &str, page: Page) -> Pending<Listed<Subscriber>> {
        let topic = topic.to_owned();
        let query =
            page.limit().map(|limit| Query::Subscribers { topic, limit, after: page.after });
        self.read_checked(query, |answer| match answer {
            Answer::Subscribers(subscribers) => Some(subscribers),
            _ => None,
        })
    }

    /// Changes the settings of a subscriber.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument`.
    pub fn update_subscriber(
        &self,
        topic: &str,
        subscriber: &str,
        change: SubscriberChange,
    ) -> Pending<Subscriber> {
        let valid = change.apply(&options::SubscriberOptions::default()).validate();
        let source = source(topic, subscriber);
        let op = |()| Op::UpdateSubscriber { source, change };
        self.checked(valid, op, |outcome| match outcome {
            Outcome::Subscribers(mut subscribers) => {
                subscribers.pop().ok_or_else(|| Error::internal("no subscriber was updated"))
            }
            other => Err(unexpected(&other)),
        })
    }

    /// Deletes a subscriber with its deliveries. The name is free at once; receipts are lost; waiting
    /// claims get `unknown_subscriber`.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`.
    pub fn delete_subscriber(&self, topic: &str, subscriber: &str) -> Pending<()> {
        self.write(Op::DeleteSubscriber { source: source(topic, subscriber) }, done)
    }

    /// Stops claims on the subscriber: they wait as on an empty topic.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`.
    pub fn pause_subscriber(&self, topic: &str, subscriber: &str) -> Pending<()> {
        self.write(Op::PauseSubscriber { source: source(topic, subscriber), paused: true }, done)
    }

    /// Lets claims go on.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`.
    pub fn resume_subscriber(&self, topic: &str, subscriber: &str) -> Pending<()> {
        self.write(Op::PauseSubscriber { source: source(topic, subscriber), paused: false }, done)
    }

    /// Moves a subscriber to another place of its topic. Its leased and retrying deliveries end and
    /// their receipts are lost; dead letters stay, and one that is delivered again comes alive.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `unknown_message`, `invalid_argument`.
    pub fn seek(&self, topic: &str, subscriber: &str, to: SeekTo) -> Pending<Sought> {
        let op = Op::Seek { source: source(topic, subscriber), to };
        self.write(op, |outcome| match outcome {
            Outcome::Sought(sought) => Ok(sought),
            other => Err(unexpected(&other)),
        })
    }

    // --- publish ----------------------------------------------------------------------------------

    /// Publishes a message. The answer comes when it is durable.
    ///
    /// # Errors
    /// `unknown_topic`, `idempotency_conflict`, `backlog_full`, `invalid_argument`, `limit_exceeded`,
    /// `outcome_unknown`, `disk_full`.
    pub fn publish(&self, topic: &str, message: impl Into<Message>) -> Pending<Published> {
        self.publish_mapped(topic, vec![message.into()], |outcome| match outcome {
            Outcome::Published(mut published) => {
                published.pop().ok_or_else(|| Error::internal("nothing was published"))
            }
            other => Err(unexpected(&other)),
        })
    }

    /// Publishes 1 to 1,000 messages, all or none, in order.
    ///
    /// # Errors
    /// As [`publish`](Self::publish); the error of a message names its index.
    pub fn publish_batch(&self, topic: &str, messages: Vec<Message>) -> Pending<Vec<Published>> {
        self.publish_mapped(topic, messages, |outcome| match outcome {
            Outcome::Published(published) => Ok(published),
            other => Err(unexpected(&other)),
        })
    }

    fn publish_mapped<T>(
        &self,
        topic: &str,
        messages: Vec<Message>,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let valid = self.validate_messages(&messages);
        let topic = Arc::from(topic);
        self.checked(valid, |()| Op::Publish { topic, messages }, map)
    }

    fn validate_messages(&self, messages: &[Message]) -> Result<()> {
        options::count("messages", messages.len(), limits::BATCH_MAX)?;
        for message in messages {
            message.validate(self.payload_bytes_max)?;
        }
        let bytes = messages.iter().map(Message::size_bytes).sum();
        if messages.len() > 1 {
            options::at_most("batch", bytes, limits::BATCH_BYTES_MAX)?;
        }
        Ok(())
    }

    // --- claim and settle -------------------------------------------------------------------------

    /// Leases deliveries of one subscriber to the caller; an empty list if there is nothing in time.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `busy`, `shutdown` while waiting.
    pub fn claim(
        &self,
        topic: &str,
        subscriber: &str,
        options: &ClaimOptions,
    ) -> Pending<Vec<Delivery>> {
        self.claim_sources(vec![source(topic, subscriber)], options)
    }

    /// Leases deliveries of the first of these (topic, subscriber) pairs that has any, up to 100 pairs.
    /// They are looked at in the order given, so an earlier pair may starve a later one.
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
    pub fn claim_any(
        &self,
        sources: &[(&str, &str)],
        options: &ClaimOptions,
    ) -> Pending<Vec<Delivery>> {
        let sources = sources.iter().map(|(topic, subscriber)| source(topic, subscriber));
        self.claim_sources(sources.collect(), options)
    }

    fn claim_sources(
        &self,
        sources: Vec<Source>,
        options: &ClaimOptions,
    ) -> Pending<Vec<Delivery>> {
        let valid = options
            .validate()
            .and_then(|()| options::count("sources", sources.len(), limits::CLAIM_SOURCES_MAX));
        if let Err(error) = valid {
            return Pending::failed(error);
        }
        let claim = Claim {
            sources: sources.into(),
            limit: options.limit,
            lease_ms: options.lease.map(duration_millis),
        };
        let work = Work::Claim { claim, wait: options.wait };
        self.engine.start_work(work, |outcome| match outcome {
            Outcome::Claimed(claimed) => Ok(claimed.deliveries),
            other => Err(unexpected(&other)),
        })
    }

    /// Settles a delivery: done.
    ///
    /// # Errors
    /// `lease_lost`.
    pub fn ack(&self, receipt: &Receipt) -> Pending<()> {
        self.settle(receipt, Verb::Ack, |settled| match settled {
            Settled::Acked => Some(()),
            _ => None,
        })
    }

    /// Settles up to 1,000 deliveries and answers for each.
    ///
    /// # Errors
    /// `invalid_argument` or `limit_exceeded` for the list; `lease_lost` per item.
    pub fn ack_batch(&self, receipts: &[Receipt]) -> Pending<Vec<Result<()>>> {
        let items = receipts.iter().map(|&receipt| Settle { receipt, verb: Verb::Ack }).collect();
        self.settle_batch(Ok(items), |settled| match settled {
            Settled::Acked => Some(()),
            _ => None,
        })
    }

    /// Reports a failure: the delivery waits for its next attempt, or becomes a dead letter.
    ///
    /// # Errors
    /// `lease_lost`, `invalid_argument`.
    pub fn nack(&self, receipt: &Receipt, options: &NackOptions) -> Pending<Nacked> {
        match nack_verb(options) {
            Ok(verb) => self.settle(receipt, verb, into_nacked),
            Err(error) => Pending::failed(error),
        }
    }

    /// Reports up to 1,000 failures and answers for each.
    ///
    /// # Errors
    /// `invalid_argument` or `limit_exceeded` for the list; `lease_lost` per item.
    pub fn nack_batch(&self, nacks: &[(Receipt, NackOptions)]) -> Pending<Vec<Result<Nacked>>> {
        let items = nacks
            .iter()
            .map(|(receipt, options)| Ok(Settle { receipt: *receipt, verb: nack_verb(options)? }))
            .collect();
        self.settle_batch(items, into_nacked)
    }

    /// Makes the lease last until this long after now; the answer is its new expiry.
    ///
    /// # Errors
    /// `lease_lost`, `invalid_argument`.
    pub fn extend(&self, receipt: &Receipt, lease: Duration) -> Pending<SystemTime> {
        match extend_verb(lease) {
            Ok(verb) => self.settle(receipt, verb, into_extended),
            Err(error) => Pending::failed(error),
        }
    }

    /// Extends up to 1,000 leases and answers for each.
    ///
    /// # Errors
    /// `invalid_argument` or `limit_exceeded` for the list; `lease_lost` per item.
    pub fn extend_batch(
        &self,
        receipts: &[Receipt],
        lease: Duration,
    ) -> Pending<Vec<Result<SystemTime>>> {
        let items = extend_verb(lease).map(|verb| {
            receipts.iter().map(|&receipt| Settle { receipt, verb: verb.clone() }).collect()
        });
        self.settle_batch(items, into_extended)
    }

    /// Puts a delivery back for this long. The attempt does not count.
    ///
    /// # Errors
    /// `lease_lost`, `invalid_argument`.
    pub fn defer(&self, receipt: &Receipt, delay: Duration) -> Pending<SystemTime> {
        match defer_verb(delay) {
            Ok(verb) => self.settle(receipt, verb, into_deferred),
            Err(error) => Pending::failed(error),
        }
    }

    /// Puts up to 1,000 deliveries back and answers for each.
    ///
    /// # Errors
    /// `invalid_argument` or `limit_exceeded` for the list; `lease_lost` per item.
    pub fn defer_batch(
        &self,
        deferrals: &[(Receipt, Duration)],
    ) -> Pending<Vec<Result<SystemTime>>> {
        let items = deferrals
            .iter()
            .map(|(receipt, delay)| Ok(Settle { receipt: *receipt, verb: defer_verb(*delay)? }))
            .collect();
        self.settle_batch(items, into_deferred)
    }

    /// Ends a leased delivery for good, as if it had been acked, and logs the reason.
    ///
    /// # Errors
    /// `lease_lost`.
    pub fn cancel(&self, receipt: &Receipt, reason: Option<&str>) -> Pending<()> {
        self.settle(receipt, cancel_verb(reason), into_cancelled)
    }

    /// Ends up to 1,000 leased deliveries for good and answers for each.
    ///
    /// # Errors
    /// `invalid_argument` or `limit_exceeded` for the list; `lease_lost` per item.
    pub fn cancel_batch(
        &self,
        receipts: &[Receipt],
        reason: Option<&str>,
    ) -> Pending<Vec<Result<()>>> {
        let items =
            receipts.iter().map(|&receipt| Settle { receipt, verb: cancel_verb(reason) }).collect();
        self.settle_batch(Ok(items), into_cancelled)
    }

    /// Ends one message for one subscriber, whatever its state, without a receipt.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `unknown_message`.
    pub fn cancel_delivery(
        &self,
        topic: &str,
        subscriber: &str,
        id: MessageId,
        reason: Option<&str>,
    ) -> Pending<()> {
        let op = Op::CancelDelivery {
            source: source(topic, subscriber),
            id,
            reason: reason.map(|reason| cut(reason.to_owned())),
        };
        self.write(op, done)
    }

    /// Ends one message for every subscriber, whatever its state, also before its time; the answer is
    /// where it stood with each.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_message`.
    pub fn cancel_message(&self, topic: &str, id: MessageId) -> Pending<Vec<DeliveryStatus>> {
        let op = Op::CancelMessage { topic: topic.into(), id };
        self.write(op, |outcome| match outcome {
            Outcome::Cancelled(deliveries) => Ok(deliveries),
            other => Err(unexpected(&other)),
        })
    }

    // --- dead letters -----------------------------------------------------------------------------

    /// The dead letters of a subscriber, oldest first.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument` for the page.
    pub fn dead_letters(
        &self,
        topic: &str,
        subscriber: &str,
        page: Page,
    ) -> Pending<Listed<DeadLetter>> {
        let source = source(topic, subscriber);
        let query =
            page.limit().map(|limit| Query::DeadLetters { source, limit, after: page.after });
        self.read_checked(query, |answer| match answer {
            Answer::DeadLetters(dead) => Some(dead),
            _ => None,
        })
    }

    /// Makes dead letters claimable again, with all their attempts; the answer is how many.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument`.
    pub fn redrive(&self, topic: &str, subscriber: &str, which: DeadLetters) -> Pending<u64> {
        let source = source(topic, subscriber);
        self.checked(which.validate(), |()| Op::Redrive { source, which, done: 0 }, into_count)
    }

    /// Deletes dead letters; the answer is how many.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument`.
    pub fn purge_dead_letters(
        &self,
        topic: &str,
        subscriber: &str,
        which: DeadLetters,
    ) -> Pending<u64> {
        let source = source(topic, subscriber);
        self.checked(
            which.validate(),
            |()| Op::PurgeDeadLetters { source, which, done: 0 },
            into_count,
        )
    }

    /// What went wrong with a delivery so far, oldest first.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `unknown_message`, `invalid_argument` for the page.
    pub fn failures(
        &self,
        topic: &str,
        subscriber: &str,
        id: MessageId,
        page: Page,
    ) -> Pending<Listed<Failure>> {
        let source = source(topic, subscriber);
        let query =
            page.limit().map(|limit| Query::Failures { source, id, limit, after: page.after });
        self.read_checked(query, |answer| match answer {
            Answer::Failures(failures) => Some(failures),
            _ => None,
        })
    }

    // --- looking ----------------------------------------------------------------------------------

    /// A topic and its subscribers in numbers.
    ///
    /// # Errors
    /// `unknown_topic`.
    pub fn topic_stats(&self, topic: &str) -> Pending<TopicStats> {
        self.read(Query::TopicStats { topic: topic.into() }, |answer| match answer {
            Answer::TopicStats(stats) => Some(stats),
            _ => None,
        })
    }

    /// A subscriber in numbers.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`.
    pub fn subscriber_stats(&self, topic: &str, subscriber: &str) -> Pending<SubscriberStats> {
        let source = source(topic, subscriber);
        self.read(Query::SubscriberStats { source }, |answer| match answer {
            Answer::SubscriberStats(stats) => Some(stats),
            _ => None,
        })
    }

    /// Deliveries in flight, then pending ones, without leasing them; a page ends at 16 MiB.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument` for the page.
    pub fn peek(&self, topic: &str, subscriber: &str, page: Page) -> Pending<Listed<Peeked>> {
        let source = source(topic, subscriber);
        let query = page.limit().map(|limit| Query::Peek { source, limit, after: page.after });
        self.read_checked(query, |answer| match answer {
            Answer::Peeked(peeked) => Some(peeked),
            _ => None,
        })
    }

    /// A message by its id, with its state for every subscriber.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_message`.
    pub fn message(&self, topic: &str, id: MessageId) -> Pending<MessageStatus> {
        self.read(Query::Message { topic: topic.into(), id }, |answer| match answer {
            Answer::Message(message) => Some(message),
            _ => None,
        })
    }

    /// What the engine of this process has done, and the size of the file.
    ///
    /// # Errors
    /// `io`.
    pub fn engine_stats(&self) -> Result<EngineStats> {
        self.engine.stats()
    }

    // --- upkeep -----------------------------------------------------------------------------------

    /// Writes a consistent copy of the queue as of now to a new file, and verifies it. Work goes on.
    ///
    /// # Errors
    /// `cannot_open` if the file exists or cannot be created, `disk_full`, `corrupt`.
    pub fn backup(&self, to: impl Into<PathBuf>) -> Pending<()> {
        self.read(Query::Backup { to: to.into() }, |answer| match answer {
            Answer::Done => Some(()),
            _ => None,
        })
    }

    /// Examines the file: integrity, counters, sizes. Reads all of it; changes nothing.
    ///
    /// # Errors
    /// `io`, `corrupt` if it cannot even be read.
    pub fn diagnose(&self) -> Pending<Diagnosis> {
        self.read(Query::Diagnose, |answer| match answer {
            Answer::Diagnosis(diagnosis) => Some(diagnosis),
            _ => None,
        })
    }

    // --- plumbing ---------------------------------------------------------------------------------

    fn write<T>(
        &self,
        op: Op,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        self.engine.start_work(Work::Op(op), map)
    }

    fn checked<T>(
        &self,
        valid: Result<()>,
        op: impl FnOnce(()) -> Op,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        match valid {
            Ok(()) => self.write(op(()), map),
            Err(error) => Pending::failed(error),
        }
    }

    fn read<T: 'static>(&self, query: Query, pick: fn(Answer) -> Option<T>) -> Pending<T> {
        self.engine.start_query(query, move |outcome| match outcome {
            Outcome::Answer(answer) => {
                pick(answer).ok_or_else(|| Error::internal("an answer to another query"))
            }
            other => Err(unexpected(&other)),
        })
    }

    fn read_checked<T: 'static>(
        &self,
        query: Result<Query>,
        pick: fn(Answer) -> Option<T>,
    ) -> Pending<T> {
        match query {
            Ok(query) => self.read(query, pick),
            Err(error) => Pending::failed(error),
        }
    }

    fn settle<T: 'static>(
        &self,
        receipt: &Receipt,
        verb: Verb,
        pick: fn(Settled) -> Option<T>,
    ) -> Pending<T> {
        let items = vec![Settle { receipt: *receipt, verb }];
        self.write(Op::Settle(items), move |outcome| {
            let mut results = settled(outcome, pick)?;
            results.pop().unwrap_or_else(|| Err(Error::internal("nothing was settled")))
        })
    }

    fn settle_batch<T: 'static>(
        &self,
        items: Result<Vec<Settle>>,
        pick: fn(Settled) -> Option<T>,
    ) -> Pending<Vec<Result<T>>> {
        let counted = items.and_then(|items| {
            options::count("receipts", items.len(), limits::SETTLE_MAX).map(|()| items)
        });
        match counted {
            Ok(items) => self.write(Op::Settle(items), move |outcome| settled(outcome, pick)),
            Err(error) => Pending::failed(error),
        }
    }
}

fn settled<T>(outcome: Outcome, pick: fn(Settled) -> Option<T>) -> Result<Vec<Result<T>>> {
    let Outcome::Settled(results) = outcome else { return Err(unexpected(&outcome)) };
    let wrong = || Error::internal("settled by another verb");
    Ok(results
        .into_iter()
        .map(|result| result.and_then(|settled| pick(settled).ok_or_else(wrong)))
        .collect())
}

fn source(topic: &str, subscriber: &str) -> Source {
    Source { topic: topic.into(), subscriber: subscriber.into() }
}

fn unexpected(outcome: &Outcome) -> Error {
    Error::internal(format!("unexpected outcome {:?}", std::mem::discriminant(outcome)))
}

fn done(outcome: Outcome) -> Result<()> {
    match outcome {
        Outcome::Done => Ok(()),
        other => Err(unexpected(&other)),
    }
}

fn into_topic(outcome: Outcome) -> Result<Topic> {
    match outcome {
        Outcome::Topic(topic) => Ok(topic),
        other => Err(unexpected(&other)),
    }
}

fn into_count(outcome: Outcome) -> Result<u64> {
    match outcome {
        Outcome::Count(count) => Ok(count),
        other => Err(unexpected(&other)),
    }
}

fn into_nacked(settled: Settled) -> Option<Nacked> {
    match settled {
        Settled::Nacked(nacked) => Some(nacked),
        _ => None,
    }
}

fn into_extended(settled: Settled) -> Option<SystemTime> {
    match settled {
        Settled::Extended { expires_at } => Some(from_millis(expires_at)),
        _ => None,
    }
}

fn into_deferred(settled: Settled) -> Option<SystemTime> {
    match settled {
        Settled::Deferred { ready_at } => Some(from_millis(ready_at)),
        _ => None,
    }
}

fn into_cancelled(settled: Settled) -> Option<()> {
    match settled {
        Settled::Cancelled => Some(()),
        _ => None,
    }
}

fn nack_verb(options: &NackOptions) -> Result<Verb> {
    options.validate()?;
    Ok(Verb::Nack {
        delay_ms: options.delay.map(duration_millis),
        error: options.error.clone().map(cut),
        give_up: options.give_up,
    })
}

fn extend_verb(lease: Duration) -> Result<Verb> {
    options::lease("lease", lease)?;
    Ok(Verb::Extend { lease_ms: duration_millis(lease) })
}

fn defer_verb(delay: Duration) -> Result<Verb> {
    options::not_longer("delay", delay, limits::DELAY_MAX)?;
    Ok(Verb::Defer { delay_ms: duration_millis(delay) })
}

fn cancel_verb(reason: Option<&str>) -> Verb {
    Verb::Cancel { reason: reason.map(|reason| cut(reason.to_owned())) }
}

/// Texts for people are cut, not refused: a failure must be reportable whatever its text.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(limits::ERROR_BYTES_MAX));
    text
}
