//! What holds on a file and on a server alike.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use super::support::{Cli, Ended, terminate};

pub(crate) fn what_is_published_is_consumed_once(cli: &Cli) {
    cli.ok(&["topic", "create", "orders", "--subscriber", "email"]);
    let id = cli.ok(&["publish", "orders", "hello", "-H", "kind=greeting", "--priority", "-3"]);
    let shown = cli.json(&["message", "show", "orders", id.trim()]).remove(0);
    assert_eq!(shown["payload"], "hello");
    assert_eq!(shown["headers"]["kind"], "greeting");
    assert_eq!(shown["priority"], -3);
    assert_eq!(shown["deliveries"][0]["state"], "pending");

    assert_eq!(cli.ok(&["consume", "orders", "email"]), "hello\n");
    let again = cli.run(&["consume", "orders", "email"]);
    assert_eq!(again.status, Some(3), "{again:?}");
    assert_eq!(again.out, "");
    assert_eq!(cli.stats("orders", "email")["acked_count"], 1);
}

pub(crate) fn each_line_of_a_long_input_is_a_message(cli: &Cli) {
    cli.ok(&["topic", "create", "lines", "-s", "all"]);
    let lines: Vec<String> = (1..=5_000).map(|line| format!("line {line}\n")).collect();
    let input = lines.concat();
    let published = cli.feed(&["publish", "lines"], input.as_bytes());
    assert_eq!(published.out, "5000 published\n", "{published:?}");
    assert_eq!(cli.ok(&["consume", "lines", "all", "--batch", "1000"]), input);
    assert_eq!(cli.stats("lines", "all")["acked_count"], 5_000);
}

pub(crate) fn repeating_an_input_under_a_key_publishes_nothing(cli: &Cli) {
    cli.ok(&["topic", "create", "lines", "-s", "all"]);
    let publish = ["publish", "lines", "--idempotency-key", "import", "--json"];
    for duplicates in [0, 3] {
        let ended = cli.feed(&publish, b"a\nb\nc\n");
        let summary: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(summary["published_count"], 3);
        assert_eq!(summary["duplicate_count"], duplicates);
    }
    assert_eq!(cli.ok(&["consume", "lines", "all"]), "a\nb\nc\n");
}

pub(crate) fn bytes_that_are_no_text_arrive_as_they_are(cli: &Cli) {
    cli.ok(&["topic", "create", "blobs", "-s", "all", "-s", "json"]);
    std::fs::write(cli.path("blob"), [0xff, 0, 0xfe]).unwrap();
    cli.ok(&["publish", "blobs", "--file", "blob", "--content-type", "image/x"]);
    let consumed = cli.command(&["consume", "blobs", "all"]).output().unwrap();
    assert_eq!(consumed.stdout, [0xff, 0, 0xfe, b'\n']);
    let json = cli.json(&["consume", "blobs", "json"]).remove(0);
    assert_eq!(json["payload_base64"], "/wD+");
    assert_eq!(json["content_type"], "image/x");
}

