//! Pick: read what a claim hands out, and move the cursors past it.

use rusqlite::{Row, Rows, params};

use super::super::cache::{LogId, SubscriberId, key};
use super::super::keys;
use super::super::limit;
use super::super::tx::{Step, Tx};
use super::select::{New, Reads, Selection};
use crate::clock::Millis;
use crate::error::Error;
use crate::limits;
use crate::model::{IdParts, MessageId};

/// A message read from its row, before anybody holds a lease on it.
pub(super) struct Picked {
    pub key: i64,
    pub published_at: Millis,
    pub id: MessageId,
    pub payload: Vec<u8>,
    pub content_type: Option<String>,
    pub headers: Option<String>,
    pub correlation_id: Option<String>,
    pub ordering_key: Option<String>,
    pub expires_at: Option<Millis>,
    pub priority: i16,
    /// `None`: nobody has claimed it before.
    pub retry: Option<Retry>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Retry {
    pub ready_at: Millis,
    /// The lease that it was under, if that only expired.
    pub lease: Option<i64>,
    pub attempts: u32,
    pub failures: u32,
    /// It goes by its ordering key.
    pub keyed: bool,
}

impl Picked {
    fn size(&self) -> usize {
        self.payload.len()
            + self.headers.as_ref().map_or(0, String::len)
            + self.content_type.as_ref().map_or(0, String::len)
            + self.correlation_id.as_ref().map_or(0, String::len)
    }

    /// Since when it could be claimed.
    pub(super) fn since(&self) -> Millis {
        self.retry.map_or(self.published_at, |retry| retry.ready_at)
    }

    /// Its lease expired, and nobody has taken it over yet.
    pub(super) fn is_lapsed(&self) -> bool {
        self.retry.is_some_and(|retry| retry.lease.is_some())
    }

    pub(super) fn from_new(row: &Row<'_>, tag: u16, priority: i16) -> rusqlite::Result<Self> {
        let (key, published_at) = (row.get(0)?, row.get(1)?);
        let origin: Option<i64> = row.get(2)?;
        let id = match origin {
            Some(origin) => MessageId::new(IdParts { at: row.get(3)?, key: origin, tag }),
            None => MessageId::new(IdParts { at: published_at, key, tag }),
        };
        Ok(Self {
            key,
            published_at,
            id,
            content_type: row.get(4)?,
            headers: row.get(5)?,
            correlation_id: row.get(6)?,
            payload: row.get(7)?,
            ordering_key: row.get(8)?,
            expires_at: row.get(9)?,
            priority,
            retry: None,
        })
    }

    /// Of a log in which there is nothing but payloads.
    pub(super) fn from_plain(row: &Row<'_>, tag: u16, priority: i16) -> rusqlite::Result<Self> {
        let (key, published_at) = (row.get(0)?, row.get(1)?);
        Ok(Self {
            key,
            published_at,
            id: MessageId::new(IdParts { at: published_at, key, tag }),
            payload: row.get(2)?,
            content_type: None,
            headers: None,
            correlation_id: None,
            ordering_key: None,
            expires_at: None,
            priority,
            retry: None,
        })
    }

    fn from_retry(row: &Row<'_>, tag: u16, priority: i16) -> rusqlite::Result<Self> {
        let retry = Retry {
            ready_at: row.get(10)?,
            lease: row.get(11)?,
            attempts: row.get(12)?,
            failures: row.get(13)?,
            keyed: row.get::<_, Option<String>>(14)?.is_some(),
        };
        Ok(Self { retry: Some(retry), ..Self::from_new(row, tag, priority)? })
    }
}

/// What a claim may still take.
struct Room {
    items: usize,
    bytes: usize,
    /// Leases beyond those that there are; `None`: no limit.
    slots: Option<usize>,
}

impl Room {
    /// A single message may be larger than the bound. One whose lease expired has its slot.
    fn fits(&self, item: &Picked, first: bool) -> bool {
        self.items > 0
            && (first || item.size() <= self.bytes)
            && (self.slots != Some(0) || item.is_lapsed())
    }

