//! What is wrong with an address, a token or a database is said at open, by its code.

use std::sync::atomic::Ordering;
use std::time::Duration;

use blockqueue::{Backup, ClaimOptions, NewTopic, OpenOptions, Queue, TransactionOptions};

use crate::server::Server;

fn refusal(address: &str) -> blockqueue::Error {
    Queue::open(address).unwrap_err()
}

#[test]
fn what_is_wrong_is_said_at_open() {
    for wrong in [
        "libsqld://localhost",
        "libsql://",
        "http://127.0.0.1:1/x",
        "http://no-such-host.invalid/x",
        "http://127.0.0.1:1/x?colour=red",
    ] {
        let error = refusal(wrong);
        assert_eq!(error.code(), "cannot_open", "{wrong}: {error}");
    }
    let server = Server::start();
    server.shared.refuses.store(404, Ordering::Relaxed);
    let error = refusal(&server.database("x"));
    assert!(error.code() == "cannot_open" && error.to_string().contains("404"), "{error}");
    server.shared.refuses.store(302, Ordering::Relaxed);
    assert_eq!(refusal(&server.database("x")).code(), "cannot_open");
    server.shared.refuses.store(429, Ordering::Relaxed);
    assert_eq!(refusal(&server.database("x")).code(), "busy");
}

#[test]
fn a_token_that_is_not_right_is_named_and_not_shown() {
    let server = Server::start();
    *server.shared.token.lock().unwrap() = Some("right".into());
    for address in [format!("{}&authToken=hunter2", server.database("t")), server.database("t")] {
        let error = refusal(&address);
        assert_eq!(error.code(), "cannot_open", "{error}");
        assert!(error.to_string().contains("token"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    Queue::open(format!("{}&authToken=right", server.database("t"))).unwrap();
}

#[test]
fn a_database_of_a_newer_release_is_refused_and_left_alone() {
    let server = Server::start();
    let address = server.database("newer");
    Queue::open(&address).unwrap().shutdown().wait().unwrap();
    let newer = "INSERT INTO blockqueue_migration VALUES (99, 'later', '', 0)";
    server.run("newer", newer);
    assert_eq!(refusal(&address).code(), "newer_schema");
    server.run("newer", "DELETE FROM blockqueue_migration WHERE version = 99");
    Queue::open(&address).unwrap();
}

#[test]
fn a_newer_release_stops_engines_that_are_there() {
    let server = Server::start();
    let address = server.database("newer");
    let queue = Queue::open(&address).unwrap();
    queue.create_topic("t").wait().unwrap();
    // As an engine of that release says it, in the journal: version 99, two empty texts and no time.
    let name = "626c6f636b71756575655f6d6967726174696f6e";
    let (version, text, number) = ("016300000000000000", "0300000000", "010000000000000000");
    let row = format!("2b14000000{name}{version}{text}{text}{number}");
    server.run(
        "newer",
        &format!(
            "INSERT INTO blockqueue_journal
             SELECT max(version) + 1, 'theirs', 1, 0, max(total_bytes) + 60, x'{row}'
               FROM blockqueue_journal"
        ),
    );
    let error = queue.publish("t", "x").wait().unwrap_err();
    assert_eq!(error.code(), "newer_schema", "{error}");
}

#[test]
fn tables_of_a_queue_that_this_store_did_not_make_are_left_alone() {
    let server = Server::start();
    server.run("file", "CREATE TABLE blockqueue_migration (version INTEGER PRIMARY KEY)");
    assert_eq!(refusal(&server.database("file")).code(), "cannot_open");
    assert_eq!(server.number("file", "SELECT count(*) FROM sqlite_master"), 1);
    // Tables of an application are not in the way.
    server
        .run("app", "CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1)");
    Queue::open(server.database("app")).unwrap().create_topic("t").wait().unwrap();
    assert_eq!(server.number("app", "SELECT count(*) FROM orders"), 1);
}

#[test]
fn a_queue_that_must_exist_is_not_created() {
    let server = Server::start();
    let address = server.database("must");
    let options = OpenOptions::default().with_must_exist(true);
    assert_eq!(Queue::open_with(&address, options.clone()).unwrap_err().code(), "cannot_open");
    assert_eq!(server.number("must", "SELECT count(*) FROM sqlite_master"), 0);
    Queue::open(&address).unwrap();
    Queue::open_with(&address, options).unwrap();
}

#[test]
fn the_copy_is_gone_when_the_queue_is_shut_down() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(server.database("copy")).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    queue.publish("t", "x").wait().unwrap();
    let backup = folder.path().join("backup.db");
    queue.backup(Backup::new(&backup)).wait().unwrap();
    queue.shutdown().wait().unwrap();
    // A backup is a file like any other.
    let copy = Queue::open(&backup).unwrap();
    assert_eq!(copy.claim("t", "s", &ClaimOptions::default()).wait().unwrap().len(), 1);
}

#[test]
fn a_transaction_takes_verbs_and_no_statements() {
    let server = Server::start();
    let queue = Queue::open(server.database("verbs")).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let begin = || queue.transaction(TransactionOptions::default()).wait().unwrap();
    let transaction = begin();
    let refused = transaction.execute("CREATE TABLE app (x)", []).wait().unwrap_err();
    assert_eq!(refused.code(), "invalid_argument");
    transaction.publish("t", "x").wait().unwrap();
    transaction.publish("t", "y").wait().unwrap();
    transaction.commit().wait().unwrap();
    let transaction = begin();
    transaction.publish("t", "z").wait().unwrap();
    transaction.rollback().wait().unwrap();
    let options = ClaimOptions::default().with_limit(10).with_wait(Duration::ZERO);
    assert_eq!(queue.claim("t", "s", &options).wait().unwrap().len(), 2);
    assert_eq!(server.number("verbs", "SELECT count(*) FROM blockqueue_message"), 2);
}

#[test]
fn a_transaction_that_others_overtake_is_rolled_back() {
    let server = Server::start();
    let address = server.database("overtaken");
    let (queue, other) = (Queue::open(&address).unwrap(), Queue::open(&address).unwrap());
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let transaction = queue.transaction(TransactionOptions::default()).wait().unwrap();
    transaction.publish("t", "x").wait().unwrap();
    other.publish("t", "y").wait().unwrap();
    assert_eq!(transaction.commit().wait().unwrap_err().code(), "locked");
    assert_eq!(queue.topic_stats("t").wait().unwrap().published_count, 1);
}
