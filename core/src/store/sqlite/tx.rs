//! One write transaction: its connection, its time, the cache, and what it has done so far.
//!
//! Owns loading into the cache and flushing out of it. The verbs are functions over a [`Tx`] in files
//! of their own. Invariant: a verb that refuses has written nothing; a verb whose SQL fails takes the
//! whole transaction with it.

use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::FxHashMap as HashMap;

use super::cache::{
    Cache, CachedLog, CachedSubscriber, CachedTopic, Counts, Kept, LogId, SEQ_MAX, SubscriberId,
    TopicId, log_of,
};
use crate::clock::{Millis, monotonic};
use crate::error::Error;
use crate::limits;
use crate::op::Source;
use crate::store::Effects;
use crate::store::recent::Recent;

/// Why a verb ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nothing was written; the caller gets this error and the group goes on.
    Refused(Error),
    /// The transaction cannot go on.
    Broken(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

pub(super) type Step<T> = Result<T, Stop>;

/// A lease row within the transaction.
#[derive(Debug)]
pub(super) struct Lease {
    pub token: [u8; 16],
    pub expires_at: Option<Millis>,
    pub live: i64,
    /// As its row has them.
    pub runs: String,
    pub dirty: bool,
}

/// How far the claims of one transaction may go on passing over messages that they do not hand out: others
/// wait for the writer meanwhile.
#[derive(Debug, Default)]
pub(super) struct Scan {
    rows: usize,
    until: Option<Instant>,
    is_spent: bool,
}

impl Scan {
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent
    }

    /// A message was passed over.
    pub(super) fn count(&mut self) {
        /// The clock is looked at once for so many.
        const BETWEEN: usize = 64;
        if self.rows.is_multiple_of(BETWEEN) {
            let now = monotonic();
            self.is_spent |= now >= *self.until.get_or_insert(now + limits::SCAN_TIME);
        }
        self.rows += 1;
        self.is_spent |= self.rows >= limits::SCAN_ROWS;
    }
}

pub(super) struct Tx<'a> {
    pub connection: &'a Connection,
    pub cache: &'a mut Cache,
    pub recent: &'a mut Recent,
    pub effects: Effects,
    pub now: Millis,
    pub tag: u16,
    /// Lease rows that this transaction has looked at; their live counts are written by `flush`.
    pub leases: HashMap<(SubscriberId, i64), Lease>,
    pub scan: Scan,
    /// What one step of upkeep may write of messages, in bytes.
    pub step_bytes: usize,
}

