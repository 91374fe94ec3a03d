//! Benchmarks of the queue, each beside the bare database doing the same durable work in the same run.

pub mod cases;
pub mod measure;
pub mod raw;
