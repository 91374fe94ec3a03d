//! The store as a private copy of a queue that is elsewhere.
//!
//! Transactions run here as in any file, and what they changed is handed out before they are committed; what
//! others have changed is taken in. Temporary triggers note the keys of rows that are changed: the plain store
//! knows nothing of it. Invariant: what was taken in and what was handed out makes the copy.

use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Transaction, TransactionBehavior, params, params_from_iter};

use super::cache::Cache;
use super::changes::{self, Verb};
use super::error::from_sqlite;
use super::tables::{self, Table};
use super::tx::{Step, Stop, Tx};
use super::{SqliteStore, apply_all, connection, guard, interactive, migrate};
use crate::error::{Error, Result};
use crate::op::Op;
use crate::options::OpenOptions;
use crate::store::recent::Recent;
use crate::store::{Applied, Fault, Follow, Owner};

/// Is given what a transaction changed, just before it is committed; an error rolls it back.
pub(in crate::store) type Publish<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Fault>;

/// What one step of upkeep may write of messages: small beside what one transaction may change.
const STEP_BYTES: usize = 1 << 20;
/// Columns that a key may have.
const KEY_COLUMNS: usize = 3;

impl SqliteStore {
    /// A copy in a file that nobody else opens.
    pub(in crate::store) fn open_mirror(path: &Path, options: &OpenOptions) -> Result<Self> {
        let mut mirror = Self::open(path, options)?;
        mirror.peers = None;
        mirror.step_bytes = STEP_BYTES;
        Ok(mirror)
    }

    /// Carries out a group, and hands out its changes.
    pub(in crate::store) fn apply_and_publish(
        &mut self,
        ops: &[Op],
        follow: &mut dyn Follow,
        tables: &[Table],
        publish: Publish<'_>,
    ) -> Result<Applied, Fault> {
        let body = |tx: &mut Tx<'_>| apply_all(tx, ops, follow).map(Some);
        let applied = self.transact_and_publish(tables, publish, body)?;
        applied.ok_or_else(|| Fault::NotApplied(Error::internal("a group was rolled back")))
    }

    /// Carries out a transaction as its owner says, and hands out its changes.
    pub(in crate::store) fn converse_and_publish(
        &mut self,
        owner: &mut dyn Owner,
        follow: &mut dyn Follow,
        tables: &[Table],
        publish: Publish<'_>,
    ) -> Result<Option<Applied>, Fault> {
        self.reopen().map_err(Fault::NotApplied)?;
        guard::watch_deadlines(&mut self.connection).map_err(Fault::NotApplied)?;
        let body = |tx: &mut Tx<'_>| interactive::serve(tx, owner, follow);
        let result = self.transact_and_publish(tables, publish, body);
        guard::forget_deadlines(&mut self.connection).map_err(Fault::NotApplied)?;
        result
    }

