//! How to open a queue.

#[cfg(feature = "turso")]
use std::{fmt, io, sync::Arc};

use super::rules::at_most;
use crate::clock::Clock;
#[cfg(feature = "test-clock")]
use crate::clock::TestClock;
use crate::error::Result;
use crate::limits;

/// How safe an answered write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// On disk before the answer (`synchronous=FULL`). The default.
    #[default]
    Full,
    /// Survives a crash of the process; a power cut may take the newest commits (`synchronous=NORMAL`).
    Balanced,
}

/// Gives the token of a database on a server, whenever one is needed: a new connection, or a token that the
/// server does not accept any more.
#[cfg(feature = "turso")]
#[derive(Clone)]
pub(crate) struct TokenProvider(Arc<dyn Fn() -> io::Result<String> + Send + Sync>);

#[cfg(feature = "turso")]
impl TokenProvider {
    pub(crate) fn get(&self) -> io::Result<String> {
        (self.0)()
    }
}

#[cfg(feature = "turso")]
impl fmt::Debug for TokenProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenProvider")
    }
}

/// How to open a queue.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct OpenOptions {
    /// How safe an answered write is. Default: [`Durability::Full`].
    pub durability: Durability,
    /// Largest payload of one message, in bytes. Default 1 MiB, at most 64 MiB.
    pub payload_bytes_max: Option<usize>,
    /// Refuse to make a queue where there is none. Default: make it.
    pub must_exist: bool,
    #[cfg(feature = "turso")]
    pub(crate) token_provider: Option<TokenProvider>,
    /// Tags that a new database must not have: it is to be told from these.
    pub(crate) tags_taken: Vec<u16>,
    pub(crate) clock: Clock,
}

impl OpenOptions {
    setters! {
        /// Sets how safe an answered write is.
        with_durability: durability = Durability;
        /// Sets the largest payload of one message, in bytes.
        with_payload_bytes_max: payload_bytes_max = usize;
        /// Refuses to make a queue where there is none.
        with_must_exist: must_exist = bool;
    }

    /// Asks for the token of a Turso database, unless its address has one, when it is opened and whenever the
    /// server does not accept the last one any more. Default: that of the environment.
    #[cfg(feature = "turso")]
    #[must_use]
    pub fn with_token_provider(
        mut self,
        provider: impl Fn() -> io::Result<String> + Send + Sync + 'static,
    ) -> Self {
        self.token_provider = Some(TokenProvider(Arc::new(provider)));
        self
    }

    /// Takes the time from a clock that the test moves.
    #[cfg(feature = "test-clock")]
    #[must_use]
    pub fn with_clock(mut self, clock: TestClock) -> Self {
        self.clock = Clock::Test(clock);
        self
    }

    /// Takes the time from the machine's clock, wrong by so many milliseconds: that of a host of its own.
    #[cfg(feature = "test-clock")]
    #[must_use]
    pub fn with_wrong_clock(mut self, by_ms: i64) -> Self {
        self.clock = Clock::Wrong(by_ms);
        self
    }

    /// Whether an engine that was started with these does for those. That the file must exist is said of an
    /// opening only.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        let of = |options: &Self| (options.durability, options.payload_bytes_max);
        of(self) == of(other) && self.clock == other.clock
    }

    pub(crate) fn payload_bytes_limit(&self) -> usize {
        self.payload_bytes_max.unwrap_or(limits::PAYLOAD_BYTES_DEFAULT)
    }

    pub(crate) fn validate(&self) -> Result<()> {
        at_most("payload_bytes_max", self.payload_bytes_limit(), limits::PAYLOAD_BYTES_MAX)
    }
}
