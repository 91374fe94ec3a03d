//! The conformance scripts against the library itself, in memory and in a file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod answers;
mod arguments;
mod face;
mod operations;

use std::sync::Arc;

use blockqueue_conformance::{Face, run_all};

use face::CoreFace;

#[test]
fn every_script_holds_in_memory() {
    run_all(|| Arc::new(CoreFace::in_memory()) as Arc<dyn Face>).unwrap().assert_passed();
}

#[test]
fn every_script_holds_in_a_file() {
    run_all(|| Arc::new(CoreFace::in_file()) as Arc<dyn Face>).unwrap().assert_passed();
}
