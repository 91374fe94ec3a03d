//! The conformance scripts over HTTP, against a real server on a free port.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod answers;
mod bodies;
mod face;
mod omissions;
mod requests;
mod server;

use std::sync::Arc;

use blockqueue_conformance::{Face, run_all};

use face::HttpFace;

#[test]
fn every_script_holds_over_http() {
    run_all(|| Arc::new(HttpFace::start()) as Arc<dyn Face>).unwrap().assert_passed();
}
