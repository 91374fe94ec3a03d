//! What an application's own statements may do on the writer's connection.
//!
//! Owns the authorizer: a statement of the application may neither end the transaction nor change the
//! connection nor touch the queue's tables, except through the views of the SQL contract. Our own statements
//! pass. Invariant: a statement that was let through leaves the cache right.

use std::cell::Cell;
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::error::from_sqlite;
use crate::clock::monotonic;
use crate::error::Result;

/// Instructions of SQLite's machine between two looks at the clock: well below a millisecond.
const INSTRUCTIONS: i32 = 10_000;
/// What every name of the queue begins with.
const PREFIX: &str = "blockqueue_";
/// The views that anybody may read and write.
const VIEWS: [&str; 3] = ["blockqueue_publish", "blockqueue_ack", "blockqueue_nack"];

thread_local! {
    /// Set while this thread runs a statement of the application: when it has to be over.
    static FOREIGN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// While this lives, statements of this thread are the application's.
pub(super) struct Foreign;

impl Foreign {
    pub(super) fn until(deadline: Instant) -> Self {
        FOREIGN.set(Some(deadline));
        Self
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        FOREIGN.set(None);
    }
}

/// Once per connection: setting an authorizer makes SQLite prepare every statement anew.
pub(super) fn install(connection: &mut Connection) -> Result<()> {
    connection.authorizer(Some(authorize)).map_err(from_sqlite)
}

/// A statement that runs past its deadline is interrupted.
pub(super) fn watch_deadlines(connection: &mut Connection) -> Result<()> {
    let is_late = || FOREIGN.get().is_some_and(|deadline| monotonic() >= deadline);
    connection.progress_handler(INSTRUCTIONS, Some(is_late)).map_err(from_sqlite)
}

pub(super) fn forget_deadlines(connection: &mut Connection) -> Result<()> {
    connection.progress_handler(0, None::<fn() -> bool>).map_err(from_sqlite)
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    // What the contract's views and triggers do is their business, whoever writes to them.
    if FOREIGN.get().is_none() || context.accessor.is_some_and(is_ours) || may(context.action) {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}

fn may(action: AuthAction<'_>) -> bool {
    match action {
        AuthAction::Select | AuthAction::Function { .. } | AuthAction::Recursive => true,
        AuthAction::Read { table_name, .. } | AuthAction::Insert { table_name } => {
            !is_ours(table_name) || VIEWS.contains(&table_name)
        }
        AuthAction::Delete { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Analyze { table_name }
        | AuthAction::AlterTable { table_name, .. }
        | AuthAction::CreateTable { table_name }
        | AuthAction::DropTable { table_name }
        | AuthAction::CreateVtable { table_name, .. }
        | AuthAction::DropVtable { table_name, .. } => !is_ours(table_name),
        AuthAction::CreateView { view_name } | AuthAction::DropView { view_name } => {
            !is_ours(view_name)
        }
        AuthAction::CreateIndex { index_name, table_name }
        | AuthAction::DropIndex { index_name, table_name } => {
            !is_ours(index_name) && !is_ours(table_name)
        }
        AuthAction::CreateTrigger { trigger_name, table_name }
        | AuthAction::DropTrigger { trigger_name, table_name } => {
            !is_ours(trigger_name) && !is_ours(table_name)
        }
        AuthAction::Reindex { index_name } => !is_ours(index_name),
        // Transactions, savepoints, pragmas, other files; and what is temporary, for it would be there for
        // whoever comes next.
        _ => false,
    }
}

fn is_ours(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rusqlite::ErrorCode;

    use super::*;

    #[test]
    fn statements_of_the_application_do_not_leave_their_place() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE app (x);
                 CREATE TABLE blockqueue_secret (x);
                 CREATE VIEW blockqueue_ack AS SELECT x FROM blockqueue_secret;
                 CREATE TRIGGER blockqueue_ack_insert INSTEAD OF INSERT ON blockqueue_ack
                 BEGIN INSERT INTO blockqueue_secret VALUES (new.x); END;",
            )
            .unwrap();
        install(&mut connection).unwrap();
        let foreign = Foreign::until(monotonic() + Duration::from_mins(1));
        for allowed in [
            "INSERT INTO app SELECT 1 UNION SELECT length('x')",
            "INSERT INTO blockqueue_ack VALUES (1)",
            "SELECT * FROM blockqueue_ack",
            "CREATE TABLE other (y)",
            "CREATE INDEX other_y ON other (y)",
            "ALTER TABLE other ADD COLUMN z",
            "DROP TABLE other",
        ] {
            connection.prepare(allowed).and_then(|mut s| s.query([])?.next().map(drop)).unwrap();
        }
        for denied in [
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            "SAVEPOINT a",
            "PRAGMA user_version",
            "SELECT * FROM pragma_user_version",
            "ATTACH ':memory:' AS other",
            "DETACH main",
            "SELECT * FROM blockqueue_secret",
            "SELECT (SELECT count(*) FROM main.BLOCKQUEUE_secret)",
            "INSERT INTO blockqueue_secret VALUES (2)",
            "UPDATE blockqueue_secret SET x = 3",
            "DELETE FROM blockqueue_secret",
            "DROP TABLE blockqueue_secret",
            "DROP VIEW blockqueue_ack",
            "DROP TRIGGER blockqueue_ack_insert",
            "ALTER TABLE blockqueue_secret RENAME TO mine",
            "CREATE TABLE blockqueue_mine (x)",
            "CREATE INDEX mine ON blockqueue_secret (x)",
            "CREATE TRIGGER mine AFTER INSERT ON blockqueue_secret BEGIN SELECT 1; END",
            "CREATE TEMP TABLE mine (x)",
        ] {
            let run = |sql| connection.prepare(sql).and_then(|mut s| s.query([])?.next().map(drop));
            run(denied).expect_err(denied);
        }
        drop(foreign);
        connection.execute("DELETE FROM blockqueue_secret", []).unwrap();
    }

    #[test]
    fn a_statement_past_its_deadline_is_interrupted() {
        let mut connection = Connection::open_in_memory().unwrap();
        watch_deadlines(&mut connection).unwrap();
        let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                       SELECT count(*) FROM n";
        let foreign = Foreign::until(monotonic());
        let error = connection.query_row(endless, [], |_| Ok(())).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::OperationInterrupted));
        drop(foreign);
    }
}
