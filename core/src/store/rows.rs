//! Everything that a queue holds, as rows that mean the same in every store: what a copy carries over.
//!
//! Owns the list of tables and columns, and the one form in which rows are compared. Not in it is what belongs to
//! a place and not to the queue: migrations, the answers to groups, whatever one store keeps to be faster.
//! Invariant: a column that only one store has is no part of a row, and is right again in a filled store.

use rusqlite::types::Value;
use sha2::{Digest as _, Sha256};

use crate::error::Result;

/// One value of each column of a table.
pub(crate) type Row = Vec<Value>;

/// A table that every store has under this name, with these columns.
#[derive(Debug)]
pub(crate) struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// How many of the first columns are the key: the order in which rows are read.
    pub key: usize,
    pub ids: Ids,
}

/// Who gives the rows of a table their first column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    /// Whoever writes the row.
    Writer,
    /// The database, above the largest.
    Largest,
    /// The database, above the newest there ever was.
    Newest,
}

#[derive(Debug)]
pub(crate) struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// What a column is made of; a value of it may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    /// 0 or 1 in a row.
    Flag,
    Real,
    Text,
    /// In a row without blanks, and names of an object in their order.
    Json,
    /// A JSON list of integers.
    Integers,
    Bytes,
    /// An integer among settings of which others are text.
    Setting,
}

use Kind::{Bytes, Flag, Integer, Integers, Json, Real, Setting, Text};

/// Writes down a table in its own words.
macro_rules! table {
    ($name:literal ($key:literal $ids:ident): $($column:ident $kind:ident),+ $(,)?) => {
        Table {
            name: concat!("blockqueue_", $name),
            key: $key,
            ids: Ids::$ids,
            columns: &[$(Column { name: stringify!($column), kind: $kind }),+],
        }
    };
}

/// The settings that belong to the queue: ids of messages have its tag in them.
pub(crate) const SETTINGS: &str = "blockqueue_meta";
/// The rows of [`SETTINGS`] that are carried over.
pub(crate) const SETTINGS_CARRIED: &str = "name IN ('payload_bytes_max', 'tag')";

