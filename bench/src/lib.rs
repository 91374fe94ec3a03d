//! Benchmarks of the queue, each beside the bare database doing the same durable work in the same run.

pub mod cases;
mod faces;
mod http;
pub mod measure;
pub mod once;
pub mod peers;
mod postgres;
pub mod processes;
pub mod raw;
mod selection;
pub mod servers;
mod turso;
