//! The program `blockqueue`: reads the command line, runs the command, and reports how it went.

#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
