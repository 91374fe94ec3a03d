//! Pages of a list.

use blockqueue::Page;
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// 1 to 1,000; default 100.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl From<PageQuery> for Page {
    fn from(query: PageQuery) -> Self {
        let mut page = Self::default();
        page.limit = query.limit;
        page.after = query.cursor;
        page
    }
}
