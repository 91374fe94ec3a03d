//! Topics and subscribers.

use serde_json::{Value, json};

use super::{Answer, Counts, Logs, Model, No, Subscriber, Topic, refused};
use crate::operation::{
    self, BacklogLimit, NewSubscriber, OnDead, OnExpiry, OrNone, Rate, Retention, Start,
};

const WINDOW_MS: i64 = 24 * 3_600_000;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TopicSettings {
    pub retention: Retention,
    pub backlog: BacklogLimit,
    pub window_ms: i64,
    pub ttl_ms: Option<i64>,
}

impl TopicSettings {
    fn change(&mut self, options: &operation::TopicOptions) {
        self.retention = options.retention.unwrap_or(self.retention);
        self.backlog = options.backlog_limit.unwrap_or(self.backlog);
        self.window_ms = options.idempotency_window_ms.unwrap_or(self.window_ms);
        self.ttl_ms = options.ttl_ms.map_or(self.ttl_ms, OrNone::into_option);
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SubscriberSettings {
    pub max_attempts: u32,
    pub lease_ms: i64,
    pub claim_limit: usize,
    pub retry: operation::Retry,
    pub ordered: bool,
    pub on_dead: OnDead,
    pub filter: Option<Value>,
    pub on_expiry: OnExpiry,
    pub leased_max: Option<u32>,
    pub rate: Option<Rate>,
    pub leased_per_key_max: Option<u32>,
}

impl SubscriberSettings {
    fn change(&mut self, options: &operation::SubscriberOptions) {
        self.max_attempts = options.max_attempts.unwrap_or(self.max_attempts);
        self.lease_ms = options.lease_ms.unwrap_or(self.lease_ms);
        self.claim_limit = options.claim_limit.unwrap_or(self.claim_limit);
        self.retry = options.retry.unwrap_or(self.retry);
        self.ordered = options.ordered.unwrap_or(self.ordered);
        self.on_dead = options.on_dead.unwrap_or(self.on_dead);
        if let Some(filter) = &options.filter {
            self.filter = Some(filter.clone()).filter(|filter| !filter.is_string());
        }
        self.on_expiry = options.on_expiry.unwrap_or(self.on_expiry);
        self.leased_max = options.leased_max.map_or(self.leased_max, OrNone::into_option);
        self.rate = options.rate.map_or(self.rate, OrNone::into_option);
        self.leased_per_key_max =
            options.leased_per_key_max.map_or(self.leased_per_key_max, OrNone::into_option);
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
            ttl_ms: None,
        };
        settings.change(options);
        let topic = Topic {
            options: settings,
            paused: false,
            logs: std::collections::BTreeMap::new(),
            delayed: Vec::new(),
            keys: std::collections::BTreeMap::new(),
            unique: std::collections::BTreeMap::new(),
            subscribers: std::collections::BTreeMap::new(),
            schedules: std::collections::BTreeMap::new(),
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
            ordered: false,
            on_dead: OnDead::Skip,
            filter: None,
            on_expiry: OnExpiry::Skip,
            leased_max: None,
            rate: None,
            leased_per_key_max: None,
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
            failures: std::collections::BTreeMap::new(),
            counts: Counts::default(),
            leases: 0,
            sifts: false,
            full_at_us: 0,
            blurred: false,
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
        let old = subscriber.rule();
        subscriber.options.change(options);
        let was_keyed = old.is_some() || subscriber.sifts;
        subscriber.sifts |= was_keyed && old != subscriber.rule();
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

    pub(super) fn subscriber_and_logs(
        &mut self,
        topic: &str,
        name: &str,
    ) -> Result<(&mut Subscriber, &Logs), No> {
        let topic = self.topic_mut(topic)?;
        let subscriber = topic.subscribers.get_mut(name).ok_or(super::UNKNOWN_SUBSCRIBER)?;
        Ok((subscriber, &topic.logs))
    }

    /// The subscriber that a receipt was given to, if it is still the same one.
    pub(super) fn holder(&mut self, receipt: &str) -> Result<Option<(&mut Subscriber, &Logs)>, No> {
        let given = self.receipts.get(receipt).ok_or(No::Impossible)?.clone();
        let found = self.subscriber_and_logs(&given.topic, &given.subscriber).ok();
        Ok(found.filter(|(subscriber, _)| subscriber.number == given.number))
    }
}
