//! What a seek did, or would do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a seek did, or would do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sought {
    /// The place is not kept any more: it goes on with the oldest message kept.
    pub(crate) clamped: bool,
    /// Messages that are delivered again.
    pub(crate) replayed_count: u64,
    /// Messages that are passed over.
    pub(crate) skipped_count: u64,
    /// Whether the counts are exact, or upper bounds.
    pub(crate) exact: bool,
}

impl From<blockqueue::Sought> for Sought {
    fn from(sought: blockqueue::Sought) -> Self {
        let blockqueue::Sought { clamped, replayed_count, skipped_count, exact, .. } = sought;
        Self { clamped, replayed_count, skipped_count, exact }
    }
}

impl fmt::Display for Sought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at_most = if self.exact { "" } else { "at most " };
        let Self { replayed_count, skipped_count, .. } = self;
        write!(
            f,
            "{at_most}{replayed_count} to deliver again, {at_most}{skipped_count} passed over"
        )
    }
}
