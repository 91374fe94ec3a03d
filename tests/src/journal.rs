//! What a process that may be killed at any time has done: a line before each operation, and one after it
//! was answered.
//!
//! A line is one write, and a write to a file survives the death of the process that made it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// One line. Messages are named by their payloads, which are unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A publish is about to be sent.
    Publishing(String),
    /// It was answered.
    Published(String),
    /// A delivery was claimed: subscriber, payload, beginning and end of the lease.
    Claimed(String, String, u64, u64),
    /// A settlement is about to be sent: subscriber, payload, verb, when.
    Settling(String, String, String, u64),
    /// It was answered with success.
    Settled(String, String, String),
}

impl Entry {
    fn to_line(&self) -> String {
        match self {
            Self::Publishing(payload) => format!("publishing {payload}\n"),
            Self::Published(payload) => format!("published {payload}\n"),
            Self::Claimed(who, payload, from, to) => {
                format!("claimed {who} {payload} {from} {to}\n")
            }
            Self::Settling(who, payload, verb, at) => {
                format!("settling {who} {payload} {verb} {at}\n")
            }
            Self::Settled(who, payload, verb) => format!("settled {who} {payload} {verb}\n"),
        }
    }

    fn from_line(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let text = |word: &str| word.to_owned();
        Some(match words.as_slice() {
            ["publishing", payload] => Self::Publishing(text(payload)),
            ["published", payload] => Self::Published(text(payload)),
            ["claimed", who, payload, from, to] => {
                Self::Claimed(text(who), text(payload), from.parse().ok()?, to.parse().ok()?)
            }
            ["settling", who, payload, verb, at] => {
                Self::Settling(text(who), text(payload), text(verb), at.parse().ok()?)
            }
            ["settled", who, payload, verb] => Self::Settled(text(who), text(payload), text(verb)),
            _ => return None,
        })
    }
}

/// The journal of one process.
#[derive(Debug)]
pub struct Journal(File);

impl Journal {
    /// Appends to this file.
    ///
    /// # Errors
    /// What the system says.
    pub fn append(path: &Path) -> io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(Self)
    }

    /// Writes lines at once.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&mut self, entries: &[Entry]) -> io::Result<()> {
        let lines: String = entries.iter().map(Entry::to_line).collect();
        self.0.write_all(lines.as_bytes())
    }
}

/// The whole lines of a journal; a last one that was cut off is none.
///
/// # Errors
/// What the system says, and a line that is not one of a journal.
pub fn read(path: &Path) -> io::Result<Vec<Entry>> {
    let text = std::fs::read_to_string(path)?;
    let whole = text.rfind('\n').map_or("", |end| text.split_at(end).0);
    let malformed = |line| io::Error::other(format!("not a line of a journal: {line}"));
    whole.lines().map(|line| Entry::from_line(line).ok_or_else(|| malformed(line))).collect()
}
