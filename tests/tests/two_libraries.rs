//! Another SQLite library in the process of a queue, on the same file: nothing acknowledged is lost, and
//! nothing is damaged. A control run with the locks of POSIX shows what would happen.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use blockqueue::{NewTopic, Page, Queue, Retention, TopicOptions};
use tempfile::TempDir;

fn create() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let queue = Queue::open(&file).unwrap();
    let keep = TopicOptions::default().with_retention(Retention::Count(u64::MAX >> 1));
    queue.create_topic(NewTopic::new("t").with_subscriber("s").with_options(keep)).wait().unwrap();
    queue.shutdown().wait().unwrap();
    (folder, file)
}

fn process(file: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_two-libraries"));
    command.arg(file).args(words);
    command
}

fn lines(mut command: Command) -> HashSet<String> {
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// What is in the file, if it can be read at all.
fn kept(file: &Path) -> blockqueue::Result<HashSet<String>> {
    let queue = Queue::open(file)?;
    let (mut payloads, mut page) = (HashSet::new(), Page::default().with_limit(1_000));
    loop {
        let peeked = queue.peek("t", "s", page.clone()).wait()?;
        let texts = peeked.items.iter().map(|peeked| &peeked.message.payload);
        payloads.extend(texts.map(|payload| String::from_utf8_lossy(payload).into_owned()));
        let Some(next) = peeked.next else { break };
        page = page.with_after(next);
    }
    let problems = queue.diagnose().wait()?.problems;
    assert_eq!(problems, Vec::<String>::new());
    Ok(payloads)
}

#[test]
fn a_visit_of_another_library_takes_nothing_with_it() {
    let (_folder, file) = create();
    let acknowledged = lines(process(&file, &["visit"]));
    assert_eq!(acknowledged.len(), 100);
    assert_eq!(kept(&file).unwrap(), acknowledged);
}

#[test]
fn with_the_locks_of_posix_the_same_visit_loses_what_was_acknowledged() {
    let (_folder, file) = create();
    let mut command = process(&file, &["visit"]);
    command.env("BLOCKQUEUE_POSIX_LOCKS", "1");
    let acknowledged = lines(command);
    assert_eq!(acknowledged.len(), 100);
    let kept = kept(&file).unwrap_or_default();
    assert!(kept.len() < acknowledged.len(), "all {} are there", kept.len());
}

#[test]
fn two_processes_with_two_libraries_each_lose_nothing_when_they_are_killed() {
    let (_folder, file) = create();
    let first = {
        let file = file.clone();
        std::thread::spawn(move || lines(process(&file, &["stress", "4"])))
    };
    let second = lines(process(&file, &["stress", "3"]));
    let first = first.join().unwrap();
    assert!(!first.is_empty() && !second.is_empty());
    let kept = kept(&file).unwrap();
    let lost = first.union(&second).filter(|name| !kept.contains(*name)).count();
    assert_eq!(lost, 0);
}

/// An application's own file beside the queue, in the mode of a rollback journal.
fn create_own(file: &Path) -> PathBuf {
    let own = PathBuf::from(format!("{}.own", file.display()));
    let connection = rusqlite::Connection::open(&own).unwrap();
    connection.execute_batch("PRAGMA journal_mode = DELETE; CREATE TABLE app (name TEXT)").unwrap();
    own
}

fn check_own(own: &Path) {
    let connection = rusqlite::Connection::open(own).unwrap();
    let check = connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    assert_eq!(check.unwrap(), "ok");
}

/// What is in it, if it can be read at all.
fn kept_in_own(own: &Path) -> rusqlite::Result<HashSet<String>> {
    let connection = rusqlite::Connection::open(own)?;
    let mut statement = connection.prepare("SELECT name FROM app")?;
    let names = statement.query_map([], |row| row.get(0))?;
    names.collect()
}

#[test]
fn a_file_with_a_rollback_journal_that_both_libraries_write_loses_nothing_either() {
    let (_folder, file) = create();
    let own = create_own(&file);
    let first = {
        let file = file.clone();
        std::thread::spawn(move || lines(process(&file, &["rollback", "4"])))
    };
    let second = lines(process(&file, &["rollback", "3"]));
    let first = first.join().unwrap();
    assert!(!first.is_empty() && !second.is_empty());
    check_own(&own);
    let kept = kept_in_own(&own).unwrap();
    assert_eq!(first.union(&second).filter(|name| !kept.contains(*name)).count(), 0);
    println!("{} commits of two libraries in two processes", first.len() + second.len());
}

#[test]
fn a_visit_in_the_middle_of_a_rollback_transaction_takes_nothing_with_it() {
    let (_folder, file) = create();
    let own = create_own(&file);
    let acknowledged = lines(process(&file, &["rollback-visit"]));
    assert_eq!(acknowledged.len(), 100, "the visitor is kept out");
    check_own(&own);
    assert_eq!(kept_in_own(&own).unwrap(), acknowledged);
}

#[test]
fn with_the_locks_of_posix_the_same_visit_loses_commits_of_a_rollback_journal() {
    let (_folder, file) = create();
    let own = create_own(&file);
    let mut command = process(&file, &["rollback-visit"]);
    command.env("BLOCKQUEUE_POSIX_LOCKS", "1");
    let acknowledged = lines(command);
    let kept = kept_in_own(&own).unwrap_or_default();
    let lost = acknowledged.iter().filter(|name| !kept.contains(*name)).count();
    assert!(lost > 0, "all {} are there", acknowledged.len());
    println!("{lost} of {} commits are lost", acknowledged.len());
}

#[test]
fn without_private_locks_the_other_library_is_found_and_refused() {
    let (_folder, file) = create();
    let answer = |mut command: Command| {
        let output = command.output().unwrap().stdout;
        String::from_utf8(output).unwrap().trim().to_owned()
    };
    let mut without = process(&file, &["detect"]);
    without.env("BLOCKQUEUE_POSIX_LOCKS", "1");
    assert_eq!(answer(without), "foreign_sqlite");
    assert_eq!(answer(process(&file, &["detect"])), "open");
}
