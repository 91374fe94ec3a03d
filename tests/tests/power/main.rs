//! The disk below the queue: the power fails, or a call does.
//!
//! What SQLite asks of the system is recorded below its file system layer, so the engine is tested as it is.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cuts;
mod errors;
mod image;
mod newer;
mod slow;
mod system;
mod upgrade;
