//! Selection: which messages of a log a subscriber gets, and which it passes over.
//!
//! Owns the filter, the expiry of pending messages, and the parking behind ordering keys. A subscriber that
//! has none of these reads messages whole; for the others what decides is read first, and the rest only of
//! what is handed out. Bounded per transaction: a selection that is not finished goes on in another one.

use rusqlite::{OptionalExtension as _, Row, Rows, params};

use super::super::cache::{LogId, SubscriberId, seq_of};
use super::super::keys::{self, Keys, Rule};
use super::super::tx::{Step, Tx};
use super::super::{encode, expiry};
use super::pick::{Picked, Retry};
use crate::clock::Millis;
use crate::limits;
use crate::options::Filter;

/// What decides, for one claim, about messages of one subscriber.
pub(super) struct Selection {
    pub id: SubscriberId,
    pub rule: Option<Rule>,
    filter: Option<Filter>,
    keys: Keys,
    /// How many messages this claim has parked.
    parked: usize,
    /// Deliveries that waited for an attempt, and whose key has no room.
    pub without_room: Vec<(i64, Retry)>,
    /// It came to the bound of what one transaction may do.
    pub unfinished: bool,
    /// Logs that are not read any further until a key is free: too much is parked.
    pub stuck: Vec<LogId>,
}

/// What decides about a message.
struct Look {
    key: i64,
    expires_at: Option<Millis>,
    ordering_key: Option<String>,
    headers: Option<String>,
}

enum Verdict {
    Deliver,
    /// A dead letter that a seek went back behind, with so many failures: it comes alive again.
    Revive(u32),
    Pass,
    Stop,
}

/// What is read of each message of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// What decides: it may be passed over.
    Look,
    /// Everything.
    Whole,
    /// The payload: there is nothing else.
    Payload,
}

impl Reads {
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Look => include_str!("../../../../sql/sqlite/claim_look.sql"),
            Self::Whole => include_str!("../../../../sql/sqlite/claim_new.sql"),
            Self::Payload => include_str!("../../../../sql/sqlite/claim_plain.sql"),
        }
    }
}

impl Look {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            expires_at: row.get(2)?,
            ordering_key: row.get(3)?,
            headers: row.get(4)?,
        })
    }
}

/// Whether the filter of a subscriber lets a message through.
pub(in super::super) fn wants(tx: &Tx<'_>, id: SubscriberId, message: i64) -> Step<bool> {
    matches(tx, tx.subscriber(id)?.options.filter.as_ref(), message)
}

/// Whether the headers of a message match; they do without a filter.
pub(in super::super) fn matches(tx: &Tx<'_>, filter: Option<&Filter>, message: i64) -> Step<bool> {
    let Some(filter) = filter else { return Ok(true) };
    let headers: Option<String> = tx
        .connection
        .prepare_cached(include_str!("../../../../sql/sqlite/claim_look.sql"))?
        .query_row(params![message - 1, message], |row| row.get(4))
        .optional()?
        .flatten();
    Ok(filter.matches(&encode::headers_from_json(headers.as_deref())))
}

impl Selection {
    pub(super) fn of(tx: &Tx<'_>, id: SubscriberId) -> Step<Self> {
        let options = &tx.subscriber(id)?.options;
        Ok(Self {
            id,
            rule: Rule::of(options),
            filter: options.filter.clone(),
            keys: Keys::default(),
            parked: 0,
            without_room: Vec::new(),
            unfinished: false,
            stuck: Vec::new(),
        })
    }

    pub(super) fn reads(&self, tx: &Tx<'_>, log: LogId) -> Step<Reads> {
        let log = tx.log(log)?;
        let may_pass_over = self.filter.is_some()
            || self.rule.is_some()
            || log.expiring
            || tx.subscriber(self.id)?.counts.ahead > 0;
        Ok(match (may_pass_over, log.is_plain) {
            (true, _) => Reads::Look,
            (false, true) => Reads::Payload,
            (false, false) => Reads::Whole,
        })
    }

