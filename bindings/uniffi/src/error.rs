//! The core's errors as every language gets them.

use blockqueue::Error;

/// The result of a call.
pub(crate) type Result<T> = std::result::Result<T, CallError>;

/// Whether repeating a failed call can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Retry {
    /// The same call will fail again: change it, or the world, first.
    Never,
    /// Nothing was done; the same call may succeed later.
    Later,
    /// Nobody knows whether it was done: repeat only under the same idempotency key, or look first.
    Reconcile,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Problem {
    /// The stable code, the same in every language.
    pub code: String,
    /// The stable number of the code.
    pub number: i32,
    /// Whether repeating the call can help.
    pub retry: Retry,
    /// For people; not to be parsed.
    pub detail: String,
    /// Which item of the batch it is about, from 0, if it is about one.
    pub index: Option<i32>,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let index = match &error {
            Error::IdempotencyConflict { index, .. } | Error::UniqueConflict { index, .. } => {
                i32::try_from(*index).ok()
            }
            _ => None,
        };
        let retry = match error.retry() {
            blockqueue::Retry::Never => Retry::Never,
            blockqueue::Retry::Later => Retry::Later,
            blockqueue::Retry::Reconcile => Retry::Reconcile,
        };
        Self {
            code: error.code().to_owned(),
            number: error.number().into(),
            retry,
            detail: error.to_string(),
            index,
        }
    }
}

/// A call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum CallError {
    /// The queue says why.
    #[error("{}: {}", problem.code, problem.detail)]
    Failed {
        /// What went wrong.
        problem: Problem,
    },
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self::Failed { problem: error.into() }
    }
}

/// An argument that cannot even be handed to the core.
pub(crate) fn invalid(detail: impl Into<String>) -> Error {
    Error::InvalidArgument { detail: detail.into() }
}

/// A value that this release of the bindings has no word for.
pub(crate) fn unknown(what: impl std::fmt::Debug) -> Error {
    Error::Internal { detail: format!("no word for {what:?}") }
}
