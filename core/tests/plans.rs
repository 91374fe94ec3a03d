//! The plan of every statement: keys and indexes only, and those that the statement's header names.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use blockqueue::Queue;
use rusqlite::Connection;

/// Statements that may read more than they use, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("diagnose_keepsakes", "an examination reads everything"),
    ("diagnose_leases", "an examination reads everything"),
    ("diagnose_orphans", "an examination reads everything"),
    ("diagnose_topics", "an examination reads everything"),
    ("migration_list", "a handful of rows, read when a file is opened"),
    ("migration_table", "the list of tables"),
    ("rejected_count", "at most as many rows as are kept"),
    ("table_count", "the list of tables, read when a file is opened"),
    ("logs_find_plain", "asks about every log, in a file that was filled from elsewhere"),
    ("logs_of_topic", "sorts a row per priority"),
    ("logs_expiring", "a row per topic and priority, read once when a file was opened"),
    ("message_insert_plain_16", "the rows that it is given"),
    ("logs_untrimmed", "a row per topic and priority, read when the cache was dropped"),
];

/// Reads a table or an index from its beginning, and uses all that it reads.
const FROM_THE_BEGINNING: &[&str] =
    &["delayed_next", "settling_all", "staged_oldest", "subscriber_deleted", "topic_deleted"];

struct Statement {
    name: String,
    header: String,
    plan: Vec<String>,
}

fn statements() -> Vec<Statement> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    Queue::open(&file).unwrap().shutdown().wait().unwrap();
    let connection = Connection::open(&file).unwrap();
    let sql = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/sqlite");
    let mut statements = Vec::new();
    for path in fs::read_dir(sql).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() || name == "migration_create" {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let header: Vec<_> = text.lines().take_while(|line| line.starts_with("--")).collect();
        let plan = plan(&connection, &text);
        statements.push(Statement { name, header: header.join(" "), plan });
    }
    statements.sort_by(|a, b| a.name.cmp(&b.name));
    statements
}

/// The lines of the plan that read a table or sort.
fn plan(connection: &Connection, text: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    let mut rows = statement.raw_query();
    let mut plan = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        plan.push(row.get("detail").unwrap());
    }
    plan
}

/// Reads rows that it does not use.
fn is_wasteful(step: &str) -> bool {
    // A subquery has steps of its own.
    let is_scan = step.starts_with("SCAN") && !step.starts_with("SCAN (");
    step.contains("TEMP B-TREE") || (is_scan && step != "SCAN CONSTANT ROW")
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// The index that a step of a plan uses; primary keys have no name.
fn index_of(step: &str) -> Option<&str> {
    let (_, after) = step.split_once("INDEX ")?;
    words(after).next().filter(|name| !name.starts_with("sqlite_autoindex"))
}

#[test]
fn no_statement_reads_more_than_it_uses() {
    for Statement { name, plan, .. } in statements() {
        let wasteful: Vec<_> = plan.iter().filter(|step| is_wasteful(step)).collect();
        let is_allowed = ALLOWED.iter().any(|(allowed, _)| *allowed == name);
        let from_the_beginning = FROM_THE_BEGINNING.contains(&name.as_str());
        if from_the_beginning {
            assert_eq!(wasteful.len(), 1, "{name}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP")), "{name}: {plan:?}");
        } else if is_allowed {
            // So that the list holds what needs it.
            assert!(!wasteful.is_empty(), "{name} needs no exception: {plan:?}");
        } else {
            assert!(wasteful.is_empty(), "{name}: {plan:#?}");
        }
    }
}

#[test]
fn every_statement_uses_the_indexes_that_its_header_names() {
    let statements = statements();
    let known: BTreeSet<_> =
        statements.iter().flat_map(|of| of.plan.iter().filter_map(|step| index_of(step))).collect();
    for Statement { name, header, plan } in &statements {
        let used: BTreeSet<_> = plan.iter().filter_map(|step| index_of(step)).collect();
        let named: BTreeSet<_> = words(header).filter(|word| known.contains(word)).collect();
        assert_eq!(named, used, "{name}: {header}\n{plan:#?}");
        if header.contains("rimary key") {
            let by_key = plan.iter().any(|step| step.contains("PRIMARY KEY"));
            assert!(by_key, "{name}: {header}\n{plan:#?}");
        }
    }
}

#[test]
fn exceptions_are_about_statements_that_exist() {
    let names: BTreeSet<_> = statements().into_iter().map(|statement| statement.name).collect();
    for name in ALLOWED.iter().map(|(name, _)| name).chain(FROM_THE_BEGINNING) {
        assert!(names.contains(*name), "{name}");
    }
}
