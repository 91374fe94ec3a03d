//! The newest settlements of this process, so that repeating one is answered like the first time.
//!
//! Memory only, bounded: a caller whose answer was lost repeats at once or not at all.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::model::Receipt;
use crate::op::{Settled, Verb};

type SubscriberId = u32;

/// How many settlements are remembered; one of many neighbours counts once.
const KEPT: usize = 16_384;

/// Neighbouring deliveries of one claim that were settled together.
#[derive(Debug, Clone, Copy)]
struct Entry {
    subscriber: SubscriberId,
    lease: i64,
    token: [u8; 16],
    first: i64,
    last: i64,
    settled: Settled,
}

#[derive(Debug, Default)]
pub(crate) struct Recent {
    by_lease: FxHashMap<(SubscriberId, i64), Vec<Entry>>,
    /// The leases of what is remembered, oldest first, one for each entry.
    order: VecDeque<(SubscriberId, i64)>,
    /// Settled by the transaction that is under way.
    uncommitted: Vec<Entry>,
}

impl Recent {
    /// Remembers a settlement of the receipt's message and its neighbours up to `last`.
    pub(crate) fn add(&mut self, receipt: &Receipt, last: i64, settled: Settled) {
        let Receipt { key: first, subscriber, lease, token, .. } = *receipt;
        self.uncommitted.push(Entry { subscriber, lease, token, first, last, settled });
    }

    fn get(&self, receipt: &Receipt) -> Option<Settled> {
        let place = (receipt.subscriber, receipt.lease);
        let committed = self.by_lease.get(&place).into_iter().flatten();
        self.uncommitted
            .iter()
            .filter(|entry| (entry.subscriber, entry.lease) == place)
            .chain(committed)
            .find(|entry| {
                entry.token == receipt.token && (entry.first..=entry.last).contains(&receipt.key)
            })
            .map(|entry| entry.settled)
    }

    /// The same settlement again is answered like the first time.
    pub(crate) fn repeat(&self, receipt: &Receipt, verb: &Verb) -> Option<Settled> {
        self.get(receipt).filter(|settled| {
            matches!(
                (settled, verb),
                (Settled::Acked, Verb::Ack | Verb::Reply(_))
                    | (Settled::Nacked(_), Verb::Nack { .. })
                    | (Settled::Deferred { .. }, Verb::Defer { .. })
                    | (Settled::Cancelled, Verb::Cancel { .. })
            )
        })
    }

    pub(crate) fn commit(&mut self) {
        for entry in self.uncommitted.drain(..) {
            let place = (entry.subscriber, entry.lease);
            self.by_lease.entry(place).or_default().push(entry);
            self.order.push_back(place);
            if self.order.len() > KEPT
                && let Some(oldest) = self.order.pop_front()
                && let Some(entries) = self.by_lease.get_mut(&oldest)
            {
                entries.remove(0);
                if entries.is_empty() {
                    self.by_lease.remove(&oldest);
                }
            }
        }
    }

    pub(crate) fn roll_back(&mut self) {
        self.uncommitted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MessageId;

    fn receipt(key: i64, lease: i64) -> Receipt {
        Receipt { key, message: MessageId::NIL, subscriber: 1, lease, token: [0; 16] }
    }

    #[test]
    fn the_newest_settlements_are_remembered_and_no_more() {
        let mut recent = Recent::default();
        for lease in 0..=i64::try_from(KEPT).unwrap() {
            recent.add(&receipt(1, lease), 1, Settled::Acked);
            recent.commit();
        }
        assert_eq!(recent.get(&receipt(1, 0)), None);
        assert_eq!(recent.get(&receipt(1, 1)), Some(Settled::Acked));
        assert_eq!((recent.by_lease.len(), recent.order.len()), (KEPT, KEPT));
    }

    #[test]
    fn neighbours_are_remembered_together_and_nobody_else() {
        let mut recent = Recent::default();
        recent.add(&receipt(5, 1), 7, Settled::Acked);
        recent.commit();
        assert_eq!(recent.get(&receipt(7, 1)), Some(Settled::Acked));
        assert_eq!(recent.get(&receipt(8, 1)), None);
        assert_eq!(recent.get(&receipt(6, 2)), None);
        assert_eq!(recent.get(&Receipt { token: [1; 16], ..receipt(6, 1) }), None);
    }

    #[test]
    fn what_was_rolled_back_is_not_remembered() {
        let mut recent = Recent::default();
        recent.add(&receipt(1, 1), 1, Settled::Acked);
        assert_eq!(recent.get(&receipt(1, 1)), Some(Settled::Acked));
        recent.roll_back();
        recent.commit();
        assert_eq!(recent.get(&receipt(1, 1)), None);
    }
}
