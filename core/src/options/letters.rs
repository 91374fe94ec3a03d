//! Which dead letters an operation is about.

use super::rules::count;
use crate::error::{Error, Result};
use crate::limits;
use crate::model::MessageId;

/// Which dead letters an operation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeadLetters {
    /// Those of these messages; at most 1,000.
    Ids(Vec<MessageId>),
    /// The oldest, at most this many.
    Oldest(u64),
    /// All of them.
    All,
}

impl DeadLetters {
    pub(crate) fn validate(&self) -> Result<()> {
        match self {
            Self::Ids(ids) => count("ids", ids.len(), limits::SETTLE_MAX),
            Self::Oldest(0) => Err(Error::invalid("limit must be at least 1")),
            Self::Oldest(_) | Self::All => Ok(()),
        }
    }
}
