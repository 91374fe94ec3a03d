use std::path::Path;

use rusqlite::Connection;

use super::*;
use crate::engine::inbox;
use crate::op::{Claim, Source};
use crate::options::{Message, NewSubscriber, NewTopic, OpenOptions, SubscriberOptions};
use crate::queue::Queue;
use crate::store;

/// More messages than one transaction looks at, none of which the subscriber wants.
fn create(file: &Path) {
    let queue = Queue::open(file).unwrap();
    let filter = r#"{"header": "wanted", "any_of": ["yes"]}"#.parse().unwrap();
    let options = SubscriberOptions::default().with_filter(filter);
    let subscriber = NewSubscriber::new("s").with_options(options);
    queue.create_topic(NewTopic::new("t").with_subscriber(subscriber)).wait().unwrap();
    for _ in 0..=limits::SCAN_ROWS / limits::BATCH_MAX {
        let messages = vec![Message::new("x"); limits::BATCH_MAX];
        queue.publish_batch("t", messages).wait().unwrap();
    }
    queue.shutdown().wait().unwrap();
}

/// On this thread.
fn writer(file: &Path) -> Writer {
    let store = store::open(file, &OpenOptions::default()).unwrap();
    let (commands, inbox) = inbox::channel();
    Writer::new(store, Clock::default(), inbox, commands, Arc::default())
}

fn claim() -> Work {
    let source = Source { topic: "t".into(), subscriber: "s".into() };
    let claim = Claim { sources: [source].into(), limit: None, lease_ms: None, ends: None };
    Work::Claim { claim, wait: Duration::ZERO }
}

#[test]
fn a_claim_that_goes_on_has_an_end_when_the_store_fails() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    create(&file);
    let mut writer = writer(&file);
    let (reply, mut answer) = ReplyTo::new(HandleId::NOBODY);
    writer.turn(vec![Request { work: claim(), reply, permit: None }]);
    answer.try_recv().unwrap_err();
    assert_eq!(writer.parking.next_deadline(), None, "it goes on, whatever its deadline");
    let newer = "INSERT INTO blockqueue_migration (version, title, checksum, applied_at)
                 VALUES (9999, 'from the future', 'x', 0)";
    Connection::open(&file).unwrap().execute_batch(newer).unwrap();
    writer.turn(Vec::new());
    assert_eq!(answer.try_recv().unwrap().unwrap_err().code(), "newer_schema");
    assert_eq!(writer.parking.len(), 0);
}
