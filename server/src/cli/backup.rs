//! `blockqueue backup`: a consistent, verified copy of the file while it is in use.

use std::path::PathBuf;

use clap::Args;

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
    args.file.open()?.queue().backup(&args.to).wait()?;
    Ok(Ending::Done)
}
