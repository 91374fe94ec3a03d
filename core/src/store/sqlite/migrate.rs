//! Migrations: ordered, checksummed, each in the transaction that records it.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};

use super::error::from_sqlite;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::store::fresh_tag;

struct Migration {
    title: &'static str,
    sql: &'static str,
}

/// In order; the first is version 1. Only ever added to.
const MIGRATIONS: &[Migration] = &[
    Migration {
        title: "log and cursor",
        sql: include_str!("../../../sql/sqlite/migrations/0001_log_and_cursor.sql"),
    },
    Migration {
        title: "SQL contract",
        sql: include_str!("../../../sql/sqlite/migrations/0002_sql_contract.sql"),
    },
    Migration {
        title: "schedules",
        sql: include_str!("../../../sql/sqlite/migrations/0003_schedules.sql"),
    },
    Migration {
        title: "results",
        sql: include_str!("../../../sql/sqlite/migrations/0004_results.sql"),
    },
];

/// The name under which the file keeps the largest payload that the SQL contract accepts.
pub(super) const PAYLOAD_BYTES_MAX: &str = "payload_bytes_max";

/// The newest schema version that this release knows.
#[expect(clippy::cast_possible_truncation, reason = "a handful")]
pub(in crate::store) const NEWEST: u32 = MIGRATIONS.len() as u32;

/// Brings the file to the newest version; the answer is the database's tag.
pub(super) fn migrate(connection: &mut Connection, now: Millis, tags_taken: &[u16]) -> Result<u16> {
    if version(connection)? != NEWEST {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(from_sqlite)?;
        migrate_in(&transaction, now, tags_taken)?;
        transaction.commit().map_err(from_sqlite)?;
    }
    verified_tag(connection)
}

/// The database's tag, if it was made by the migrations that this release knows.
pub(super) fn verified_tag(connection: &Connection) -> Result<u16> {
    verify(connection)?;
    tag(connection)
}

/// The version of the file; 0 if it has no queue in it yet.
pub(super) fn version(connection: &Connection) -> Result<u32> {
    let has_table = connection
        .prepare(include_str!("../../../sql/sqlite/migration_table.sql"))
        .and_then(|mut statement| statement.exists([]))
        .map_err(from_sqlite)?;
    if !has_table {
        return Ok(0);
    }
    refuse_newer(connection)
}

/// The newest migration of the file, if this release knows it. A process of a newer release may migrate a
/// file while this one has it open.
pub(super) fn refuse_newer(connection: &Connection) -> Result<u32> {
    let found: Option<u32> = connection
        .prepare_cached(include_str!("../../../sql/sqlite/migration_newest.sql"))
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(from_sqlite)?;
    match found.unwrap_or(0) {
        found if found > NEWEST => Err(Error::NewerSchema { found, known: NEWEST }),
        found => Ok(found),
    }
}

/// Another process may have come first: what is to be done is decided under the write lock.
pub(super) fn migrate_in(transaction: &Connection, now: Millis, tags_taken: &[u16]) -> Result<()> {
    let done = version(transaction)?;
    let run = |sql: &str| transaction.execute_batch(sql).map_err(from_sqlite);
    if done == 0 {
        run(include_str!("../../../sql/sqlite/migration_create.sql"))?;
    }
    for (version, migration) in (1_u32..).zip(MIGRATIONS).skip(done as usize) {
        run(migration.sql)?;
        failpoint::hit("in_migration");
        transaction
            .execute(
                include_str!("../../../sql/sqlite/migration_insert.sql"),
                params![version, migration.title, checksum(migration), now],
            )
            .map_err(from_sqlite)?;
    }
    if done == 0 {
        let tag = fresh_tag(tags_taken);
        transaction
            .execute(include_str!("../../../sql/sqlite/meta_set.sql"), params!["tag", tag])
            .map_err(from_sqlite)?;
    }
    Ok(())
}

/// The file must have been made by the migrations that this release knows.
fn verify(connection: &Connection) -> Result<()> {
    let mut statement = connection
        .prepare(include_str!("../../../sql/sqlite/migration_list.sql"))
        .map_err(from_sqlite)?;
    let recorded = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect::<rusqlite::Result<Vec<(u32, String)>>>)
        .map_err(from_sqlite)?;
    let known: Vec<_> = (1_u32..).zip(MIGRATIONS.iter().map(checksum)).collect();
    if recorded != known {
        let detail = "the recorded migrations are not those of this release".to_owned();
        return Err(Error::Corrupt { detail });
    }
    Ok(())
}

fn tag(connection: &Connection) -> Result<u16> {
    connection
        .query_row(include_str!("../../../sql/sqlite/meta_get.sql"), ["tag"], |row| row.get(0))
        .optional()
        .map_err(from_sqlite)?
        .ok_or_else(|| Error::Corrupt { detail: "the database has no tag".to_owned() })
}

/// Triggers know no options: they take the limit that was last asked for in opening the file.
pub(super) fn keep_payload_limit(connection: &Connection, limit: usize) -> Result<()> {
    let kept: Option<usize> = connection
        .query_row(include_str!("../../../sql/sqlite/meta_get.sql"), [PAYLOAD_BYTES_MAX], |row| {
            row.get(0)
        })
        .optional()
        .map_err(from_sqlite)?;
    if kept != Some(limit) {
        let sql = include_str!("../../../sql/sqlite/meta_replace.sql");
        connection.execute(sql, params![PAYLOAD_BYTES_MAX, limit]).map_err(from_sqlite)?;
    }
    Ok(())
}

fn checksum(migration: &Migration) -> String {
    Sha256::digest(migration.sql)
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
