#![doc = include_str!("../../README.md")]

mod backoff;
mod clock;
mod copy;
mod engine;
mod entropy;
mod error;
mod failpoint;
mod firing;
pub mod limits;
mod model;
mod op;
mod options;
mod pending;
mod process;
mod queue;
mod recurrence;
mod shards;
mod store;
mod worker;

#[cfg(feature = "test-clock")]
pub use clock::TestClock;
pub use copy::{CopiedTable, CopyReport, copy};
pub use error::{Error, ErrorCode, Result, Retry, error_codes};
pub use model::*;
pub use options::*;
pub use pending::Pending;
pub use process::fork::hold_during_forks;
pub use queue::{Queue, Transaction};
/// The version of `rusqlite` that [`publish_in`] and its like take a transaction of.
pub use rusqlite;
pub use store::sqlite::{ack_in, ack_with_result_in, nack_in, publish_in};
pub use worker::{HandlerError, HandlerResult, Worker, WorkerGroup, WorkerHandle, WorkerReport};
