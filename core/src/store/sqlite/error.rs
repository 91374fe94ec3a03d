//! Errors of SQLite become ours: by result code, never by text.

use rusqlite::{ErrorCode, ffi};

use crate::error::Error;

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
