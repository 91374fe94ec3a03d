//! A database that is being filled with a queue: in a file first, then over many requests of a bounded size.
//!
//! The last request begins the journal, which makes a queue of the tables. Until then nobody can open the place,
//! and whoever copies there next begins anew. Invariant: what is on the server is what is in the file.

use std::sync::Arc;

use rusqlite::types::{Value, ValueRef};
use uuid::Uuid;

use super::Directory;
use super::address::Address;
use super::copy::{self, Found, begin_journal, transact, unless_there};
use super::hrana::{Arg, Came, Client, Step};
use super::journal::{Journal, ROW_BYTES_MAX};
use crate::clock::ServerTime;
use crate::entropy;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::options::{Durability, OpenOptions};
use crate::store::Store as _;
use crate::store::rows::{self, Checksum, Filling, Row, Rows, TABLES, newest_id, size_bytes};
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
        if rows.iter().any(|row| size_bytes(row) > ROW_BYTES_MAX) {
            let detail = format!("{} has a row that is too large for a Turso database", table.name);
            return Err(Error::InvalidArgument { detail });
        }
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
        back.refill(|refill| copy::read_all(&mut sending.journal, refill))
            .and_then(|()| compare(&mut *from.rows()?, &mut *back.rows()?))
            .map_err(|error| sending.explain(error))?;
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
        let insert = include_str!("../../../sql/turso/copy_insert.sql");
        // By now there may be a queue.
        let mut steps = unless_there("blockqueue_journal");
        steps.push(Step::plain("DROP TABLE IF EXISTS blockqueue_copy"));
        steps.push(Step::plain(include_str!("../../../sql/turso/copy_create.sql")));
        steps.push(Step::new(insert, vec![self.id.as_str().into()]));
        for table in self.journal.tables.iter() {
            steps.push(Step::plain(format!("DROP TABLE IF EXISTS {}", table.name)));
            steps.push(Step::plain(table.create()));
        }
        // The numbers that rows had that are gone are used.
        for table in TABLES {
            let newest = newest_id(table, from)?;
            if newest > 0 {
                let name = table.name;
                let insert = format!("INSERT INTO {name} (id) VALUES (?)");
                steps.push(Step::new(insert, vec![newest.into()]));
                steps.push(Step::plain(format!("DELETE FROM {name}")));
            }
        }
        transact(&mut self.journal, steps).map_err(super::at_open)
    }

    fn add(&mut self, table: &Table, row: &[Value]) -> Result<()> {
        let args = row.iter().map(|value| Arg::from(ValueRef::from(value)));
        self.steps.push(Step::new(table.put(), args.collect()));
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
        self.transact(begin_journal()).map_err(|error| match error {
            Error::Io { detail } => Error::OutcomeUnknown { detail },
            error => error,
        })?;
        // It has no meaning any more, and does no harm.
        let forget = vec![Step::plain("DROP TABLE IF EXISTS blockqueue_copy")];
        let _ = transact(&mut self.journal, forget);
        Ok(())
    }

    /// In one transaction, if nobody else has begun to copy since.
    fn transact(&mut self, mut steps: Vec<Step>) -> Result<()> {
        steps.insert(0, self.claim());
        let done = transact(&mut self.journal, steps);
        done.map_err(|error| self.explain(error))
    }

    /// What goes wrong because somebody else has begun to fill the database says so.
    fn explain(&mut self, error: Error) -> Error {
        let claim = self.claim();
        let refused = |came: &Came| matches!(came, Came::Refused { .. });
        if self.journal.ask(&[claim]).is_ok_and(|came| came.first().is_some_and(refused)) {
            let detail = "another queue is being copied to the database".into();
            return Error::CannotOpen { detail };
        }
        error
    }

    /// Fails if it is somebody else's turn to fill the database.
    fn claim(&self) -> Step {
        let claim = include_str!("../../../sql/turso/copy_claim.sql");
        Step::new(claim, vec![self.id.as_str().into()])
    }
}

fn compare(one: &mut dyn Rows, other: &mut dyn Rows) -> Result<()> {
    for table in TABLES {
        let sum =
            |of: &mut dyn Rows| rows::checksum(table, of, u64::MAX, |_| {}).map(Checksum::finish);
        if sum(one)? != sum(other)? {
            let detail = format!("{} on the server differs from the original", table.name);
            return Err(Error::Corrupt { detail });
        }
    }
    Ok(())
}
