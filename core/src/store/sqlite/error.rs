//! Errors of SQLite become ours: by result code, never by text.

use rusqlite::ErrorCode;

use crate::error::Error;

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` passes")]
pub(super) fn from_sqlite(error: rusqlite::Error) -> Error {
    let detail = error.to_string();
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
