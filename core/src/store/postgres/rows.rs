//! Everything that a schema holds, read at one moment, or written in one transaction.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use futures_core::Stream as _;
use rusqlite::types::Value;
use tokio_postgres::types::{BorrowToSql, ToSql};

use super::PostgresStore;
use super::address::Address;
use super::error::{at_open, from_statement};
use super::link::{Link, Lost};
use super::migrate::migrate_in;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::options::{Durability, OpenOptions};
use crate::store::rows::{
    Filling, Ids, Kind, Row, Rows, SETTINGS, SETTINGS_CARRIED, Table, canonical_json,
};

/// How long a server may count the rows of a table.
const COUNT_WITHIN: Duration = Duration::from_hours(1);
/// A connection in a transaction; it ends with the connection if nobody commits it.
pub(crate) struct PostgresRows(Link);

impl PostgresStore {
    /// Everything as of now.
    pub(super) fn all_rows(&self) -> Result<PostgresRows> {
        let link = Link::connect(&self.address)?;
        // Rows are read by their keys as they stand; sorting would write all of them to disk first.
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
                     SET LOCAL idle_in_transaction_session_timeout = 0;
                     SET LOCAL enable_sort = off";
        settled(link.wait(link.client.batch_execute(begin)))?;
        Ok(PostgresRows(link))
    }
}

/// Begins to fill a schema in which there is no queue.
pub(crate) fn fill(address: &str) -> Result<PostgresRows> {
    let address = Address::parse(address, Durability::Full)?;
    let link = Link::connect(&address).map_err(at_open)?;
    let client = &link.client;
    let begin = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0";
    settled(link.wait(client.batch_execute(begin)))?;
    let is_there = include_str!("../../../sql/postgres/migration_table.sql");
    let found = settled(link.wait(client.query_one(is_there, &[&address.schema])))?;
    if found.get(1) {
        let detail = format!("schema {:?} has a queue already", address.schema);
        return Err(Error::CannotOpen { detail });
    }
    let made = link.wait(migrate_in(client, &address.schema, &OpenOptions::default()));
    made.map_err(|lost| match lost {
        Lost::Answered(error) => at_open(from_statement(&error)),
        Lost::Unanswered(detail) => Error::CannotOpen { detail },
    })??;
    let forget = format!("DELETE FROM {SETTINGS} WHERE {SETTINGS_CARRIED}");
    settled(link.wait(client.batch_execute(&forget)))?;
    Ok(PostgresRows(link))
}

fn settled<T>(answer: Result<T, Lost>) -> Result<T> {
    answer.map_err(|lost| match lost {
        Lost::Answered(error) => from_statement(&error),
        Lost::Unanswered(detail) => Error::Io { detail },
    })
}

impl Rows for PostgresRows {
    fn count(&mut self, table: &Table) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {} WHERE {}", table.name, table.condition());
        let counted = self.0.wait_for(COUNT_WITHIN, self.0.client.query_one(&sql, &[]));
        settled(counted).map(|row| row.get::<_, i64>(0).cast_unsigned())
    }

    fn each(&mut self, table: &Table, pass: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        let link = &self.0;
        let sql = select(table);
        let none: [&(dyn ToSql + Sync); 0] = [];
        let none = none.iter().map(BorrowToSql::borrow_to_sql);
        let rows = settled(link.wait(link.client.query_raw(&sql, none)))?;
        let mut rows = pin!(rows);
        // What was not asked for yet waits on the server.
        let mut next = || {
            settled(link.wait(async {
                poll_fn(|context| rows.as_mut().poll_next(context)).await.transpose()
            }))
        };
        while let Some(row) = next()? {
            let values = table.columns.iter().enumerate();
            pass(values.map(|(place, column)| read(&row, place, column.kind)).collect())?;
        }
        Ok(())
    }

    fn newest_id(&mut self, table: &Table) -> Result<i64> {
        let sql = "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence($1, 'id')), 0)";
        let newest = self.0.wait(self.0.client.query_one(sql, &[&table.name]));
        settled(newest).map(|row| row.get(0))
    }
}

fn select(table: &Table) -> String {
    let columns = table.list(|column| match column.kind {
        Kind::Integer | Kind::Setting => format!("{}::bigint", column.name),
        Kind::Flag => format!("{}::int::bigint", column.name),
        Kind::Text | Kind::Json => format!("{}::text", column.name),
        Kind::Integers => format!("array_to_json({})::text", column.name),
        Kind::Real | Kind::Bytes => column.name.to_owned(),
    });
    // Texts are in the order of their bytes, as everywhere.
    let key = table.key().iter().map(|column| match column.kind {
        Kind::Text => format!("{} COLLATE \"C\"", column.name),
        _ => column.name.to_owned(),
    });
    let key = key.collect::<Vec<_>>().join(", ");
    format!("SELECT {columns} FROM {} WHERE {} ORDER BY {key}", table.name, table.condition())
}

