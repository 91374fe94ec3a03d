//! Claim: the highest priority first; within it what could be claimed first, be it a retry or new.
#![expect(clippy::indexing_slicing, reason = "members of JSON objects, made if they are not there")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::keys::Rule;
use super::letters::ORIGIN;
use super::{Answer, Given, Log, Logged, Logs, Model, Place, Row, State, Subscriber};
use crate::filter::matches;
use crate::operation::{OnExpiry, Rate};

impl Model {
    pub(super) fn claim(
        &mut self,
        name: &str,
        sources: &[(&str, &str)],
        limit: Option<usize>,
        lease_ms: Option<i64>,
    ) -> Answer {
        for (topic, subscriber) in sources {
            self.subscriber(topic, subscriber)?;
        }
        for (topic, subscriber) in sources {
            let claimed = self.claim_one(name, topic, subscriber, limit, lease_ms)?;
            if !claimed.is_empty() {
                return Ok(Value::from(claimed));
            }
        }
        Ok(json!([]))
    }

    fn claim_one(
        &mut self,
        name: &str,
        topic_name: &str,
        subscriber_name: &str,
        limit: Option<usize>,
        lease_ms: Option<i64>,
    ) -> Result<Vec<Value>, super::No> {
        let now = self.now;
        let topic = self.topic_mut(topic_name)?;
        let subscriber =
            topic.subscribers.get_mut(subscriber_name).ok_or(super::UNKNOWN_SUBSCRIBER)?;
        if topic.paused || subscriber.paused {
            return Ok(Vec::new());
        }
        let limit = limit.unwrap_or(subscriber.options.claim_limit);
        let expires_at = now + lease_ms.unwrap_or(subscriber.options.lease_ms);
        subscriber.sift(&topic.logs, now);
        let picked = Picking::of(subscriber, now, limit).pick(&topic.logs);
        subscriber.spend(picked.len(), now);
        subscriber.leases += u64::from(!picked.is_empty());
        let mut answers: Vec<Value> = Vec::new();
        let mut given = Vec::new();
        for place in picked {
            let receipt = format!("${name}.{}.receipt", answers.len());
            let log = topic.logs.get_mut(&Reverse(place.0));
            let Some(message) = log.and_then(|log| log.messages.get_mut(place.1 - 1)) else {
                continue;
            };
            let lease = (subscriber.leases, answers.len());
            let row = subscriber.lease(place, message, expires_at, (lease, receipt.clone()));
            // The id in it is the queue's to make.
            let mut headers = message.body.headers.clone();
            headers.remove(ORIGIN);
            let mut answer = json!({
                "topic": topic_name,
                "subscriber": subscriber_name,
                "payload": message.body.payload,
                "headers": headers,
                "ordering_key": message.body.ordering_key,
                "priority": place.0,
                "attempt": row.attempts,
                "failures": row.failures,
                "published_at": message.published_at,
                "expires_at": message.body.expires_at,
                "lease_expires_at": expires_at,
            });
            if message.body.id.is_empty() {
                // A redrive published it. Now it has a name.
                message.body.id = format!("${name}.{}.message_id", answers.len());
            } else {
                answer["message_id"] = json!(message.body.id);
            }
            answers.push(answer);
            given.push((receipt, place));
        }
        let number = subscriber.number;
        for (receipt, place) in given {
            let (topic, subscriber) = (topic_name.to_owned(), subscriber_name.to_owned());
            self.receipts.insert(receipt, Given { topic, subscriber, number, place });
        }
        Ok(answers)
    }
}

impl Log {
    /// The number of messages before this time.
    pub(super) fn before(&self, at: i64) -> usize {
        self.messages.partition_point(|message| message.published_at < at)
    }
}

/// What one claim takes.
struct Picking<'s> {
    subscriber: &'s mut Subscriber,
    now: i64,
    rule: Option<Rule>,
    /// How many more.
    items: usize,
    /// How many more leases, beyond those that there are.
    slots: Option<usize>,
    picked: Vec<Place>,
    /// How many leases of a key it takes, and keys of which nothing new can be taken.
    taken: BTreeMap<String, usize>,
    busy: BTreeSet<String>,
    without_room: Vec<Place>,
}

impl<'s> Picking<'s> {
    fn of(subscriber: &'s mut Subscriber, now: i64, limit: usize) -> Self {
        let rows = subscriber.rows.values();
        let held =
            rows.filter(|row| matches!(row.state, State::Leased { .. }) || row.is_lapsed()).count();
        let most = subscriber.options.leased_max;
        Self {
            now,
            rule: subscriber.rule(),
            items: limit.min(subscriber.tokens(now)),
            slots: most.map(|most| (most as usize).saturating_sub(held)),
            picked: Vec::new(),
            taken: BTreeMap::new(),
            busy: BTreeSet::new(),
            without_room: Vec::new(),
            subscriber,
        }
    }

