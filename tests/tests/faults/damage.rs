//! A file whose bytes are not what they were.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use blockqueue::{NewTopic, Queue};

use crate::world::{claim, create_with, drain, open, refusal};

const PAGE: usize = 4_096;

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    for text in
        ["a letter to somebody, long enough to have been a header\n".repeat(100), "x".repeat(600)]
    {
        fs::write(&file, &text).unwrap();
        assert_eq!(refusal(&file), "not_a_database");
        assert_eq!(Queue::open(&file).unwrap_err().code(), "not_a_database");
    }
    let others: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(others.len(), 1, "{others:?}");
}

#[test]
fn a_damaged_header_is_no_database_until_it_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    create_with(&file, &["kept"]);
    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    damaged[..16].fill(0xff);
    fs::write(&file, &damaged).unwrap();
    assert_eq!(refusal(&file), "not_a_database");
    fs::write(&file, &whole).unwrap();
    let queue = open(&file).unwrap();
    assert_eq!(drain(&queue), ["kept"]);
    queue.shutdown().wait().unwrap();
}

#[test]
fn a_file_that_was_cut_off_is_corrupt_until_it_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    create_with(&file, &["kept"]);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..3 * PAGE]).unwrap();
    assert_eq!(refusal(&file), "corrupt");
    fs::write(&file, &whole).unwrap();
    let queue = open(&file).unwrap();
    assert_eq!(drain(&queue), ["kept"]);
    queue.shutdown().wait().unwrap();
}

/// Writes over the page, as another program would: a descriptor that this process closes would drop
/// the locks of the queue that it has open.
fn overwrite(file: &Path, number: usize, page: &[u8]) {
    let source = file.with_extension("page");
    fs::write(&source, page).unwrap();
    let words = [
        format!("if={}", source.display()),
        format!("of={}", file.display()),
        format!("bs={PAGE}"),
        format!("seek={number}"),
        "conv=notrunc".to_owned(),
    ];
    let status = Command::new("dd").args(words).stderr(Stdio::null()).status().unwrap();
    assert!(status.success());
}

/// A page that holds these bytes.
fn page_with(file: &[u8], bytes: &[u8]) -> usize {
    file.windows(bytes.len()).position(|window| window == bytes).unwrap() / PAGE
}

#[test]
fn a_damaged_page_stops_only_who_needs_it_and_only_until_it_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    // One message to a page of its own.
    let payload = |number: u32| format!("{number:04}{}", "x".repeat(3_000));
    let payloads: Vec<_> = (0..20).map(payload).collect();
    create_with(&file, &payloads.iter().map(String::as_str).collect::<Vec<_>>());
    let whole = fs::read(&file).unwrap();
    let page = page_with(&whole, payload(7).as_bytes());
    overwrite(&file, page, &[0xff; PAGE]);

    let queue = open(&file).unwrap();
    assert_eq!(claim(&queue, 20).unwrap_err().code(), "corrupt");
    assert_eq!(claim(&queue, 5).unwrap().len(), 5, "what is before the damage");
    queue.create_topic(NewTopic::new("other").with_subscriber("s")).wait().unwrap();
    queue.publish("other", "x").wait().unwrap();
    assert_eq!(claim(&queue, 20).unwrap_err().code(), "corrupt");
    let diagnosis = queue.diagnose().wait().unwrap();
    assert!(!diagnosis.problems.is_empty(), "doctor finds it");

    overwrite(&file, page, &whole[page * PAGE..(page + 1) * PAGE]);
    let rest = claim(&queue, 20).unwrap();
    let rest: Vec<_> = rest.into_iter().map(|(payload, attempt, _)| (payload, attempt)).collect();
    let expected: Vec<_> = payloads[5..].iter().map(|payload| (payload.clone(), 1)).collect();
    assert!(rest == expected, "nothing lost, no attempt counted: {}", rest.len());
    let diagnosis = queue.diagnose().wait().unwrap();
    assert_eq!(diagnosis.problems, Vec::<String>::new());
    queue.shutdown().wait().unwrap();
}
