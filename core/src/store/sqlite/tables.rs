//! The tables of a queue, as the mirror has them: what another database needs to hold the same rows.

use rusqlite::Connection;

/// A table and its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// Numbers of its rows are never used again.
    pub counts_up: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Column {
    pub name: String,
    pub kind: String,
    /// Its place in the primary key, from 1; 0: it is not of it.
    pub key: usize,
}

impl Table {
    pub(in crate::store) fn is_key(&self, place: usize) -> bool {
        self.columns.get(place).is_some_and(|column| column.key > 0)
    }

    /// The columns of the primary key, in the order of the columns.
    pub(in crate::store) fn key(&self) -> Vec<&str> {
        let key = self.columns.iter().filter(|column| column.key > 0);
        key.map(|column| column.name.as_str()).collect()
    }

    /// The condition that a row has a key.
    pub(super) fn is_key_equal(&self) -> String {
        let key = self.key().into_iter().map(|column| format!("{column} = ?"));
        key.collect::<Vec<_>>().join(" AND ")
    }

    /// The statement that puts a row in its place.
    pub(in crate::store) fn put(&self) -> String {
        let marks = vec!["?"; self.columns.len()].join(", ");
        format!("INSERT OR REPLACE INTO {} VALUES ({marks})", self.name)
    }

    /// Its counterpart: rows and keys, and nothing else. What a row must be, and what is found how, is seen to
    /// where the rules are.
    pub(in crate::store) fn create(&self) -> String {
        let is_number = |column: &Column| column.kind == "INTEGER";
        let mut key: Vec<&Column> = self.columns.iter().filter(|column| column.key > 0).collect();
        key.sort_by_key(|column| column.key);
        let (number, key) = match key.as_slice() {
            [column] if is_number(column) => (Some(column.name.as_str()), Vec::new()),
            _ => (None, key),
        };
        let counts_up = if self.counts_up { " AUTOINCREMENT" } else { "" };
        let mut lines: Vec<String> = Vec::new();
        for Column { name, kind, .. } in &self.columns {
            lines.push(if number == Some(name) {
                format!("{name} INTEGER PRIMARY KEY{counts_up}")
            } else {
                format!("{name} {kind}").trim_end().to_owned()
            });
        }
        if !key.is_empty() {
            let names: Vec<_> = key.iter().map(|column| column.name.as_str()).collect();
            lines.push(format!("PRIMARY KEY ({})", names.join(", ")));
        }
        format!("CREATE TABLE IF NOT EXISTS {} ({})", self.name, lines.join(", "))
    }
}

/// The tables of a queue, by name.
pub(super) fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut statement = connection.prepare(include_str!("../../../sql/turso/tables.sql"))?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut tables = Vec::new();
    for table in found {
        let (name, counts_up): (String, bool) = table?;
        let mut statement = connection.prepare(include_str!("../../../sql/turso/columns.sql"))?;
        let columns = statement.query_map([&name], |row| {
            Ok(Column { name: row.get(0)?, kind: row.get(1)?, key: row.get(2)? })
        })?;
        let columns = columns.collect::<rusqlite::Result<_>>()?;
        tables.push(Table { name, columns, counts_up });
    }
    Ok(tables)
}
