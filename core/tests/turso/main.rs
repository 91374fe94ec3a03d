//! The store in a libSQL database, on a server of our own.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "deadlines of tests, and what they measure")]

mod engines;
mod faults;
mod open;
mod server;
mod tursodb;