    fn transact_and_publish(
        &mut self,
        tables: &[Table],
        publish: Publish<'_>,
        body: impl FnOnce(&mut Tx<'_>) -> Step<Option<Applied>>,
    ) -> Result<Option<Applied>, Fault> {
        let mut refused = None;
        let result = self.transact(|tx| {
            begin_notes(tx.connection, tables)?;
            let applied = body(tx)?;
            if applied.is_some() {
                let changes = take_notes(tx.connection, tables)?;
                publish(&changes).map_err(|fault| {
                    refused = Some(fault);
                    Stop::Refused(Error::Busy)
                })?;
            }
            Ok(applied)
        });
        result.map_err(|fault| refused.unwrap_or(fault))
    }

    /// The tables of the queue, by name.
    pub(in crate::store) fn tables(&self) -> Result<Vec<Table>> {
        tables::tables(&self.connection).map_err(from_sqlite)
    }

    /// Passes the rows of a table on.
    pub(in crate::store) fn each_row(
        &self,
        table: &Table,
        pass: &mut dyn FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()> {
        let sql = format!("SELECT * FROM {}", table.name);
        let mut statement = self.connection.prepare(&sql).map_err(from_sqlite)?;
        let mut rows = statement.query([]).map_err(from_sqlite)?;
        while let Some(row) = rows.next().map_err(from_sqlite)? {
            let values = (0..table.columns.len()).map(|place| row.get(place));
            pass(values.collect::<rusqlite::Result<_>>().map_err(from_sqlite)?)?;
        }
        Ok(())
    }

    /// Takes in what a transaction of others has changed.
    pub(in crate::store) fn take_in(&mut self, changes: &[u8], tables: &[Table]) -> Result<()> {
        self.reopen()?;
        self.cache_is_right = false;
        let transaction = begin(&mut self.connection)?;
        apply(&transaction, changes, tables)?;
        transaction.commit().map_err(from_sqlite)
    }

    /// Begins anew with rows that are read while others go on changing them, and with what they changed
    /// meanwhile.
    pub(in crate::store) fn refill(
        &mut self,
        fill: impl FnOnce(&Refill<'_>) -> Result<()>,
    ) -> Result<()> {
        // A connection that takes no notes: they would be of every row.
        self.connection = connection::writer(&self.place, &self.options)?;
        self.must_reopen = false;
        self.cache_is_right = false;
        let transaction = begin(&mut self.connection)?;
        refill(&transaction, fill)?;
        transaction.commit().map_err(from_sqlite)?;
        self.cache = Cache::default();
        // The database may have gone back behind what was settled.
        self.recent = Recent::default();
        self.tag = migrate::verified_tag(&self.connection)?;
        Ok(())
    }
}

fn begin(connection: &mut Connection) -> Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(from_sqlite)
}

// --- notes ----------------------------------------------------------------------------------------

/// From here on the keys of changed rows are noted.
fn begin_notes(connection: &Connection, tables: &[Table]) -> rusqlite::Result<()> {
    let has_notes = include_str!("../../../sql/turso/notes_table.sql");
    if connection.prepare_cached(has_notes)?.exists([])? {
        let forget = include_str!("../../../sql/turso/notes_forget.sql");
        return connection.prepare_cached(forget)?.execute([]).map(drop);
    }
    // A row that another one replaces is noted, too.
    connection.pragma_update(None, "recursive_triggers", true)?;
    connection.execute_batch(include_str!("../../../sql/turso/notes_create.sql"))?;
    for (number, table) in tables.iter().enumerate() {
        connection.execute_batch(&triggers(number, table))?;
    }
    Ok(())
}

/// Of one table. An update that changes nothing is none.
fn triggers(number: usize, table: &Table) -> String {
    let name = &table.name;
    let note = |row: &str| {
        let mut key: Vec<_> = table.key().iter().map(|column| format!("{row}.{column}")).collect();
        key.resize(KEY_COLUMNS, "0".to_owned());
        let [one, two, three] = key.as_slice() else { return String::new() };
        format!(
            "INSERT INTO blockqueue_notes SELECT {number}, {one}, {two}, {three} WHERE NOT EXISTS \
             (SELECT 1 FROM blockqueue_notes WHERE tbl = {number} AND one = {one} AND two = {two} \
             AND three = {three});"
        )
    };
    let all = |row: &str| {
        let columns = table.columns.iter().map(|column| format!("{row}.{}", column.name));
        columns.collect::<Vec<_>>().join(", ")
    };
    let (old, new) = (note("old"), note("new"));
    let (before, after) = (all("old"), all("new"));
    let key = table.key().join(", ");
    format!(
        "CREATE TEMP TRIGGER {name}_i AFTER INSERT ON main.{name} BEGIN {new} END;
         CREATE TEMP TRIGGER {name}_d AFTER DELETE ON main.{name} BEGIN {old} END;
         CREATE TEMP TRIGGER {name}_k AFTER UPDATE OF {key} ON main.{name} BEGIN {old} END;
         CREATE TEMP TRIGGER {name}_u AFTER UPDATE ON main.{name}
         WHEN ({before}) IS NOT ({after}) BEGIN {new} END;"
    )
}

/// What became of the rows whose keys were noted.
fn take_notes(connection: &Connection, tables: &[Table]) -> rusqlite::Result<Vec<u8>> {
    let mut changes = Vec::new();
    let mut deletions = Vec::new();
    let mut notes = connection.prepare_cached(include_str!("../../../sql/turso/notes_list.sql"))?;
    let mut notes = notes.query([])?;
    while let Some(note) = notes.next()? {
        let Some(table) = tables.get(note.get::<_, usize>(0)?) else { continue };
        let width = table.key().len();
        let key: Vec<Value> = (1..=width).map(|place| note.get(place)).collect::<Result<_, _>>()?;
        let sql = format!("SELECT * FROM {} WHERE {}", table.name, table.is_key_equal());
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(&key))?;
        if let Some(row) = rows.next()? {
            let values: Vec<ValueRef<'_>> = (0..table.columns.len())
                .map(|place| row.get_ref(place))
                .collect::<rusqlite::Result<_>>()?;
            changes::push(&mut changes, table, Verb::Put, values.into_iter());
        } else {
            let key = key.iter().map(ValueRef::from);
            changes::push(&mut deletions, table, Verb::Delete, key);
        }
    }
    // What is put may need the place of what is gone.
    deletions.append(&mut changes);
    Ok(deletions)
}

// --- taking in ------------------------------------------------------------------------------------

fn apply(connection: &Connection, changes: &[u8], tables: &[Table]) -> Result<()> {
    for change in changes::read(changes, tables) {
        let change = change?;
        let sql = match change.verb {
            Verb::Put => change.table.put(),
            Verb::Delete => {
                format!("DELETE FROM {} WHERE {}", change.table.name, change.table.is_key_equal())
            }
        };
        let values = params_from_iter(change.values.iter().map(|value| ToSqlRef(*value)));
        let run = || connection.prepare_cached(&sql)?.execute(values).map(drop);
        run().map_err(from_sqlite)?;
    }
    Ok(())
}

/// A value on its way back.
struct ToSqlRef<'a>(ValueRef<'a>);