#[rustfmt::skip]
pub(crate) const TABLES: &[Table] = &[
    table!("meta" (1 Writer): name Text, value Setting),
    table!("topic" (1 Newest):
        id Integer, name Text, created_at Integer, deleted_at Integer, paused Flag, retention_ms Integer,
        retention_count Integer, retention_bytes Integer, backlog_count Integer, backlog_bytes Integer,
        backlog_ms Integer, backlog_policy Integer, idempotency_ms Integer, ttl_ms Integer,
        delayed_count Integer, delayed_bytes Integer, delayed_cancelled_count Integer),
    table!("log" (1 Newest):
        id Integer, topic_id Integer, kind Integer, priority Integer, closed Flag, last_seq Integer,
        trim_seq Integer, trimmed_at Integer, position Integer, published_at Integer, gap_count Integer,
        expiring Flag),
    table!("message" (1 Writer):
        id Integer, published_at Integer, position Integer, origin Integer, accepted_at Integer,
        content_type Text, headers Json, correlation_id Text, idempotency_key Text, ordering_key Text,
        expires_at Integer, payload Bytes),
    table!("delayed" (1 Writer):
        id Integer, topic_id Integer, priority Integer, due_at Integer, accepted_at Integer,
        size_bytes Integer, content_type Text, headers Json, correlation_id Text, idempotency_key Text,
        ordering_key Text, expires_at Integer, payload Bytes),
    table!("subscriber" (1 Newest):
        id Integer, topic_id Integer, name Text, created_at Integer, deleted_at Integer, paused Flag,
        max_attempts Integer, lease_ms Integer, claim_limit Integer, retry_initial_ms Integer,
        retry_max_ms Integer, retry_multiplier Real, retry_jitter Real, ordered Flag, on_dead Integer,
        filter Json, on_expiry Integer, leased_max Integer, rate_count Integer, rate_ms Integer,
        leased_per_key_max Integer, leased_count Integer, retrying_count Integer, parked_count Integer,
        dead_count Integer, lapsed_count Integer, ahead_count Integer, claimed_count Integer,
        acked_count Integer, nacked_count Integer, expired_count Integer, cancelled_count Integer,
        dropped_count Integer, filtered_count Integer, ttl_expired_count Integer, rate_full_at_us Integer,
        sifted_key Text, lease_seq Integer),
    table!("cursor" (2 Writer): subscriber_id Integer, log_id Integer, seq Integer),
    table!("delivery" (2 Writer):
        subscriber_id Integer, message_id Integer, state Integer, lease_id Integer, priority Integer,
        attempts Integer, failures Integer, ready_at Integer, ordering_key Text, expires_at Integer),
    table!("lease" (2 Writer):
        subscriber_id Integer, id Integer, token Bytes, expires_at Integer, live_count Integer,
        runs Integers),
    table!("failure" (3 Writer):
        message_id Integer, subscriber_id Integer, failure Integer, failed_at Integer, error Text),
    table!("idempotency" (2 Writer):
        topic_id Integer, key Text, message_id Integer, accepted_at Integer, due_at Integer,
        fingerprint Bytes, expires_at Integer),
    table!("staged" (1 Largest):
        id Integer, topic_id Integer, priority Integer, delay_ms Integer, deliver_at Integer,
        content_type Text, headers Json, correlation_id Text, idempotency_key Text, ordering_key Text,
        ttl_ms Integer, unique_key Text, payload Bytes),
    table!("rejected" (1 Newest):
        id Integer, topic Text, rejected_at Integer, code Text, detail Text, priority Integer,
        delay_ms Integer, deliver_at Integer, content_type Text, headers Json, correlation_id Text,
        idempotency_key Text, ordering_key Text, ttl_ms Integer, unique_key Text, payload Bytes),
    table!("settling" (1 Writer):
        receipt Text, verb Integer, delay_ms Integer, error Text, give_up Integer, reply Bytes,
        reply_content_type Text, reply_ttl_ms Integer),
    table!("schedule" (1 Newest):
        id Integer, topic_id Integer, name Text, created_at Integer, version Integer, paused Flag, cron Text,
        timezone Text, start_at Integer, end_at Integer, jitter_ms Integer, grace_ms Integer,
        misfire Integer, misfire_limit Integer, overlap Integer, next_at Integer, due_at Integer,
        last_at Integer, queued_at Integer, message_id Integer, message_at Integer, run_seq Integer,
        priority Integer, content_type Text, headers Json, correlation_id Text, ordering_key Text,
        ttl_ms Integer, payload Bytes),
    table!("schedule_run" (2 Writer):
        schedule_id Integer, run Integer, status Integer, occurrence_at Integer, until_at Integer,
        at Integer, message_id Integer, message_at Integer, error Text),
    table!("unique" (2 Writer):
        topic_id Integer, key Text, message_id Integer, accepted_at Integer, look_at Integer),
    table!("result" (1 Largest):
        id Integer, message_id Integer, accepted_at Integer, subscriber_id Integer, replied_at Integer,
        expires_at Integer, content_type Text, payload Bytes),
];

impl Table {
    /// Names of columns, each as `each` writes it.
    pub(crate) fn list(&self, each: impl FnMut(&Column) -> String) -> String {
        self.columns.iter().map(each).collect::<Vec<_>>().join(", ")
    }

    /// The columns of the key.
    pub(crate) fn key(&self) -> &'static [Column] {
        self.columns.get(..self.key).unwrap_or_default()
    }

    /// Which rows are carried over.
    pub(crate) fn condition(&self) -> &'static str {
        if self.name == SETTINGS { SETTINGS_CARRIED } else { "true" }
    }
}

/// A queue as of one moment.
pub(crate) trait Rows {
    /// How many rows a table has.
    fn count(&mut self, table: &Table) -> Result<u64>;

    /// Passes the rows of a table on, in the order of their keys.
    fn each(&mut self, table: &Table, pass: &mut dyn FnMut(Row) -> Result<()>) -> Result<()>;

    /// The newest id that the database ever gave to a row of the table.
    fn newest_id(&mut self, table: &Table) -> Result<i64>;
}

