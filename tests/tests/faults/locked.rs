//! Another program that holds the file's write lock.

use rusqlite::Connection;

use crate::world::{create, drain};

#[test]
fn a_lock_that_is_held_for_too_long_has_a_name_and_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let queue = create(&file);
    queue.publish("t", "before").wait().unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(queue.publish("t", "x").wait().unwrap_err().code(), "locked");
    // Who only looks does not wait.
    assert_eq!(queue.subscriber_stats("t", "s").wait().unwrap().pending_count, 1);
    other.execute_batch("ROLLBACK").unwrap();
    queue.publish("t", "after").wait().unwrap();
    assert_eq!(drain(&queue), ["before", "after"]);
    queue.shutdown().wait().unwrap();
}
