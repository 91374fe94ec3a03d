//! Topics and subscribers: create, look up, change, pause, delete; and where a subscriber goes on.

use super::{Queue, done, source, unexpected};
use crate::error::{Error, Result};
use crate::model::{Listed, Sought, Subscriber, Topic};
use crate::op::{Answer, Op, Outcome, Query};
use crate::options::{
    NewSubscriber, NewTopic, Page, Seek, SubscriberChange, SubscriberOptions, TopicChange,
    TopicOptions, validate_subscribers,
};
use crate::pending::Pending;

impl Queue {
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
        let valid = change.apply(&TopicOptions::default()).validate();
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
        let valid = change.apply(&SubscriberOptions::default()).validate();
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
    /// [`Seek::with_dry_run`] only tells what it would do.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `unknown_message`, `invalid_argument`.
    pub fn seek(&self, topic: &str, subscriber: &str, seek: impl Into<Seek>) -> Pending<Sought> {
        let op = Op::Seek { source: source(topic, subscriber), seek: seek.into() };
        self.write(op, |outcome| match outcome {
            Outcome::Sought(sought) => Ok(sought),
            other => Err(unexpected(&other)),
        })
    }
}

fn into_topic(outcome: Outcome) -> Result<Topic> {
    match outcome {
        Outcome::Topic(topic) => Ok(topic),
        other => Err(unexpected(&other)),
    }
}
