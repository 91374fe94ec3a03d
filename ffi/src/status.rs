//! Statuses: what every function of the ABI returns.
//!
//! The numbers are those of the core's table of codes; a test compares them.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use blockqueue::{ErrorCode, Retry, error_codes};

use crate::guard::guard_value;

/// What became of a call: 0, or the number of an error, one of bq_code. A later release may return a number
/// that this header does not list: ask bq_status_code and bq_status_retry.
pub type bq_status = i32;

/// The call did what it says.
pub(crate) const BQ_OK: bq_status = bq_code::BQ_OK as bq_status;

/// The numbers of errors. They never change, and none is used twice.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub enum bq_code {
    /// It was done.
    BQ_OK = 0,
    /// An argument breaks a documented rule. Fix the call; bq_error_detail names the argument and the rule.
    BQ_INVALID_ARGUMENT = 1,
    /// Something is over one of the limits. Send less, or open with a larger limit.
    BQ_LIMIT_EXCEEDED = 2,
    /// No topic of that name exists. Create it first.
    BQ_UNKNOWN_TOPIC = 3,
    /// The topic has no subscriber of that name, or it was deleted meanwhile. Create it first.
    BQ_UNKNOWN_SUBSCRIBER = 4,
    /// The topic has no such message: it never had, or it is settled everywhere and trimmed.
    BQ_UNKNOWN_MESSAGE = 5,
    /// A topic of that name exists already. Use it, or choose another name.
    BQ_TOPIC_EXISTS = 6,
    /// The topic has a subscriber of that name already. Use it, or choose another name.
    BQ_SUBSCRIBER_EXISTS = 7,
    /// The receipt's lease is over: drop the work, the delivery is settled or belongs to somebody else now.
    BQ_LEASE_LOST = 8,
    /// The text is not a receipt of this queue. Pass receipts on unchanged.
    BQ_INVALID_RECEIPT = 9,
    /// The idempotency key was used within its window for a different message. Choose another key.
    BQ_IDEMPOTENCY_CONFLICT = 10,
    /// The topic's backlog limit is reached and its policy is to refuse. Publish later, or consume.
    BQ_BACKLOG_FULL = 11,
    /// Too much work is waiting to be written. Try again after a pause.
    BQ_BUSY = 12,
    /// Another program held the file's write lock for too long. Try again; find out who holds it.
    BQ_LOCKED = 13,
    /// The queue was shut down. Open it anew.
    BQ_SHUTDOWN = 14,
    /// It cannot be known whether the operation is on disk. Repeat under the same idempotency key, or look first.
    BQ_OUTCOME_UNKNOWN = 15,
    /// The disk is full; nothing was written. Free space; the queue recovers by itself.
    BQ_DISK_FULL = 16,
    /// The file or its directory cannot be written. Fix the permissions.
    BQ_READ_ONLY = 17,
    /// The file cannot be opened or created. Check the path and its permissions.
    BQ_CANNOT_OPEN = 18,
    /// The file exists and is not an SQLite database. It was left untouched.
    BQ_NOT_A_DATABASE = 19,
    /// The file is damaged. It was left untouched; restore a backup.
    BQ_CORRUPT = 20,
    /// The file was written by a newer release. Update this program.
    BQ_NEWER_SCHEMA = 21,
    /// The operating system reported an error; nothing was written. Look at bq_error_detail, then try again.
    BQ_IO = 22,
    /// A bug in this library. Please report it.
    BQ_INTERNAL = 23,
    /// This thread has a transaction of the queue open, and would wait for itself. Use the transaction's
    /// own methods, or end it first.
    BQ_IN_TRANSACTION = 24,
    /// The transaction was rolled back: its deadline passed, or a statement ended it. Begin a new one.
    BQ_TRANSACTION_ENDED = 25,
    /// SQLite refused a statement of yours. Look at bq_error_detail; the transaction goes on.
    BQ_SQL_FAILED = 26,
    /// The topic has no schedule of that name. Create it first.
    BQ_UNKNOWN_SCHEDULE = 27,
    /// The topic has a schedule of that name already. Use it, or choose another name.
    BQ_SCHEDULE_EXISTS = 28,
    /// Somebody changed it since that version. Read it again, and decide anew.
    BQ_STALE_VERSION = 29,
    /// Some subscriber is not done with an earlier message of this unique key. Publish later, or leave it:
    /// the work is under way. A dead letter counts as done.
    BQ_UNIQUE_CONFLICT = 30,
    /// The handle came here by a fork: its threads are in the parent. Open the queue anew.
    BQ_FORKED = 31,
    /// Another SQLite library in this process has the file open, and on this system the two would destroy
    /// it. Close it there, or use it in another process.
    BQ_FOREIGN_SQLITE = 32,
}

/// Whether repeating a failed call can help.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub enum bq_retry {
    /// The same call will fail again: change it, or the world, first.
    BQ_RETRY_NEVER = 0,
    /// Nothing was done; the same call may succeed later.
    BQ_RETRY_LATER = 1,
    /// Nobody knows whether it was done: repeat it only under the same idempotency key, or look first.
    BQ_RETRY_RECONCILE = 2,
}

/// The stable code of a status, such as "lease_lost"; "ok" for 0, NULL for a number that is none. The text
/// lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn bq_status_code(status: bq_status) -> *const c_char {
    guard_value(std::ptr::null(), || {
        Ok(place(status)
            .and_then(|place| names().get(place))
            .map_or(std::ptr::null(), |name| name.as_ptr()))
    })
}

/// Whether repeating a call with this status can help: one of bq_retry; BQ_RETRY_NEVER for 0 and for a number
/// that is none.
#[unsafe(no_mangle)]
pub extern "C" fn bq_status_retry(status: bq_status) -> i32 {
    guard_value(bq_retry::BQ_RETRY_NEVER as i32, || {
        let row = place(status).and_then(|place| codes().get(place.checked_sub(1)?));
        Ok(match row.map(|row| row.retry) {
            Some(Retry::Later) => bq_retry::BQ_RETRY_LATER,
            Some(Retry::Reconcile) => bq_retry::BQ_RETRY_RECONCILE,
            Some(Retry::Never) | None => bq_retry::BQ_RETRY_NEVER,
        } as i32)
    })
}

fn place(status: bq_status) -> Option<usize> {
    usize::try_from(status).ok()
}

/// The rows of the table; that of number 1 is the first.
fn codes() -> &'static [ErrorCode] {
    static CODES: OnceLock<Vec<ErrorCode>> = OnceLock::new();
    CODES.get_or_init(error_codes)
}

fn names() -> &'static [CString] {
    static NAMES: OnceLock<Vec<CString>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let codes = codes().iter().map(|row| row.code);
        ["ok"].into_iter().chain(codes).map(|code| CString::new(code).unwrap_or_default()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names as they are written above.
    fn listed() -> Vec<(String, u16)> {
        let (_, after) = include_str!("status.rs").split_once("BQ_OK = 0,").unwrap();
        let (list, _) = after.split_once('}').unwrap();
        let rows = list.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "));
        rows.map(|(name, number)| (name.to_owned(), number.parse().unwrap())).collect()
    }

    #[test]
    fn the_numbers_are_those_of_the_core() {
        let core = error_codes().into_iter();
        let core = core.map(|row| (format!("BQ_{}", row.code.to_uppercase()), row.number));
        assert_eq!(listed(), core.collect::<Vec<_>>());
    }
}
