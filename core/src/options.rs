//! What callers may choose, with the production value of each choice as its default.
//!
//! Every struct is checked once, by its `validate`, before anything is written.

/// Makes `with_*` setters, so that `#[non_exhaustive]` structs can be built outside of the crate.
macro_rules! setters {
    ($($(#[$doc:meta])* $setter:ident: $field:ident = $type:ty;)*) => {
        $($(#[$doc])* #[must_use] pub fn $setter(mut self, value: $type) -> Self {
            self.$field = value.into();
            self
        })*
    };
}

/// As `setters`, for optional texts.
macro_rules! text_setters {
    ($($(#[$doc:meta])* $setter:ident: $field:ident;)*) => {
        $($(#[$doc])* #[must_use] pub fn $setter(mut self, value: impl Into<String>) -> Self {
            self.$field = Some(value.into());
            self
        })*
    };
}

mod backup;
mod consume;
mod copy;
mod filter;
mod letters;
mod message;
mod open;
mod page;
mod replay;
mod reply;
mod rules;
mod schedule;
mod subscriber;
mod topic;
mod transaction;

pub use backup::{Backup, BackupProgress};
pub use consume::{ClaimOptions, NackOptions, SeekTo};
pub use copy::{CopyOptions, CopyProgress};
pub use filter::Filter;
pub use letters::DeadLetters;
pub use message::Message;
#[cfg(feature = "turso")]
pub(crate) use open::TokenProvider;
pub use open::{Durability, OpenOptions};
pub use page::Page;
pub use replay::{Purge, Redrive, Seek};
pub use reply::Reply;
pub use schedule::{MisfirePolicy, NewSchedule, OverlapPolicy, ScheduleOptions};
pub use subscriber::{
    NewSubscriber, OnDead, OnExpiry, RateLimit, RetryPolicy, StartFrom, SubscriberChange,
    SubscriberOptions,
};
pub use topic::{BacklogLimit, BacklogPolicy, NewTopic, Retention, TopicChange, TopicOptions};
pub use transaction::TransactionOptions;

pub(crate) use rules::{at_most, count, cut, lease, not_longer};
pub(crate) use subscriber::validate_subscribers;