    fn pick(mut self, logs: &Logs) -> Vec<Place> {
        if self.items > 0 && self.slots != Some(0) {
            for (Reverse(priority), log) in logs {
                if !self.pick_level(*priority, log) {
                    break;
                }
            }
            for place in std::mem::take(&mut self.without_room) {
                if let Some(row) = self.subscriber.rows.get_mut(&place) {
                    (row.state, row.receipt, row.lease) = (State::Parked, None, None);
                }
            }
        }
        if self.slots == Some(0) {
            self.pick_lapsed();
        }
        self.picked
    }

    /// Takes from one priority; the answer is whether a lower one may have a share.
    fn pick_level(&mut self, priority: i16, log: &Log) -> bool {
        let due = self.subscriber.rows.iter().filter_map(|(place, row)| match row.state {
            State::Retrying { ready_at } if place.0 == priority && ready_at <= self.now => {
                Some((ready_at, *place))
            }
            _ => None,
        });
        let mut due: Vec<(i64, Place)> = due.collect();
        due.sort_unstable();
        let mut due = due.into_iter();
        let mut retry = self.next_retry(&mut due);
        let mut seq = self.subscriber.cursor(priority);
        let mut new: Option<Place> = None;
        loop {
            // What there is no room for is not looked at.
            if self.items > 0 && new.is_none() {
                while let Some(message) = log.messages.get(seq) {
                    seq += 1;
                    if self.judge((priority, seq), message) {
                        new = Some((priority, seq));
                        break;
                    }
                    self.subscriber.move_cursor(priority, seq);
                }
            }
            let since =
                |(_, seq): Place| log.messages.get(seq - 1).map_or(0, |new| new.published_at);
            match (retry, new) {
                (None, None) => return self.items > 0,
                (Some((ready_at, place)), new) if new.is_none_or(|new| ready_at <= since(new)) => {
                    let key = self.subscriber.rows.get(&place).and_then(|row| row.key.clone());
                    if !self.take(place, key.as_deref()) {
                        return false;
                    }
                    retry = self.next_retry(&mut due);
                }
                (_, Some(place)) => {
                    // Retries may have used up its key meanwhile.
                    let key = log
                        .messages
                        .get(place.1 - 1)
                        .and_then(|new| new.body.ordering_key.as_deref());
                    if self.items == 0 || self.slots == Some(0) {
                        return false;
                    }
                    if self.has_room_for_new(place, key) {
                        self.take(place, key);
                    } else {
                        self.park(place, key);
                    }
                    self.subscriber.move_cursor(priority, place.1);
                    new = None;
                }
                (Some(_), None) => return false,
            }
        }
    }

    /// With no slot left, what can be taken is what holds one, oldest lease first.
    fn pick_lapsed(&mut self) {
        let rows = self.subscriber.rows.iter();
        let lapsed =
            rows.filter(|(_, row)| row.is_lapsed()).map(|(place, row)| (row.lease, *place));
        let mut lapsed: Vec<_> = lapsed.collect();
        lapsed.sort_unstable();
        for (_, place) in lapsed {
            if self.items > 0 && !self.picked.contains(&place) {
                self.items -= 1;
                self.picked.push(place);
            }
        }
    }

    fn take(&mut self, place: Place, key: Option<&str>) -> bool {
        let row = self.subscriber.rows.get(&place);
        let is_lapsed = row.is_some_and(Row::is_lapsed);
        if self.items == 0 || (self.slots == Some(0) && !is_lapsed) {
            return false;
        }
        // One whose lease expired is held already.
        if let Some(key) = key.filter(|_| !is_lapsed) {
            *self.taken.entry(key.to_owned()).or_default() += 1;
        }
        self.items -= 1;
        if !is_lapsed {
            self.slots = self.slots.map(|slots| slots - 1);
        }
        self.picked.push(place);
        true
    }

    /// The next delivery that was put back. Those whose key has no room are parked again.
    fn next_retry(&mut self, due: &mut impl Iterator<Item = (i64, Place)>) -> Option<(i64, Place)> {
        for (ready_at, place) in due {
            let row = self.subscriber.rows.get(&place)?;
            if let (Some(rule), Some(key)) = (self.rule, &row.key) {
                let taken = self.taken.get(key).copied().unwrap_or(0);
                let others = self.subscriber.held(key) + taken - usize::from(row.is_lapsed());
                if others >= rule.leases_max() {
                    self.without_room.push(place);
                    continue;
                }
            }
            return Some((ready_at, place));
        }
        None
    }

