//! The command line: what can be asked, and who answers.
//!
//! Owns the names of commands and options. Each command has a module; all of them speak to a
//! [`backend::Backend`], a file or a server, and hold no rule of the queue.

mod backend;
mod backup;
mod consume;
mod copy;
mod dead_letters;
mod doctor;
mod failure;
mod message;
mod output;
mod publish;
mod schedule;
mod serve;
mod stats;
mod stop;
mod subscriber;
mod target;
mod topic;
mod value;
mod view;

use std::process::ExitCode;

use blockqueue_server::serve::ServeArgs;
use clap::{Parser, Subcommand};

use failure::{Failure, Outcome};

const EXIT_STATUSES: &str = "\
Exit status:
  0  done
  1  failed: standard error says `error: <detail> [<code>]`
  2  the command line is wrong
  3  consume found no message, message result found no reply

Durations are written 250ms, 5s, 1m30s, 1h; times 2030-01-31T08:00:00Z; sizes 1048576 or 64MiB.";

/// A durable fan-out message queue in one file.
#[derive(Debug, Parser)]
#[command(name = "blockqueue", version, after_help = EXIT_STATUSES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the queue over HTTP
    Serve(ServeArgs),
    /// Create, list, change, delete, pause and resume topics
    Topic(topic::TopicArgs),
    /// Create, list, change, delete, pause, resume and seek subscribers
    Subscriber(subscriber::SubscriberArgs),
    /// Publish a message, a file, or one message per line of standard input
    Publish(publish::PublishArgs),
    /// Claim messages and print them, or run a command for each
    Consume(consume::ConsumeArgs),
    /// Show topics and subscribers in numbers
    Stats(stats::StatsArgs),
    /// Look at the messages in flight and waiting, without claiming them
    Peek(message::PeekArgs),
    /// Show or cancel one message, or show what a subscriber replied to it
    Message(message::MessageArgs),
    /// List, redrive and purge the messages that ran out of attempts
    DeadLetters(dead_letters::DeadLettersArgs),
    /// Create, list, change, delete, pause, resume and run schedules, and show what they did
    Schedule(schedule::ScheduleArgs),
    /// Write a consistent, verified copy of the file while it is in use
    Backup(backup::BackupArgs),
    /// Copy a queue to another place: from a file to a server, back, or to another file
    Copy(copy::CopyArgs),
    /// Examine the file: integrity, counters, sizes
    Doctor(doctor::DoctorArgs),
}

impl Command {
    fn run(self) -> Outcome {
        match self {
            Self::Serve(args) => serve::run(args),
            Self::Topic(args) => topic::run(args),
            Self::Subscriber(args) => subscriber::run(args),
            Self::Publish(args) => publish::run(args),
            Self::Consume(args) => consume::run(args),
            Self::Stats(args) => stats::run(&args),
            Self::Peek(args) => message::peek(&args),
            Self::Message(args) => message::run(args),
            Self::DeadLetters(args) => dead_letters::run(args),
            Self::Schedule(args) => schedule::run(args),
            Self::Backup(args) => backup::run(&args),
            Self::Copy(args) => copy::run(&args),
            Self::Doctor(args) => doctor::run(&args),
        }
    }
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let status = match Cli::parse().command.run() {
        Ok(ending) => ending.status(),
        Err(failure) => {
            if !failure.is_reader_gone() {
                output::complain(&format!("error: {failure} [{}]", failure.code()));
            }
            failure.status()
        }
    };
    ExitCode::from(status)
}

/// A setting changes as a whole and the server does not tell what it is now.
fn untold(what: &str) -> Failure {
    Failure::invalid(format!("the server does not tell {what}, so it cannot be changed in part"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
