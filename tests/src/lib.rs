//! What no single crate can prove: several processes on one queue, some of them killed.

pub mod chance;
pub mod child;
pub mod fuzz;
pub mod journal;
pub mod mutation;
pub mod place;
