//! The command line on a server that runs beside it.

use super::scenarios;
use super::support::{Cli, Ended};

/// A test on a server for each scenario.
macro_rules! on_a_server {
    ($($scenario:ident)*) => {
        $(#[test] fn $scenario() { scenarios::$scenario(&Cli::on_a_server()); })*
    };
}

on_a_server! {
    what_is_published_is_consumed_once
    each_line_of_a_long_input_is_a_message
    repeating_an_input_under_a_key_publishes_nothing
    bytes_that_are_no_text_arrive_as_they_are
    a_command_gets_the_payload_and_the_rest
    a_command_that_fails_is_tried_again_and_then_dead_lettered
    a_lease_lasts_as_long_as_the_command
    what_a_gone_reader_did_not_get_is_not_acked
    told_to_stop_it_finishes_its_message_and_gives_the_rest_back
    following_goes_on_until_told_to_stop
    a_subscriber_can_be_moved_back
    a_paused_subscriber_gets_nothing
    a_cancelled_message_is_not_delivered
    what_a_command_prints_is_the_reply
    unique_work_is_taken_once
    every_listing_has_a_machine_readable_form
    failures_have_a_code_and_a_status
    a_schedule_is_created_changed_run_and_deleted
}

#[test]
fn what_only_a_file_can_do_is_not_asked_of_a_server() {
    let cli = Cli::on_a_server();
    for command in [&["doctor"][..], &["backup", "copy.db"]] {
        let ended = cli.run(command);
        assert_eq!(ended.status, Some(2), "{command:?}: {ended:?}");
    }
}

#[test]
fn a_token_opens_what_it_is_for() {
    const ADMIN: &str = "an-administrator-s-secret";
    const CONSUMER: &str = "a-consumer-s-secret-token";
    let cli = Cli::on_a_server_with(&format!("{ADMIN} admin *\n{CONSUMER} consume jobs\n"));
    let none = cli.run(&["topic", "list"]);
    assert_eq!(none.status, Some(1), "{none:?}");
    assert!(none.err.contains("[unauthorized]"), "{none:?}");
    cli.ok(&["topic", "create", "jobs", "-s", "run", "--token", ADMIN]);
    cli.ok(&["publish", "jobs", "work", "--token", ADMIN]);

    let mut consume = cli.command(&["consume", "jobs", "run", "--exec", "cat"]);
    let consumed = Ended::of(consume.env("BLOCKQUEUE_TOKEN", CONSUMER).output().unwrap());
    assert_eq!((consumed.status, consumed.out.as_str()), (Some(0), "work"), "{consumed:?}");
    let publish = cli.run(&["publish", "jobs", "more", "--token", CONSUMER]);
    assert!(publish.err.contains("[forbidden]"), "{publish:?}");
}
