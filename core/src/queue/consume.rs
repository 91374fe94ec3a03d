//! Claim and settle.

use std::time::{Duration, SystemTime};

use super::{Queue, done, source, unexpected};
use crate::clock::{duration_millis, from_millis};
use crate::engine::Work;
use crate::error::{Error, Result};
use crate::limits;
use crate::model::{Delivery, DeliveryStatus, MessageId, Nacked, Receipt};
use crate::op::{Claim, Op, Outcome, Settle, Settled, Source, Verb};
use crate::options::{self, ClaimOptions, NackOptions, cut};
use crate::pending::Pending;

impl Queue {
    /// Leases deliveries of one subscriber to the caller; an empty list if there is nothing in time.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `invalid_argument`, `busy`, `shutdown` while waiting.
    pub fn claim(
        &self,
        topic: &str,
        subscriber: &str,
        options: &ClaimOptions,
    ) -> Pending<Vec<Delivery>> {
        self.claim_sources(vec![source(topic, subscriber)], options)
    }

    /// Leases deliveries of the first of these (topic, subscriber) pairs that has any, up to 100 pairs.
    /// They are looked at in the order given, so an earlier pair may starve a later one.
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
    pub fn claim_any(
        &self,
        sources: &[(&str, &str)],
        options: &ClaimOptions,
    ) -> Pending<Vec<Delivery>> {
        let sources = sources.iter().map(|(topic, subscriber)| source(topic, subscriber));
        self.claim_sources(sources.collect(), options)
    }

    fn claim_sources(
        &self,
        sources: Vec<Source>,
        options: &ClaimOptions,
    ) -> Pending<Vec<Delivery>> {
        let valid = options
            .validate()
            .and_then(|()| options::count("sources", sources.len(), limits::CLAIM_SOURCES_MAX));
        if let Err(error) = valid {
            return Pending::failed(error);
        }
        let claim = Claim {
            sources: sources.into(),
            limit: options.limit,
            lease_ms: options.lease.map(duration_millis),
            ends: None,
        };
        let work = Work::Claim { claim, wait: options.wait };
        self.handle.start_work(work, |outcome| match outcome {
            Outcome::Claimed(claimed) => Ok(claimed.deliveries),
            other => Err(unexpected(&other)),
        })
    }

    /// Settles a delivery: done.
    ///
    /// # Errors
    /// `lease_lost`.
    pub fn ack(&self, receipt: &Receipt) -> Pending<()> {
        self.settle(receipt, Verb::Ack, into_acked)
    }

    /// Settles up to 1,000 deliveries and answers for each.
    ///
    /// # Errors
    /// `invalid_argument` or `limit_exceeded` for the list; `lease_lost` per item.
    pub fn ack_batch(&self, receipts: &[Receipt]) -> Pending<Vec<Result<()>>> {
        let items = receipts.iter().map(|&receipt| Settle { receipt, verb: Verb::Ack }).collect();
        self.settle_batch(Ok(items), into_acked)
    }

    /// Reports a failure: the delivery waits for its next attempt, or becomes a dead letter.
    ///
    /// # Errors
    /// `lease_lost`, `invalid_argument`.
    pub fn nack(&self, receipt: &Receipt, options: &NackOptions) -> Pending<Nacked> {
        match nack_verb(options) {
            Ok(verb) => self.settle(receipt, verb, into_nacked),
            Err(error) => Pending::failed(error),
        }
    }

    /// Reports up to 1,000 failures and answers for each.
    ///
    /// # Errors
    /// `invalid_argument` or `limit_exceeded` for the list; `lease_lost` per item.
    pub fn nack_batch(&self, nacks: &[(Receipt, NackOptions)]) -> Pending<Vec<Result<Nacked>>> {
        let items = nacks
            .iter()
            .map(|(receipt, options)| Ok(Settle { receipt: *receipt, verb: nack_verb(options)? }))
            .collect();
        self.settle_batch(items, into_nacked)
    }

    /// Makes the lease last until this long after now; the answer is its new expiry.
    ///
    /// # Errors
    /// `lease_lost`, `invalid_argument`.
    pub fn extend(&self, receipt: &Receipt, lease: Duration) -> Pending<SystemTime> {
        match extend_verb(lease) {
            Ok(verb) => self.settle(receipt, verb, into_extended),
            Err(error) => Pending::failed(error),
        }
    }