    fn take(&mut self, item: &Picked) {
        self.items -= 1;
        self.bytes = self.bytes.saturating_sub(item.size());
        if !item.is_lapsed() {
            self.slots = self.slots.map(|slots| slots.saturating_sub(1));
        }
    }
}

/// Reads what to hand out, and moves the cursors past it.
pub(super) fn pick(tx: &mut Tx<'_>, selection: &mut Selection, limit: usize) -> Step<Vec<Picked>> {
    let id = selection.id;
    let allowance = limit::allowance(tx, id)?;
    let items = allowance.tokens.map_or(limit, |tokens| tokens.min(limit));
    let mut room = Room { items, bytes: limits::BATCH_BYTES_MAX, slots: allowance.slots };
    let mut picked = Vec::new();
    if room.items > 0 && room.slots != Some(0) {
        pick_levels(tx, selection, &mut room, &mut picked)?;
        park_again(tx, selection)?;
    }
    if room.slots == Some(0) && tx.subscriber(id)?.counts.lapsed > 0 {
        pick_lapsed(tx, id, &mut room, &mut picked)?;
    }
    Ok(picked)
}

fn pick_levels(
    tx: &mut Tx<'_>,
    selection: &mut Selection,
    room: &mut Room,
    picked: &mut Vec<Picked>,
) -> Step<()> {
    let logs = tx.topic(tx.subscriber(selection.id)?.topic)?.logs.clone();
    let mut rest = logs.as_slice();
    while let Some(first) = rest.first() {
        let priority = tx.log(*first)?.priority;
        let mut same = 0;
        for log in rest {
            if tx.log(*log)?.priority != priority {
                break;
            }
            same += 1;
        }
        let (level, lower) = rest.split_at(same);
        rest = lower;
        if !pick_level(tx, selection, priority, level, room, picked)? {
            break;
        }
    }
    Ok(())
}

/// Takes from one priority; the answer is whether a lower one may have a share.
fn pick_level(
    tx: &mut Tx<'_>,
    selection: &mut Selection,
    priority: i16,
    logs: &[LogId],
    room: &mut Room,
    picked: &mut Vec<Picked>,
) -> Step<bool> {
    let connection = tx.connection;
    let id = selection.id;
    let has_retries = tx.subscriber(id)?.counts.retrying > 0;
    let retries_sql = include_str!("../../../../sql/sqlite/claim_retries.sql");
    let mut retries_statement = connection.prepare_cached(retries_sql)?;
    let mut retries = Retries::default();
    if has_retries {
        // Where keys matter, some of them are passed over.
        let rows_max = if selection.rule.is_some() { -1 } else { as_rows(room.items) };
        let rows = retries_statement.query(params![id, priority, tx.now, rows_max])?;
        retries.open(rows, tx, selection, priority)?;
    }
    for &log in logs {
        let (cursor, last_seq) = (tx.subscriber(id)?.cursor(log), tx.log(log)?.last_seq);
        let reads = selection.reads(tx, log)?;
        let mut new_statement = connection.prepare_cached(reads.sql())?;
        let mut new = New::at(log, cursor);
        if cursor < last_seq {
            let (from, to) = (key(log, cursor), key(log, last_seq));
            let rows = if reads == Reads::Look {
                new_statement.query(params![from, to])?
            } else {
                new_statement.query(params![from, to, as_rows(room.items)])?
            };
            new.open(rows, reads);
        }
        let full = loop {
            // What there is no room for is not looked at.
            if new.item.is_none() && !new.ended {
                if room.items == 0 {
                    break true;
                }
                new.advance(tx, selection)?;
            }
            let retry_first = match (&retries.item, &new.item) {
                (Some(retry), Some(new)) => retry.since() <= new.since(),
                (retry, new) => {
                    if new.is_none() {
                        // Retries go on with the next log of this priority, or after the last one.
                        break room.items == 0;
                    }
                    retry.is_some()
                }
            };
            if retry_first {
                if !hand_over(&mut retries, tx, selection, room, picked)? {
                    break true;
                }
                continue;
            }
            if !new.item.as_ref().is_some_and(|item| room.fits(item, picked.is_empty())) {
                break true;
            }
            if let Some(item) = new.take(tx, selection)? {
                room.take(&item);
                picked.push(item);
            }
        };
        // Read to its end: what was removed behind the last message is passed, too.
        let at_end = !full && new.item.is_none() && !new.stopped && room.items > 0;
        let moved = if at_end { last_seq } else { new.passed };
        tx.subscriber_mut(id)?.move_cursor(log, moved);
        if moved != cursor {
            tx.cache.may_trim(log);
        }
        if full {
            return Ok(false);
        }
        if selection.unfinished {
            break;
        }
    }
    while retries.item.is_some() {
        if !hand_over(&mut retries, tx, selection, room, picked)? {
            return Ok(false);
        }
    }
    Ok(room.items > 0 && !selection.unfinished)
}

fn as_rows(items: usize) -> i64 {
    items.cast_signed() as i64
}

/// Moves the next retry into the claim; the answer is whether there was room for it.
fn hand_over(
    retries: &mut Retries<'_>,
    tx: &Tx<'_>,
    selection: &mut Selection,
    room: &mut Room,
    picked: &mut Vec<Picked>,
) -> Step<bool> {
    let Some(item) = retries.item.take_if(|item| room.fits(item, picked.is_empty())) else {
        return Ok(false);
    };
    selection.take_retry(&item);
    room.take(&item);
    picked.push(item);
    retries.advance(tx, selection)?;
    Ok(true)
}

/// The next delivery that waited for its attempt, read ahead by one so that it can be merged with new ones.
#[derive(Default)]
struct Retries<'s> {
    rows: Option<Rows<'s>>,
    priority: i16,
    item: Option<Picked>,
}

