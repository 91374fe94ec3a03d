//! Errors of SQLite become ours: by result code, never by text.

use rusqlite::{ErrorCode, ffi};

use crate::error::Error;
use crate::limits;
use crate::model::{MessageId, Receipt};
use crate::options::Message;

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` passes")]
pub(super) fn from_sqlite(error: rusqlite::Error) -> Error {
    let detail = error.to_string();
    // The index of the log lies on the same disk, and cannot grow.
    if error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMSIZE) {
        return Error::DiskFull;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Locked,
        Some(ErrorCode::DiskFull) => Error::DiskFull,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Error::ReadOnly { detail },
        Some(ErrorCode::CannotOpen) => Error::CannotOpen { detail },
        Some(ErrorCode::NotADatabase) => Error::NotADatabase,
        Some(ErrorCode::DatabaseCorrupt) => Error::Corrupt { detail },
        Some(ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed) => {
            Error::Io { detail }
        }
        _ => Error::Internal { detail },
    }
}

/// What a connection has read of a file may be wrong after this, also when the file is right again.
pub(super) fn spoils_connection(error: &Error) -> bool {
    matches!(
        error,
        Error::OutcomeUnknown { .. }
            | Error::Corrupt { .. }
            | Error::NotADatabase
            | Error::Io { .. }
            | Error::ReadOnly { .. }
            | Error::CannotOpen { .. }
    )
}

/// What a statement of somebody's own got wrong. `sqlite3` and the statement say it best.
pub(super) fn from_statement(error: rusqlite::Error) -> Error {
    let code = error.sqlite_error().map_or(0, |error| error.extended_code);
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Error::TransactionEnded,
        Some(
            ErrorCode::ConstraintViolation
            | ErrorCode::Unknown
            | ErrorCode::TypeMismatch
            | ErrorCode::TooBig
            | ErrorCode::ParameterOutOfRange
            | ErrorCode::AuthorizationForStatementDenied,
        )
        | None => Error::SqlFailed { code, detail: error.to_string() },
        Some(_) => from_sqlite(error),
    }
}

/// What a statement on the views of the SQL contract was about.
pub(super) struct Subject<'a> {
    pub topic: &'a str,
    pub message: Option<&'a Message>,
    pub receipt: Option<&'a Receipt>,
}

/// The one place where a text is read: `RAISE` of a trigger carries nothing else. Ours begin with a code.
pub(super) fn from_contract(error: rusqlite::Error, subject: &Subject<'_>) -> Error {
    let rusqlite::Error::SqliteFailure(failure, Some(text)) = &error else {
        return from_statement(error);
    };
    if failure.extended_code != ffi::SQLITE_CONSTRAINT_TRIGGER {
        return from_statement(error);
    }
    let (code, detail) = text.split_once(": ").unwrap_or((text, ""));
    let message = subject.message;
    match (code, subject.receipt) {
        ("lease_lost", Some(receipt)) => Error::LeaseLost { id: receipt.message_id() },
        ("invalid_receipt", _) => Error::InvalidReceipt,
        ("unknown_topic", _) => Error::unknown_topic(subject.topic),
        ("invalid_argument", _) => Error::invalid(detail),
        ("idempotency_conflict", _) => Error::IdempotencyConflict {
            index: 0,
            key: message.and_then(|message| message.idempotency_key.clone()).unwrap_or_default(),
        },
        ("unique_conflict", _) => Error::UniqueConflict {
            index: 0,
            key: message.and_then(|message| message.unique_key.clone()).unwrap_or_default(),
            // It has no id yet, or none that a trigger could tell.
            first: MessageId::NIL,
        },
        ("backlog_full", _) => {
            Error::BacklogFull { topic: subject.topic.to_owned(), what: "messages or bytes" }
        }
        // All other limits are checked before the statement runs.
        ("limit_exceeded", _) => Error::LimitExceeded {
            what: "payload",
            actual: message.map_or(0, |message| message.payload.len() as u64),
            limit: limits::PAYLOAD_BYTES_DEFAULT as u64,
        },
        _ => from_statement(error),
    }
}
