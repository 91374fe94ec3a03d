//! The server over real connections on this machine.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod guard;
mod metrics;
mod original;
mod server;
mod slow;
mod v1;