pub(crate) fn a_command_gets_the_payload_and_the_rest(cli: &Cli) {
    cli.ok(&["topic", "create", "jobs", "-s", "run"]);
    cli.ok(&["publish", "jobs", "work", "-H", "a=b", "--correlation-id", "r1"]);
    let script = r#"printf '%s/%s/%s/%s/%s/' "$BLOCKQUEUE_TOPIC" "$BLOCKQUEUE_SUBSCRIBER" \
        "$BLOCKQUEUE_ATTEMPT" "$BLOCKQUEUE_HEADERS" "$BLOCKQUEUE_CORRELATION_ID"; cat"#;
    let out = cli.ok(&["consume", "jobs", "run", "--exec", script]);
    assert_eq!(out, r#"jobs/run/1/{"a":"b"}/r1/work"#);
    assert_eq!(cli.stats("jobs", "run")["acked_count"], 1);
}

pub(crate) fn a_command_that_fails_is_tried_again_and_then_dead_lettered(cli: &Cli) {
    cli.ok(&["topic", "create", "jobs"]);
    cli.ok(&[
        "subscriber",
        "create",
        "jobs",
        "run",
        "--max-attempts",
        "2",
        "--retry-initial",
        "1ms",
    ]);
    cli.ok(&["publish", "jobs", "work"]);
    let fail = "echo no route >&2; exit 7";
    let ended = cli.run(&["consume", "jobs", "run", "--exec", fail, "--wait", "20s", "--max", "2"]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.err.contains("dead letter"), "{ended:?}");

    let letters = cli.json(&["dead-letters", "list", "jobs", "run"]);
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["error"], "exit status 7: no route");
    assert_eq!(letters[0]["attempts"], 2);
    let id = letters[0]["id"].as_str().unwrap();
    assert_eq!(cli.json(&["message", "failures", "jobs", "run", id]).len(), 2);

    let redrive = ["dead-letters", "redrive", "jobs", "run", "--id", id];
    assert_eq!(cli.ok(&[&redrive[..], &["--dry-run"]].concat()), "1 to redrive\n");
    cli.ok(&["topic", "create", "repair", "-s", "r"]);
    let elsewhere = ["--to", "repair", "--rate", "0.01"];
    assert_eq!(cli.ok(&[&redrive[..], &elsewhere].concat()), "1 redriven\n");
    let moved = cli.json(&["consume", "repair", "r"]).remove(0);
    assert_eq!(moved["payload"], "work");
    assert_eq!(moved["headers"]["blockqueue-origin"], format!("jobs/run/{id}"));
    assert_eq!(cli.ok(&redrive), "0 redriven\n");

    cli.ok(&["publish", "jobs", "work"]);
    cli.run(&["consume", "jobs", "run", "--exec", fail, "--wait", "20s", "--max", "2"]);
    let all = ["dead-letters", "redrive", "jobs", "run", "--all"];
    let other = ["--filter", r#"{"header": "none", "exists": true}"#];
    assert_eq!(cli.ok(&[&all[..], &other].concat()), "0 redriven\n");
    assert_eq!(cli.ok(&all), "1 redriven\n");
    assert_eq!(cli.ok(&["consume", "jobs", "run", "--exec", "cat"]), "work");
    assert_eq!(cli.ok(&["dead-letters", "purge", "jobs", "run", "--all"]), "0 purged\n");
}

pub(crate) fn a_lease_lasts_as_long_as_the_command(cli: &Cli) {
    cli.ok(&["topic", "create", "jobs", "-s", "run"]);
    cli.ok(&["publish", "jobs", "work"]);
    let long = ["consume", "jobs", "run", "--exec", "echo begun; sleep 2; cat", "--lease", "500ms"];
    let mut working = cli.command(&long).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(working.stdout.take().unwrap());
    let mut begun = String::new();
    output.read_line(&mut begun).unwrap();
    // Another consumer gets nothing although several leases pass meanwhile.
    while working.try_wait().unwrap().is_none() {
        let other = cli.run(&["consume", "jobs", "run", "--wait", "300ms"]);
        assert_eq!(other.status, Some(3), "{other:?}");
    }
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "work");
    let stats = cli.stats("jobs", "run");
    assert_eq!((&stats["acked_count"], &stats["expired_count"]), (&1.into(), &0.into()));
}

pub(crate) fn what_a_gone_reader_did_not_get_is_not_acked(cli: &Cli) {
    const COUNT: u64 = 500;
    cli.ok(&["topic", "create", "lines", "-s", "all"]);
    let line = "x".repeat(1_000) + "\n";
    cli.feed(&["publish", "lines"], line.repeat(500).as_bytes());
    let consume = ["consume", "lines", "all", "--batch", "100"];
    let mut consumer =
        cli.command(&consume).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::with_capacity(1, consumer.stdout.take().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    assert_eq!(first, line);
    drop(reader);
    let ended = Ended::of(consumer.wait_with_output().unwrap());
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.err.contains("given back"), "{ended:?}");

    let stats = cli.stats("lines", "all");
    let acked = stats["acked_count"].as_u64().unwrap();
    // A pipe holds 64 KiB.
    assert!(acked < 150, "{stats}");
    assert_eq!(stats["leased_count"], 0, "{stats}");
    let rest = cli.ok(&["consume", "lines", "all", "--batch", "100"]);
    assert_eq!(rest.lines().count() as u64, COUNT - acked);
    assert_eq!(cli.stats("lines", "all")["acked_count"], COUNT);
}

