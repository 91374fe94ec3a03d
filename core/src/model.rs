//! What the queue hands out: the nouns of the field, without behaviour.

mod delivery;
mod id;
mod page;
mod receipt;
mod result;
mod schedule;
mod sql;
mod stats;
mod topology;

pub use delivery::{
    DeadLetter, Delivery, DeliveryState, DeliveryStatus, Failure, MessageStatus, MessageView,
    Nacked, Peeked, Published, Sought,
};
pub use id::MessageId;
pub use page::Listed;
pub use receipt::Receipt;
pub use result::{DeliveryResult, ReplyView};
pub use schedule::{RunStatus, Schedule, ScheduleRun};
pub use sql::{SqlRows, SqlValue};
pub use stats::{CursorStats, Diagnosis, EngineStats, LogStats, SubscriberStats, TopicStats};
pub use topology::{Subscriber, Topic};

pub(crate) use id::{IdParts, SEQ_BITS};
