//! The conformance scripts against the library itself, in memory and in a file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod answers;
mod arguments;
mod face;
mod operations;

use std::collections::BTreeSet;
use std::sync::Arc;

use blockqueue::error_codes;
use blockqueue_conformance::{Face, Histories, run_all, scripts};

use face::CoreFace;

#[test]
fn every_script_holds_in_memory() {
    run_all(|| Arc::new(CoreFace::in_memory()) as Arc<dyn Face>).unwrap().assert_passed();
}

#[test]
fn every_script_holds_in_a_file() {
    run_all(|| Arc::new(CoreFace::in_file()) as Arc<dyn Face>).unwrap().assert_passed();
}

#[test]
fn random_histories_in_memory_are_as_the_model_says() {
    Histories::from_env(150).assert_hold(|| Arc::new(CoreFace::in_memory()));
}

#[test]
fn random_histories_in_a_file_are_as_the_model_says() {
    Histories::from_env(25).assert_hold(|| Arc::new(CoreFace::in_file()));
}

/// Codes that need a broken world or several processes, which the crash tests make, or a transaction of the
/// caller's own.
const BEYOND_SCRIPTS: [&str; 16] = [
    "busy",
    "locked",
    "outcome_unknown",
    "disk_full",
    "read_only",
    "cannot_open",
    "not_a_database",
    "corrupt",
    "newer_schema",
    "io",
    "internal",
    "in_transaction",
    "transaction_ended",
    "sql_failed",
    "forked",
    "foreign_sqlite",
];

#[test]
fn the_scripts_provoke_every_code_that_a_caller_can() {
    let mut provoked = BTreeSet::new();
    for script in scripts().unwrap() {
        provoked.extend(script.steps.into_iter().filter_map(|step| step.error));
    }
    let codes = error_codes().into_iter().map(|row| row.code.to_owned());
    let expected = codes.filter(|code| !BEYOND_SCRIPTS.contains(&code.as_str()));
    assert_eq!(provoked, expected.collect());
}
