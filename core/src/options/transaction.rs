//! How to run a transaction on the queue's own connection.

use std::time::Duration;

use super::rules::not_longer;
use crate::error::{Result, positive};
use crate::limits;

/// How to run a transaction on the queue's own connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransactionOptions {
    /// It is rolled back if it is not committed this long after it began: everybody else who writes waits
    /// for it. Default 5 s, at most 1 min.
    pub deadline: Duration,
}

impl Default for TransactionOptions {
    fn default() -> Self {
        Self { deadline: limits::TRANSACTION_DEADLINE_DEFAULT }
    }
}

impl TransactionOptions {
    setters! {
        /// Sets how long after it began it is rolled back if it is not committed.
        with_deadline: deadline = Duration;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        positive("deadline", self.deadline)?;
        not_longer("deadline", self.deadline, limits::TRANSACTION_DEADLINE_MAX)
    }
}
