//! The command line on many databases, by itself and on a server over them.

use super::scenarios;
use super::support::Cli;

/// A test of each scenario on both.
macro_rules! on_shards {
    ($($scenario:ident)*) => {
        mod by_itself {
            use super::{Cli, scenarios};
            $(#[test] fn $scenario() { scenarios::$scenario(&Cli::on_shards()); })*
        }
        mod on_a_server {
            use super::{Cli, scenarios};
            $(#[test] fn $scenario() { scenarios::$scenario(&Cli::on_a_server_of_shards()); })*
        }
    };
}

on_shards! {
    what_is_published_is_consumed_once
    a_command_that_fails_is_tried_again_and_then_dead_lettered
    every_listing_has_a_machine_readable_form
    failures_have_a_code_and_a_status
    a_schedule_is_created_changed_run_and_deleted
    topics_are_in_their_own_databases
}
