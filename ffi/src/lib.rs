//! The C ABI of the queue: `libblockqueue`, as `include/blockqueue.h` describes it to its users.
//!
//! Converts in, calls the core, converts out, and holds no rule of the queue. The documentation of what is
//! `extern "C"` here becomes the header, by cbindgen.
//!
//! Owns the boundary: every function goes through `guard`, so that no panic crosses it, and every handle
//! through `handle`, so that a handle that is freed, foreign or of another kind is an error.

#![expect(unsafe_code, reason = "a C ABI takes pointers")]
#![expect(non_camel_case_types, reason = "the names are those of the header")]
#![expect(clippy::doc_markdown, reason = "the documentation becomes comments of C")]
#![expect(
    clippy::missing_safety_doc,
    reason = "what callers owe is the same everywhere, and the header says it at its top"
)]

mod arguments;
mod guard;
mod handle;
mod json;
mod names;
mod signal;

// What the header shows, in its order.
pub mod version;

pub mod error;
pub mod id;
pub mod slice;
pub mod status;
pub mod text;

pub mod claim;
#[cfg(feature = "test-clock")]
pub mod clock;
pub mod delivery;
pub mod message;
pub mod publish;
pub mod queue;
pub mod settle;
pub mod token;

pub mod completions;
pub mod start;

pub mod letters;
pub mod limits;
pub mod look;
pub mod result;
pub mod schedule;
pub mod subscriber;
pub mod topic;
pub mod transaction;

// What Kotlin and Swift call: two libraries of Rust do not link into one program, so this one carries both.
blockqueue_uniffi::uniffi_reexport_scaffolding!();
