//! Standard output: tables for people, JSON lines for programs.

use std::io::{self, StdoutLock, Write};

use blockqueue::{Page, limits};
use comfy_table::Table;
use serde::Serialize;

use super::failure::{Failure, Outcome};
use super::view::{Listed, Row};

/// How results are shown.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct FormatArgs {
    /// Print JSON, one document per line
    #[arg(long, global = true)]
    json: bool,
}

impl FormatArgs {
    /// Where results go.
    pub(crate) fn printer(self) -> Printer {
        Printer { json: self.json, out: io::stdout().lock() }
    }

    /// Whether results are JSON.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }
}

/// How much of a list is shown.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ListArgs {
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    format: FormatArgs,
}

impl ListArgs {
    /// Shows a list, asking for page after page as far as the limit goes.
    pub(crate) fn print<T: Row + Serialize>(
        &self,
        mut page: impl FnMut(Page) -> Outcome<Listed<T>>,
    ) -> Outcome<()> {
        let mut printer = self.format.printer();
        let mut rows = Vec::new();
        let mut after = None;
        let mut left = self.limit;
        while left > 0 {
            let mut asked = Page::default().with_limit(left.min(limits::PAGE_MAX));
            asked.after = after.take();
            let listed = page(asked)?;
            left = left.saturating_sub(listed.items.len());
            for item in listed.items {
                if self.format.json {
                    printer.document(&item)?;
                } else {
                    rows.push(item.cells());
                }
            }
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        if !self.format.json {
            printer.rows(T::COLUMNS, rows)?;
        }
        if after.is_some() {
            complain("there are more: --limit shows them");
        }
        Ok(())
    }
}

/// Standard output.
#[derive(Debug)]
pub(crate) struct Printer {
    json: bool,
    out: StdoutLock<'static>,
}

impl Printer {
    /// Shows one thing, in JSON or as a text.
    pub(crate) fn show(&mut self, value: &impl Serialize, text: &str) -> Outcome<()> {
        if self.json { self.document(value) } else { self.line(text) }
    }

    /// Shows a text on a line of its own; nothing for no text.
    pub(crate) fn line(&mut self, text: &str) -> Outcome<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.write(text.as_bytes())
    }

    /// Shows bytes as they are, on a line of their own.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.write(bytes)
    }

    /// Leaves a line empty.
    pub(crate) fn blank(&mut self) -> Outcome<()> {
        self.write(b"")
    }

    /// Shows a JSON document on a line of its own.
    pub(crate) fn document(&mut self, value: &impl Serialize) -> Outcome<()> {
        self.write(&json(value)?)
    }

    /// Shows things in a table.
    pub(crate) fn table<'a, T: Row + 'a>(
        &mut self,
        items: impl IntoIterator<Item = &'a T>,
    ) -> Outcome<()> {
        self.rows(T::COLUMNS, items.into_iter().map(Row::cells).collect())
    }

    fn rows(&mut self, columns: &[&str], rows: Vec<Vec<String>>) -> Outcome<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(columns);
        table.add_rows(rows);
        for line in table.lines() {
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> Outcome<()> {
        write_line(&mut self.out, line).map_err(Failure::Output)
    }
}

/// A value as JSON on one line.
pub(crate) fn json(value: &impl Serialize) -> Outcome<Vec<u8>> {
    serde_json::to_vec(value)
        .map_err(|error| blockqueue::Error::Internal { detail: error.to_string() }.into())
}

/// Writes a line and hands it to the system.
pub(crate) fn write_line(out: &mut impl Write, line: &[u8]) -> io::Result<()> {
    out.write_all(line)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Tells people something that is not a result. A closed standard error is no reason to fail.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
