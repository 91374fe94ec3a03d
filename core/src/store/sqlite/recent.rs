//! The newest settlements of this process, so that repeating one is answered like the first time.
//!
//! Memory only, bounded: a caller whose answer was lost repeats at once or not at all.

use std::collections::HashMap;

use crate::model::Receipt;
use crate::op::Settled;

/// How many settlements are remembered.
const KEPT: usize = 16_384;

#[derive(Debug, Default)]
pub(super) struct Recent {
    settled: HashMap<Receipt, Settled>,
    /// Ring of what is remembered, oldest at `next` once it is full.
    order: Vec<Receipt>,
    next: usize,
    /// Settled by the transaction that is under way.
    uncommitted: Vec<(Receipt, Settled)>,
}

impl Recent {
    pub(super) fn add(&mut self, receipt: Receipt, settled: Settled) {
        self.uncommitted.push((receipt, settled));
    }

    pub(super) fn get(&self, receipt: &Receipt) -> Option<Settled> {
        let now = self.uncommitted.iter().rev().find(|(settled, _)| settled == receipt);
        now.map(|(_, settled)| *settled).or_else(|| self.settled.get(receipt).copied())
    }

    pub(super) fn commit(&mut self) {
        for (receipt, settled) in std::mem::take(&mut self.uncommitted) {
            if self.order.len() < KEPT {
                self.order.push(receipt);
            } else if let Some(oldest) = self.order.get_mut(self.next) {
                self.settled.remove(&std::mem::replace(oldest, receipt));
                self.next = (self.next + 1) % KEPT;
            }
            self.settled.insert(receipt, settled);
        }
    }

    pub(super) fn roll_back(&mut self) {
        self.uncommitted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MessageId;

    fn receipt(lease: i64) -> Receipt {
        Receipt { key: 1, message: MessageId::NIL, subscriber: 1, lease, token: [0; 16] }
    }

    #[test]
    fn the_newest_settlements_are_remembered_and_no_more() {
        let mut recent = Recent::default();
        for lease in 0..=KEPT as i64 {
            recent.add(receipt(lease), Settled::Acked);
            recent.commit();
        }
        assert_eq!(recent.get(&receipt(0)), None);
        assert_eq!(recent.get(&receipt(1)), Some(Settled::Acked));
        assert_eq!((recent.settled.len(), recent.order.len()), (KEPT, KEPT));
    }

    #[test]
    fn what_was_rolled_back_is_not_remembered() {
        let mut recent = Recent::default();
        recent.add(receipt(1), Settled::Acked);
        assert_eq!(recent.get(&receipt(1)), Some(Settled::Acked));
        recent.roll_back();
        recent.commit();
        assert_eq!(recent.get(&receipt(1)), None);
    }
}
