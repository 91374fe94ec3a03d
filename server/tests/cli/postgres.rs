//! The command line and the server on a queue in a PostgreSQL database.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use super::scenarios;
use super::support::Cli;

/// The address of a queue of its own: the stage `stores` starts a server, and fails if it cannot.
fn address() -> Option<String> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let Ok(server) = std::env::var("BLOCKQUEUE_TEST_POSTGRES") else {
        eprintln!("SKIPPED: BLOCKQUEUE_TEST_POSTGRES names no PostgreSQL server");
        return None;
    };
    let start = UNIX_EPOCH.elapsed().unwrap().as_millis();
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    Some(format!("{server}&schema=cli_{start}_{process}_{number}"))
}

/// A test for each scenario: without a server between, and with one.
macro_rules! on_postgresql {
    ($($scenario:ident)*) => {
        $(#[test] fn $scenario() {
            if let (Some(one), Some(other)) = (address(), address()) {
                scenarios::$scenario(&Cli::on(one));
                scenarios::$scenario(&Cli::on_a_server_for(&other));
            }
        })*
    };
}

on_postgresql! {
    what_is_published_is_consumed_once
    bytes_that_are_no_text_arrive_as_they_are
    what_a_command_prints_is_the_reply
    every_listing_has_a_machine_readable_form
    failures_have_a_code_and_a_status
    a_schedule_is_created_changed_run_and_deleted
}

#[test]
fn a_password_is_in_no_message() {
    let Some(address) = address() else { return };
    let wrong = address.replace("for%20tests", "hunter2");
    for args in [&["topic", "list"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let ended = Cli::on(wrong.clone()).run(args);
        assert_eq!(ended.status, Some(1), "{ended:?}");
        assert!(ended.err.contains("password") && !ended.err.contains("hunter2"), "{ended:?}");
    }
}
