//! Backups, and how far they are.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use blockqueue::{Backup, Message, NewTopic, Queue};

#[test]
fn a_backup_tells_how_far_it_is_and_nobody_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(folder.path().join("queue.db")).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    for _ in 0..20 {
        queue.publish("t", Message::new(vec![b'x'; 1 << 20])).wait().unwrap();
    }
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let (begun, begins) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let copy = folder.path().join("copy.db");
    let backup = Backup::new(&copy).with_progress(move |progress| {
        listener.lock().unwrap().push(progress);
        let _ = begun.send(());
        // The first time until the test says so, later not at all.
        let _ = goes_on.lock().unwrap().recv();
    });
    let pending = queue.backup(backup);
    begins.recv_timeout(Duration::from_mins(1)).unwrap();
    // The backup cannot end yet, and this is answered all the same.
    queue.topic("t").wait().unwrap();
    drop(go_on);
    pending.wait().unwrap();

    let told = told.lock().unwrap();
    let last = told.last().unwrap();
    assert_eq!(last.bytes_done, last.bytes_total);
    assert!(last.bytes_total >= 20 << 20);
    assert!(told.windows(2).all(|two| matches!(two, [a, b] if a.bytes_done <= b.bytes_done)));
    let restored = Queue::open(&copy).unwrap();
    assert_eq!(restored.subscriber_stats("t", "s").wait().unwrap().pending_count, 20);
}

#[test]
fn a_queue_is_shut_down_when_its_backups_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let queue = Queue::open(&file).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    for _ in 0..20 {
        queue.publish("t", Message::new(vec![b'x'; 1 << 20])).wait().unwrap();
    }
    let (begun, begins) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let backup = Backup::new(folder.path().join("copy.db")).with_progress(move |_| {
        let _ = begun.send(());
        let _ = goes_on.lock().unwrap().recv();
    });
    let pending = queue.backup(backup);
    begins.recv_timeout(Duration::from_mins(1)).unwrap();
    let (told, tells) = mpsc::channel();
    let shutting_down = std::thread::spawn(move || {
        queue.shutdown().wait().unwrap();
        told.send(()).unwrap();
    });
    assert_eq!(
        tells.recv_timeout(Duration::from_millis(200)),
        Err(mpsc::RecvTimeoutError::Timeout),
        "the backup still reads the file"
    );
    drop(go_on);
    shutting_down.join().unwrap();
    pending.wait().unwrap();
    // SQLite removes the log with the last connection.
    assert!(!folder.path().join("queue.db-wal").exists());
}
