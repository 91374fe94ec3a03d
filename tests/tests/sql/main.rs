//! The SQL contract with real client libraries, each in a process of its own, while the engine consumes.
//!
//! `cargo xtask test sql` installs the libraries and says in the environment where they are.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod scenarios;

use client::Client;
use scenarios::Scenario;

/// Everything that the documentation says about the contract, with one library.
fn keeps_the_contract(library: Client) {
    let mut scenario = Scenario::new(library);
    scenario.a_commit_delivers();
    scenario.a_rollback_leaves_nothing();
    scenario.a_waiting_claim_wakes_up();
    scenario.a_wrong_topic_aborts_readably();
    scenario.an_ack_is_part_of_the_transaction();
    scenario.a_nack_is_part_of_the_transaction();
    scenario.a_lost_lease_aborts();
    scenario.reading_first_fails_at_once_if_somebody_commits();
    scenario.an_immediate_transaction_may_read_first();
    scenario.a_deferred_transaction_may_write_first();
    scenario.everything_arrives_once_and_in_order_while_the_engine_writes();
    scenario.finish();
}

#[test]
fn python_sqlite3_keeps_the_contract() {
    keeps_the_contract(Client::python("python_sqlite3.py"));
}

#[test]
fn sqlalchemy_keeps_the_contract() {
    keeps_the_contract(Client::python("sqlalchemy_orm.py"));
}

#[test]
fn django_keeps_the_contract() {
    keeps_the_contract(Client::python("django_orm.py"));
}

#[test]
fn go_database_sql_keeps_the_contract() {
    keeps_the_contract(Client::program("BLOCKQUEUE_SQL_GO"));
}

#[test]
fn php_pdo_keeps_the_contract() {
    keeps_the_contract(Client::php("pdo.php"));
}

#[test]
fn the_oldest_sqlite_keeps_the_contract() {
    let oldest = || Client::program("BLOCKQUEUE_SQL_OLD_SQLITE");
    assert_eq!(Scenario::new(oldest()).version(), "3.31.1");
    keeps_the_contract(oldest());
}