impl Tx<'_> {
    // --- loading ----------------------------------------------------------------------------------

    pub(super) fn find_topic(&mut self, name: &str) -> Step<Option<TopicId>> {
        if let Some(id) = self.cache.topic_names.get(name) {
            return Ok(Some(*id));
        }
        let id = self
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/topic_by_name.sql"))?
            .query_row([name], |row| row.get::<_, TopicId>(0))
            .optional()?;
        match id {
            Some(id) if self.load_topic(id)? => Ok(Some(id)),
            _ => Ok(None),
        }
    }

    pub(super) fn topic_id(&mut self, name: &str) -> Step<TopicId> {
        self.find_topic(name)?.ok_or_else(|| Error::unknown_topic(name).into())
    }

    /// Loads a live topic and its logs; the answer is whether there is one.
    pub(super) fn load_topic(&mut self, id: TopicId) -> Step<bool> {
        if self.cache.topics.contains_key(&id) {
            return Ok(true);
        }
        let topic = self
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/topic_by_id.sql"))?
            .query_row([id], CachedTopic::from_row)
            .optional()?;
        let Some(mut topic) = topic else { return Ok(false) };
        let mut statement = self
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/logs_of_topic.sql"))?;
        let mut logs = statement.query([id])?;
        while let Some(row) = logs.next()? {
            let log = CachedLog::from_row(row)?;
            let is_origin = row.get::<_, i64>("kind")? == 1;
            if is_origin && !log.closed {
                topic.origin_log = Some(log.id);
            } else if !is_origin {
                topic.logs.push(log.id);
            }
            self.cache.logs.insert(log.id, Kept { value: log, dirty: false });
        }
        self.cache.topic_names.insert(Arc::clone(&topic.name), id);
        self.cache.topics.insert(id, Kept { value: topic, dirty: false });
        Ok(true)
    }

    pub(super) fn subscriber_id(&mut self, source: &Source) -> Step<SubscriberId> {
        let topic = self.topic_id(&source.topic)?;
        let name = (topic, Arc::clone(&source.subscriber));
        if let Some(id) = self.cache.subscriber_names.get(&name) {
            return Ok(*id);
        }
        let id = self
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/subscriber_by_name.sql"))?
            .query_row(params![topic, &*source.subscriber], |row| row.get::<_, SubscriberId>(0))
            .optional()?;
        match id {
            Some(id) if self.load_subscriber(id)? => Ok(id),
            _ => Err(Error::unknown_subscriber(&source.topic, &source.subscriber).into()),
        }
    }

    /// Loads a live subscriber of a live topic; the answer is whether there is one.
    pub(super) fn load_subscriber(&mut self, id: SubscriberId) -> Step<bool> {
        if self.cache.subscribers.contains_key(&id) {
            return Ok(true);
        }
        let subscriber = self
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/subscriber_by_id.sql"))?
            .query_row([id], CachedSubscriber::from_row)
            .optional()?;
        let Some(mut subscriber) = subscriber else { return Ok(false) };
        if !self.load_topic(subscriber.topic)? {
            return Ok(false);
        }
        subscriber.topic_name = Arc::clone(&self.topic(subscriber.topic)?.name);
        let mut statement = self
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/cursors_of_subscriber.sql"))?;
        let mut cursors = statement.query([id])?;
        while let Some(row) = cursors.next()? {
            subscriber.cursors.insert(row.get(0)?, row.get(1)?);
        }
        let name = (subscriber.topic, Arc::clone(&subscriber.name));
        self.cache.subscriber_names.insert(name, id);
        self.cache.subscribers.insert(id, Kept { value: subscriber, dirty: false });
        Ok(true)
    }

    /// Every live subscriber of a topic.
    pub(super) fn subscribers_of(&mut self, topic: TopicId) -> Step<Vec<SubscriberId>> {
        let ids: Vec<SubscriberId> = self
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/subscriber_ids_of_topic.sql"))?
            .query_map([topic], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for id in &ids {
            self.load_subscriber(*id)?;
        }
        Ok(ids)
    }

    // --- access -----------------------------------------------------------------------------------
    // An id in hand was loaded in this transaction; its absence is a bug, reported and not written.

    pub(super) fn topic(&self, id: TopicId) -> Step<&CachedTopic> {
        self.cache.topics.get(&id).map(|kept| &kept.value).ok_or_else(|| lost("topic"))
    }

    pub(super) fn topic_mut(&mut self, id: TopicId) -> Step<&mut CachedTopic> {
        let kept = self.cache.topics.get_mut(&id).ok_or_else(|| lost("topic"))?;
        if !std::mem::replace(&mut kept.dirty, true) {
            self.cache.dirty_topics.push(id);
        }
        Ok(&mut kept.value)
    }

    pub(super) fn log(&self, id: LogId) -> Step<&CachedLog> {
        self.cache.logs.get(&id).map(|kept| &kept.value).ok_or_else(|| lost("log"))
    }

    pub(super) fn log_mut(&mut self, id: LogId) -> Step<&mut CachedLog> {
        let kept = self.cache.logs.get_mut(&id).ok_or_else(|| lost("log"))?;
        if !std::mem::replace(&mut kept.dirty, true) {
            self.cache.dirty_logs.push(id);
        }
        Ok(&mut kept.value)
    }

    /// For appending a plain message, which is told from its row: the row of the log need not follow.
    pub(super) fn log_growing(&mut self, id: LogId) -> Step<&mut CachedLog> {
        let kept = self.cache.logs.get_mut(&id);
        kept.map(|kept| &mut kept.value).ok_or_else(|| lost("log"))
    }

    pub(super) fn subscriber(&self, id: SubscriberId) -> Step<&CachedSubscriber> {
        self.cache.subscribers.get(&id).map(|kept| &kept.value).ok_or_else(|| lost("subscriber"))
    }

    pub(super) fn subscriber_mut(&mut self, id: SubscriberId) -> Step<&mut CachedSubscriber> {
        let kept = self.cache.subscribers.get_mut(&id).ok_or_else(|| lost("subscriber"))?;
        if !std::mem::replace(&mut kept.dirty, true) {
            self.cache.dirty_subscribers.push(id);
        }
        Ok(&mut kept.value)
    }

    /// Claims of this subscriber wait as on an empty topic.
    pub(super) fn is_paused(&self, id: SubscriberId) -> Step<bool> {
        let subscriber = self.subscriber(id)?;
        Ok(subscriber.paused || self.topic(subscriber.topic)?.paused)
    }

    pub(super) fn counts(&mut self, id: SubscriberId) -> Step<&mut Counts> {
        Ok(&mut self.subscriber_mut(id)?.counts)
    }

    pub(super) fn source(&self, id: SubscriberId) -> Step<Source> {
        let subscriber = self.subscriber(id)?;
        Ok(Source {
            topic: Arc::clone(&subscriber.topic_name),
            subscriber: Arc::clone(&subscriber.name),
        })
    }

    /// Waiting claims of this subscriber have something from `at` on.
    pub(super) fn note_ready(&mut self, id: SubscriberId, at: Millis) -> Step<()> {
        let source = self.source(id)?;
        self.effects.ready.push((source, at));
        Ok(())
    }

    // --- logs -------------------------------------------------------------------------------------

    /// The log that the next `count` messages of this priority go to; made when there is none, or
    /// when the sequence numbers of the open one do not suffice.
    pub(super) fn log_for(&mut self, topic: TopicId, priority: i16, count: i64) -> Step<LogId> {
        let mut open = None;
        for log in &self.topic(topic)?.logs {
            let log = self.log(*log)?;
            if log.priority == priority && !log.closed {
                open = Some((log.id, log.last_seq));
            }
        }
        match open {
            Some((log, last_seq)) if last_seq <= SEQ_MAX - count => return Ok(log),
            Some((full, _)) => self.close_log(full)?,
            None => {}
        }
        let log = self.create_log(topic, 0, priority)?;
        let priorities = self.topic(topic)?.logs.iter().map(|id| Ok(self.log(*id)?.priority));
        let place = priorities.collect::<Step<Vec<_>>>()?.partition_point(|p| *p >= priority);
        self.topic_mut(topic)?.logs.insert(place, log);
        Ok(log)
    }

    /// The log that the id of the next delayed message comes from.
    pub(super) fn origin_log(&mut self, topic: TopicId) -> Step<LogId> {
        if let Some(log) = self.topic(topic)?.origin_log {
            if self.log(log)?.last_seq < SEQ_MAX {
                return Ok(log);
            }
            self.close_log(log)?;
        }
        let log = self.create_log(topic, 1, 0)?;
        self.topic_mut(topic)?.origin_log = Some(log);
        Ok(log)
    }

    fn close_log(&mut self, log: LogId) -> Step<()> {
        self.connection
            .prepare_cached(include_str!("../../../sql/sqlite/log_close.sql"))?
            .execute([log])?;
        self.log_mut(log)?.closed = true;
        Ok(())
    }

    fn create_log(&mut self, topic: TopicId, kind: i64, priority: i16) -> Step<LogId> {
        let id = self
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/log_insert.sql"))?
            .insert(params![topic, kind, priority])?;
        let log = CachedLog {
            id,
            topic,
            priority,
            closed: false,
            last_seq: 0,
            recorded_seq: 0,
            trim_seq: 0,
            position: 0,
            published_at: 0,
            gap_count: 0,
            expiring: false,
            is_plain: true,
        };
        self.cache.logs.insert(id, Kept { value: log, dirty: false });
        Ok(id)
    }

    /// Loads the topic of a message; `None` if it is being reclaimed.
    pub(super) fn load_log_of(&mut self, message: i64) -> Step<Option<LogId>> {
        let log = log_of(message);
        if self.cache.logs.contains_key(&log) {
            return Ok(Some(log));
        }
        let topic = self
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/topic_of_log.sql"))?
            .query_row([log], |row| row.get(0))
            .optional()?;
        match topic {
            Some(topic) if self.load_topic(topic)? => Ok(Some(log)),
            _ => Ok(None),
        }
    }

    // --- leases -----------------------------------------------------------------------------------

    /// A lease row, if it is still there.
    pub(super) fn lease(&mut self, subscriber: SubscriberId, id: i64) -> Step<Option<&mut Lease>> {
        let place = (subscriber, id);
        if !self.leases.contains_key(&place) {
            let lease = self
                .connection
                .prepare_cached(include_str!("../../../sql/sqlite/lease_get.sql"))?
                .query_row(params![subscriber, id], |row| {
                    Ok(Lease {
                        token: row.get(0)?,
                        expires_at: row.get(1)?,
                        live: row.get(2)?,
                        runs: row.get(3)?,
                        dirty: false,
                    })
                })
                .optional()?;
            if let Some(lease) = lease {
                self.leases.insert(place, lease);
            }
        }
        Ok(self.leases.get_mut(&place))
    }

    /// A delivery no longer names this lease.
    pub(super) fn leave_lease(&mut self, subscriber: SubscriberId, id: i64) -> Step<()> {
        self.leave_lease_many(subscriber, id, 1)
    }

    /// So many deliveries no longer name this lease.
    pub(super) fn leave_lease_many(
        &mut self,
        subscriber: SubscriberId,
        id: i64,
        count: i64,
    ) -> Step<()> {
        if let Some(lease) = self.lease(subscriber, id)? {
            lease.live -= count;
            lease.dirty = true;
        }
        Ok(())
    }

    // --- flushing ---------------------------------------------------------------------------------

    /// Writes what the cache is ahead of. Needed before SQL that reads counters, cursors or logs.
    pub(super) fn flush(&mut self) -> Step<()> {
        self.flush_logs()?;
        self.flush_subscribers()?;
        self.flush_topics()?;
        self.flush_leases()
    }

    fn flush_logs(&mut self) -> Step<()> {
        let sql = include_str!("../../../sql/sqlite/log_update.sql");
        for id in std::mem::take(&mut self.cache.dirty_logs) {
            let Some(kept) = self.cache.logs.get_mut(&id) else { continue };
            kept.dirty = false;
            let log = &mut kept.value;
            log.recorded_seq = log.last_seq;
            self.connection.prepare_cached(sql)?.execute(params![
                id,
                log.last_seq,
                log.trim_seq,
                log.position,
                log.published_at,
                log.gap_count,
                log.expiring,
                log.is_plain
            ])?;
        }
        Ok(())
    }

    fn flush_subscribers(&mut self) -> Step<()> {
        let sql = include_str!("../../../sql/sqlite/subscriber_counts.sql");
        let cursor_sql = include_str!("../../../sql/sqlite/cursor_set.sql");
        for id in std::mem::take(&mut self.cache.dirty_subscribers) {
            let Some(kept) = self.cache.subscribers.get_mut(&id) else { continue };
            kept.dirty = false;
            let counts = &kept.value.counts;
            self.connection.prepare_cached(sql)?.execute(params![
                id,
                counts.leased,
                counts.retrying,
                counts.parked,
                counts.dead,
                counts.ahead,
                counts.claimed,
                counts.acked,
                counts.nacked,
                counts.expired,
                counts.cancelled,
                counts.dropped,
                counts.lease_seq,
                counts.lapsed,
                counts.filtered,
                counts.ttl_expired,
                counts.rate_full_at_us
            ])?;
            for log in std::mem::take(&mut kept.value.moved) {
                let seq = kept.value.cursor(log);
                self.connection.prepare_cached(cursor_sql)?.execute(params![id, log, seq])?;
            }
        }
        Ok(())
    }

    fn flush_topics(&mut self) -> Step<()> {
        let sql = include_str!("../../../sql/sqlite/topic_counts.sql");
        for id in std::mem::take(&mut self.cache.dirty_topics) {
            let Some(kept) = self.cache.topics.get_mut(&id) else { continue };
            kept.dirty = false;
            let topic = &kept.value;
            self.connection.prepare_cached(sql)?.execute(params![
                id,
                topic.delayed_count,
                topic.delayed_bytes,
                topic.delayed_cancelled_count
            ])?;
        }
        Ok(())
    }

    fn flush_leases(&mut self) -> Step<()> {
        for ((subscriber, id), lease) in self.leases.iter_mut().filter(|(_, lease)| lease.dirty) {
            lease.dirty = false;
            let place = params![subscriber, id];
            if lease.live <= 0 {
                let sql = include_str!("../../../sql/sqlite/lease_delete.sql");
                self.connection.prepare_cached(sql)?.execute(place)?;
            } else {
                let sql = include_str!("../../../sql/sqlite/lease_update.sql");
                self.connection.prepare_cached(sql)?.execute(params![
                    subscriber,
                    id,
                    lease.expires_at,
                    lease.live
                ])?;
            }
        }
        self.leases.retain(|_, lease| lease.live > 0);
        Ok(())
    }
}

fn lost(what: &str) -> Stop {
    Stop::Refused(Error::internal(format!("{what} is not loaded")))
}
