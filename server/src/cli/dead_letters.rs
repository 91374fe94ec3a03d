//! `blockqueue dead-letters`: messages that ran out of attempts.

use blockqueue::{DeadLetters, Filter, MessageId, Purge, Redrive};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::backend::Source;
use super::failure::{Ending, Failure, Outcome};
use super::output::{FormatArgs, ListArgs};
use super::target::TargetArgs;

#[derive(Debug, Args)]
pub(crate) struct DeadLettersArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(subcommand)]
    command: DeadLettersCommand,
}

#[derive(Debug, Subcommand)]
enum DeadLettersCommand {
    /// List dead letters, oldest first
    List {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Make dead letters claimable again, with all their attempts, or publish them to another topic
    Redrive {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        matching: Matching,
        /// Publish them to this topic instead
        #[arg(long, value_name = "TOPIC")]
        to: Option<String>,
        /// At most this many a second fall due
        #[arg(long, value_name = "N")]
        rate: Option<f64>,
        /// Change nothing, only count
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Delete dead letters
    Purge {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        matching: Matching,
        /// Delete nothing, only count
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        format: FormatArgs,
    },
}

/// Which dead letters a command is about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// All of them
    #[arg(long)]
    all: bool,
    /// The oldest, at most this many
    #[arg(long, value_name = "N")]
    oldest: Option<u64>,
    /// That of this message; may be repeated
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
}

/// Which of them it is about after all.
#[derive(Debug, Args)]
struct Matching {
    /// Of these, only those whose headers match: a filter as JSON
    #[arg(long, value_name = "JSON")]
    filter: Option<Filter>,
}

impl Which {
    fn dead_letters(&self) -> Outcome<DeadLetters> {
        if let Some(oldest) = self.oldest {
            return Ok(DeadLetters::Oldest(oldest));
        }
        if self.all {
            return Ok(DeadLetters::All);
        }
        let ids = self.ids.iter().map(|id| id.parse::<MessageId>().map_err(Failure::from));
        Ok(DeadLetters::Ids(ids.collect::<Outcome<_>>()?))
    }
}

/// How many a command was about.
#[derive(Debug, Serialize)]
struct Count {
    count: u64,
}

/// Runs the command.
pub(crate) fn run(args: DeadLettersArgs) -> Outcome {
    let backend = args.target.open()?;
    match args.command {
        DeadLettersCommand::List { source, list } => {
            list.print(|page| backend.dead_letters(&source, page))?;
        }
        DeadLettersCommand::Redrive { source, which, matching, to, rate, dry_run, format } => {
            let mut options = Redrive::from(which.dead_letters()?).with_dry_run(dry_run);
            options.filter = matching.filter;
            options.to = to;
            options.rate = rate;
            let count = backend.redrive(&source, options)?;
            let done = if dry_run { "to redrive" } else { "redriven" };
            format.printer().show(&Count { count }, &format!("{count} {done}"))?;
        }
        DeadLettersCommand::Purge { source, which, matching, dry_run, format } => {
            let mut options = Purge::from(which.dead_letters()?).with_dry_run(dry_run);
            options.filter = matching.filter;
            let count = backend.purge(&source, options)?;
            let done = if dry_run { "to purge" } else { "purged" };
            format.printer().show(&Count { count }, &format!("{count} {done}"))?;
        }
    }
    Ok(Ending::Done)
}
