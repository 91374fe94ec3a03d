//! Claim and settle.

use blockqueue::{ClaimOptions, NackOptions};
use pyo3::prelude::*;

use super::Queue;
use crate::arguments::{
    DeferArgument, Id, NackArgument, ReceiptArgument, ReplyArgument, Seconds, receipts,
};
use crate::pending::Pending;

#[pymethods]
impl Queue {
    fn claim(
        &self,
        topic: &str,
        subscriber: &str,
        limit: Option<usize>,
        wait: Seconds,
        lease: Option<Seconds>,
    ) -> Pending {
        Pending::new(self.0.claim(topic, subscriber, &claim_options(limit, wait, lease)))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn claim_any(
        &self,
        sources: Vec<(String, String)>,
        limit: Option<usize>,
        wait: Seconds,
        lease: Option<Seconds>,
    ) -> Pending {
        let sources: Vec<_> = sources.iter().map(|(t, s)| (t.as_str(), s.as_str())).collect();
        Pending::new(self.0.claim_any(&sources, &claim_options(limit, wait, lease)))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn ack(&self, receipt: ReceiptArgument) -> Pending {
        Pending::new(self.0.ack(&receipt.0))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn ack_with_result(&self, receipt: ReceiptArgument, reply: ReplyArgument) -> Pending {
        Pending::new(self.0.ack_with_result(&receipt.0, reply.0))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn result(&self, topic: &str, subscriber: &str, message_id: Id, wait: Seconds) -> Pending {
        Pending::new(if wait.0.is_zero() {
            self.0.result(topic, subscriber, message_id.0)
        } else {
            self.0.wait_result(topic, subscriber, message_id.0, wait.0)
        })
    }

    fn ack_many(&self, deliveries: Vec<ReceiptArgument>) -> Pending {
        Pending::new(self.0.ack_batch(&receipts(deliveries)))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn nack(
        &self,
        receipt: ReceiptArgument,
        delay: Option<Seconds>,
        error: Option<String>,
        give_up: bool,
    ) -> Pending {
        Pending::new(self.0.nack(&receipt.0, &nack_options(delay, error, give_up)))
    }

    fn nack_many(
        &self,
        deliveries: Vec<NackArgument>,
        delay: Option<Seconds>,
        error: Option<String>,
        give_up: bool,
    ) -> Pending {
        let options = nack_options(delay, error, give_up);
        let nacks: Vec<_> = deliveries.into_iter().map(|each| each.or(&options)).collect();
        Pending::new(self.0.nack_batch(&nacks))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn extend(&self, receipt: ReceiptArgument, lease: Seconds) -> Pending {
        Pending::new(self.0.extend(&receipt.0, lease.0))
    }

    fn extend_many(&self, deliveries: Vec<ReceiptArgument>, lease: Seconds) -> Pending {
        Pending::new(self.0.extend_batch(&receipts(deliveries), lease.0))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn defer(&self, receipt: ReceiptArgument, delay: Seconds) -> Pending {
        Pending::new(self.0.defer(&receipt.0, delay.0))
    }

    fn defer_many(&self, deliveries: Vec<DeferArgument>, delay: Seconds) -> Pending {
        let deferrals: Vec<_> = deliveries.into_iter().map(|each| each.or(delay)).collect();
        Pending::new(self.0.defer_batch(&deferrals))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn cancel(&self, receipt: ReceiptArgument, reason: Option<&str>) -> Pending {
        Pending::new(self.0.cancel(&receipt.0, reason))
    }

    fn cancel_many(&self, deliveries: Vec<ReceiptArgument>, reason: Option<&str>) -> Pending {
        Pending::new(self.0.cancel_batch(&receipts(deliveries), reason))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn cancel_delivery(
        &self,
        topic: &str,
        subscriber: &str,
        message_id: Id,
        reason: Option<&str>,
    ) -> Pending {
        Pending::new(self.0.cancel_delivery(topic, subscriber, message_id.0, reason))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn cancel_message(&self, topic: &str, message_id: Id) -> Pending {
        Pending::new(self.0.cancel_message(topic, message_id.0))
    }
}

fn claim_options(limit: Option<usize>, wait: Seconds, lease: Option<Seconds>) -> ClaimOptions {
    let mut options = ClaimOptions::default().with_wait(wait.0);
    options.limit = limit;
    options.lease = lease.map(|lease| lease.0);
    options
}

fn nack_options(delay: Option<Seconds>, error: Option<String>, give_up: bool) -> NackOptions {
    let mut options = NackOptions::default().with_give_up(give_up);
    options.delay = delay.map(|delay| delay.0);
    options.error = error;
    options
}
