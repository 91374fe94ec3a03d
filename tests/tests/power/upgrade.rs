//! Power cuts while a file of an older release is migrated: it is as it was or as it should be, and nothing that
//! was in it is lost.
//!
//! `BLOCKQUEUE_POWER_CUTS` (default 600, a third of them for each age) and `BLOCKQUEUE_POWER_SEED` choose how
//! many and which.

use std::path::Path;

use blockqueue::{ClaimOptions, NewTopic, Queue, Receipt};
use blockqueue_tests::chance::Chance;
use rusqlite::{Connection, params};

use crate::cuts::setting;
use crate::image::Image;
use crate::system::{Event, Watch};

const CREATE: &str = include_str!("../../../core/sql/sqlite/migration_create.sql");
/// What releases before the newest schema knew, oldest first.
const OLDER: [&str; 3] = [
    include_str!("../../../core/sql/sqlite/migrations/0001_log_and_cursor.sql"),
    include_str!("../../../core/sql/sqlite/migrations/0002_sql_contract.sql"),
    include_str!("../../../core/sql/sqlite/migrations/0003_schedules.sql"),
];
const NEWEST: usize = 4;
const LEASED: usize = 20;
const PENDING: usize = 60;

/// Makes a queue, and of it the file that a release with so many migrations would have made. The answer is
/// the receipts of what is leased.
fn make_older(file: &Path, migrations: usize) -> Vec<Receipt> {
    let folder = tempfile::tempdir().unwrap();
    let newer = folder.path().join("newer.db");
    let queue = Queue::open(&newer).unwrap();
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let payload = |number| format!("{number:03}{}", "x".repeat(300)).into();
    queue.publish_batch("t", (0..LEASED + PENDING).map(payload).collect()).wait().unwrap();
    let claimed = queue.claim("t", "s", &ClaimOptions::default().with_limit(LEASED)).wait();
    let receipts = claimed.unwrap().into_iter().map(|delivery| delivery.receipt).collect();
    queue.shutdown().wait().unwrap();
    copy_older(&newer, file, migrations).unwrap();
    receipts
}

fn copy_older(newer: &Path, file: &Path, migrations: usize) -> rusqlite::Result<()> {
    let connection = Connection::open(file)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")?;
    connection.execute("ATTACH ?1 AS newer", [newer.to_str()])?;
    connection.execute_batch(CREATE)?;
    let [oldest, later @ ..] = OLDER;
    connection.execute_batch(oldest)?;
    for table in tables(&connection)? {
        connection.execute_batch(&format!("INSERT INTO {table} SELECT * FROM newer.{table}"))?;
    }
    // Before the migration that writes it, and whatever was opened later.
    connection.execute_batch("DELETE FROM blockqueue_meta WHERE name != 'tag'")?;
    connection
        .execute("DELETE FROM blockqueue_migration WHERE version > ?1", params![migrations])?;
    later.iter().take(migrations - 1).try_for_each(|sql| connection.execute_batch(sql))
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql =
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name LIKE 'blockqueue%'";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn migrations_of(file: &Path) -> usize {
    let connection = Connection::open(file).unwrap();
    let sql = "SELECT count(*) FROM blockqueue_migration";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Cuts the power somewhere in the migration, and sees what is left. The answer is whether it was migrated.
fn cut(events: &[Event], migrations: usize, receipts: &[Receipt], chance: &mut Chance) -> bool {
    let made = events.iter().position(|event| matches!(event, Event::Mark(_))).unwrap();
    let during = events.len() - made;
    let end = made + usize::try_from(chance.below(during as u64 + 1)).unwrap();
    let mut image = Image::default();
    events.iter().take(end).for_each(|event| image.happen(event));
    let folder = tempfile::tempdir().unwrap();
    let _watching = Watch::fast(folder.path());
    image.write(folder.path(), chance);
    println!("cut after {} of {during} events", end - made);
    let file = folder.path().join("queue.db");
    let found = migrations_of(&file);
    assert!([migrations, NEWEST].contains(&found), "{found} migrations");
    let queue = Queue::open(&file).unwrap();
    assert_eq!(queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
    for acked in queue.ack_batch(receipts).wait().unwrap() {
        acked.unwrap();
    }
    let claimed = queue.claim("t", "s", &ClaimOptions::default().with_limit(1_000)).wait().unwrap();
    assert_eq!(claimed.len(), PENDING);
    queue.shutdown().wait().unwrap();
    assert_eq!(migrations_of(&file), NEWEST);
    found == NEWEST
}

#[test]
fn whenever_the_power_fails_in_a_migration_the_file_has_all_that_it_had() {
    let (cuts, seed) =
        (setting("BLOCKQUEUE_POWER_CUTS", 600) / 3, setting("BLOCKQUEUE_POWER_SEED", 20_260_101));
    let mut chance = Chance::new(seed);
    for migrations in [1, 2, 3] {
        println!("{cuts} cuts of a file with {migrations} migrations, seed {seed}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("queue.db");
        let watching = Watch::recording(folder.path());
        let receipts = make_older(&file, migrations);
        watching.mark(0);
        Queue::open(&file).unwrap().shutdown().wait().unwrap();
        let events = watching.events();
        drop(watching);
        let is_migrated = (0..cuts).map(|_| cut(&events, migrations, &receipts, &mut chance));
        let (migrated, older): (Vec<_>, Vec<_>) = is_migrated.partition(|migrated| *migrated);
        println!("{} of {cuts} were migrated when the power failed", migrated.len());
        assert!(cuts < 100 || (!migrated.is_empty() && !older.is_empty()));
    }
}