impl rusqlite::ToSql for ToSqlRef<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(rusqlite::types::ToSqlOutput::Borrowed(self.0))
    }
}

/// Rows that are of several versions have no unique names for a while.
fn refill(
    transaction: &Transaction<'_>,
    fill: impl FnOnce(&Refill<'_>) -> Result<()>,
) -> Result<()> {
    let indexes = || {
        let mut statement =
            transaction.prepare(include_str!("../../../sql/turso/unique_indexes.sql"))?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<(String, String)>>>()
    };
    let indexes = indexes().map_err(from_sqlite)?;
    let run = |sql: &str| transaction.execute_batch(sql).map_err(from_sqlite);
    for (name, _) in &indexes {
        run(&format!("DROP INDEX {name}"))?;
    }
    for table in tables::tables(transaction).map_err(from_sqlite)? {
        run(&format!("DELETE FROM {}", table.name))?;
    }
    fill(&Refill { transaction })?;
    indexes.iter().try_for_each(|(_, sql)| run(sql))
}

/// A copy that is being filled.
pub(in crate::store) struct Refill<'a> {
    transaction: &'a Transaction<'a>,
}

impl Refill<'_> {
    pub(in crate::store) fn row(&self, table: &Table, values: &[Value]) -> Result<()> {
        let insert = || {
            let mut statement = self.transaction.prepare_cached(&table.put())?;
            statement.execute(params_from_iter(values)).map(drop)
        };
        insert().map_err(from_sqlite)
    }

    /// The numbers up to this one are used.
    pub(in crate::store) fn used(&self, table: &str, number: i64) -> Result<()> {
        let raise = include_str!("../../../sql/turso/sequence_raise.sql");
        let insert = include_str!("../../../sql/turso/sequence_insert.sql");
        let set = || match self.transaction.execute(raise, params![table, number])? {
            0 => self.transaction.execute(insert, params![table, number]).map(drop),
            _ => Ok(()),
        };
        set().map_err(from_sqlite)
    }

    /// Changes that some of the rows have seen already, and others not.
    pub(in crate::store) fn take_in(&self, changes: &[u8], tables: &[Table]) -> Result<()> {
        apply(self.transaction, changes, tables)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Nobody, number};
    use super::*;
    use crate::options::NewTopic;

    #[test]
    fn what_a_copy_is_filled_with_is_not_noted() {
        let folder = tempfile::tempdir().unwrap();
        let options = OpenOptions::default();
        let mut mirror =
            SqliteStore::open_mirror(&folder.path().join("queue.db"), &options).unwrap();
        let tables = mirror.tables().unwrap();
        let create = Op::CreateTopic(NewTopic::new("t"));
        mirror.apply_and_publish(&[create], &mut Nobody, &tables, &mut |_| Ok(())).unwrap();
        let notes = "SELECT count(*) FROM temp.sqlite_master";
        assert_ne!(number(&mirror, notes), 0);
        let mut rows = Vec::new();
        for table in &tables {
            let keep = &mut |row| {
                rows.push((table, row));
                Ok(())
            };
            mirror.each_row(table, keep).unwrap();
        }
        let fill =
            |refill: &Refill<'_>| rows.iter().try_for_each(|(table, row)| refill.row(table, row));
        mirror.refill(fill).unwrap();
        assert_eq!(number(&mirror, notes), 0);
    }
}