fn read(row: &tokio_postgres::Row, place: usize, kind: Kind) -> Value {
    let value = match kind {
        Kind::Integer | Kind::Flag | Kind::Setting => {
            row.get::<_, Option<i64>>(place).map(Value::Integer)
        }
        Kind::Real => row.get::<_, Option<f64>>(place).map(Value::Real),
        Kind::Text => row.get::<_, Option<String>>(place).map(Value::Text),
        Kind::Json | Kind::Integers => {
            row.get::<_, Option<String>>(place).map(|text| Value::Text(canonical_json(text)))
        }
        Kind::Bytes => row.get::<_, Option<Vec<u8>>>(place).map(Value::Blob),
    };
    value.unwrap_or(Value::Null)
}

/// One statement for any number of rows: each column is a list.
fn insert(table: &Table) -> String {
    let (mut names, mut values, mut lists) = (Vec::new(), Vec::new(), Vec::new());
    for (number, column) in (1..).zip(table.columns) {
        let name = column.name;
        let (value, list) = match column.kind {
            Kind::Integer => (format!("u.{name}"), "bigint"),
            Kind::Flag => (format!("u.{name} <> 0"), "bigint"),
            Kind::Setting => (format!("u.{name}::text"), "bigint"),
            Kind::Real => (format!("u.{name}"), "double precision"),
            Kind::Text => (format!("u.{name}"), "text"),
            Kind::Json => (format!("u.{name}::jsonb"), "text"),
            Kind::Integers => (format!("translate(u.{name}, '[]', '{{}}')::bigint[]"), "text"),
            Kind::Bytes => (format!("u.{name}"), "bytea"),
        };
        names.push(name);
        values.push(value);
        lists.push(format!("${number}::{list}[]"));
    }
    let (names, mut values, lists) = (names.join(", "), values.join(", "), lists.join(", "));
    let mut columns = names.clone();
    if table.name == "blockqueue_settling" {
        // Both are in its receipt; here they are columns, too.
        columns += ", subscriber_id, message_id";
        values += ", split_part(u.receipt, '-', 4)::bigint, \
                     split_part(u.receipt, '-', 2)::bigint << 40 \
                     | split_part(u.receipt, '-', 3)::bigint";
    }
    let table = table.name;
    format!("INSERT INTO {table} ({columns}) SELECT {values} FROM unnest({lists}) AS u ({names})")
}

/// One column of rows.
fn list<'a>(rows: &'a [Row], place: usize, kind: Kind) -> Box<dyn ToSql + Sync + 'a> {
    let values = rows.iter().map(|row| row.get(place));
    match kind {
        Kind::Integer | Kind::Flag | Kind::Setting => {
            let numbers = values.map(|value| match value {
                Some(Value::Integer(number)) => Some(*number),
                _ => None,
            });
            Box::new(numbers.collect::<Vec<_>>())
        }
        Kind::Real => {
            let numbers = values.map(|value| match value {
                Some(Value::Real(number)) => Some(*number),
                _ => None,
            });
            Box::new(numbers.collect::<Vec<_>>())
        }
        Kind::Text | Kind::Json | Kind::Integers => {
            let texts = values.map(|value| match value {
                Some(Value::Text(text)) => Some(text.as_str()),
                _ => None,
            });
            Box::new(texts.collect::<Vec<_>>())
        }
        Kind::Bytes => {
            let bytes = values.map(|value| match value {
                Some(Value::Blob(bytes)) => Some(bytes.as_slice()),
                _ => None,
            });
            Box::new(bytes.collect::<Vec<_>>())
        }
    }
}

impl Filling for PostgresRows {
    fn insert(&mut self, table: &Table, rows: &[Row]) -> Result<()> {
        let columns = table.columns.iter().enumerate();
        let lists: Vec<_> = columns.map(|(place, column)| list(rows, place, column.kind)).collect();
        let lists: Vec<&(dyn ToSql + Sync)> = lists.iter().map(|list| &**list as _).collect();
        settled(self.0.wait(self.0.client.execute(&insert(table), &lists))).map(drop)
    }

    fn set_newest_id(&mut self, table: &Table, id: i64) -> Result<()> {
        if table.ids == Ids::Writer {
            return Ok(());
        }
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence($1, 'id'), newest)
               FROM (SELECT greatest($2, max(id)) AS newest FROM {}) AS ids
              WHERE newest > 0",
            table.name
        );
        settled(self.0.wait(self.0.client.execute(&sql, &[&table.name, &id]))).map(drop)
    }

    fn commit(self: Box<Self>) -> Result<()> {
        failpoint::hit("before_commit");
        self.0.wait(self.0.client.batch_execute("COMMIT")).map_err(|lost| match lost {
            Lost::Answered(error) => from_statement(&error),
            Lost::Unanswered(detail) => Error::OutcomeUnknown { detail },
        })
    }
}
