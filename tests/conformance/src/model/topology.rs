//! Topics and subscribers.

use serde_json::{Value, json};

use super::{Answer, Counts, Model, No, Subscriber, Topic, refused};
use crate::operation::{self, BacklogLimit, NewSubscriber, Retention, Start};

const WINDOW_MS: i64 = 24 * 3_600_000;

#[derive(Debug)]
pub(crate) struct TopicSettings {
    pub retention: Retention,
    pub backlog: BacklogLimit,
    pub window_ms: i64,
}

impl TopicSettings {
    fn change(&mut self, options: &operation::TopicOptions) {
        self.retention = options.retention.unwrap_or(self.retention);
        self.backlog = options.backlog_limit.unwrap_or(self.backlog);
        self.window_ms = options.idempotency_window_ms.unwrap_or(self.window_ms);
    }
}

#[derive(Debug)]
pub(crate) struct SubscriberSettings {
    pub max_attempts: u32,
    pub lease_ms: i64,
    pub claim_limit: usize,
    pub retry: operation::Retry,
}

impl SubscriberSettings {
    fn change(&mut self, options: &operation::SubscriberOptions) {
        self.max_attempts = options.max_attempts.unwrap_or(self.max_attempts);
        self.lease_ms = options.lease_ms.unwrap_or(self.lease_ms);
        self.claim_limit = options.claim_limit.unwrap_or(self.claim_limit);
        self.retry = options.retry.unwrap_or(self.retry);
    }

    /// How long a delivery waits after so many failures. Histories leave nothing to chance.
    pub(crate) fn pause(&self, failures: u32) -> i64 {
        let max = self.retry.max_ms.unwrap_or(3_600_000);
        let mut pause = self.retry.initial_ms.unwrap_or(1_000);
        for _ in 1..failures {
            // The multiplier of all histories is the default.
            pause = (pause * 2).min(max);
        }
        pause.min(max)
    }
}

impl Model {
    pub(super) fn create_topic(
        &mut self,
        name: &str,
        options: &operation::TopicOptions,
        subscribers: &[NewSubscriber],
    ) -> Answer {
        if self.topics.contains_key(name) {
            return refused("topic_exists");
        }
        let mut settings = TopicSettings {
            retention: Retention::None,
            backlog: BacklogLimit::default(),
            window_ms: WINDOW_MS,
        };
        settings.change(options);
        let topic = Topic {
            options: settings,
            paused: false,
            logs: std::collections::BTreeMap::new(),
            delayed: Vec::new(),
            keys: std::collections::BTreeMap::new(),
            subscribers: std::collections::BTreeMap::new(),
        };
        self.topics.insert(name.to_owned(), topic);
        for new in subscribers {
            self.create_subscriber(name, new)?;
        }
        Ok(json!({ "name": name, "paused": false }))
    }

    pub(super) fn update_topic(&mut self, name: &str, options: &operation::TopicOptions) -> Answer {
        let topic = self.topic_mut(name)?;
        topic.options.change(options);
        Ok(json!({ "name": name, "options": { "idempotency_window_ms": topic.options.window_ms } }))
    }

    pub(super) fn pause_topic(&mut self, name: &str, paused: bool) -> Answer {
        self.topic_mut(name)?.paused = paused;
        Ok(json!({}))
    }

    pub(super) fn create_subscribers(
        &mut self,
        topic: &str,
        subscribers: &[NewSubscriber],
    ) -> Answer {
        let exists =
            |new: &NewSubscriber| Ok(self.topic(topic)?.subscribers.contains_key(&new.name));
        for new in subscribers {
            if exists(new)? {
                return refused("subscriber_exists");
            }
        }
        subscribers.iter().map(|new| self.create_subscriber(topic, new)).collect()
    }

    fn create_subscriber(&mut self, topic: &str, new: &NewSubscriber) -> Answer {
        let (number, now) = (self.number(), self.now);
        let topic = self.topic_mut(topic)?;
        let mut options = SubscriberSettings {
            max_attempts: 5,
            lease_ms: 30_000,
            claim_limit: 10,
            retry: operation::Retry::default(),
        };
        options.change(&new.options);
        let begin = |priority: i16, log: &super::Log| match new.start {
            Start::Now => log.messages.len(),
            Start::Earliest => topic.floor(priority, now),
            Start::At(at) => log.before(at).max(topic.floor(priority, now)),
        };
        let cursors =
            topic.logs.iter().map(|(priority, log)| (priority.0, begin(priority.0, log))).collect();
        let subscriber = Subscriber {
            number,
            options,
            created_at: now,
            paused: false,
            cursors,
            rows: std::collections::BTreeMap::new(),
            counts: Counts::default(),
        };
        topic.subscribers.insert(new.name.clone(), subscriber);
        Ok(json!({ "name": new.name, "paused": false }))
    }

    pub(super) fn update_subscriber(
        &mut self,
        topic: &str,
        name: &str,
        options: &operation::SubscriberOptions,
    ) -> Answer {
        let subscriber = self.subscriber_mut(topic, name)?;
        subscriber.options.change(options);
        let settings = &subscriber.options;
        Ok(json!({ "name": name, "options": {
            "max_attempts": settings.max_attempts,
            "lease_ms": settings.lease_ms,
            "claim_limit": settings.claim_limit,
        } }))
    }

    pub(super) fn delete_subscriber(&mut self, topic: &str, name: &str) -> Answer {
        self.subscriber(topic, name)?;
        self.topic_mut(topic)?.subscribers.remove(name);
        Ok(json!({}))
    }

    pub(super) fn pause_subscriber(&mut self, topic: &str, name: &str, paused: bool) -> Answer {
        self.subscriber_mut(topic, name)?.paused = paused;
        Ok(Value::Object(serde_json::Map::new()))
    }

    /// The subscriber that a receipt was given to, if it is still the same one.
    pub(super) fn holder(&mut self, receipt: &str) -> Result<Option<&mut Subscriber>, No> {
        let given = self.receipts.get(receipt).ok_or(No::Impossible)?.clone();
        let subscriber = self.subscriber_mut(&given.topic, &given.subscriber).ok();
        Ok(subscriber.filter(|subscriber| subscriber.number == given.number))
    }
}