impl<'s> Retries<'s> {
    fn open(
        &mut self,
        rows: Rows<'s>,
        tx: &Tx<'_>,
        selection: &mut Selection,
        priority: i16,
    ) -> Step<()> {
        self.rows = Some(rows);
        self.priority = priority;
        self.advance(tx, selection)
    }

    fn advance(&mut self, tx: &Tx<'_>, selection: &mut Selection) -> Step<()> {
        self.item = None;
        let Some(rows) = &mut self.rows else { return Ok(()) };
        while let Some(row) = rows.next()? {
            let item = Picked::from_retry(row, tx.tag, self.priority)?;
            if selection.wants_retry(tx, &item)? {
                self.item = Some(item);
                break;
            }
        }
        Ok(())
    }
}

/// Deliveries whose key turned out to have no room for them go back behind it.
fn park_again(tx: &mut Tx<'_>, selection: &mut Selection) -> Step<()> {
    let id = selection.id;
    for (message, retry) in std::mem::take(&mut selection.without_room) {
        let counts = tx.counts(id)?;
        counts.retrying -= 1;
        if let Some(lease) = retry.lease {
            counts.lapsed -= 1;
            tx.leave_lease(id, lease)?;
        }
        keys::park_again(tx, id, message, retry.attempts, None)?;
    }
    Ok(())
}

/// With no slot left, what can be handed out is what holds one: deliveries whose lease expired.
fn pick_lapsed(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    room: &mut Room,
    picked: &mut Vec<Picked>,
) -> Step<()> {
    // Which leases there are, and that they have expired, may not stand in their rows yet.
    tx.flush()?;
    // All that the oldest leases have left may be picked already.
    let leases_max = as_rows(room.items + picked.len());
    let leases: Vec<(i64, String)> = tx
        .connection
        .prepare_cached(include_str!("../../../../sql/sqlite/lease_lapsed.sql"))?
        .query_map(params![id, leases_max], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let sql = include_str!("../../../../sql/sqlite/claim_lapsed.sql");
    let mut statement = tx.connection.prepare_cached(sql)?;
    for (lease, runs) in leases {
        let runs: Vec<i64> =
            serde_json::from_str(&runs).map_err(|_| Error::internal("a lease has no runs"))?;
        for run in runs.chunks_exact(2) {
            let [first, last] = run else { continue };
            let mut rows = statement.query(params![id, lease, first, last])?;
            while let Some(row) = rows.next()? {
                let item = Picked::from_retry(row, tx.tag, row.get(15)?)?;
                let is_taken = picked.iter().any(|other| other.key == item.key);
                if is_taken || item.expires_at.is_some_and(|at| at <= tx.now) {
                    continue;
                }
                if !room.fits(&item, picked.is_empty()) {
                    return Ok(());
                }
                room.take(&item);
                picked.push(item);
            }
        }
    }
    Ok(())
}
