use std::path::Path;
use std::sync::Arc;

use super::super::SqliteStore;
use crate::clock::Millis;
use crate::error::Result;
use crate::limits;
use crate::op::{Claim, Op, Outcome, Source};
use crate::options::{Message, NewTopic, OpenOptions};
use crate::store::{Effects, Follow, Store as _};

struct Nobody;

impl Follow for Nobody {
    fn follow(&mut self, _: &mut Effects, _: Millis, _: Vec<Result<Outcome>>) -> Vec<Claim> {
        Vec::new()
    }
}

fn open() -> SqliteStore {
    let mut store = SqliteStore::open(Path::new(":memory:"), &OpenOptions::default()).unwrap();
    apply(&mut store, Op::CreateTopic(NewTopic::new("t").with_subscriber("s")));
    store
}

fn apply(store: &mut SqliteStore, op: Op) -> Outcome {
    store.apply(&[op], &mut Nobody).unwrap().outcomes.remove(0).unwrap()
}

/// The answer is whether there is more to do.
fn upkeep(store: &mut SqliteStore) -> bool {
    match apply(store, Op::Upkeep) {
        Outcome::Upkeep { more } => more,
        other => panic!("{other:?}"),
    }
}

fn number(store: &SqliteStore, sql: &str) -> i64 {
    store.connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_unique_key_is_forgotten_when_its_message_is_done_and_not_before() {
    let mut store = open();
    let message = Message::new("x").with_unique_key("k");
    apply(&mut store, Op::Publish { topic: Arc::from("t"), messages: vec![message] });
    let look_now = "UPDATE blockqueue_unique SET look_at = 0";
    store.connection.execute(look_now, []).unwrap();
    upkeep(&mut store);
    assert_eq!(number(&store, "SELECT count(*) FROM blockqueue_unique WHERE look_at > 0"), 1);

    let source = Source { topic: Arc::from("t"), subscriber: Arc::from("s") };
    apply(&mut store, Op::DeleteSubscriber { source });
    store.connection.execute(look_now, []).unwrap();
    while upkeep(&mut store) {}
    assert_eq!(number(&store, "SELECT count(*) FROM blockqueue_unique"), 0);
}

#[test]
fn expired_replies_are_removed_in_steps_and_others_stay() {
    let mut store = open();
    let expired = limits::REPLY_ROWS + 1;
    let insert = "INSERT INTO blockqueue_result
                    (message_id, accepted_at, subscriber_id, replied_at, expires_at, payload)
                  VALUES (?1, 0, 1, 0, ?2, x'')";
    for message in 0..expired {
        store.connection.execute(insert, [message.cast_signed() as i64, 1]).unwrap();
    }
    store.connection.execute(insert, [i64::MAX, i64::MAX]).unwrap();
    assert!(upkeep(&mut store), "one step does not do it");
    assert_eq!(number(&store, "SELECT count(*) FROM blockqueue_result"), 2);
    while upkeep(&mut store) {}
    assert_eq!(number(&store, "SELECT max(expires_at) FROM blockqueue_result"), i64::MAX);
}