    /// Extends up to 1,000 leases and answers for each.
    ///
    /// # Errors
    /// `invalid_argument` or `limit_exceeded` for the list; `lease_lost` per item.
    pub fn extend_batch(
        &self,
        receipts: &[Receipt],
        lease: Duration,
    ) -> Pending<Vec<Result<SystemTime>>> {
        let items = extend_verb(lease).map(|verb| {
            receipts.iter().map(|&receipt| Settle { receipt, verb: verb.clone() }).collect()
        });
        self.settle_batch(items, into_extended)
    }

    /// Puts a delivery back for this long. The attempt does not count.
    ///
    /// # Errors
    /// `lease_lost`, `invalid_argument`.
    pub fn defer(&self, receipt: &Receipt, delay: Duration) -> Pending<SystemTime> {
        match defer_verb(delay) {
            Ok(verb) => self.settle(receipt, verb, into_deferred),
            Err(error) => Pending::failed(error),
        }
    }

    /// Puts up to 1,000 deliveries back and answers for each.
    ///
    /// # Errors
    /// `invalid_argument` or `limit_exceeded` for the list; `lease_lost` per item.
    pub fn defer_batch(
        &self,
        deferrals: &[(Receipt, Duration)],
    ) -> Pending<Vec<Result<SystemTime>>> {
        let items = deferrals
            .iter()
            .map(|(receipt, delay)| Ok(Settle { receipt: *receipt, verb: defer_verb(*delay)? }))
            .collect();
        self.settle_batch(items, into_deferred)
    }

    /// Gives up to 1,000 deliveries back, as if they had not been claimed: for a consumer that has to go before it
    /// has begun with them. They keep their place, the attempt does not count, and nothing of a rate is spent.
    /// A lease that is lost is no error.
    ///
    /// # Errors
    /// `invalid_argument` or `limit_exceeded` for the list.
    pub fn release_batch(&self, receipts: &[Receipt]) -> Pending<()> {
        let valid = options::count("receipts", receipts.len(), limits::SETTLE_MAX);
        self.checked(valid, |()| Op::Release(receipts.to_vec()), done)
    }

    /// Ends a leased delivery for good, as if it had been acked, and keeps the reason with its failures.
    ///
    /// # Errors
    /// `lease_lost`.
    pub fn cancel(&self, receipt: &Receipt, reason: Option<&str>) -> Pending<()> {
        self.settle(receipt, cancel_verb(reason), into_cancelled)
    }

    /// Ends up to 1,000 leased deliveries for good and answers for each.
    ///
    /// # Errors
    /// `invalid_argument` or `limit_exceeded` for the list; `lease_lost` per item.
    pub fn cancel_batch(
        &self,
        receipts: &[Receipt],
        reason: Option<&str>,
    ) -> Pending<Vec<Result<()>>> {
        let items =
            receipts.iter().map(|&receipt| Settle { receipt, verb: cancel_verb(reason) }).collect();
        self.settle_batch(Ok(items), into_cancelled)
    }

    /// Ends one message for one subscriber, whatever its state, without a receipt, and keeps the reason with
    /// its failures.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_subscriber`, `unknown_message`; `invalid_argument` before the message's time,
    /// when it can only be ended for every subscriber.
    pub fn cancel_delivery(
        &self,
        topic: &str,
        subscriber: &str,
        id: MessageId,
        reason: Option<&str>,
    ) -> Pending<()> {
        let op = Op::CancelDelivery {
            source: source(topic, subscriber),
            id,
            reason: reason.map(|reason| cut(reason.to_owned())),
        };
        self.write(op, done)
    }

    /// Ends one message for every subscriber, whatever its state, also before its time; the answer is
    /// where it stood with each.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_message`.
    pub fn cancel_message(&self, topic: &str, id: MessageId) -> Pending<Vec<DeliveryStatus>> {
        let op = Op::CancelMessage { topic: topic.into(), id };
        self.write(op, |outcome| match outcome {
            Outcome::Cancelled(deliveries) => Ok(deliveries),
            other => Err(unexpected(&other)),
        })
    }

