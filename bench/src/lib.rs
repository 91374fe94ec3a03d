//! Benchmarks of the queue, each beside the bare database doing the same durable work in the same run.

pub mod cases;
mod http;
pub mod measure;
pub mod peers;
pub mod raw;
pub mod servers;
