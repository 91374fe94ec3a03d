//! Topics and subscribers; and where a subscriber goes on.

use blockqueue::{NewTopic, Seek, TopicChange, TopicOptions};
use pyo3::prelude::*;

use super::Queue;
use crate::arguments::{
    Backlog, Fields, NewSubscriberArgument, OrNone, RetentionArgument, Seconds, SeekArgument,
    SubscriberFields, page,
};
use crate::pending::Pending;

#[pymethods]
impl Queue {
    fn create_topic(
        &self,
        topic: &str,
        subscribers: Vec<NewSubscriberArgument>,
        retention: Option<Fields<RetentionArgument>>,
        backlog_limit: Option<Fields<Backlog>>,
        idempotency_window: Option<Seconds>,
        ttl: Option<OrNone<Seconds>>,
    ) -> Pending {
        let change = topic_change(retention, backlog_limit, idempotency_window, ttl);
        let mut options = TopicOptions::default();
        options.retention = change.retention.unwrap_or(options.retention);
        options.backlog_limit = change.backlog_limit.unwrap_or(options.backlog_limit);
        options.idempotency_window =
            change.idempotency_window.unwrap_or(options.idempotency_window);
        options.ttl = change.ttl.unwrap_or(options.ttl);
        let mut new = NewTopic::new(topic).with_options(options);
        new.subscribers = subscribers.into_iter().map(|subscriber| subscriber.0).collect();
        Pending::new(self.0.create_topic(new))
    }

    fn topic(&self, topic: &str) -> Pending {
        Pending::new(self.0.topic(topic))
    }

    fn topics(&self, limit: Option<usize>, after: Option<String>) -> Pending {
        Pending::new(self.0.topics(page(limit, after)))
    }

    fn update_topic(
        &self,
        topic: &str,
        retention: Option<Fields<RetentionArgument>>,
        backlog_limit: Option<Fields<Backlog>>,
        idempotency_window: Option<Seconds>,
        ttl: Option<OrNone<Seconds>>,
    ) -> Pending {
        let change = topic_change(retention, backlog_limit, idempotency_window, ttl);
        Pending::new(self.0.update_topic(topic, change))
    }

    fn delete_topic(&self, topic: &str) -> Pending {
        Pending::new(self.0.delete_topic(topic))
    }

    fn pause_topic(&self, topic: &str) -> Pending {
        Pending::new(self.0.pause_topic(topic))
    }

    fn resume_topic(&self, topic: &str) -> Pending {
        Pending::new(self.0.resume_topic(topic))
    }

    fn create_subscriber(&self, topic: &str, subscriber: NewSubscriberArgument) -> Pending {
        Pending::new(self.0.create_subscriber(topic, subscriber.0))
    }

    fn create_subscribers(&self, topic: &str, subscribers: Vec<NewSubscriberArgument>) -> Pending {
        let subscribers = subscribers.into_iter().map(|subscriber| subscriber.0).collect();
        Pending::new(self.0.create_subscribers(topic, subscribers))
    }

    fn subscriber(&self, topic: &str, subscriber: &str) -> Pending {
        Pending::new(self.0.subscriber(topic, subscriber))
    }

    fn subscribers(&self, topic: &str, limit: Option<usize>, after: Option<String>) -> Pending {
        Pending::new(self.0.subscribers(topic, page(limit, after)))
    }

    fn update_subscriber(
        &self,
        topic: &str,
        subscriber: &str,
        change: Fields<SubscriberFields>,
    ) -> Pending {
        Pending::new(self.0.update_subscriber(topic, subscriber, change.0.into_change()))
    }

    fn delete_subscriber(&self, topic: &str, subscriber: &str) -> Pending {
        Pending::new(self.0.delete_subscriber(topic, subscriber))
    }

    fn pause_subscriber(&self, topic: &str, subscriber: &str) -> Pending {
        Pending::new(self.0.pause_subscriber(topic, subscriber))
    }

    fn resume_subscriber(&self, topic: &str, subscriber: &str) -> Pending {
        Pending::new(self.0.resume_subscriber(topic, subscriber))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn seek(&self, topic: &str, subscriber: &str, to: SeekArgument, dry_run: bool) -> Pending {
        Pending::new(self.0.seek(topic, subscriber, Seek::to(to.0).with_dry_run(dry_run)))
    }
}

fn topic_change(
    retention: Option<Fields<RetentionArgument>>,
    backlog_limit: Option<Fields<Backlog>>,
    idempotency_window: Option<Seconds>,
    ttl: Option<OrNone<Seconds>>,
) -> TopicChange {
    let mut change = TopicChange::default();
    change.retention = retention.map(|retention| retention.0.into_core());
    change.backlog_limit = backlog_limit.map(|limit| limit.0.into_core());
    change.idempotency_window = idempotency_window.map(|window| window.0);
    change.ttl = ttl.map(|ttl| ttl.0.map(|ttl| ttl.0));
    change
}
