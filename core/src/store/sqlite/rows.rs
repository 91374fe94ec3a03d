//! Everything that a file holds, read at one moment, or written in one transaction.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, ErrorCode, params_from_iter};

use super::connection::{self, Place};
use super::error::from_sqlite;
use super::{SqliteStore, migrate, refuse_foreign};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::options::OpenOptions;
use crate::store::rows::{
    Column, Filling, Ids, Kind, Row, Rows, SETTINGS, SETTINGS_CARRIED, Table, canonical_json,
};

/// A connection in a transaction; it ends with the connection if nobody commits it.
pub(crate) struct SqliteRows(Connection);

impl SqliteStore {
    /// Everything as of now.
    pub(super) fn all_rows(&self) -> Result<SqliteRows> {
        let path = self.place.path().ok_or_else(refuse_memory)?;
        let connection = connection::reader(path)?;
        // The moment is that of the first look.
        connection.execute_batch("BEGIN").map_err(from_sqlite)?;
        migrate::refuse_newer(&connection)?;
        Ok(SqliteRows(connection))
    }
}

/// Begins to fill a file in which there is no queue.
pub(crate) fn fill(path: &Path) -> Result<SqliteRows> {
    let place = Place::new(path);
    if matches!(place, Place::Memory) {
        return Err(refuse_memory());
    }
    let connection = connection::writer(&place, &OpenOptions::default())?;
    refuse_foreign(&place)?;
    // Rows are taken as they are: they were checked when they were written first.
    let triggers = DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER;
    connection.set_db_config(triggers, false).map_err(from_sqlite)?;
    connection.execute_batch("BEGIN IMMEDIATE").map_err(from_sqlite)?;
    if migrate::version(&connection)? != 0 {
        let detail = format!("{} has a queue already", path.display());
        return Err(Error::CannotOpen { detail });
    }
    migrate::migrate_in(&connection, Clock::System.now(), &[])?;
    let forget = format!("DELETE FROM {SETTINGS} WHERE {SETTINGS_CARRIED}");
    connection.execute(&forget, []).map_err(from_sqlite)?;
    Ok(SqliteRows(connection))
}

fn refuse_memory() -> Error {
    Error::invalid("a queue in memory is its owner's alone, and cannot be copied")
}

impl Rows for SqliteRows {
    fn count(&mut self, table: &Table) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {} WHERE {}", table.name, table.condition());
        self.0.query_row(&sql, [], |row| row.get(0)).map_err(from_sqlite)
    }

    fn each(&mut self, table: &Table, pass: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        let name = |column: &Column| column.name.to_owned();
        // Logs as they are, not as they were last written.
        let from = if table.name == "blockqueue_log" { "blockqueue_log_state" } else { table.name };
        let key: Vec<_> = table.key().iter().map(|column| column.name).collect();
        let (columns, condition, key) = (table.list(name), table.condition(), key.join(", "));
        let sql = format!("SELECT {columns} FROM {from} WHERE {condition} ORDER BY {key}");
        let mut statement = self.0.prepare(&sql).map_err(from_sqlite)?;
        let mut rows = statement.query([]).map_err(from_sqlite)?;
        while let Some(row) = rows.next().map_err(from_sqlite)? {
            let values = table.columns.iter().enumerate().map(|(place, column)| {
                let value = row.get_ref(place).map_err(from_sqlite)?;
                read(value, column.kind).ok_or_else(|| {
                    let detail = format!("{}.{} is of another type", table.name, column.name);
                    Error::Corrupt { detail }
                })
            });
            pass(values.collect::<Result<_>>()?)?;
        }
        Ok(())
    }

    fn newest_id(&mut self, table: &Table) -> Result<i64> {
        let sql = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?1";
        self.0.query_row(sql, [table.name], |row| row.get(0)).map_err(from_sqlite)
    }
}

/// SQLite lets anybody store anything anywhere; what an application has staged may be text where bytes are meant.
fn read(value: ValueRef<'_>, kind: Kind) -> Option<Value> {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Some(match (value, kind) {
        (ValueRef::Null, _) => Value::Null,
        (ValueRef::Integer(number), Kind::Integer | Kind::Flag | Kind::Setting) => {
            Value::Integer(number)
        }
        (ValueRef::Real(number), Kind::Real) => Value::Real(number),
        (ValueRef::Text(bytes), Kind::Text) => Value::Text(text(bytes)),
        (ValueRef::Text(bytes), Kind::Json | Kind::Integers) => {
            Value::Text(canonical_json(text(bytes)))
        }
        (ValueRef::Text(bytes) | ValueRef::Blob(bytes), Kind::Bytes) => {
            Value::Blob(bytes.to_owned())
        }
        _ => return None,
    })
}

impl Filling for SqliteRows {
    fn insert(&mut self, table: &Table, rows: &[Row]) -> Result<()> {
        let columns = table.list(|column| column.name.to_owned());
        let places = table.list(|_| "?".to_owned());
        let sql = format!("INSERT INTO {} ({columns}) VALUES ({places})", table.name);
        let mut statement = self.0.prepare_cached(&sql).map_err(from_sqlite)?;
        for row in rows {
            statement.execute(params_from_iter(row)).map_err(from_sqlite)?;
        }
        Ok(())
    }

    fn set_newest_id(&mut self, table: &Table, id: i64) -> Result<()> {
        if table.ids != Ids::Newest || self.newest_id(table)? == id {
            return Ok(());
        }
        // It has no row before the first one of its table, and no key.
        let changed = self
            .0
            .execute("UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1", (table.name, id))
            .map_err(from_sqlite)?;
        if changed == 0 {
            self.0
                .execute(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)",
                    (table.name, id),
                )
                .map_err(from_sqlite)?;
        }
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<()> {
        self.0
            .execute_batch(include_str!("../../../sql/sqlite/logs_find_plain.sql"))
            .map_err(from_sqlite)?;
        failpoint::hit("before_commit");
        self.0.execute_batch("COMMIT").map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DiskFull) => from_sqlite(error),
            _ => Error::OutcomeUnknown { detail: error.to_string() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::rows::TABLES;

    #[test]
    fn every_table_and_every_column_is_carried_over() {
        let folder = tempfile::tempdir().unwrap();
        let filling = fill(&folder.path().join("queue.db")).unwrap();
        let list = |sql: &str, of: &str| -> Vec<String> {
            let mut statement = filling.0.prepare(sql).unwrap();
            let names = statement.query_map([of], |row| row.get(0)).unwrap();
            names.collect::<rusqlite::Result<_>>().unwrap()
        };
        let sql = "SELECT name FROM sqlite_master WHERE type = ?1 AND name LIKE 'blockqueue%'";
        let mut tables = list(sql, "table");
        tables.retain(|name| name != "blockqueue_migration");
        let mut known: Vec<_> = TABLES.iter().map(|table| table.name.to_owned()).collect();
        tables.sort();
        known.sort();
        assert_eq!(tables, known);
        for table in TABLES {
            let mut columns = list("SELECT name FROM pragma_table_info(?1)", table.name);
            // Found out when the file is filled.
            columns.retain(|name| name != "is_plain");
            let mut known: Vec<_> =
                table.columns.iter().map(|column| column.name.to_owned()).collect();
            columns.sort();
            known.sort();
            assert_eq!(columns, known, "{}", table.name);
        }
    }
}
