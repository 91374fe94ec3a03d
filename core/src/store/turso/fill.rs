//! A database that is being filled with a queue: in a file first, then over many requests of a bounded size.
//!
//! The last request begins the journal, which makes a queue of the tables. Until then nobody can open the place,
//! and whoever copies there next begins anew. Invariant: what is on the server is what is in the file.

use std::sync::Arc;

use rusqlite::types::{Value, ValueRef};
use uuid::Uuid;

use super::Directory;
use super::address::Address;
use super::copy::{self, Found, transact};
use super::hrana::{Arg, Client, Step};
use super::journal::Journal;
use crate::clock::ServerTime;
use crate::entropy;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::options::{Durability, OpenOptions};
use crate::store::Store as _;
use crate::store::rows::{self, Checksum, Filling, Ids, Row, Rows, TABLES, size_bytes};
use crate::store::sqlite::{self, SqliteRows, SqliteStore, tables::Table};

/// Values and bytes of the rows that one request carries; a row may be larger.
const VALUES_MAX: usize = 8_000;
const BYTES_MAX: usize = 1 << 20;

pub(crate) struct TursoFilling {
    file: SqliteRows,
    directory: Directory,
    address: Arc<Address>,
}

/// Begins to fill a database in which there is no queue.
pub(crate) fn fill(address: &str) -> Result<TursoFilling> {
    let address = Arc::new(Address::parse(address, &OpenOptions::default())?);
    let mut journal =
        Journal::new(Client::new(Arc::clone(&address))?, [].into(), ServerTime::default());
    match copy::look(&mut journal).map_err(super::at_open)? {
        Found::Nothing | Found::Copying => {}
        Found::Queue => {
            return Err(Error::CannotOpen { detail: "the database has a queue already".into() });
        }
        Found::Foreign => return Err(copy::foreign()),
    }
    let directory = Directory::create()?;
    let file = sqlite::fill(&directory.0.join("queue.db"))?;
    Ok(TursoFilling { file, directory, address })
}

impl Rows for TursoFilling {
    fn count(&mut self, table: &rows::Table) -> Result<u64> {
        self.file.count(table)
    }

    fn each(&mut self, table: &rows::Table, pass: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        self.file.each(table, pass)
    }

    fn newest_id(&mut self, table: &rows::Table) -> Result<i64> {
        self.file.newest_id(table)
    }
}

impl Filling for TursoFilling {
    fn insert(&mut self, table: &rows::Table, rows: &[Row]) -> Result<()> {
        self.file.insert(table, rows)
    }

    fn set_newest_id(&mut self, table: &rows::Table, id: i64) -> Result<()> {
        self.file.set_newest_id(table, id)
    }

    fn commit(self: Box<Self>) -> Result<()> {
        let Self { file, directory, address } = *self;
        Box::new(file).commit()?;
        let options = OpenOptions::default().with_durability(Durability::Balanced);
        let open = |name| SqliteStore::open_mirror(&directory.0.join(name), &options);
        let from = open("queue.db")?;
        let tables = from.tables()?.into();
        let journal = Journal::new(Client::new(address)?, tables, ServerTime::default());
        let id = Uuid::from_bytes(entropy::bytes()).to_string();
        let mut sending = Sending { journal, id, steps: Vec::new(), values: 0, bytes: 0 };
        sending.begin(&mut *from.rows()?)?;
        for table in Arc::clone(&sending.journal.tables).iter() {
            from.each_row(table, &mut |row| sending.add(table, &row))?;
        }
        sending.send()?;
        // What is there is read again.
        let mut back = open("back.db")?;
        back.refill(|refill| copy::read_all(&mut sending.journal, refill))?;
        compare(&mut *from.rows()?, &mut *back.rows()?)?;
        failpoint::hit("before_commit");
        sending.end()
    }
}

/// A copy on its way to the server.
struct Sending {
    journal: Journal,
    id: String,
    /// What the next request does.
    steps: Vec<Step>,
    values: usize,
    bytes: usize,
}