/// A place that is being filled with a queue. Until it is committed nobody can open it as one.
pub(crate) trait Filling: Rows {
    fn insert(&mut self, table: &Table, rows: &[Row]) -> Result<()>;

    /// After the last row of a table: what the next ids are given above.
    fn set_newest_id(&mut self, table: &Table, id: i64) -> Result<()>;

    fn commit(self: Box<Self>) -> Result<()>;
}

/// JSON in the one form in which it is compared; what is not quite JSON is left as it is.
pub(crate) fn canonical_json(text: String) -> String {
    let parsed: serde_json::Result<serde_json::Value> = serde_json::from_str(&text);
    parsed.map_or(text, |value| value.to_string())
}

/// Bytes of a row, near enough to bound what is held of them.
pub(crate) fn size_bytes(row: &[Value]) -> usize {
    let size = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => 0,
    };
    row.iter().map(|value| 16 + size(value)).sum()
}

/// What rows of a table come to: equal in two stores only if all of them are, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checksum {
    hash: Sha256,
    rows: u64,
}

impl Checksum {
    pub(crate) fn add(&mut self, row: &[Value]) {
        self.rows += 1;
        for value in row {
            self.add_value(value);
        }
    }

    /// How long a value is stands before it, so that no two lists of values are the same bytes.
    fn add_value(&mut self, value: &Value) {
        let mut put = |kind: u8, bytes: &[u8]| {
            self.hash.update([kind]);
            self.hash.update((bytes.len() as u64).to_be_bytes());
            self.hash.update(bytes);
        };
        match value {
            Value::Null => put(0, &[]),
            Value::Integer(number) => put(1, &number.to_be_bytes()),
            Value::Real(number) => put(2, &number.to_bits().to_be_bytes()),
            Value::Text(text) => put(3, text.as_bytes()),
            Value::Blob(bytes) => put(4, bytes),
        }
    }

    pub(crate) fn add_newest_id(&mut self, id: i64) {
        self.add_value(&Value::Integer(id));
    }

    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// In hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        self.hash.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }
}

/// Reads a table, and says after how many rows more where it is.
pub(crate) fn checksum(
    table: &Table,
    rows: &mut (impl Rows + ?Sized),
    every: u64,
    mut tell: impl FnMut(u64),
) -> Result<Checksum> {
    let (mut checksum, mut told) = (Checksum::default(), 0);
    rows.each(table, &mut |row| {
        checksum.add(&row);
        if checksum.rows() - told == every {
            tell(every);
            told = checksum.rows();
        }
        Ok(())
    })?;
    tell(checksum.rows() - told);
    checksum.add_newest_id(newest_id(table, rows)?);
    Ok(checksum)
}

/// What ids of rows yet to come are given above, where that is more than the rows tell.
pub(crate) fn newest_id(table: &Table, rows: &mut (impl Rows + ?Sized)) -> Result<i64> {
    if table.ids == Ids::Newest { rows.newest_id(table) } else { Ok(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checksum(rows: &[&[Value]]) -> String {
        let mut checksum = Checksum::default();
        for row in rows {
            checksum.add(row);
        }
        checksum.finish()
    }

    #[test]
    fn values_do_not_run_into_each_other() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_ne!(checksum(&[&[text("ab"), text("c")]]), checksum(&[&[text("a"), text("bc")]]));
        assert_ne!(checksum(&[&[text("")]]), checksum(&[&[Value::Null]]));
        assert_ne!(checksum(&[&[text("a")]]), checksum(&[&[Value::Blob(b"a".to_vec())]]));
        assert_ne!(checksum(&[&[Value::Integer(1)]]), checksum(&[&[Value::Real(1.0)]]));
    }

    #[test]
    fn json_is_the_same_however_it_was_written() {
        let canonical = |text: &str| canonical_json(text.to_owned());
        assert_eq!(canonical(r#"{"b": "2",  "a":"\u0031"}"#), r#"{"a":"1","b":"2"}"#);
        assert_eq!(canonical("{a"), "{a");
    }
}
