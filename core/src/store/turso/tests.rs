//! What happens between the server's commit and the copy's.

#[path = "../../../tests/turso/server.rs"]
#[expect(dead_code, reason = "the tests of whole queues need more of it")]
mod server;

use self::server::Server;
use super::TursoStore;
use crate::error::Error;
use crate::op::Op;
use crate::options::{Message, NewTopic, OpenOptions};
use crate::store::sqlite::testing::{Nobody, refuse_next_commit};
use crate::store::{Applied, Fault, Store as _};

fn publish(store: &mut TursoStore, text: &str) -> Result<Applied, Fault> {
    let publish = Op::Publish { topic: "t".into(), messages: vec![Message::new(text)] };
    store.apply(&[publish], &mut Nobody)
}

#[test]
fn what_only_the_server_has_committed_is_taken_in_and_not_overwritten() {
    let server = Server::start();
    let mut store = TursoStore::open(&server.database("torn"), &OpenOptions::default()).unwrap();
    let create = Op::CreateTopic(NewTopic::new("t").with_subscriber("s"));
    store.apply(&[create], &mut Nobody).unwrap();
    publish(&mut store, "first").unwrap();
    refuse_next_commit(&mut store.mirror);
    let fault = publish(&mut store, "second").unwrap_err();
    assert!(matches!(fault, Fault::Unknown(Error::OutcomeUnknown { .. })), "{fault:?}");
    publish(&mut store, "third").unwrap();
    let kept = "SELECT group_concat(CAST(payload AS TEXT)) = 'first,second,third'
                  FROM (SELECT payload FROM blockqueue_message ORDER BY id)";
    assert_eq!(server.number("torn", kept), 1);
}
