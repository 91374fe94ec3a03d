//! Looking at the queue, and its upkeep.

use std::sync::Arc;

use super::Queue;
use crate::backup::PendingBackup;
use crate::error::Result;
use crate::look::{Diagnosis, EngineStats, MessageStatus, PeekedPage, SubscriberStats, TopicStats};
use crate::page::Page;

#[uniffi::export]
impl Queue {
    /// A topic and its subscribers in numbers.
    pub async fn topic_stats(&self, topic: String) -> Result<TopicStats> {
        Ok(self.0.topic_stats(&topic).await?.into())
    }

    /// A subscriber in numbers.
    pub async fn subscriber_stats(
        &self,
        topic: String,
        subscriber: String,
    ) -> Result<SubscriberStats> {
        Ok(self.0.subscriber_stats(&topic, &subscriber).await?.into())
    }

    /// Deliveries in flight, then pending ones, without leasing them; a page ends at 16 MiB.
    pub async fn peek(&self, topic: String, subscriber: String, page: Page) -> Result<PeekedPage> {
        Ok(self.0.peek(&topic, &subscriber, page.into_core()?).await?.try_into()?)
    }

    /// A message by its id, with its state for every subscriber.
    pub async fn message(&self, topic: String, message_id: String) -> Result<MessageStatus> {
        let status = self.0.message(&topic, message_id.parse()?).await?;
        Ok(MessageStatus::from_core(status)?)
    }

    /// What the engine of this process has done, and the size of the file. Blocks for a moment.
    pub fn engine_stats(&self) -> Result<EngineStats> {
        Ok(self.0.engine_stats()?.into())
    }

    /// Begins to write a consistent, verified copy of the queue as of now to a new file. Work goes on.
    pub fn backup(&self, to: String) -> Result<Arc<PendingBackup>> {
        Ok(Arc::new(PendingBackup::start(&self.0, to)))
    }

    /// Examines the file: integrity, counters, sizes. Reads all of it; changes nothing.
    pub async fn diagnose(&self) -> Result<Diagnosis> {
        Ok(self.0.diagnose().await?.into())
    }
}
