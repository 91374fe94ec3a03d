//! `blockqueue copy`: a queue goes to another place, of whatever kind both are.

use std::path::PathBuf;

use blockqueue::{CopiedTable, CopyOptions};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::failure::{Ending, Outcome};
use super::output::FormatArgs;
use super::view::Row;

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The queue: a file, or postgres://…
    from: PathBuf,
    /// Where it goes; there must be no queue yet
    to: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
}

/// Runs the command.
pub(crate) fn run(args: &CopyArgs) -> Outcome {
    let bar = bar();
    let shown = bar.clone();
    let options = CopyOptions::default().with_progress(move |progress| {
        // Each row is written once and read again once.
        shown.set_length(progress.rows_total * 2);
        shown.set_position(progress.rows_copied + progress.rows_verified);
    });
    let copied = blockqueue::copy(&args.from, &args.to, &options);
    bar.finish_and_clear();
    let report = copied?;
    let mut printer = args.format.printer();
    if args.format.is_json() {
        printer.document(&report)?;
    } else {
        printer.table(&report.tables)?;
    }
    Ok(Ending::Done)
}

/// On standard error, and only if that is a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{wide_bar} {percent}%, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Row for CopiedTable {
    const COLUMNS: &'static [&'static str] = &["TABLE", "ROWS", "SHA-256"];

    fn cells(&self) -> Vec<String> {
        vec![self.name.to_owned(), self.rows.to_string(), self.checksum.clone()]
    }
}
