//! Migrations: ordered, checksummed, all in one transaction under an advisory lock, so that engines that start
//! at once do not meet.
//!
//! Functions are no part of them: they are made anew whenever they are not those of this release.

use sha2::{Digest as _, Sha256};
use tokio_postgres::GenericClient;

use super::address::Address;
use super::error::from_statement;
use super::link::{Link, Lost};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::options::OpenOptions;
use crate::store::fresh_tag;

struct Migration {
    title: &'static str,
    sql: &'static str,
}

/// In order; the first is version 1. Only ever added to.
const MIGRATIONS: &[Migration] = &[
    Migration {
        title: "log and cursor",
        sql: include_str!("../../../sql/postgres/migrations/0001_log_and_cursor.sql"),
    },
    Migration {
        title: "SQL contract",
        sql: include_str!("../../../sql/postgres/migrations/0002_sql_contract.sql"),
    },
    Migration {
        title: "schedules",
        sql: include_str!("../../../sql/postgres/migrations/0003_schedules.sql"),
    },
    Migration {
        title: "results",
        sql: include_str!("../../../sql/postgres/migrations/0004_results.sql"),
    },
];

/// In an order in which each finds what it is made with.
const FUNCTIONS: &[&str] = &[
    include_str!("../../../sql/postgres/functions/base.sql"),
    include_str!("../../../sql/postgres/functions/log.sql"),
    include_str!("../../../sql/postgres/functions/filter.sql"),
    include_str!("../../../sql/postgres/functions/keys.sql"),
    include_str!("../../../sql/postgres/functions/limit.sql"),
    include_str!("../../../sql/postgres/functions/settle.sql"),
    include_str!("../../../sql/postgres/functions/publish.sql"),
    include_str!("../../../sql/postgres/functions/claim.sql"),
    include_str!("../../../sql/postgres/functions/dead.sql"),
    include_str!("../../../sql/postgres/functions/seek.sql"),
    include_str!("../../../sql/postgres/functions/cancel.sql"),
    include_str!("../../../sql/postgres/functions/topology.sql"),
    include_str!("../../../sql/postgres/functions/contract.sql"),
    include_str!("../../../sql/postgres/functions/schedule.sql"),
    include_str!("../../../sql/postgres/functions/due.sql"),
    include_str!("../../../sql/postgres/functions/upkeep.sql"),
    include_str!("../../../sql/postgres/functions/ask.sql"),
    include_str!("../../../sql/postgres/functions/apply.sql"),
];

/// The newest schema version that this release knows.
#[expect(clippy::cast_possible_truncation, reason = "a handful")]
pub(super) const NEWEST: u32 = MIGRATIONS.len() as u32;

/// Brings the schema to the newest version; the answer is the database's tag.
pub(super) fn migrate(link: &mut Link, address: &Address, options: &OpenOptions) -> Result<u16> {
    let answer = link
        .transaction(async |transaction| migrate_in(transaction, &address.schema, options).await);
    answer.map_err(|lost| match lost {
        Lost::Answered(error) => from_statement(&error),
        Lost::Unanswered(detail) => Error::Io { detail },
    })?
}

pub(super) type Answer<T> = Result<Result<T>, tokio_postgres::Error>;

pub(super) async fn migrate_in(
    transaction: &impl GenericClient,
    schema: &str,
    options: &OpenOptions,
) -> Answer<u16> {
    let lock = include_str!("../../../sql/postgres/migration_lock.sql");
    transaction.query(lock, &[&schema]).await?;
    let is_there = include_str!("../../../sql/postgres/migration_table.sql");
    let is_new = transaction.query_one(is_there, &[&schema]).await?;
    let (has_schema, has_table): (bool, bool) = (is_new.get(0), is_new.get(1));
    let is_usable: bool = is_new.get(2);
    if has_schema && !is_usable {
        let detail = format!("the role has no right to use schema {schema:?}");
        return Ok(Err(Error::ReadOnly { detail }));
    }
    if !has_table {
        if options.must_exist {
            let detail = format!("schema {schema:?} has no queue");
            return Ok(Err(Error::CannotOpen { detail }));
        }
        if !has_schema {
            // The one statement that takes a name as a part of its text; the server quotes it.
            let create = include_str!("../../../sql/postgres/schema_create.sql");
            let sql: String = transaction.query_one(create, &[&schema]).await?.get(0);
            transaction.batch_execute(&sql).await?;
        }
        transaction
            .batch_execute(include_str!("../../../sql/postgres/migration_create.sql"))
            .await?;
    }
    let list = include_str!("../../../sql/postgres/migration_list.sql");
    let done: Vec<(i32, String)> =
        transaction.query(list, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    if let Err(error) = verify(&done) {
        return Ok(Err(error));
    }
    for (version, migration) in (1_i32..).zip(MIGRATIONS).skip(done.len()) {
        transaction.batch_execute(migration.sql).await?;
        failpoint::hit("in_migration");
        let insert = include_str!("../../../sql/postgres/migration_insert.sql");
        let checksum = checksum(&[migration.sql]);
        transaction.execute(insert, &[&version, &migration.title, &checksum]).await?;
    }
    let functions = checksum(FUNCTIONS);
    if get(transaction, "functions").await?.as_deref() != Some(&functions) {
        for sql in FUNCTIONS {
            transaction.batch_execute(sql).await?;
        }
        set(transaction, "functions", &functions).await?;
    }
    if let Some(limit) = options.payload_bytes_max {
        set(transaction, "payload_bytes_max", &limit.to_string()).await?;
    }
    if let Some(tag) = get(transaction, "tag").await? {
        return Ok(tag.parse().map_err(|_| Error::internal("the database has no tag")));
    }
    let tag = fresh_tag(&options.tags_taken);
    set(transaction, "tag", &tag.to_string()).await?;
    Ok(Ok(tag))
}

/// The schema must have been made by the migrations that this release knows.
fn verify(done: &[(i32, String)]) -> Result<()> {
    let found = u32::try_from(done.len()).unwrap_or(u32::MAX);
    if found > NEWEST {
        return Err(Error::NewerSchema { found, known: NEWEST });
    }
    for ((version, found), migration) in done.iter().zip(MIGRATIONS) {
        if *found != checksum(&[migration.sql]) {
            let detail = format!("migration {version} is not the one of this release");
            return Err(Error::Corrupt { detail });
        }
    }
    Ok(())
}

fn checksum(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
    }
    hash.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

async fn get(
    transaction: &impl GenericClient,
    name: &str,
) -> Result<Option<String>, tokio_postgres::Error> {
    let sql = include_str!("../../../sql/postgres/meta_get.sql");
    Ok(transaction.query_opt(sql, &[&name]).await?.map(|row| row.get(0)))
}

async fn set(
    transaction: &impl GenericClient,
    name: &str,
    value: &str,
) -> Result<u64, tokio_postgres::Error> {
    let sql = include_str!("../../../sql/postgres/meta_set.sql");
    transaction.execute(sql, &[&name, &value]).await
}
