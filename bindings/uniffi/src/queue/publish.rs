//! Publish.

use super::Queue;
use crate::error::Result;
use crate::message::{Message, Published};

#[uniffi::export]
impl Queue {
    /// Publishes a message. It is durable when this returns.
    pub async fn publish(&self, topic: String, message: Message) -> Result<Published> {
        Ok(self.0.publish(&topic, message.into_core()?).await?.into())
    }

    /// Publishes 1 to 1,000 messages, all or none, in order. The error of one names its index.
    pub async fn publish_batch(
        &self,
        topic: String,
        messages: Vec<Message>,
    ) -> Result<Vec<Published>> {
        let messages: blockqueue::Result<_> =
            messages.into_iter().map(Message::into_core).collect();
        let published = self.0.publish_batch(&topic, messages?).await?;
        Ok(published.into_iter().map(Into::into).collect())
    }
}
