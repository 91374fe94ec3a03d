//! What Kotlin, Swift and generated Go see of the queue, exported by `UniFFI`.
//!
//! Converts in, calls the core, converts out, and holds no rule of the queue. People use the packages in
//! `bindings/kotlin` and `bindings/swift`, which are written by hand over the generated code.
//!
//! Numbers are signed and durations and instants are milliseconds in 64 bits, so that every language can say
//! them; what is out of range is an error of the core's, never a crash of the caller.
//!
//! Invariant: nothing that must not get lost is the answer of an async method. Whoever drops such a call just
//! when its answer arrives never sees it, so a claim and a transaction are objects that hold theirs.
#![expect(unsafe_code, reason = "the exported functions, and the memory that crosses with them")]
#![expect(
    clippy::missing_errors_doc,
    reason = "every method fails as the core's of the same name does, which documents it"
)]
#![expect(clippy::needless_pass_by_value, reason = "arguments cross by value")]

mod backup;
mod bytes;
mod claim;
mod clock;
mod delivery;
mod error;
mod letters;
mod limits;
mod look;
mod message;
mod number;
mod open;
mod page;
mod queue;
mod result;
mod schedule;
mod subscriber;
mod topic;
mod transaction;

pub use backup::{BackupProgress, PendingBackup};
pub use bytes::Bytes;
pub use claim::{ClaimOptions, PendingClaim, Source};
pub use clock::{TestClock, test_panic};
pub use delivery::{Delivery, NackOptions, NackOutcome, Nacked, TimeOutcome};
pub use error::{CallError, Problem, Retry};
pub use letters::{DeadLetter, DeadLetterPage, DeadLetters, Failure, FailurePage, Purge, Redrive};
pub use limits::{Limits, limits};
pub use look::{
    CursorStats, DeliveryState, DeliveryStatus, Diagnosis, EngineStats, LogStats, MessageStatus,
    MessageView, Peeked, PeekedPage, SubscriberStats, TopicStats,
};
pub use message::{Message, Published};
pub use open::{Durability, OpenOptions};
pub use page::Page;
pub use queue::{Deferral, Nack, Queue};
pub use result::{DeliveryResult, PendingResult, Reply, ReplyView};
pub use schedule::{
    MisfirePolicy, OverlapPolicy, RunStatus, Schedule, ScheduleOptions, SchedulePage, ScheduleRun,
    ScheduleRunPage,
};
pub use subscriber::{
    FilterChange, LimitChange, NewSubscriber, OnDead, OnExpiry, RateChange, RateLimit, RetryPolicy,
    SeekTo, Sought, StartFrom, Subscriber, SubscriberOptions, SubscriberPage, SubscriberSettings,
};
pub use topic::{
    BacklogLimit, BacklogPolicy, Retention, Topic, TopicOptions, TopicPage, TopicSettings,
    TtlChange,
};
pub use transaction::{SqlRows, SqlValue, Transaction};

uniffi::setup_scaffolding!("blockqueue");
