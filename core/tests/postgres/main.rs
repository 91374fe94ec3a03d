//! The store on a PostgreSQL server, as the stage `stores` starts one: what the conformance scripts cannot say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test measures, and gives up at some time")]

mod contract;
mod engines;
mod faults;
mod open;
mod plans;
mod proxy;
mod server;
