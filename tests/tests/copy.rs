//! A copy that is killed on the way leaves no queue, and the original as it was.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Stdio};

use blockqueue::{CopyOptions, Message, NewTopic, OpenOptions, Queue, copy};

const MESSAGES: usize = 5_000;

fn copy_and_die(from: &Path, to: &Path, failpoint: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copier"));
    command.arg(from).arg(to).env("BLOCKQUEUE_FAILPOINT", failpoint).stderr(Stdio::null());
    assert!(!command.status().unwrap().success(), "it lived past {failpoint}");
}

#[test]
fn a_copy_that_is_killed_leaves_no_queue_and_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from.db"), folder.path().join("to.db"));
    let queue = Queue::open(&from).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    // More than is held in memory.
    for chunk in 0..MESSAGES / 1_000 {
        let message = |number| Message::new(format!("{chunk}.{number}{}", "x".repeat(5_000)));
        queue.publish_batch("t", (0..1_000).map(message).collect()).wait().unwrap();
    }
    for failpoint in ["in_copy:1", "in_copy:4", "in_copy:20", "before_commit:1"] {
        copy_and_die(&from, &to, failpoint);
        let must_exist = OpenOptions::default().with_must_exist(true);
        let error = Queue::open_with(&to, must_exist).unwrap_err();
        assert_eq!(error.code(), "cannot_open", "{failpoint}");
    }
    queue.publish("t", "still at work").wait().unwrap();
    copy(&from, &to, &CopyOptions::default()).unwrap();
    let copied = Queue::open(&to).unwrap();
    let stats = copied.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!(stats.pending_count, MESSAGES as u64 + 1);
    assert_eq!(copied.diagnose().wait().unwrap().problems, Vec::<String>::new());
}
