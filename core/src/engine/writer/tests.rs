use std::iter;
use std::path::Path;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::*;
use crate::engine::inbox;
use crate::op::{Claim, Source};
use crate::options::{Message, NewSubscriber, NewTopic, OpenOptions, SubscriberOptions};
use crate::store;

/// On this thread.
fn writer(file: &Path) -> Writer {
    let store = store::open(file, &OpenOptions::default()).unwrap();
    let (commands, inbox) = inbox::channel();
    Writer::new(store, Clock::default(), inbox, commands, Arc::default())
}

fn request(work: Work) -> (Request, oneshot::Receiver<Result<Answered>>) {
    let (reply, answer) = ReplyTo::new(HandleId::NOBODY);
    (Request { work, reply, permit: None }, answer)
}

/// More messages than one transaction looks at, and a subscriber that wants none of them.
fn fill(writer: &mut Writer) {
    let filter = r#"{"header": "wanted", "any_of": ["yes"]}"#.parse().unwrap();
    let options = SubscriberOptions::default().with_filter(filter);
    let subscriber = NewSubscriber::new("s").with_options(options);
    let create = Op::CreateTopic(NewTopic::new("t").with_subscriber(subscriber));
    let messages = vec![Message::new("x"); limits::BATCH_MAX];
    let publish = || Op::Publish { topic: "t".into(), messages: messages.clone() };
    let publishes = iter::repeat_with(publish).take(limits::SCAN_ROWS / limits::BATCH_MAX + 1);
    let ops = iter::once(create).chain(publishes);
    writer.turn(ops.map(|op| request(Work::Op(op)).0).collect());
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
    let mut writer = writer(&file);
    fill(&mut writer);
    let (claim, mut answer) = request(claim());
    writer.turn(vec![claim]);
    answer.try_recv().unwrap_err();
    assert_eq!(writer.parking.next_deadline(), None, "it goes on, whatever its deadline");
    let newer = "INSERT INTO blockqueue_migration (version, title, checksum, applied_at)
                 VALUES (9999, 'from the future', 'x', 0)";
    Connection::open(&file).unwrap().execute_batch(newer).unwrap();
    writer.turn(Vec::new());
    assert_eq!(answer.try_recv().unwrap().unwrap_err().code(), "newer_schema");
    assert_eq!(writer.parking.len(), 0);
}
