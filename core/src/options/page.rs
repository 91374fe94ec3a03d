//! Which part of a list to return.

use super::rules::count;
use crate::error::Result;
use crate::limits;

/// Which part of a list to return. `next` of one page is `after` of the following one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Page {
    /// At most this many entries; 1 to 1,000. Default 100.
    pub limit: Option<usize>,
    /// Begin after this place. Default: at the start.
    pub after: Option<String>,
}

impl Page {
    setters! {
        /// Sets how many entries to return at most.
        with_limit: limit = usize;
    }

    text_setters! {
        /// Begins after the place where another page ended.
        with_after: after;
    }

    pub(crate) fn limit(&self) -> Result<usize> {
        let limit = self.limit.unwrap_or(limits::PAGE_DEFAULT);
        count("limit", limit, limits::PAGE_MAX)?;
        Ok(limit)
    }
}
