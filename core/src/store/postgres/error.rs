//! Errors of the driver and the server as ours, by SQLSTATE and never by text.

use tokio_postgres::error::SqlState;

use crate::error::Error;
use crate::store::Fault;

/// What the server said, without what it was sent.
pub(super) fn detail(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} ({})", db.message(), db.code().code());
    }
    // Never has the address or the password in it.
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

/// What goes wrong when a queue is opened is that it cannot be, if nothing else.
pub(super) fn at_open(error: Error) -> Error {
    match error {
        Error::Io { detail } | Error::Internal { detail } => Error::CannotOpen { detail },
        other => other,
    }
}

/// An error of a statement of ours.
pub(super) fn from_statement(error: &tokio_postgres::Error) -> Error {
    match error.code() {
        Some(state) => from_state(state, error),
        None => Error::Io { detail: detail(error) },
    }
}

fn from_state(state: &SqlState, error: &tokio_postgres::Error) -> Error {
    let detail = detail(error);
    let class = state.code().get(..2).unwrap_or_default();
    match *state {
        SqlState::INSUFFICIENT_PRIVILEGE | SqlState::READ_ONLY_SQL_TRANSACTION => {
            Error::ReadOnly { detail }
        }
        SqlState::DISK_FULL => Error::DiskFull,
        SqlState::LOCK_NOT_AVAILABLE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::T_R_SERIALIZATION_FAILURE => Error::Locked,
        SqlState::UNTRANSLATABLE_CHARACTER | SqlState::CHARACTER_NOT_IN_REPERTOIRE => {
            Error::invalid("PostgreSQL stores no zero character in a text")
        }
        // Wrong password or database; the schema, or something in it, is not there.
        SqlState::INVALID_CATALOG_NAME | SqlState::INVALID_SCHEMA_NAME => {
            Error::CannotOpen { detail }
        }
        SqlState::DATA_CORRUPTED
        | SqlState::INDEX_CORRUPTED
        | SqlState::UNDEFINED_TABLE
        | SqlState::UNDEFINED_COLUMN
        | SqlState::UNDEFINED_FUNCTION => Error::Corrupt { detail },
        _ if class == "28" => Error::CannotOpen { detail },
        // Connection lost, resources short, shut down by somebody, system error.
        _ if ["08", "53", "57", "58"].contains(&class) => Error::Io { detail },
        _ => Error::internal(detail),
    }
}

/// Whether repeating the same at once may succeed: nothing was done.
pub(super) fn is_transient(error: &tokio_postgres::Error) -> bool {
    matches!(
        error.code(),
        Some(&(SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE))
    )
}

/// The group was done by another attempt: its row is there.
pub(super) fn is_known_group(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|db| {
        *db.code() == SqlState::UNIQUE_VIOLATION && db.table() == Some("blockqueue_group")
    })
}

/// The server rolled back and said so, and the connection is good for the next group. Otherwise the connection
/// was lost, and with it the answer.
pub(super) fn is_answer(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|state| !["57P01", "57P02", "57P03"].contains(&state.code()))
}

/// A group that the server rolled back. What is wrong with one operation must not fail the others.
pub(super) fn fault(error: &tokio_postgres::Error) -> Fault {
    match from_statement(error) {
        error @ (Error::Internal { .. } | Error::InvalidArgument { .. }) => Fault::Divide(error),
        error => Fault::NotApplied(error),
    }
}
