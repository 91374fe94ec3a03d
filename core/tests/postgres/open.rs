//! What is wrong with an address, a server or a schema is said at open, by its code.

use blockqueue::{Error, Queue};

use crate::server::{Application, address, fresh_schema, queue, with_schema};

/// The address of the server with something else in one place.
fn with(server: &str, what: &str, instead: &str) -> String {
    assert!(server.contains(what), "{what}");
    server.replace(what, instead)
}

fn refusal(address: &str) -> Error {
    Queue::open(address).unwrap_err()
}

#[test]
fn what_is_wrong_is_said_at_open() {
    let Some(server) = address() else { return };
    for (wrong, code) in [
        ("mysql://localhost/x".to_owned(), "cannot_open"),
        (with(&server, "@127.0.0.1", "@256.256.256.256"), "cannot_open"),
        ("postgres://postgres@127.0.0.1:1/postgres".to_owned(), "cannot_open"),
        (with(&server, "/postgres?", "/nowhere_at_all?"), "cannot_open"),
        (with_schema(&server, ""), "cannot_open"),
    ] {
        let error = refusal(&wrong);
        assert_eq!(error.code(), code, "{wrong}: {error}");
    }
    let error = refusal(&with(&server, "for%20tests", "hunter2"));
    assert_eq!(error.code(), "cannot_open", "{error}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn a_connection_is_encrypted_and_the_certificate_verified() {
    let Some(server) = address() else { return };
    let certificate = std::env::var("BLOCKQUEUE_TEST_POSTGRES_CERTIFICATE").unwrap();
    let schema = fresh_schema();
    let required = with(&server, "sslmode=disable", "sslmode=require");
    let known = format!("{required}&sslrootcert={certificate}");
    let address = with_schema(&format!("{known}&application_name={schema}"), &schema);
    let queue = queue(&address);
    queue.publish("t", "x").wait().unwrap();
    let application = Application::connect(&server, &schema);
    let of_ours = format!(
        "FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = '{schema}'"
    );
    assert_eq!(application.number(&format!("SELECT count(*) {of_ours} AND NOT ssl")), 0);
    assert_eq!(application.number(&format!("SELECT count(*) {of_ours} AND ssl")), 2);
    // It is not the system's, and names no other host.
    assert_eq!(refusal(&with_schema(&required, &schema)).code(), "cannot_open");
    let elsewhere = with(&known, "@127.0.0.1", "@localhost");
    assert_eq!(refusal(&with_schema(&elsewhere, &schema)).code(), "cannot_open");
}

#[test]
fn a_schema_that_is_not_ours_or_was_changed_is_refused_and_left_alone() {
    let Some(server) = address() else { return };
    let schema = fresh_schema();
    let application = Application::connect(&server, "public");
    let theirs = "CREATE TABLE blockqueue_migration (name TEXT)";
    application
        .run(&format!("CREATE SCHEMA {schema}; SET search_path TO {schema}; {theirs}"))
        .unwrap();
    assert_eq!(refusal(&with_schema(&server, &schema)).code(), "corrupt");
    let tables =
        "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace";
    assert_eq!(application.number(tables), 1);
    // Other tables in a schema are no reason not to live in it.
    application.run("ALTER TABLE blockqueue_migration RENAME TO theirs").unwrap();
    Queue::open(with_schema(&server, &schema)).unwrap().shutdown().wait().unwrap();
    application.run("UPDATE blockqueue_migration SET checksum = 'x' WHERE version = 2").unwrap();
    assert_eq!(refusal(&with_schema(&server, &schema)).code(), "corrupt");
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
    assert_eq!(refusal(&guest).code(), "read_only");
    drop(queue);
}

#[test]
fn rights_that_are_taken_away_fail_what_needs_them_until_they_are_back() {
    let Some(server) = address() else { return };
    let schema = fresh_schema();
    let application = Application::connect(&server, "public");
    let role = format!("owner_{schema}");
    application
        .run(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'owner'; GRANT CREATE ON DATABASE postgres TO {role}"
        ))
        .unwrap();
    let (_, place) = server.split_once('@').unwrap();
    let queue = queue(&with_schema(&format!("postgres://{role}:owner@{place}"), &schema));
    let table = format!("ON {schema}.blockqueue_message");
    application.run(&format!("REVOKE INSERT {table} FROM {role}")).unwrap();
    assert_eq!(queue.publish("t", "x").wait().unwrap_err().code(), "read_only");
    assert_eq!(queue.topic_stats("t").wait().unwrap().published_count, 0);
    application.run(&format!("GRANT INSERT {table} TO {role}")).unwrap();
    queue.publish("t", "x").wait().unwrap();
    assert_eq!(queue.topic_stats("t").wait().unwrap().published_count, 1);
}

#[test]
fn a_backup_is_the_servers() {
    let Some(server) = address() else { return };
    let queue = queue(&with_schema(&server, &fresh_schema()));
    let folder = tempfile::tempdir().unwrap();
    let backup = queue.backup(folder.path().join("copy.db"));
    assert_eq!(backup.wait().unwrap_err().code(), "invalid_argument");
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
