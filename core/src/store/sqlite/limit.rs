//! Limits for consumers: how many leases at once, how many claims per interval.
//!
//! Both live in the subscriber's row and change with what they count, so they hold over all processes. The
//! rate is a token bucket, kept as the time at which it is full again: a claim of n moves that time by n
//! shares of the interval, and may not move it further than one interval from now.

use super::cache::SubscriberId;
use super::tx::{Step, Tx};
use crate::clock::Millis;
use crate::options::RateLimit;

const MICROS_PER_MILLI: i64 = 1_000;

/// What a claim may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Leases; `None`: no limit.
    pub slots: Option<usize>,
    /// Deliveries; `None`: no limit.
    pub tokens: Option<usize>,
}

pub(super) fn allowance(tx: &Tx<'_>, id: SubscriberId) -> Step<Allowance> {
    let subscriber = tx.subscriber(id)?;
    let counts = &subscriber.counts;
    let held = counts.leased + counts.lapsed;
    let unsigned = |value: i64| usize::try_from(value).unwrap_or(0);
    let slots = subscriber.options.leased_max.map(|most| unsigned(i64::from(most) - held));
    let tokens =
        subscriber.options.rate.map(|rate| unsigned(tokens(rate, counts.rate_full_at_us, tx.now)));
    Ok(Allowance { slots, tokens })
}

/// So many deliveries were handed out, or taken back if negative.
pub(super) fn spend(tx: &mut Tx<'_>, id: SubscriberId, count: i64) -> Step<()> {
    let Some(rate) = tx.subscriber(id)?.options.rate else { return Ok(()) };
    let now = tx.now;
    let counts = tx.counts(id)?;
    counts.rate_full_at_us = full_at_us(rate, counts.rate_full_at_us, now) + share_us(rate, count);
    Ok(())
}

/// When the rate allows for another delivery, if it is what holds claims back.
pub(super) fn next_token(tx: &Tx<'_>, id: SubscriberId) -> Step<Option<Millis>> {
    let subscriber = tx.subscriber(id)?;
    let Some(rate) = subscriber.options.rate else { return Ok(None) };
    let full_at_us = subscriber.counts.rate_full_at_us;
    if tokens(rate, full_at_us, tx.now) > 0 {
        return Ok(None);
    }
    let at_us = full_at_us - interval_us(rate) + share_us(rate, 1);
    Ok(Some(-(-at_us).div_euclid(MICROS_PER_MILLI)))
}

/// A lease has ended: claims that wait for a slot look again.
pub(super) fn freed(tx: &mut Tx<'_>, id: SubscriberId) -> Step<()> {
    if tx.subscriber(id)?.options.leased_max.is_some() {
        tx.note_ready(id, tx.now)?;
    }
    Ok(())
}

fn interval_us(rate: RateLimit) -> i64 {
    i64::try_from(rate.interval.as_micros()).unwrap_or(i64::MAX)
}

/// The part of the interval that so many deliveries take up, rounded up.
fn share_us(rate: RateLimit, count: i64) -> i64 {
    let whole = i128::from(count) * i128::from(interval_us(rate));
    let share = -(-whole).div_euclid(i128::from(rate.count));
    i64::try_from(share).unwrap_or(i64::MAX)
}

/// When the bucket is full: now, or within one interval. A later time was written before the clock was set
/// back or the interval made shorter, and means nothing: it must not stop the subscriber until then.
fn full_at_us(rate: RateLimit, full_at_us: i64, now: Millis) -> i64 {
    let now_us = now * MICROS_PER_MILLI;
    if full_at_us > now_us + interval_us(rate) { now_us } else { full_at_us.max(now_us) }
}

fn tokens(rate: RateLimit, full_at: i64, now: Millis) -> i64 {
    let ahead_us = full_at_us(rate, full_at, now) - now * MICROS_PER_MILLI;
    let left_us = i128::from(interval_us(rate) - ahead_us);
    i64::try_from(left_us * i128::from(rate.count) / i128::from(interval_us(rate))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_fills_by_and_by() {
        let rate = RateLimit::new(3, Duration::from_secs(1));
        assert_eq!(tokens(rate, 0, 0), 3);
        let spent = share_us(rate, 3);
        assert_eq!(spent, 1_000_000);
        for (now, left) in [(0, 0), (333, 0), (334, 1), (667, 2), (999, 2), (1_000, 3), (9_000, 3)]
        {
            assert_eq!(tokens(rate, spent, now), left, "after {now} ms");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nobody() {
        let rate = RateLimit::new(3, Duration::from_secs(1));
        assert_eq!(tokens(rate, 3_600_000_000, 0), 3);
        assert_eq!(full_at_us(rate, 3_600_000_000, 5), 5_000);
    }

    #[test]
    fn shares_are_rounded_up_and_a_returned_one_is_not_more() {
        let rate = RateLimit::new(7, Duration::from_millis(1));
        assert_eq!((share_us(rate, 1), share_us(rate, 7)), (143, 1_000));
        assert_eq!(share_us(rate, -1), -142);
    }
}
