//! `blockqueue serve`: the queue over HTTP. The server is the library's; this gives it threads and a log.

use blockqueue_server::config::LogFormat;
use blockqueue_server::serve::{self, ServeArgs, ServeError};
use tracing_subscriber::EnvFilter;

use super::failure::{Ending, Failure, Outcome};

/// Runs the server until it is told to end.
pub(crate) fn run(args: ServeArgs) -> Outcome {
    let config = args.resolve().map_err(ServeError::from)?;
    let filter = EnvFilter::try_new(&config.log_level)
        .map_err(|error| Failure::Usage(format!("log level: {error}")))?;
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|source| Failure::Input { what: "the system's events".to_owned(), source })?;
    runtime.block_on(serve::run(config))?;
    Ok(Ending::Done)
}
