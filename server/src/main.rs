//! The command line of the queue.

use std::process::ExitCode;

use blockqueue_server::serve::{self, ServeArgs};
use clap::Parser;

/// A durable fan-out message queue in one file.
#[derive(Debug, Parser)]
#[command(version)]
enum Command {
    /// Serves the queue over HTTP.
    Serve(ServeArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let Command::Serve(args) = Command::parse();
    match serve::run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
