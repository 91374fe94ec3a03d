//! The command line: the real program, run as people run it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod file;
mod postgres;
mod scenarios;
mod serve;
mod server;
mod shards;
mod support;
mod tls;
