use std::sync::Arc;

use super::super::testing::{apply, number, open, upkeep};
use crate::limits;
use crate::op::{Op, Source};
use crate::options::Message;

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