    fn judge(&mut self, tx: &mut Tx<'_>, log: LogId, look: &Look) -> Step<Verdict> {
        if tx.scan.is_spent() {
            self.unfinished = true;
            return Ok(Verdict::Stop);
        }
        let ahead = self.row_ahead(tx, look.key)?;
        let dead = match ahead {
            None => None,
            Some((encode::DEAD, failures)) => Some(failures),
            Some((state, _)) => {
                self.pass_row(tx, look.key, state)?;
                return Ok(Verdict::Pass);
            }
        };
        if !self.matches(look) {
            tx.counts(self.id)?.filtered += 1;
            tx.counts(self.id)?.ahead -= i64::from(dead.is_some());
            return Ok(Verdict::Pass);
        }
        if look.expires_at.is_some_and(|at| at <= tx.now) {
            if dead.is_some() {
                tx.counts(self.id)?.ahead -= 1;
            } else {
                expiry::pass(tx, self.id, look.key, look.ordering_key.as_deref())?;
            }
            return Ok(Verdict::Pass);
        }
        if let (Some(rule), Some(ordering_key)) = (self.rule, &look.ordering_key)
            && !self.keys.has_room_for_new(tx, self.id, rule, (ordering_key, look.key))?
        {
            return self.park(tx, log, look, dead.is_some());
        }
        Ok(dead.map_or(Verdict::Deliver, Verdict::Revive))
    }

    fn matches(&self, look: &Look) -> bool {
        self.filter.as_ref().is_none_or(|filter| {
            filter.matches(&encode::headers_from_json(look.headers.as_deref()))
        })
    }

    /// State and failures of the row that a message ahead of the cursor has already, if there is one.
    fn row_ahead(&self, tx: &Tx<'_>, message: i64) -> Step<Option<(i64, u32)>> {
        if tx.subscriber(self.id)?.counts.ahead == 0 {
            return Ok(None);
        }
        Ok(encode::delivery_state(tx.connection, message, self.id)?)
    }

    /// Passes over a message that was cancelled, or is in flight.
    fn pass_row(&self, tx: &mut Tx<'_>, message: i64, state: i64) -> Step<()> {
        tx.counts(self.id)?.ahead -= 1;
        if state == encode::SKIPPED {
            tx.connection
                .prepare_cached(include_str!("../../../../sql/sqlite/delivery_delete.sql"))?
                .execute(params![message, self.id])?;
        }
        Ok(())
    }

    /// Sets a message aside behind its key, as far as the limits allow.
    fn park(&mut self, tx: &mut Tx<'_>, log: LogId, look: &Look, is_dead: bool) -> Step<Verdict> {
        let Some(ordering_key) = &look.ordering_key else { return Ok(Verdict::Deliver) };
        if tx.subscriber(self.id)?.counts.parked >= encode::signed(limits::PARKED_MAX) {
            self.stuck.push(log);
            return Ok(Verdict::Stop);
        }
        if self.parked >= limits::CLAIM_PARKED_MAX {
            self.unfinished = true;
            return Ok(Verdict::Stop);
        }
        self.parked += 1;
        if is_dead {
            let counts = tx.counts(self.id)?;
            counts.ahead -= 1;
            counts.dead -= 1;
            keys::park_again(tx, self.id, look.key, 0, Some(ordering_key))?;
        } else {
            keys::park(tx, self.id, look.key, ordering_key, look.expires_at)?;
        }
        Ok(Verdict::Pass)
    }

    /// Whether a delivery that waited for its attempt may be handed out.
    pub(super) fn wants_retry(&mut self, tx: &Tx<'_>, item: &Picked) -> Step<bool> {
        if item.expires_at.is_some_and(|at| at <= tx.now) {
            // More expired at once than one transaction ends.
            return Ok(false);
        }
        let (Some(rule), Some(retry)) = (self.rule, item.retry) else { return Ok(true) };
        let Some(key) = item.ordering_key.as_deref().filter(|_| retry.keyed) else {
            return Ok(true);
        };
        let key_and_lapsed = (key, retry.lease.is_some());
        let has_room = self.keys.has_room_for_retry(tx, self.id, rule, key_and_lapsed)?;
        if !has_room {
            self.without_room.push((item.key, retry));
        }
        Ok(has_room)
    }

