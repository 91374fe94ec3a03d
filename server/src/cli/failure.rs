//! How a command ends: its exit status, and what it says when it fails.
//!
//! Owns the table of exit statuses. Codes are those of the engine; this face adds none.

use std::io;

use blockqueue::{Error, Retry};
use blockqueue_server::serve::ServeError;

/// How a command that ran to its end went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All is well.
    Done,
    /// The command did its work and the result is bad news, told already.
    Bad,
    /// There was nothing to do.
    Nothing,
}

impl Ending {
    /// The exit status.
    pub(crate) const fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Bad => 1,
            Self::Nothing => 3,
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The engine said no.
    #[error("{0}")]
    Queue(#[from] Error),
    /// The server said no.
    #[error("{detail}")]
    Refused {
        /// The stable code of the answer.
        code: String,
        /// The answer in words.
        detail: String,
        /// Repeating the call can help.
        later: bool,
    },
    /// The server could not be asked; nothing was done.
    #[error("cannot reach the server: {detail}")]
    Unreachable {
        /// What the network said.
        detail: String,
    },
    /// The input could not be read.
    #[error("cannot read {what}: {source}")]
    Input {
        /// Which input.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The output could not be written.
    #[error("cannot write: {0}")]
    Output(#[source] io::Error),
    /// A consumer's output could not be written; what was not written went back to the queue.
    #[error("cannot write, {given_back} messages were given back: {source}")]
    ConsumerOutput {
        /// Deliveries given back.
        given_back: usize,
        /// What the system said.
        source: io::Error,
    },
    /// Part of the input was published before something failed.
    #[error("{source} (published before this: {published} messages, up to line {published})")]
    Partly {
        /// Messages published.
        published: u64,
        /// What failed.
        source: Box<Failure>,
    },
    /// The server did not run.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The arguments contradict each other, or the surroundings.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// A bad argument that only shows when the command runs.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::Queue(Error::InvalidArgument { detail: detail.into() })
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Queue(error) => error.code(),
            Self::Refused { code, .. } => code,
            Self::Partly { source, .. } => source.code(),
            Self::Usage(_) | Self::Serve(ServeError::Config(_) | ServeError::Tls { .. }) => {
                "invalid_argument"
            }
            Self::Serve(ServeError::Open { source, .. }) => source.code(),
            Self::Serve(ServeError::Listen { .. } | ServeError::Signals(_))
            | Self::Unreachable { .. }
            | Self::Input { .. }
            | Self::Output(_)
            | Self::ConsumerOutput { .. } => "io",
        }
    }

    /// Whether nothing was done and the same call may succeed later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Queue(error) => error.retry() == Retry::Later,
            Self::Refused { later, .. } => *later,
            Self::Unreachable { .. } => true,
            _ => false,
        }
    }

    /// Whether a reader of the output has seen enough, which is no failure: `blockqueue ... | head`.
    pub(crate) fn is_reader_gone(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ if self.is_reader_gone() => 0,
            _ => 1,
        }
    }
}

/// What a command comes to.
pub(crate) type Outcome<T = Ending> = Result<T, Failure>;
