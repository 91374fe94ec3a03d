//! Parts of lists.

use blockqueue::Result;

use crate::number::maybe_count;

/// Which part of a list to return. `next` of one page is `after` of the following one.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct Page {
    /// At most this many entries; 1 to 1,000. Default 100.
    #[uniffi(default)]
    pub limit: Option<i64>,
    /// Begin after this place. Default: at the start.
    #[uniffi(default)]
    pub after: Option<String>,
}

impl Page {
    pub(crate) fn into_core(self) -> Result<blockqueue::Page> {
        let mut page = blockqueue::Page::default();
        page.limit = maybe_count("limit", self.limit)?;
        page.after = self.after;
        Ok(page)
    }
}

/// A record for a page of one kind of entry: records of `UniFFI` have no parameters.
macro_rules! pages {
    ($($(#[$doc:meta])* $page:ident: $item:ident of $core:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, uniffi::Record)]
            pub struct $page {
                /// The entries.
                pub items: Vec<$item>,
                /// Where the next page begins; none at the end.
                pub next: Option<String>,
            }

            impl TryFrom<blockqueue::Listed<blockqueue::$core>> for $page {
                type Error = blockqueue::Error;

                fn try_from(page: blockqueue::Listed<blockqueue::$core>) -> blockqueue::Result<Self> {
                    let items: blockqueue::Result<_> =
                        page.items.into_iter().map($item::from_core).collect();
                    Ok(Self { items: items?, next: page.next })
                }
            }
        )*
    };
}
pub(crate) use pages;
