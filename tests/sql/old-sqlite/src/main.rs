//! rusqlite with SQLite 3.31.1, the oldest that the SQL contract promises.

use std::io::{self, BufRead as _, Write as _};
use std::time::Duration;

use rusqlite::{Connection, NO_PARAMS, Result, ToSql};
use serde_json::{Value, json};

fn main() {
    let path = std::env::args().nth(1).expect("the path of a queue's file");
    let db = Connection::open(path).expect("the file opens");
    db.busy_timeout(Duration::from_secs(10)).expect("a timeout");
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.expect("a line")).expect("a request");
        let answer = carry_out(&db, &request);
        let answer = answer.unwrap_or_else(|error| json!({"error": error.to_string()}));
        let mut out = io::stdout().lock();
        writeln!(out, "{answer}").and_then(|()| out.flush()).expect("somebody reads the answers");
    }
}

fn carry_out(db: &Connection, request: &Value) -> Result<Value> {
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let rows = |sql: &str, values: &[&dyn ToSql]| Ok(json!({"rows": db.execute(sql, values)?}));
    let batch = |sql: &str| db.execute_batch(sql).map(|()| json!({}));
    match text("do").as_str() {
        "begin" => batch("BEGIN IMMEDIATE"),
        "begin_deferred" => batch("BEGIN DEFERRED"),
        "app" => rows("INSERT INTO app (x) VALUES (?1)", &[&text("x")]),
        "read" => db.query_row("SELECT count(*) FROM app", NO_PARAMS, |row| {
            Ok(json!({"rows": row.get::<_, i64>(0)?}))
        }),
        "publish" => rows(
            "INSERT INTO blockqueue_publish (topic, payload) VALUES (?1, ?2)",
            &[&text("topic"), &text("payload").into_bytes()],
        ),
        "ack" => rows("INSERT INTO blockqueue_ack (receipt) VALUES (?1)", &[&text("receipt")]),
        "nack" => rows(
            "INSERT INTO blockqueue_nack (receipt, error) VALUES (?1, ?2)",
            &[&text("receipt"), &text("error")],
        ),
        "commit" => batch("COMMIT"),
        "rollback" => batch("ROLLBACK"),
        "version" => Ok(json!({"version": rusqlite::version()})),
        other => panic!("unknown verb {other}"),
    }
}
