//! A transaction that its owner carries out step by step: the queue's verbs and SQL of the application's.
//!
//! The verbs are those of a group, and fail like those: alone. A statement that fails is undone alone, too,
//! by SQLite itself, unless it ended the transaction. Invariant: nothing of a transaction that its owner did
//! not commit is ever in the database.

use rusqlite::params_from_iter;
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};

use super::error::from_statement;
use super::guard::Foreign;
use super::tx::{Step, Tx};
use super::{due, finish, refusable, run_op};
use crate::error::Result;
use crate::limits;
use crate::model::{SqlRows, SqlValue};
use crate::op::{Outcome, TxStep, Wanted};
use crate::options;
use crate::store::{Applied, Follow, Owner};

/// `None`: roll back.
pub(super) fn serve(
    tx: &mut Tx<'_>,
    owner: &mut dyn Owner,
    follow: &mut dyn Follow,
) -> Step<Option<Applied>> {
    let mut more = due::bring(tx)?;
    loop {
        match owner.next() {
            TxStep::Op(op) => {
                let outcome = refusable(run_op(tx, &op))?;
                owner.answer(outcome);
            }
            TxStep::Sql { sql, values, wanted } => {
                let _foreign = Foreign::until(owner.deadline());
                let outcome = run_sql(tx, &sql, &values, wanted).map_err(from_statement);
                owner.answer(outcome.flatten());
                // Whatever it did, it may have been on the views of the SQL contract.
                tx.cache.nothing_staged = false;
                if tx.connection.is_autocommit() {
                    // It took the transaction with it: INSERT OR ROLLBACK, a full disk, the deadline.
                    return Ok(None);
                }
            }
            TxStep::Commit => break,
            TxStep::RollBack => return Ok(None),
        }
    }
    if !tx.cache.nothing_staged {
        more |= due::bring(tx)?;
    }
    finish(tx, Vec::new(), more, follow).map(Some)
}

fn run_sql(
    tx: &Tx<'_>,
    sql: &str,
    values: &[SqlValue],
    wanted: Wanted,
) -> rusqlite::Result<Result<Outcome>> {
    let mut statement = tx.connection.prepare(sql)?;
    let values = params_from_iter(values);
    if wanted == Wanted::Count {
        return Ok(Ok(Outcome::Count(statement.execute(values)? as u64)));
    }
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut answer = SqlRows { columns, rows: Vec::new() };
    let mut bytes = 0;
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(answer.columns.len());
        for column in 0..answer.columns.len() {
            let value = value(row.get_ref(column)?);
            bytes += size(&value);
            values.push(value);
        }
        answer.rows.push(values);
        let fits = options::at_most("rows", answer.rows.len(), limits::QUERY_ROWS_MAX)
            .and_then(|()| options::at_most("answer", bytes, limits::PAYLOAD_BYTES_MAX));
        if let Err(error) = fits {
            return Ok(Err(error));
        }
    }
    Ok(Ok(Outcome::Rows(answer)))
}

fn value(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(value) => SqlValue::Integer(value),
        ValueRef::Real(value) => SqlValue::Real(value),
        // Any bytes can be stored as text.
        ValueRef::Text(value) => SqlValue::Text(String::from_utf8_lossy(value).into_owned()),
        ValueRef::Blob(value) => SqlValue::Blob(value.to_owned()),
    }
}

fn size(value: &SqlValue) -> usize {
    match value {
        SqlValue::Text(text) => text.len(),
        SqlValue::Blob(bytes) => bytes.len(),
        _ => size_of::<SqlValue>(),
    }
}

impl ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Integer(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Real(value) => ToSqlOutput::Owned(Value::Real(*value)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}
