//! Claim and settle.

use std::sync::Arc;

use super::Queue;
use crate::claim::{ClaimOptions, PendingClaim, Source};
use crate::delivery::{NackOptions, NackOutcome, Nacked, TimeOutcome, problem, receipts};
use crate::error::{Problem, Result};
use crate::look::DeliveryStatus;
use crate::number::{duration, millis};
use crate::result::{DeliveryResult, PendingResult, Reply};

/// A nack of a batch.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Nack {
    /// Of what.
    pub receipt: String,
    /// How.
    pub options: NackOptions,
}

/// A deferral of a batch.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Deferral {
    /// Of what.
    pub receipt: String,
    /// For how long.
    pub delay_ms: i64,
}

#[uniffi::export]
impl Queue {
    /// Begins to lease deliveries of one subscriber to the caller.
    pub fn claim(
        &self,
        topic: String,
        subscriber: String,
        options: ClaimOptions,
    ) -> Result<Arc<PendingClaim>> {
        let pending = self.0.claim(&topic, &subscriber, &options.into_core()?);
        Ok(Arc::new(PendingClaim::new(pending)))
    }

    /// Begins to lease deliveries of the first of these subscribers that has any, up to 100 of them. They are
    /// looked at in the order given, so an earlier one may starve a later one.
    pub fn claim_any(
        &self,
        sources: Vec<Source>,
        options: ClaimOptions,
    ) -> Result<Arc<PendingClaim>> {
        let sources: Vec<_> = sources
            .iter()
            .map(|source| (source.topic.as_str(), source.subscriber.as_str()))
            .collect();
        let pending = self.0.claim_any(&sources, &options.into_core()?);
        Ok(Arc::new(PendingClaim::new(pending)))
    }

    /// Settles a delivery: done.
    pub async fn ack(&self, receipt: String) -> Result<()> {
        Ok(self.0.ack(&receipt.parse()?).await?)
    }

    /// Settles a delivery, done, and stores a reply for whoever waits for the message's result.
    pub async fn ack_with_result(&self, receipt: String, reply: Reply) -> Result<()> {
        Ok(self.0.ack_with_result(&receipt.parse()?, reply.into_core()?).await?)
    }

    /// Settles up to 1,000 deliveries; for each nothing, or why it could not be.
    pub async fn ack_batch(&self, receipts_given: Vec<String>) -> Result<Vec<Option<Problem>>> {
        let acked = self.0.ack_batch(&receipts(&receipts_given)?).await?;
        Ok(acked.into_iter().map(problem).collect())
    }

    /// Reports a failure: the delivery waits for its next attempt, or becomes a dead letter.
    pub async fn nack(&self, receipt: String, options: NackOptions) -> Result<Nacked> {
        let nacked = self.0.nack(&receipt.parse()?, &options.into_core()?).await?;
        Ok(Nacked::from_core(nacked)?)
    }

    /// Reports up to 1,000 failures; for each what it led to, or why it could not be.
    pub async fn nack_batch(&self, nacks: Vec<Nack>) -> Result<Vec<NackOutcome>> {
        let nacks: blockqueue::Result<Vec<_>> = nacks
            .into_iter()
            .map(|nack| Ok((nack.receipt.parse()?, nack.options.into_core()?)))
            .collect();
        let nacked = self.0.nack_batch(&nacks?).await?;
        Ok(nacked.into_iter().map(Into::into).collect())
    }

    /// Makes the lease last until this long after now; the answer is its new expiry.
    pub async fn extend(&self, receipt: String, lease_ms: i64) -> Result<i64> {
        let extended = self.0.extend(&receipt.parse()?, duration("lease", lease_ms)?);
        Ok(millis(extended.await?))
    }

    /// Extends up to 1,000 leases; for each its new expiry, or why it could not be.
    pub async fn extend_batch(
        &self,
        receipts_given: Vec<String>,
        lease_ms: i64,
    ) -> Result<Vec<TimeOutcome>> {
        let lease = duration("lease", lease_ms)?;
        let extended = self.0.extend_batch(&receipts(&receipts_given)?, lease).await?;
        Ok(extended.into_iter().map(Into::into).collect())
    }

    /// Puts a delivery back for this long; the answer is when it is ready. The attempt does not count.
    pub async fn defer(&self, receipt: String, delay_ms: i64) -> Result<i64> {
        let deferred = self.0.defer(&receipt.parse()?, duration("delay", delay_ms)?);
        Ok(millis(deferred.await?))
    }

    /// Puts up to 1,000 deliveries back; for each when it is ready, or why it could not be.
    pub async fn defer_batch(&self, deferrals: Vec<Deferral>) -> Result<Vec<TimeOutcome>> {
        let deferrals: blockqueue::Result<Vec<_>> = deferrals
            .iter()
            .map(|each| Ok((each.receipt.parse()?, duration("delay", each.delay_ms)?)))
            .collect();
        let deferred = self.0.defer_batch(&deferrals?).await?;
        Ok(deferred.into_iter().map(Into::into).collect())
    }

    /// Ends a leased delivery for good, as if it had been acked, and keeps the reason with its failures.
    pub async fn cancel(&self, receipt: String, reason: Option<String>) -> Result<()> {
        Ok(self.0.cancel(&receipt.parse()?, reason.as_deref()).await?)
    }

    /// Ends up to 1,000 leased deliveries for good; for each nothing, or why it could not be.
    pub async fn cancel_batch(
        &self,
        receipts_given: Vec<String>,
        reason: Option<String>,
    ) -> Result<Vec<Option<Problem>>> {
        let receipts = receipts(&receipts_given)?;
        let cancelled = self.0.cancel_batch(&receipts, reason.as_deref()).await?;
        Ok(cancelled.into_iter().map(problem).collect())
    }

    /// Ends one message for one subscriber, whatever its state, without a receipt.
    pub async fn cancel_delivery(
        &self,
        topic: String,
        subscriber: String,
        message_id: String,
        reason: Option<String>,
    ) -> Result<()> {
        let id = message_id.parse()?;
        Ok(self.0.cancel_delivery(&topic, &subscriber, id, reason.as_deref()).await?)
    }

    /// Ends one message for every subscriber, whatever its state, also before its time; the answer is where
    /// it stood with each.
    pub async fn cancel_message(
        &self,
        topic: String,
        message_id: String,
    ) -> Result<Vec<DeliveryStatus>> {
        let stood = self.0.cancel_message(&topic, message_id.parse()?).await?;
        let stood: blockqueue::Result<_> =
            stood.into_iter().map(DeliveryStatus::from_core).collect();
        Ok(stood?)
    }

    /// What came of a message for one subscriber so far.
    pub async fn result(
        &self,
        topic: String,
        subscriber: String,
        message_id: String,
    ) -> Result<DeliveryResult> {
        let result = self.0.result(&topic, &subscriber, message_id.parse()?).await?;
        Ok(DeliveryResult::from_core(result)?)
    }

    /// Begins to wait until a message is settled for one subscriber, or a dead letter; at most 1 h.
    pub fn wait_result(
        &self,
        topic: String,
        subscriber: String,
        message_id: String,
        wait_ms: i64,
    ) -> Result<Arc<PendingResult>> {
        let wait = duration("wait", wait_ms)?;
        let pending = self.0.wait_result(&topic, &subscriber, message_id.parse()?, wait);
        Ok(Arc::new(PendingResult::new(pending)))
    }
}
