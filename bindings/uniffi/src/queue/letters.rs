//! Dead letters.

use super::Queue;
use crate::error::Result;
use crate::letters::{DeadLetterPage, FailurePage, Purge, Redrive};
use crate::number::signed;
use crate::page::Page;

#[uniffi::export]
impl Queue {
    /// The dead letters of a subscriber, oldest first.
    pub async fn dead_letters(
        &self,
        topic: String,
        subscriber: String,
        page: Page,
    ) -> Result<DeadLetterPage> {
        let dead = self.0.dead_letters(&topic, &subscriber, page.into_core()?).await?;
        Ok(dead.try_into()?)
    }

    /// Makes dead letters claimable again, with all their attempts, or publishes them to another topic; the
    /// answer is how many.
    pub async fn redrive(
        &self,
        topic: String,
        subscriber: String,
        options: Redrive,
    ) -> Result<i64> {
        Ok(signed(self.0.redrive(&topic, &subscriber, options.into_core()?).await?))
    }

    /// Deletes dead letters, or only counts them; the answer is how many.
    pub async fn purge_dead_letters(
        &self,
        topic: String,
        subscriber: String,
        options: Purge,
    ) -> Result<i64> {
        Ok(signed(self.0.purge_dead_letters(&topic, &subscriber, options.into_core()?).await?))
    }

    /// What went wrong with a delivery so far, oldest first.
    pub async fn failures(
        &self,
        topic: String,
        subscriber: String,
        message_id: String,
        page: Page,
    ) -> Result<FailurePage> {
        let (id, page) = (message_id.parse()?, page.into_core()?);
        Ok(self.0.failures(&topic, &subscriber, id, page).await?.try_into()?)
    }
}
