//! What the tests of the store's files share.

use std::path::Path;

use super::SqliteStore;
use crate::clock::Millis;
use crate::error::Result;
use crate::op::{Claim, Op, Outcome};
use crate::options::{NewTopic, OpenOptions};
use crate::store::{Effects, Follow, Store as _};

pub(in crate::store) struct Nobody;

impl Follow for Nobody {
    fn follow(&mut self, _: &mut Effects, _: Millis, _: Vec<Result<Outcome>>) -> Vec<Claim> {
        Vec::new()
    }

    fn again(&mut self) {}
}

pub(super) fn open() -> SqliteStore {
    let mut store = SqliteStore::open(Path::new(":memory:"), &OpenOptions::default()).unwrap();
    apply(&mut store, Op::CreateTopic(NewTopic::new("t").with_subscriber("s")));
    store
}

pub(super) fn apply(store: &mut SqliteStore, op: Op) -> Outcome {
    store.apply(&[op], &mut Nobody).unwrap().outcomes.remove(0).unwrap()
}

/// The next commit fails, as on a disk that is full.
#[cfg(feature = "turso")]
pub(in crate::store) fn refuse_next_commit(store: &mut SqliteStore) {
    let mut refuses = true;
    store.connection.commit_hook(Some(move || std::mem::take(&mut refuses))).unwrap();
}

/// The answer is whether there is more to do.
pub(super) fn upkeep(store: &mut SqliteStore) -> bool {
    match apply(store, Op::Upkeep) {
        Outcome::Upkeep { more } => more,
        other => panic!("{other:?}"),
    }
}

pub(super) fn number(store: &SqliteStore, sql: &str) -> i64 {
    store.connection.query_row(sql, [], |row| row.get(0)).unwrap()
}
