//! Ordering keys: deliveries of one key that wait for one another.

use super::{Logs, Place, Row, State, Subscriber, message};
use crate::operation::OnDead;

/// How the deliveries of one key hold each other back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// One at a time, in order; `block`: a dead letter holds what comes after it.
    Ordered { block: bool },
    /// So many leases at once.
    AtMost(usize),
}

impl Rule {
    pub(super) fn leases_max(self) -> usize {
        match self {
            Self::Ordered { .. } => 1,
            Self::AtMost(leases) => leases,
        }
    }
}

impl Subscriber {
    pub(super) fn rule(&self) -> Option<Rule> {
        if self.options.ordered {
            return Some(Rule::Ordered { block: self.options.on_dead == OnDead::Block });
        }
        self.options.leased_per_key_max.map(|leases| Rule::AtMost(leases as usize))
    }

    fn of_key<'s>(&'s self, key: &'s str) -> impl Iterator<Item = (Place, &'s Row)> {
        let rows = self.rows.iter().filter(move |(_, row)| row.key.as_deref() == Some(key));
        rows.map(|(place, row)| (*place, row))
    }

    /// Another delivery of the key is leased or waits for an attempt; `or_parked`: or is parked.
    pub(super) fn is_busy(&self, key: &str, but: Option<Place>, or_parked: bool) -> bool {
        self.of_key(key).filter(|(place, _)| Some(*place) != but).any(|(_, row)| match row.state {
            State::Leased { .. } | State::Retrying { .. } => true,
            State::Parked => or_parked,
            State::Dead { .. } | State::Skipped => false,
        })
    }

    /// A dead letter of the key comes before it.
    pub(super) fn is_blocked(&self, key: &str, place: Place) -> bool {
        let is_dead = |row: &Row| matches!(row.state, State::Dead { .. });
        self.of_key(key).any(|(other, row)| is_dead(row) && other < place)
    }

    pub(super) fn held(&self, key: &str) -> usize {
        self.of_key(key)
            .filter(|(_, row)| matches!(row.state, State::Leased { .. }) || row.is_lapsed())
            .count()
    }

    fn next_parked(&self, key: &str) -> Option<Place> {
        self.of_key(key).find(|(_, row)| row.state == State::Parked).map(|(place, _)| place)
    }

    /// A delivery of this key has ended or was put back: the next one is ready, if it may be.
    pub(super) fn freed(&mut self, key: Option<&str>, logs: &Logs, now: i64) {
        if let (Some(key), Some(rule)) = (key, self.rule()) {
            self.free_next(rule, key, logs, now);
        }
    }

    fn free_next(&mut self, rule: Rule, key: &str, logs: &Logs, now: i64) -> bool {
        let Some(next) = self.next_parked(key) else { return false };
        if matches!(rule, Rule::Ordered { .. }) && self.is_busy(key, None, false) {
            return false;
        }
        if rule == (Rule::Ordered { block: true }) && self.is_blocked(key, next) {
            return false;
        }
        self.unpark(next, logs, now);
        true
    }

    /// It is ready since it was published: it has waited long enough.
    fn unpark(&mut self, place: Place, logs: &Logs, now: i64) {
        let published_at = message(logs, place).map_or(now, |message| message.published_at);
        if let Some(row) = self.rows.get_mut(&place) {
            row.state = State::Retrying { ready_at: published_at.min(now) };
        }
    }

    /// A dead letter comes alive again. The answer is whether it waits for its turn.
    pub(super) fn revive(&mut self, place: Place, logs: &Logs, now: i64) -> bool {
        let Some(Rule::Ordered { block }) = self.rule() else { return false };
        let Some(key) = self.rows.get(&place).and_then(|row| row.key.clone()) else { return false };
        let waits = self.is_busy(&key, Some(place), false)
            || (block && self.is_blocked(&key, place))
            || self.next_parked(&key).is_some_and(|next| next < place);
        if waits {
            if let Some(row) = self.rows.get_mut(&place) {
                row.state = State::Parked;
                row.attempts = 0;
            }
            self.freed(Some(&key), logs, now);
        }
        waits
    }

    /// After a change of settings: what is parked is looked at again.
    pub(super) fn sift(&mut self, logs: &Logs, now: i64) {
        if !std::mem::take(&mut self.sifts) {
            return;
        }
        let keyed = self.rows.iter().filter_map(|(place, row)| Some((*place, row.key.clone()?)));
        let keyed: Vec<(Place, String)> = keyed.collect();
        let Some(rule) = self.rule() else {
            for (place, _) in keyed {
                if self.rows.get(&place).is_some_and(|row| row.state == State::Parked) {
                    self.unpark(place, logs, now);
                }
                if let Some(row) = self.rows.get_mut(&place) {
                    row.key = None;
                }
            }
            return;
        };
        let keys: std::collections::BTreeSet<String> =
            keyed.into_iter().map(|(_, key)| key).collect();
        for key in keys {
            for _ in self.held(&key)..rule.leases_max() {
                if !self.free_next(rule, &key, logs, now) {
                    break;
                }
            }
        }
    }
}
