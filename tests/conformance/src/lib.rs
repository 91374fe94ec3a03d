//! Runs the conformance scripts: one set of rules for every face and every store of the queue.
//!
//! The scripts are the JSON files beside this crate; `README.md` there describes the format. A face
//! implements [`Face`] and passes it to [`run`]. This crate knows the words of the scripts and nothing
//! of the queue.

mod expect;
mod face;
mod filter;
mod history;
mod model;
mod operation;
mod resolve;
mod run;
mod script;
mod suite;

pub use expect::Difference;
pub use face::{Face, Feature, Omission, Refusal};
pub use history::{Histories, Mortal};
pub use operation::{
    BacklogLimit, BacklogPolicy, DeadLetters, Deferral, Message, Misfire, Nack, NewSubscriber,
    NoneWord, OnDead, OnExpiry, Operation, OrNone, Overlap, Place, Rate, Reply, Retention, Retry,
    ScheduleOptions, Source, Start, SubscriberOptions, TopicOptions,
};
pub use run::{Failure, run};
pub use script::{Action, Script, ScriptError, Step, parse, scripts};
pub use suite::{Report, run_all};

/// Where the clock of every script starts: 2026-01-01T00:00:00Z, in milliseconds since 1970.
pub const START_MS: i64 = 1_767_225_600_000;
