//! `blockqueue serve`: the queue over HTTP. The server is the library's; this gives it threads and a log.

use blockqueue_server::serve::{self, ServeArgs};

use super::failure::{Ending, Failure, Outcome};

/// Runs the server until it is told to end.
pub(crate) fn run(args: ServeArgs) -> Outcome {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|source| Failure::Input { what: "the system's events".to_owned(), source })?;
    runtime.block_on(serve::run(args))?;
    Ok(Ending::Done)
}
