//! What is wrong with an address, a server or a schema is said at open, by its code.

use blockqueue::{Error, Queue};

use crate::server::{Application, address, fresh_schema, with_schema};

fn refusal(address: &str) -> Error {
    Queue::open(address).unwrap_err()
}

#[test]
fn what_is_wrong_is_said_at_open() {
    let Some(server) = address() else { return };
    for (wrong, code) in [
        ("mysql://localhost/x".to_owned(), "cannot_open"),
        (server.replace("@127.0.0.1", "@256.256.256.256"), "cannot_open"),
        ("postgres://postgres@127.0.0.1:1/postgres".to_owned(), "cannot_open"),
        (server.replace("/postgres", "/nowhere_at_all"), "cannot_open"),
        (format!("{server}?schema="), "cannot_open"),
    ] {
        let error = refusal(&wrong);
        assert_eq!(error.code(), code, "{wrong}: {error}");
    }
    if server.contains("for%20tests") {
        let error = refusal(&server.replace("for%20tests", "hunter2"));
        assert_eq!(error.code(), "cannot_open", "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_schema_of_a_newer_release_is_refused_and_left_alone() {
    let Some(server) = address() else { return };
    let schema = fresh_schema();
    let address = with_schema(&server, &schema);
    Queue::open(&address).unwrap().shutdown().wait().unwrap();
    let application = Application::connect(&server, &schema);
    let newer =
        "INSERT INTO blockqueue_migration (version, title, checksum) VALUES (99, 'later', '')";
    application.run(newer).unwrap();
    assert_eq!(refusal(&address).code(), "newer_schema");
    application.run("DELETE FROM blockqueue_migration WHERE version = 99").unwrap();
    Queue::open(&address).unwrap();
}

#[test]
fn a_role_without_rights_is_refused() {
    let Some(server) = address() else { return };
    let schema = fresh_schema();
    let application = Application::connect(&server, "public");
    let role = format!("guest_{schema}");
    application.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'guest'")).unwrap();
    let (_, place) = server.split_once('@').unwrap();
    let guest = with_schema(&format!("postgres://{role}:guest@{place}"), &schema);
    assert_eq!(refusal(&guest).code(), "read_only");
    // Of a queue that is there it sees nothing either.
    let queue = Queue::open(with_schema(&server, &schema)).unwrap();
    assert!(["read_only", "corrupt", "cannot_open"].contains(&refusal(&guest).code()));
    drop(queue);
}

#[test]
fn a_queue_that_must_exist_is_not_created() {
    let Some(server) = address() else { return };
    let address = with_schema(&server, &fresh_schema());
    let options = blockqueue::OpenOptions::default().with_must_exist(true);
    assert_eq!(Queue::open_with(&address, options.clone()).unwrap_err().code(), "cannot_open");
    Queue::open(&address).unwrap();
    Queue::open_with(&address, options).unwrap();
}
