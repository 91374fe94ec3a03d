//! `blockqueue backup`: a consistent, verified copy of the file while it is in use.

use std::path::PathBuf;

use blockqueue::Backup;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::failure::{Ending, Outcome};
use super::target::FileArgs;

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The copy to make; it must not exist
    to: PathBuf,
    #[command(flatten)]
    file: FileArgs,
}

/// Runs the command.
pub(crate) fn run(args: &BackupArgs) -> Outcome {
    let file = args.file.open()?;
    let bar = bar();
    let shown = bar.clone();
    let backup = Backup::new(&args.to).with_progress(move |progress| {
        shown.set_length(progress.bytes_total);
        shown.set_position(progress.bytes_done);
    });
    let made = file.queue().backup(backup).wait();
    bar.finish_and_clear();
    made?;
    Ok(Ending::Done)
}

/// On standard error, and only if that is a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{wide_bar} {percent}% of {total_bytes}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