    pub(super) fn take_retry(&mut self, item: &Picked) {
        if let (Some(_), Some(retry), Some(key)) = (self.rule, item.retry, &item.ordering_key)
            && retry.keyed
        {
            self.keys.take(key, retry.lease.is_some());
        }
    }
}

/// The next message of a log that nobody has claimed, read ahead by one as long as there is room.
pub(super) struct New<'s> {
    log: LogId,
    rows: Option<Rows<'s>>,
    reads: Reads,
    /// With a retry: a dead letter that comes alive again.
    pub item: Option<Picked>,
    /// The sequence number up to which everything was handed out, parked or passed over.
    pub passed: i64,
    /// It stopped before the end of the log.
    pub stopped: bool,
    /// There is nothing more to read.
    pub ended: bool,
}

impl<'s> New<'s> {
    pub(super) const fn at(log: LogId, cursor: i64) -> Self {
        let (rows, item) = (None, None);
        let (reads, stopped, ended) = (Reads::Whole, false, true);
        Self { log, rows, reads, item, passed: cursor, stopped, ended }
    }

    pub(super) fn open(&mut self, rows: Rows<'s>, reads: Reads) {
        self.rows = Some(rows);
        self.reads = reads;
        self.ended = false;
    }

    /// Reads on to the next message that is to be handed out.
    pub(super) fn advance(&mut self, tx: &mut Tx<'_>, selection: &mut Selection) -> Step<()> {
        self.item = None;
        let Some(rows) = &mut self.rows else { return Ok(()) };
        let priority = tx.log(self.log)?.priority;
        loop {
            let Some(row) = rows.next()? else {
                self.ended = true;
                break;
            };
            let look = match self.reads {
                Reads::Look => Look::from_row(row)?,
                Reads::Whole => {
                    self.item = Some(Picked::from_new(row, tx.tag, priority)?);
                    break;
                }
                Reads::Payload => {
                    self.item = Some(Picked::from_plain(row, tx.tag, priority)?);
                    break;
                }
            };
            match selection.judge(tx, self.log, &look)? {
                Verdict::Stop => {
                    self.stopped = true;
                    self.ended = true;
                    break;
                }
                Verdict::Pass => {
                    self.passed = seq_of(look.key);
                    tx.scan.count();
                }
                verdict => {
                    self.item = whole(tx, look.key, priority)?;
                    if let (Verdict::Revive(failures), Some(item)) = (verdict, &mut self.item) {
                        let ready_at = item.published_at;
                        let keyed = selection.rule.is_some();
                        item.retry =
                            Some(Retry { ready_at, lease: None, attempts: 0, failures, keyed });
                    }
                    break;
                }
            }
        }
        Ok(())
    }

    /// Hands the item out, unless retries have used up its key meanwhile.
    pub(super) fn take(
        &mut self,
        tx: &mut Tx<'_>,
        selection: &mut Selection,
    ) -> Step<Option<Picked>> {
        let Some(item) = self.item.take() else { return Ok(None) };
        if let (Some(rule), Some(ordering_key)) = (selection.rule, &item.ordering_key) {
            let place = (ordering_key.as_str(), item.key);
            if !selection.keys.has_room_for_new(tx, selection.id, rule, place)? {
                let look = Look {
                    key: item.key,
                    expires_at: item.expires_at,
                    ordering_key: item.ordering_key,
                    headers: None,
                };
                if let Verdict::Pass = selection.park(tx, self.log, &look, item.retry.is_some())? {
                    self.passed = seq_of(item.key);
                } else {
                    self.stopped = true;
                    self.ended = true;
                }
                return Ok(None);
            }
            selection.keys.take(ordering_key, false);
        }
        if item.retry.is_some() {
            let counts = tx.counts(selection.id)?;
            counts.ahead -= 1;
            counts.dead -= 1;
            counts.retrying += 1;
        }
        self.passed = seq_of(item.key);
        Ok(Some(item))
    }
}

fn whole(tx: &Tx<'_>, message: i64, priority: i16) -> Step<Option<Picked>> {
    let sql = include_str!("../../../../sql/sqlite/claim_one.sql");
    let mut statement = tx.connection.prepare_cached(sql)?;
    let picked =
        statement.query_row([message], |row| Picked::from_new(row, tx.tag, priority)).optional()?;
    Ok(picked)
}