    pub(super) fn settle<T: 'static>(
        &self,
        receipt: &Receipt,
        verb: Verb,
        pick: fn(Settled) -> Option<T>,
    ) -> Pending<T> {
        let items = vec![Settle { receipt: *receipt, verb }];
        self.write(Op::Settle(items), move |outcome| one_settled(outcome, pick))
    }

    fn settle_batch<T: 'static>(
        &self,
        items: Result<Vec<Settle>>,
        pick: fn(Settled) -> Option<T>,
    ) -> Pending<Vec<Result<T>>> {
        let counted = items.and_then(|items| {
            options::count("receipts", items.len(), limits::SETTLE_MAX).map(|()| items)
        });
        match counted {
            Ok(items) => self.write(Op::Settle(items), move |outcome| settled(outcome, pick)),
            Err(error) => Pending::failed(error),
        }
    }
}

pub(super) fn one_settled<T>(outcome: Outcome, pick: fn(Settled) -> Option<T>) -> Result<T> {
    let mut results = settled(outcome, pick)?;
    results.pop().unwrap_or_else(|| Err(Error::internal("nothing was settled")))
}

fn settled<T>(outcome: Outcome, pick: fn(Settled) -> Option<T>) -> Result<Vec<Result<T>>> {
    let Outcome::Settled(results) = outcome else { return Err(unexpected(&outcome)) };
    let wrong = || Error::internal("settled by another verb");
    Ok(results
        .into_iter()
        .map(|result| result.and_then(|settled| pick(settled).ok_or_else(wrong)))
        .collect())
}

pub(super) fn into_acked(settled: Settled) -> Option<()> {
    match settled {
        Settled::Acked => Some(()),
        _ => None,
    }
}

pub(super) fn into_nacked(settled: Settled) -> Option<Nacked> {
    match settled {
        Settled::Nacked(nacked) => Some(nacked),
        _ => None,
    }
}

pub(super) fn into_extended(settled: Settled) -> Option<SystemTime> {
    match settled {
        Settled::Extended { expires_at } => Some(from_millis(expires_at)),
        _ => None,
    }
}

pub(super) fn into_deferred(settled: Settled) -> Option<SystemTime> {
    match settled {
        Settled::Deferred { ready_at } => Some(from_millis(ready_at)),
        _ => None,
    }
}

pub(super) fn into_cancelled(settled: Settled) -> Option<()> {
    match settled {
        Settled::Cancelled => Some(()),
        _ => None,
    }
}

pub(super) fn nack_verb(options: &NackOptions) -> Result<Verb> {
    options.validate()?;
    Ok(Verb::Nack {
        delay_ms: options.delay.map(duration_millis),
        error: options.error.clone().map(cut),
        give_up: options.give_up,
    })
}

pub(super) fn extend_verb(lease: Duration) -> Result<Verb> {
    options::lease("lease", lease)?;
    Ok(Verb::Extend { lease_ms: duration_millis(lease) })
}

pub(super) fn defer_verb(delay: Duration) -> Result<Verb> {
    options::not_longer("delay", delay, limits::DELAY_MAX)?;
    Ok(Verb::Defer { delay_ms: duration_millis(delay) })
}

pub(super) fn cancel_verb(reason: Option<&str>) -> Verb {
    Verb::Cancel { reason: reason.map(|reason| cut(reason.to_owned())) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::options::{ClaimOptions, NewTopic};
    use crate::queue::Queue;

    /// More than are kept before anybody looks whether they are still wanted.
    const MANY: usize = 1_024;

    #[test]
    fn claims_whose_callers_went_away_do_not_pile_up() {
        let queue = Queue::open(":memory:").unwrap();
        queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
        let options = ClaimOptions::default().with_wait(Duration::from_hours(1));
        for _ in 0..10 {
            let claims: Vec<_> = (0..MANY).map(|_| queue.claim("t", "s", &options)).collect();
            // They wait when what was asked behind them is answered.
            queue.topic("t").wait().unwrap();
            queue.pause_topic("t").wait().unwrap();
            queue.resume_topic("t").wait().unwrap();
            drop(claims);
        }
        let waiting = queue.engine_stats().unwrap().waiting_claims;
        assert!((1..=3 * MANY as u64).contains(&waiting), "{waiting}");
    }
}