pub(crate) fn told_to_stop_it_finishes_its_message_and_gives_the_rest_back(cli: &Cli) {
    cli.ok(&["topic", "create", "jobs", "-s", "run"]);
    cli.feed(&["publish", "jobs"], "x\n".repeat(50).as_bytes());
    let stop = "kill -TERM $PPID; echo done";
    let ended = cli.run(&["consume", "jobs", "run", "--exec", stop, "--batch", "50", "--follow"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let done = ended.out.lines().count() as u64;
    assert!((1..50).contains(&done), "{ended:?}");

    let stats = cli.stats("jobs", "run");
    assert_eq!(stats["acked_count"], done);
    assert_eq!(stats["nacked_count"], 0);
    assert_eq!(stats["leased_count"], 0);
    let rest = cli.json(&["consume", "jobs", "run", "--batch", "50"]);
    assert_eq!(rest.len() as u64, 50 - done);
    // What was given back does not count as an attempt.
    assert!(rest.iter().all(|message| message["attempt"] == 1), "{rest:?}");
}

pub(crate) fn following_goes_on_until_told_to_stop(cli: &Cli) {
    cli.ok(&["topic", "create", "news", "-s", "all"]);
    let follow = ["consume", "news", "all", "--follow"];
    let mut consumer = cli.command(&follow).stdout(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(consumer.stdout.take().unwrap());
    for news in ["one", "two"] {
        cli.ok(&["publish", "news", news]);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), news);
    }
    terminate(&consumer);
    assert_eq!(consumer.wait().unwrap().code(), Some(0));
    assert_eq!(cli.stats("news", "all")["leased_count"], 0);
}

pub(crate) fn a_subscriber_can_be_moved_back(cli: &Cli) {
    cli.ok(&["topic", "create", "log", "-s", "all", "--retention", "1h"]);
    cli.feed(&["publish", "log"], b"a\nb\nc\n");
    assert_eq!(cli.ok(&["consume", "log", "all"]), "a\nb\nc\n");
    cli.ok(&["subscriber", "seek", "log", "all", "sequence:2"]);
    assert_eq!(cli.ok(&["consume", "log", "all"]), "b\nc\n");
    let dry = cli.ok(&["subscriber", "seek", "log", "all", "earliest", "--dry-run"]);
    assert_eq!(dry, "3 to deliver again, 0 passed over\n");
    assert_eq!(cli.run(&["consume", "log", "all"]).status, Some(3));
    cli.ok(&["subscriber", "seek", "log", "all", "earliest"]);
    assert_eq!(cli.ok(&["consume", "log", "all"]), "a\nb\nc\n");
    cli.ok(&["subscriber", "create", "log", "late", "--from", "earliest"]);
    assert_eq!(cli.ok(&["consume", "log", "late"]), "a\nb\nc\n");
}

pub(crate) fn a_paused_subscriber_gets_nothing(cli: &Cli) {
    cli.ok(&["topic", "create", "t", "-s", "s"]);
    cli.ok(&["publish", "t", "x"]);
    for (pause, resume, names) in
        [("pause", "resume", &["topic", "t"][..]), ("pause", "resume", &["subscriber", "t", "s"])]
    {
        let args = |verb| [&names[..1], &[verb], &names[1..]].concat();
        cli.ok(&args(pause));
        assert_eq!(cli.run(&["consume", "t", "s"]).status, Some(3));
        cli.ok(&args(resume));
    }
    assert_eq!(cli.ok(&["consume", "t", "s"]), "x\n");
}

pub(crate) fn a_cancelled_message_is_not_delivered(cli: &Cli) {
    cli.ok(&["topic", "create", "t", "-s", "one", "-s", "two"]);
    let id = cli.ok(&["publish", "t", "x", "--delay", "1h"]);
    cli.ok(&["message", "cancel", "t", id.trim()]);
    let id = cli.ok(&["publish", "t", "y"]);
    assert_eq!(cli.json(&["peek", "t", "one"]).len(), 1);
    cli.ok(&["message", "cancel", "t", id.trim(), "--subscriber", "one", "--reason", "test"]);
    assert_eq!(cli.run(&["consume", "t", "one"]).status, Some(3));
    assert_eq!(cli.ok(&["consume", "t", "two"]), "y\n");
}

pub(crate) fn what_a_command_prints_is_the_reply(cli: &Cli) {
    cli.ok(&["topic", "create", "sums", "-s", "add", "-s", "other"]);
    let id = cli.ok(&["publish", "sums", "2 + 3"]);
    let result = ["message", "result", "sums", "add", id.trim()];
    let nothing = cli.run(&result);
    assert_eq!(nothing.status, Some(3), "{nothing:?}");
    assert_eq!(nothing.err, "no reply: unsettled\n");

    let mut wait = cli.command(&[&result[..], &["--wait", "30s"]].concat());
    let waiting = wait.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let add = ["consume", "sums", "add", "--exec", "echo $(($(cat)))", "--reply"];
    assert_eq!(cli.ok(&add), "", "the reply is not printed");
    let waited = Ended::of(waiting.wait_with_output().unwrap());
    assert_eq!((waited.status, waited.out.as_str()), (Some(0), "5\n\n"), "{waited:?}");
    let json = cli.json(&result).remove(0);
    assert_eq!((&json["state"], &json["payload"]), (&"replied".into(), &"5\n".into()));

    cli.ok(&["consume", "sums", "other"]);
    let nothing = cli.run(&["message", "result", "sums", "other", id.trim(), "--wait", "30s"]);
    assert_eq!((nothing.status, nothing.err.as_str()), (Some(3), "no reply: settled\n"));
}

pub(crate) fn unique_work_is_taken_once(cli: &Cli) {
    cli.ok(&["topic", "create", "jobs", "-s", "run"]);
    let publish = ["publish", "jobs", "nightly", "--unique-key", "nightly"];
    cli.ok(&publish);
    let again = cli.run(&publish);
    assert_eq!(again.status, Some(1), "{again:?}");
    assert!(again.err.contains("[unique_conflict]"), "{again:?}");
    assert_eq!(cli.ok(&["consume", "jobs", "run"]), "nightly\n");
    cli.ok(&publish);
}

pub(crate) fn every_listing_has_a_machine_readable_form(cli: &Cli) {
    cli.ok(&["topic", "create", "b", "-s", "s"]);
    cli.ok(&["topic", "create", "a"]);
    let names = |lines: Vec<serde_json::Value>| {
        lines.iter().map(|line| line["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(cli.json(&["topic", "list"])), ["a", "b"]);
    assert_eq!(names(cli.json(&["topic", "list", "--limit", "1"])), ["a"]);
    assert_eq!(names(cli.json(&["subscriber", "list", "b"])), ["s"]);
    assert_eq!(cli.json(&["topic", "show", "a"])[0]["paused"], false);
    assert_eq!(cli.json(&["publish", "b", "x"])[0]["duplicate"], false);
    assert_eq!(cli.json(&["peek", "b", "s"])[0]["state"], "pending");
    assert_eq!(cli.json(&["stats"]).len(), 2);
    assert_eq!(cli.json(&["stats", "b"])[0]["logs"][0]["last_sequence"], 1);
    assert_eq!(cli.stats("b", "s")["cursors"][0]["sequence"], 0);
    assert_eq!(cli.json(&["dead-letters", "list", "b", "s"]).len(), 0);
    assert!(cli.ok(&["stats"]).contains("PENDING"));
    cli.ok(&["subscriber", "update", "b", "s", "--lease", "1m30s"]);
    cli.ok(&["subscriber", "delete", "b", "s"]);
    cli.ok(&["topic", "delete", "b"]);
    assert_eq!(names(cli.json(&["topic", "list"])), ["a"]);
}

pub(crate) fn failures_have_a_code_and_a_status(cli: &Cli) {
    cli.ok(&["topic", "create", "t", "-s", "s"]);
    let cases: &[(&[&str], i32, &str)] = &[
        (&["publish", "nope", "x"], 1, "[unknown_topic]"),
        (&["consume", "nope", "s"], 1, "[unknown_topic]"),
        (&["consume", "t", "nope"], 1, "[unknown_subscriber]"),
        (&["topic", "create", "t"], 1, "[topic_exists]"),
        (&["topic", "create", "a/b"], 1, "[invalid_argument]"),
        (&["publish", "t", "x", "--priority", "1001"], 1, "[invalid_argument]"),
        (&["message", "show", "t", "garbage"], 1, "[invalid_argument]"),
        (&["subscriber", "create", "t", "s"], 1, "[subscriber_exists]"),
        (&["publish", "t", "x", "--delay", "soon"], 2, "soon"),
        (&["consume", "t", "s", "--wait", "1s", "--follow"], 2, "--follow"),
        (&["nonsense"], 2, "nonsense"),
    ];
    for (args, status, said) in cases {
        let ended = cli.run(args);
        assert_eq!(ended.status, Some(*status), "{args:?}: {ended:?}");
        assert!(ended.err.contains(said), "{args:?}: {ended:?}");
        assert_eq!(ended.out, "", "{args:?}");
    }
}

pub(crate) fn a_schedule_is_created_changed_run_and_deleted(cli: &Cli) {
    cli.ok(&["topic", "create", "reports", "-s", "mail"]);
    let create = ["schedule", "create", "reports", "daily", "0 9 * * MON-FRI", "due"];
    let more = ["--timezone", "Europe/Berlin", "--misfire", "all:3", "--overlap", "queue"];
    let rest = ["--jitter", "1m", "--end", "2900-01-01T00:00:00Z", "-H", "a=b", "--key", "k"];
    let created = cli.json(&[&create[..], &more[..], &rest[..]].concat()).remove(0);
    assert_eq!(created["version"], 1);
    assert!(created["next_at"].as_str() <= created["due_at"].as_str(), "{created}");
    let again = cli.run(&create);
    assert!(again.err.contains("[schedule_exists]"), "{again:?}");
    let never = cli.run(&["schedule", "create", "reports", "never", "0 0 30 2 *", "x"]);
    assert!(never.err.contains("[invalid_argument]"), "{never:?}");

    // What is not named stays.
    let change =
        ["schedule", "update", "reports", "daily", "--message", "overdue", "--end", "none"];
    cli.ok(&change);
    let shown = cli.json(&["schedule", "show", "reports", "daily"]).remove(0);
    for (name, expected) in [
        ("cron", "0 9 * * MON-FRI"),
        ("timezone", "Europe/Berlin"),
        ("misfire", "all:3"),
        ("overlap", "queue"),
        ("payload", "overdue"),
        ("ordering_key", "k"),
    ] {
        assert_eq!(shown[name], expected, "{name}");
    }
    assert_eq!((&shown["version"], &shown["jitter_ms"]), (&2.into(), &60_000.into()));
    assert_eq!((&shown["headers"]["a"], &shown["end"]), (&"b".into(), &serde_json::Value::Null));

    cli.ok(&["schedule", "pause", "reports", "daily"]);
    let id = cli.ok(&["schedule", "run", "reports", "daily"]);
    assert_eq!(cli.ok(&["consume", "reports", "mail"]), "overdue\n");
    let run = cli.json(&["schedule", "runs", "reports", "daily"]).remove(0);
    assert_eq!((&run["status"], &run["message_id"]), (&"manual".into(), &id.trim().into()));
    let paused = cli.json(&["schedule", "list", "reports"]).remove(0);
    assert_eq!((&paused["paused"], &paused["next_at"]), (&true.into(), &serde_json::Value::Null));
    cli.ok(&["schedule", "resume", "reports", "daily"]);
    assert!(cli.ok(&["schedule", "list", "reports"]).contains("Europe/Berlin"));

    cli.ok(&["schedule", "delete", "reports", "daily"]);
    let gone = cli.run(&["schedule", "show", "reports", "daily"]);
    assert_eq!(gone.status, Some(1));
    assert!(gone.err.contains("[unknown_schedule]"), "{gone:?}");
}

/// On many databases.
pub(crate) fn topics_are_in_their_own_databases(cli: &Cli) {
    let topics: Vec<String> = (0..12).map(|number| format!("topic-{number:02}")).collect();
    for topic in topics.iter().map(String::as_str).chain(["jobs"]) {
        cli.ok(&["topic", "create", topic, "-s", "s"]);
        cli.ok(&["publish", topic, topic]);
    }
    let list = |args: &[&str]| -> Vec<String> {
        let topics = cli.json(args).into_iter();
        topics.map(|topic| topic["name"].as_str().unwrap().to_owned()).collect()
    };
    let all: Vec<String> = ["jobs".to_owned()].into_iter().chain(topics.clone()).collect();
    assert_eq!(list(&["topic", "list"]), all);
    let mut found = Vec::new();
    for database in ["a.db", "b.db", "c.db"] {
        let queue = blockqueue::Queue::open(cli.path(database)).unwrap();
        let page = queue.topics(blockqueue::Page::default()).wait().unwrap();
        assert!(!page.items.is_empty(), "{database}");
        let names: Vec<_> = page.items.into_iter().map(|topic| topic.name).collect();
        assert_eq!(names.contains(&"jobs".to_owned()), database == "b.db", "{names:?}");
        found.extend(names);
    }
    found.sort();
    assert_eq!(found, all, "each in one");
    for topic in &topics {
        assert_eq!(cli.ok(&["consume", topic, "s"]), format!("{topic}\n"));
    }
}