    /// Whether a message is delivered; if not, it is passed over.
    fn judge(&mut self, place: Place, message: &Logged) -> bool {
        if message.removed {
            return false;
        }
        let state = self.subscriber.rows.get(&place).map(|row| row.state);
        match state {
            Some(State::Skipped) => {
                self.subscriber.rows.remove(&place);
                return false;
            }
            Some(State::Dead { .. }) | None => {}
            // In flight already.
            Some(_) => return false,
        }
        let options = &self.subscriber.options;
        if options.filter.as_ref().is_some_and(|filter| !matches(filter, &message.body.headers)) {
            self.subscriber.counts.filtered += 1;
            return false;
        }
        let key = message.body.ordering_key.as_deref();
        if message.has_expired(self.now) {
            if state.is_none() {
                self.subscriber.pass_expired(place, self.rule.and(key), self.now);
            }
            return false;
        }
        if !self.has_room_for_new(place, key) {
            self.park(place, key);
            return false;
        }
        true
    }

    fn has_room_for_new(&mut self, place: Place, key: Option<&str>) -> bool {
        let (Some(rule), Some(key)) = (self.rule, key) else { return true };
        if self.busy.contains(key) {
            return false;
        }
        let taken = self.taken.get(key).copied().unwrap_or(0);
        let has_room = match rule {
            Rule::Ordered { block } => {
                taken == 0
                    && !self.subscriber.is_busy(key, Some(place), true)
                    && !(block && self.subscriber.is_blocked(key, place))
            }
            Rule::AtMost(leases) => self.subscriber.held(key) + taken < leases,
        };
        if !has_room {
            self.busy.insert(key.to_owned());
        }
        has_room
    }

    fn park(&mut self, place: Place, key: Option<&str>) {
        let row = self.subscriber.rows.entry(place).or_insert_with(|| Row::new(State::Parked));
        row.state = State::Parked;
        row.attempts = 0;
        row.key = key.map(str::to_owned);
    }
}

impl Subscriber {
    fn lease(
        &mut self,
        place: Place,
        message: &Logged,
        expires_at: i64,
        (lease, receipt): ((u64, usize), String),
    ) -> &Row {
        self.counts.claimed += 1;
        let key = self.rule().and(message.body.ordering_key.clone());
        let new = Row { key, ..Row::new(State::Skipped) };
        let row = self.rows.entry(place).or_insert(new);
        if matches!(row.state, State::Dead { .. }) {
            // A seek went back behind it: it lives again.
            row.attempts = 0;
        }
        row.attempts += 1;
        row.state = State::Leased { expires_at };
        row.receipt = Some(receipt);
        row.lease = Some(lease);
        row
    }

    /// The cursor passes over a message that has expired.
    fn pass_expired(&mut self, place: Place, key: Option<&str>, now: i64) {
        self.counts.ttl_expired += 1;
        if self.options.on_expiry == OnExpiry::DeadLetter {
            let key = key.map(str::to_owned);
            let state = State::Dead { at: now };
            self.rows.insert(place, Row { failures: 1, key, ..Row::new(state) });
            // By a claim, or by upkeep at a time that nobody knows.
            self.record_failure(place, 1, Some("expired"), None);
            self.blurred = true;
        }
    }

    pub(super) fn move_cursor(&mut self, priority: i16, seq: usize) {
        self.cursors.insert(priority, seq);
    }

    // --- rate -------------------------------------------------------------------------------------------

    fn tokens(&self, now: i64) -> usize {
        let Some(Rate { count, interval_ms }) = self.options.rate else { return usize::MAX };
        let left_us = interval_ms * 1_000 - (self.filled_at_us(interval_ms, now) - now * 1_000);
        usize::try_from(left_us * i64::from(count) / (interval_ms * 1_000)).unwrap_or(0)
    }

    fn spend(&mut self, count: usize, now: i64) {
        let Some(rate) = self.options.rate else { return };
        let whole = count as u64 * rate.interval_ms.unsigned_abs() * 1_000;
        let share = whole.div_ceil(u64::from(rate.count)).cast_signed();
        if count > 0 {
            self.full_at_us = self.filled_at_us(rate.interval_ms, now) + share;
        }
    }

    /// A time further ahead than an interval comes from a clock that went back.
    fn filled_at_us(&self, interval_ms: i64, now: i64) -> i64 {
        let now_us = now * 1_000;
        if self.full_at_us > now_us + interval_ms * 1_000 {
            now_us
        } else {
            self.full_at_us.max(now_us)
        }
    }
}