impl Sending {
    /// Makes the tables anew, whatever an earlier copy has left there.
    fn begin(&mut self, from: &mut dyn Rows) -> Result<()> {
        let plain = |sql: &str| Step::new(sql, Vec::new());
        // Fails if there is a queue by now.
        let mut steps = vec![
            plain("CREATE TABLE blockqueue_journal (version)"),
            plain("DROP TABLE blockqueue_journal"),
        ];
        steps.push(plain("DROP TABLE IF EXISTS blockqueue_copy"));
        steps.push(plain(include_str!("../../../sql/turso/copy_create.sql")));
        steps.push(Step::new(
            include_str!("../../../sql/turso/copy_insert.sql"),
            vec![self.id.as_str().into()],
        ));
        for table in self.journal.tables.iter() {
            steps.push(plain(&format!("DROP TABLE IF EXISTS {}", table.name)));
            steps.push(plain(&table.create()));
        }
        // The numbers that rows had that are gone are used.
        for table in TABLES.iter().filter(|table| table.ids == Ids::Newest) {
            let newest = from.newest_id(table)?;
            if newest > 0 {
                let name = table.name;
                let insert = format!("INSERT INTO {name} (id) VALUES (?)");
                steps.push(Step::new(insert, vec![newest.into()]));
                steps.push(plain(&format!("DELETE FROM {name}")));
            }
        }
        transact(&mut self.journal, steps)
    }

    fn add(&mut self, table: &Table, row: &[Value]) -> Result<()> {
        let marks = vec!["?"; row.len()].join(", ");
        let args = row.iter().map(|value| Arg::from(ValueRef::from(value)));
        let put = format!("INSERT OR REPLACE INTO {} VALUES ({marks})", table.name);
        self.steps.push(Step::new(put, args.collect()));
        self.values += row.len();
        self.bytes += size_bytes(row);
        if self.values >= VALUES_MAX || self.bytes >= BYTES_MAX { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<()> {
        (self.values, self.bytes) = (0, 0);
        let rows = std::mem::take(&mut self.steps);
        self.transact(rows)
    }

    /// It becomes a queue.
    fn end(mut self) -> Result<()> {
        let plain = |sql: &str| Step::new(sql, Vec::new());
        let steps = vec![
            plain(include_str!("../../../sql/turso/journal_create.sql")),
            plain(include_str!("../../../sql/turso/journal_begin.sql")),
            plain(include_str!("../../../sql/turso/turn_create.sql")),
        ];
        self.transact(steps).map_err(|error| match error {
            Error::Io { detail } => Error::OutcomeUnknown { detail },
            error => error,
        })?;
        // It has no meaning any more, and does no harm.
        let _ = transact(&mut self.journal, vec![plain("DROP TABLE IF EXISTS blockqueue_copy")]);
        Ok(())
    }

    /// In one transaction, if nobody else has begun to copy since.
    fn transact(&mut self, mut steps: Vec<Step>) -> Result<()> {
        let claim = include_str!("../../../sql/turso/copy_claim.sql");
        steps.insert(0, Step::new(claim, vec![self.id.as_str().into()]));
        transact(&mut self.journal, steps)
    }
}

fn compare(one: &mut dyn Rows, other: &mut dyn Rows) -> Result<()> {
    for table in TABLES {
        if checksum(table, one)? != checksum(table, other)? {
            let detail = format!("{} on the server differs from the original", table.name);
            return Err(Error::Corrupt { detail });
        }
    }
    Ok(())
}

fn checksum(table: &rows::Table, rows: &mut dyn Rows) -> Result<String> {
    let mut checksum = Checksum::default();
    rows.each(table, &mut |row| {
        checksum.add(&row);
        Ok(())
    })?;
    if table.ids == Ids::Newest {
        checksum.add_newest_id(rows.newest_id(table)?);
    }
    Ok(checksum.finish())
}
