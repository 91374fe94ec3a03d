//! The least that SQLite must do for the same durable work: what every case is measured against.
//!
//! Same page size, pragmas, payload and file system as the queue; prepared statements; one transaction
//! per group; `synchronous=FULL`.

use std::path::Path;

use rusqlite::{Connection, params};

/// A bare table of messages and one of deliveries.
pub struct Raw {
    connection: Connection,
    next: i64,
}

impl Raw {
    /// A new file.
    ///
    /// # Errors
    /// What SQLite reports.
    pub fn create(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "cache_size", "-16384")?;
        connection.pragma_update_and_check(None, "wal_autocheckpoint", 4096, |_| Ok(()))?;
        connection.execute_batch(
            "CREATE TABLE message (id INTEGER PRIMARY KEY, payload BLOB NOT NULL);
             CREATE TABLE delivery (id INTEGER PRIMARY KEY, receipt INTEGER NOT NULL);",
        )?;
        Ok(Self { connection, next: 1 })
    }

    /// Inserts the same message so many times, in one transaction.
    ///
    /// # Errors
    /// What SQLite reports.
    pub fn insert(&mut self, count: usize, payload: &[u8]) -> rusqlite::Result<()> {
        self.insert_each(std::iter::repeat_n(payload, count)).map(drop)
    }

    /// Inserts messages in one transaction. The answer is the id of the last one.
    ///
    /// # Errors
    /// What SQLite reports.
    pub fn insert_each(
        &mut self,
        payloads: impl Iterator<Item = impl AsRef<[u8]>>,
    ) -> rusqlite::Result<i64> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO message (id, payload) VALUES (?1, ?2)")?;
            for payload in payloads {
                insert.execute(params![self.next, payload.as_ref()])?;
                self.next += 1;
            }
        }
        transaction.commit()?;
        Ok(self.next - 1)
    }

    /// Reads the next messages with their payloads and inserts a small row for each.
    ///
    /// # Errors
    /// What SQLite reports.
    pub fn claim(&mut self, from: i64, count: usize) -> rusqlite::Result<Vec<(i64, Vec<u8>)>> {
        let transaction = self.connection.transaction()?;
        let claimed = {
            let mut select = transaction.prepare_cached(
                "SELECT id, payload FROM message WHERE id > ?1 ORDER BY id LIMIT ?2",
            )?;
            let rows =
                select.query_map(params![from, count], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let claimed = rows.collect::<rusqlite::Result<Vec<(i64, Vec<u8>)>>>()?;
            let mut insert =
                transaction.prepare_cached("INSERT INTO delivery (id, receipt) VALUES (?1, ?2)")?;
            for (id, _) in &claimed {
                insert.execute(params![id, 1])?;
            }
            claimed
        };
        transaction.commit()?;
        Ok(claimed)
    }

    /// Deletes the small rows and, if asked to, the messages.
    ///
    /// # Errors
    /// What SQLite reports.
    pub fn ack(&mut self, claimed: &[(i64, Vec<u8>)], and_messages: bool) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut delete = transaction.prepare_cached("DELETE FROM delivery WHERE id = ?1")?;
            for (id, _) in claimed {
                delete.execute([id])?;
            }
        }
        if let (true, Some((last, _))) = (and_messages, claimed.last()) {
            transaction.execute("DELETE FROM message WHERE id <= ?1", [last])?;
        }
        transaction.commit()
    }
}
