//! A file that another release has made.

use std::path::Path;

use rusqlite::Connection;

use crate::world::{create_with, drain, open, refusal};

/// Runs a statement as another program.
fn execute(file: &Path, sql: &str) {
    let connection = Connection::open(file).unwrap();
    connection.execute_batch(sql).unwrap();
}

const NEWER: &str = "INSERT INTO blockqueue_migration (version, title, checksum, applied_at)
                     VALUES (9999, 'from the future', 'x', 0)";
const NOT_NEWER: &str = "DELETE FROM blockqueue_migration WHERE version = 9999";

#[test]
fn a_file_of_a_newer_release_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    create_with(&file, &["kept"]);
    execute(&file, NEWER);
    assert_eq!(refusal(&file), "newer_schema");
    execute(&file, NOT_NEWER);
    let queue = open(&file).unwrap();
    assert_eq!(drain(&queue), ["kept"]);
    queue.shutdown().wait().unwrap();
}

#[test]
fn a_newer_release_that_comes_while_the_file_is_open_ends_its_use() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    create_with(&file, &["kept"]);
    let queue = open(&file).unwrap();
    queue.publish("t", "before").wait().unwrap();
    execute(&file, NEWER);
    assert_eq!(queue.publish("t", "x").wait().unwrap_err().code(), "newer_schema");
    assert_eq!(queue.publish("t", "x").wait().unwrap_err().code(), "newer_schema");
    assert_eq!(queue.topic("t").wait().unwrap_err().code(), "newer_schema");
    // Restored from a backup, perhaps.
    execute(&file, NOT_NEWER);
    queue.publish("t", "after").wait().unwrap();
    assert_eq!(drain(&queue), ["kept", "before", "after"]);
    queue.shutdown().wait().unwrap();
}

#[test]
fn a_file_whose_migrations_differ_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    create_with(&file, &["kept"]);
    execute(
        &file,
        "CREATE TABLE saved AS SELECT checksum FROM blockqueue_migration WHERE version = 1;
         UPDATE blockqueue_migration SET checksum = 'another' WHERE version = 1",
    );
    assert_eq!(refusal(&file), "corrupt");
    execute(
        &file,
        "UPDATE blockqueue_migration SET checksum = (SELECT checksum FROM saved) WHERE version = 1;
         DROP TABLE saved",
    );
    let queue = open(&file).unwrap();
    assert_eq!(drain(&queue), ["kept"]);
    queue.shutdown().wait().unwrap();
}

#[test]
fn a_database_of_another_program_becomes_a_queue_and_keeps_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("application.db");
    execute(&file, "CREATE TABLE person (name TEXT); INSERT INTO person VALUES ('Ada')");
    create_with(&file, &["kept"]);
    let connection = Connection::open(&file).unwrap();
    let name: String =
        connection.query_row("SELECT name FROM person", [], |row| row.get(0)).unwrap();
    assert_eq!(name, "Ada");
}
