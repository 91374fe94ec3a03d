//! The conformance scripts against the library itself, in memory and in a file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod answers;
mod arguments;
mod face;
mod operations;
#[cfg(feature = "turso")]
#[path = "../turso/server.rs"]
#[expect(dead_code, reason = "its own tests do more with it")]
mod turso;

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
fn every_script_holds_in_many_databases() {
    run_all(|| Arc::new(CoreFace::in_shards()) as Arc<dyn Face>).unwrap().assert_passed();
}

#[test]
fn random_histories_in_many_databases_are_as_the_model_says() {
    Histories::from_env(10).assert_hold(|| Arc::new(CoreFace::in_shards()));
}

#[test]
fn every_script_holds_if_the_file_is_copied() {
    run_all(|| Arc::new(CoreFace::moving()) as Arc<dyn Face>).unwrap().assert_passed();
}

#[test]
fn random_histories_of_files_that_are_copied_are_as_the_model_says() {
    Histories::from_env(25).assert_hold(|| Arc::new(CoreFace::moving()));
}

#[test]
fn random_histories_in_memory_are_as_the_model_says() {
    Histories::from_env(150).assert_hold(|| Arc::new(CoreFace::in_memory()));
}

#[test]
fn random_histories_in_a_file_are_as_the_model_says() {
    Histories::from_env(25).assert_hold(|| Arc::new(CoreFace::in_file()));
}

/// The server to test on: the stage `stores` starts one, and fails if it cannot.
#[cfg(feature = "postgres")]
fn server() -> Option<String> {
    let address = std::env::var("BLOCKQUEUE_TEST_POSTGRES").ok();
    if address.is_none() {
        eprintln!("SKIPPED: BLOCKQUEUE_TEST_POSTGRES names no PostgreSQL server");
    }
    address
}

#[cfg(feature = "postgres")]
#[test]
fn every_script_holds_on_postgresql() {
    let Some(server) = server() else { return };
    run_all(|| Arc::new(CoreFace::on_server(&server)) as Arc<dyn Face>).unwrap().assert_passed();
}

#[cfg(feature = "postgres")]
#[test]
fn random_histories_on_postgresql_are_as_the_model_says() {
    let Some(server) = server() else { return };
    Histories::from_env(10).assert_hold(|| Arc::new(CoreFace::on_server(&server)));
}

#[cfg(feature = "postgres")]
#[test]
fn random_histories_between_files_and_postgresql_are_as_the_model_says() {
    let Some(server) = server() else { return };
    Histories::from_env(10).assert_hold(|| Arc::new(CoreFace::moving_to_server(&server)));
}

#[cfg(feature = "postgres")]
#[test]
fn every_script_holds_between_files_and_postgresql() {
    let Some(server) = server() else { return };
    run_all(|| Arc::new(CoreFace::moving_to_server(&server)) as Arc<dyn Face>)
        .unwrap()
        .assert_passed();
}

#[cfg(feature = "turso")]
#[test]
fn every_script_holds_in_a_libsql_database() {
    let server = turso::Server::start();
    run_all(|| Arc::new(CoreFace::in_libsql(&server)) as Arc<dyn Face>).unwrap().assert_passed();
}

#[cfg(feature = "turso")]
#[test]
fn random_histories_in_a_libsql_database_are_as_the_model_says() {
    let server = turso::Server::start();
    Histories::from_env(20).assert_hold(|| Arc::new(CoreFace::in_libsql(&server)));
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
