//! The command line on a file.

use std::process::Stdio;

use super::scenarios;
use super::support::{Cli, Ended, damage, program};

/// A test on a file for each scenario.
macro_rules! on_a_file {
    ($($scenario:ident)*) => {
        $(#[test] fn $scenario() { scenarios::$scenario(&Cli::on_a_file()); })*
    };
}

on_a_file! {
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
fn only_creating_a_topic_makes_a_file() {
    let cli = Cli::on_a_file();
    for args in [
        &["topic", "list"][..],
        &["publish", "t", "x"],
        &["consume", "t", "s"],
        &["stats"],
        &["doctor"],
        &["backup", "copy.db"],
    ] {
        let ended = cli.run(args);
        assert_eq!(ended.status, Some(1), "{args:?}: {ended:?}");
        assert!(ended.err.contains("[cannot_open]"), "{args:?}: {ended:?}");
    }
    assert!(!cli.path("queue.db").exists());
    cli.ok(&["topic", "create", "t"]);
    assert!(cli.path("queue.db").exists());
}

#[test]
fn settings_change_in_part() {
    let cli = Cli::on_a_file();
    let limited = ["--backlog-messages", "10", "--backlog-policy", "drop-oldest"];
    cli.ok(&[&["topic", "create", "t", "-s", "s"][..], &limited].concat());
    cli.ok(&["topic", "update", "t", "--backlog-age", "1h", "--retention", "count:5"]);
    let topic = cli.json(&["topic", "show", "t"]).remove(0);
    assert_eq!(topic["backlog_messages"], 10);
    assert_eq!(topic["backlog_age_ms"], 3_600_000);
    assert_eq!(topic["backlog_policy"], "drop_oldest");
    assert_eq!(topic["retention"], "count:5");
    cli.ok(&["topic", "update", "t", "--no-backlog-limit"]);
    assert!(cli.json(&["topic", "show", "t"])[0]["backlog_messages"].is_null());

    cli.ok(&["subscriber", "update", "t", "s", "--retry-max", "1m", "--lease", "250ms"]);
    let subscriber = cli.json(&["subscriber", "list", "t"]).remove(0);
    assert_eq!(subscriber["retry_initial_ms"], 1_000);
    assert_eq!(subscriber["retry_max_ms"], 60_000);
    assert_eq!(subscriber["lease_ms"], 250);
}

#[test]
fn a_copy_is_the_same_queue_in_another_place() {
    let cli = Cli::on_a_file();
    cli.ok(&["topic", "create", "t", "-s", "s"]);
    cli.ok(&["publish", "t", "x"]);
    let run = |args: &[&str]| {
        let mut command = program();
        Ended::of(command.current_dir(cli.path("")).args(args).output().unwrap())
    };
    let copied = run(&["copy", "queue.db", "moved.db", "--json"]);
    assert_eq!(copied.status, Some(0), "{copied:?}");
    let report: serde_json::Value = serde_json::from_str(&copied.out).unwrap();
    let tables = report["tables"].as_array().unwrap();
    let messages = tables.iter().find(|table| table["name"] == "blockqueue_message").unwrap();
    assert_eq!(messages["rows"], 1);
    let again = run(&["copy", "queue.db", "moved.db"]);
    assert_eq!(again.status, Some(1), "{again:?}");
    assert!(again.err.contains("[cannot_open]"), "{again:?}");
    let table = run(&["copy", "moved.db", "back.db"]);
    assert!(table.out.contains(messages["checksum"].as_str().unwrap()), "{table:?}");
    let consumed = run(&["consume", "t", "s", "--db", "back.db"]);
    assert_eq!(consumed.out, "x\n", "{consumed:?}");
}

#[test]
fn a_backup_is_the_same_queue() {
    let cli = Cli::on_a_file();
    cli.ok(&["topic", "create", "t", "-s", "a", "-s", "b"]);
    cli.feed(&["publish", "t"], "x\n".repeat(100).as_bytes());
    cli.ok(&["consume", "t", "a", "--max", "30"]);
    cli.ok(&["backup", "copy.db"]);
    let copy =
        program().args(["stats", "--json", "--db"]).arg(cli.path("copy.db")).output().unwrap();
    let ageless = |mut stats: serde_json::Value| {
        for subscriber in stats["subscribers"].as_array_mut().unwrap() {
            subscriber.as_object_mut().unwrap().remove("oldest_age_ms");
        }
        stats
    };
    let copied = serde_json::from_slice(&copy.stdout).unwrap();
    assert_eq!(ageless(copied), ageless(cli.json(&["stats"]).remove(0)));

    let again = cli.run(&["backup", "copy.db"]);
    assert_eq!(again.status, Some(1), "{again:?}");
    assert!(again.err.contains("[cannot_open]"), "{again:?}");
}

#[test]
fn the_doctor_tells_a_whole_file_from_a_damaged_one() {
    let cli = Cli::on_a_file();
    cli.ok(&["topic", "create", "t", "-s", "s"]);
    cli.feed(&["publish", "t"], "some payload\n".repeat(2_000).as_bytes());
    let report = cli.json(&["doctor"]).remove(0);
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["problems"].as_array().unwrap().len(), 0);
    assert!(report["schema_version"].as_u64().unwrap() >= 1);

    cli.ok(&["backup", "copy.db"]);
    let copy = cli.path("copy.db");
    damage(&copy);
    let damaged = std::fs::read(&copy).unwrap();
    let examined = program().args(["doctor", "--json", "--db"]).arg(&copy).output().unwrap();
    assert_eq!(examined.status.code(), Some(1), "{examined:?}");
    let report: serde_json::Value = serde_json::from_slice(&examined.stdout).unwrap();
    assert_eq!(report["ok"], false, "{report}");
    assert_eq!(std::fs::read(&copy).unwrap().len(), damaged.len());

    std::fs::write(cli.path("text.db"), "this is no database, but long enough to look at").unwrap();
    let text = program().args(["doctor", "--db"]).arg(cli.path("text.db")).output().unwrap();
    assert_eq!(text.status.code(), Some(1), "{text:?}");
    assert!(String::from_utf8(text.stdout).unwrap().contains("not a database"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let cli = Cli::on_a_file();
    cli.ok(&["topic", "create", "t", "-s", "s"]);
    cli.feed(&["publish", "t"], "x\n".repeat(1_000).as_bytes());
    let peek = ["peek", "t", "s", "--limit", "1000", "--json"];
    let mut peeking =
        cli.command(&peek).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(peeking.stdout.take());
    let ended = Ended::of(peeking.wait_with_output().unwrap());
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_eq!(ended.err, "");
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_full_disk_did_not_take_is_not_acked() {
    let cli = Cli::on_a_file();
    cli.ok(&["topic", "create", "t", "-s", "s"]);
    cli.feed(&["publish", "t"], b"a\nb\n");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let consume = cli.command(&["consume", "t", "s"]).stdout(full).output().unwrap();
    let ended = Ended::of(consume);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.err.contains("2 messages were given back"), "{ended:?}");
    assert_eq!(cli.ok(&["consume", "t", "s"]), "a\nb\n");
}

#[test]
fn a_command_that_takes_too_long_has_failed() {
    let cli = Cli::on_a_file();
    cli.ok(&["topic", "create", "t", "-s", "s"]);
    cli.ok(&["publish", "t", "x"]);
    let slow = ["consume", "t", "s", "--exec", "sleep 60", "--timeout", "50ms"];
    let ended = cli.run(&slow);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.err.contains("took longer than 50ms"), "{ended:?}");
    assert_eq!(cli.stats("t", "s")["nacked_count"], 1);
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let away = ["topic", "list", "--url", "http://127.0.0.1:1"];
    let ended = Ended::of(program().args(away).output().unwrap());
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.err.starts_with("error: cannot reach the server"), "{ended:?}");
    assert!(ended.err.contains("[io]"), "{ended:?}");
}
