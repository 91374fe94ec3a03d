//! Topics and subscribers.

use blockqueue::{NewTopic, Seek, TopicOptions};

use super::Queue;
use crate::error::Result;
use crate::page::Page;
use crate::subscriber::{
    NewSubscriber, SeekTo, Sought, Subscriber, SubscriberPage, SubscriberSettings,
};
use crate::topic::{Topic, TopicPage, TopicSettings};

#[uniffi::export]
impl Queue {
    /// Creates a topic, perhaps with subscribers, in one transaction.
    pub async fn create_topic(
        &self,
        topic: String,
        settings: TopicSettings,
        subscribers: Vec<NewSubscriber>,
    ) -> Result<Topic> {
        let options = settings.into_core()?.apply(&TopicOptions::default());
        let mut new = NewTopic::new(topic).with_options(options);
        new.subscribers = NewSubscriber::all_into_core(subscribers)?;
        Ok(Topic::from_core(self.0.create_topic(new).await?)?)
    }

    /// A topic by name.
    pub async fn topic(&self, topic: String) -> Result<Topic> {
        Ok(Topic::from_core(self.0.topic(&topic).await?)?)
    }

    /// The topics, by name.
    pub async fn topics(&self, page: Page) -> Result<TopicPage> {
        Ok(self.0.topics(page.into_core()?).await?.try_into()?)
    }

    /// Changes the settings of a topic.
    pub async fn update_topic(&self, topic: String, settings: TopicSettings) -> Result<Topic> {
        Ok(Topic::from_core(self.0.update_topic(&topic, settings.into_core()?).await?)?)
    }

    /// Deletes a topic with its subscribers and messages. The name is free at once; receipts are lost.
    pub async fn delete_topic(&self, topic: String) -> Result<()> {
        Ok(self.0.delete_topic(&topic).await?)
    }

    /// Stops claims on every subscriber of the topic: they wait as on an empty topic. Publishing goes on.
    pub async fn pause_topic(&self, topic: String) -> Result<()> {
        Ok(self.0.pause_topic(&topic).await?)
    }

    /// Lets claims go on.
    pub async fn resume_topic(&self, topic: String) -> Result<()> {
        Ok(self.0.resume_topic(&topic).await?)
    }

    /// Creates up to 1,000 subscribers of a topic: all or none.
    pub async fn create_subscribers(
        &self,
        topic: String,
        subscribers: Vec<NewSubscriber>,
    ) -> Result<Vec<Subscriber>> {
        let new = NewSubscriber::all_into_core(subscribers)?;
        let created = self.0.create_subscribers(&topic, new).await?;
        let created: blockqueue::Result<_> =
            created.into_iter().map(Subscriber::from_core).collect();
        Ok(created?)
    }

    /// A subscriber by name.
    pub async fn subscriber(&self, topic: String, subscriber: String) -> Result<Subscriber> {
        Ok(Subscriber::from_core(self.0.subscriber(&topic, &subscriber).await?)?)
    }

    /// The subscribers of a topic, by name.
    pub async fn subscribers(&self, topic: String, page: Page) -> Result<SubscriberPage> {
        Ok(self.0.subscribers(&topic, page.into_core()?).await?.try_into()?)
    }

    /// Changes the settings of a subscriber.
    pub async fn update_subscriber(
        &self,
        topic: String,
        subscriber: String,
        settings: SubscriberSettings,
    ) -> Result<Subscriber> {
        let change = settings.into_core()?;
        let updated = self.0.update_subscriber(&topic, &subscriber, change).await?;
        Ok(Subscriber::from_core(updated)?)
    }

    /// Deletes a subscriber with its deliveries. The name is free at once; receipts are lost.
    pub async fn delete_subscriber(&self, topic: String, subscriber: String) -> Result<()> {
        Ok(self.0.delete_subscriber(&topic, &subscriber).await?)
    }

    /// Stops claims on the subscriber: they wait as on an empty topic.
    pub async fn pause_subscriber(&self, topic: String, subscriber: String) -> Result<()> {
        Ok(self.0.pause_subscriber(&topic, &subscriber).await?)
    }

    /// Lets claims go on.
    pub async fn resume_subscriber(&self, topic: String, subscriber: String) -> Result<()> {
        Ok(self.0.resume_subscriber(&topic, &subscriber).await?)
    }

    /// Moves a subscriber to another place of its topic, or only tells what that would do. Its leased and
    /// retrying deliveries end and their receipts are lost.
    pub async fn seek(
        &self,
        topic: String,
        subscriber: String,
        to: SeekTo,
        dry_run: bool,
    ) -> Result<Sought> {
        let seek = Seek::to(to.into_core()?).with_dry_run(dry_run);
        Ok(self.0.seek(&topic, &subscriber, seek).await?.into())
    }
}
