//! What a transaction changed, as bytes: for each row its table, and all its values, or its key if it is gone.
//!
//! Invariant: it says what the rows are then, not what was done to them. So it may be applied to rows that have
//! seen it already, in any order, and once more.

use rusqlite::types::ValueRef;

use super::tables::Table;
use crate::error::{Error, Result};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Verb {
    /// It is there, with these values.
    Put,
    /// The row of this key is gone.
    Delete,
}

/// A row that was changed.
#[derive(Debug)]
pub(in crate::store) struct Change<'a> {
    pub table: &'a Table,
    pub verb: Verb,
    /// Of all columns, or of those of the key.
    pub values: Vec<ValueRef<'a>>,
    /// Where it ends among the bytes.
    pub end: usize,
}

/// Appends a row.
pub(super) fn push<'a>(
    bytes: &mut Vec<u8>,
    table: &Table,
    verb: Verb,
    values: impl Iterator<Item = ValueRef<'a>>,
) {
    bytes.push(match verb {
        Verb::Put => b'+',
        Verb::Delete => b'-',
    });
    push_bytes(bytes, table.name.as_bytes());
    for value in values {
        match value {
            ValueRef::Null => bytes.push(0),
            ValueRef::Integer(value) => {
                bytes.push(1);
                bytes.extend(value.to_le_bytes());
            }
            ValueRef::Real(value) => {
                bytes.push(2);
                bytes.extend(value.to_le_bytes());
            }
            ValueRef::Text(text) => {
                bytes.push(3);
                push_bytes(bytes, text);
            }
            ValueRef::Blob(blob) => {
                bytes.push(4);
                push_bytes(bytes, blob);
            }
        }
    }
}

fn push_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    to.extend(bytes);
}

/// The rows of changes, in the order in which they were appended.
pub(in crate::store) fn read<'a>(bytes: &'a [u8], tables: &'a [Table]) -> Reader<'a> {
    Reader { bytes, at: 0, tables }
}

pub(in crate::store) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    tables: &'a [Table],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn eight(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    fn some_bytes(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(self.take(4)?.try_into().ok()?);
        self.take(usize::try_from(length).ok()?)
    }

    fn value(&mut self) -> Option<ValueRef<'a>> {
        Some(match self.byte()? {
            0 => ValueRef::Null,
            1 => ValueRef::Integer(i64::from_le_bytes(self.eight()?)),
            2 => ValueRef::Real(f64::from_le_bytes(self.eight()?)),
            3 => ValueRef::Text(self.some_bytes()?),
            4 => ValueRef::Blob(self.some_bytes()?),
            _ => return None,
        })
    }

    fn change(&mut self) -> Option<Change<'a>> {
        let verb = match self.byte()? {
            b'+' => Verb::Put,
            b'-' => Verb::Delete,
            _ => return None,
        };
        let name = self.some_bytes()?;
        let table = self.tables.iter().find(|table| table.name.as_bytes() == name)?;
        let count = match verb {
            Verb::Put => table.columns.len(),
            Verb::Delete => table.key().len(),
        };
        let values = (0..count).map(|_| self.value()).collect::<Option<_>>()?;
        Some(Change { table, verb, values, end: self.at })
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Change<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let change = self.change();
        if change.is_none() {
            self.at = self.bytes.len();
        }
        Some(change.ok_or_else(|| Error::Corrupt { detail: "changes are not understood".into() }))
    }
}
