//! Dead letters, and what went wrong.

use blockqueue::{Filter, Result};

use crate::look::MessageView;
use crate::number::{count, millis};
use crate::page::pages;

/// Which dead letters an operation is about.
#[derive(Debug, Clone, uniffi::Enum)]
pub enum DeadLetters {
    /// Those of these messages; at most 1,000.
    Ids {
        /// The ids of the messages.
        ids: Vec<String>,
    },
    /// The oldest, at most this many.
    Oldest {
        /// How many.
        limit: i64,
    },
    /// All of them.
    All,
}

impl DeadLetters {
    pub(crate) fn into_core(self) -> Result<blockqueue::DeadLetters> {
        Ok(match self {
            Self::Ids { ids } => {
                let ids: Result<_> = ids.iter().map(|id| id.parse()).collect();
                blockqueue::DeadLetters::Ids(ids?)
            }
            Self::Oldest { limit } => blockqueue::DeadLetters::Oldest(count("limit", limit)?),
            Self::All => blockqueue::DeadLetters::All,
        })
    }
}

/// How to redrive dead letters.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Redrive {
    /// Which dead letters.
    pub which: DeadLetters,
    /// Of these, only those whose headers match this filter, as JSON; a limit counts only these. Default: no
    /// filter.
    #[uniffi(default)]
    pub filter: Option<String>,
    /// Publish them to this topic instead of delivering them again. Default: no.
    #[uniffi(default)]
    pub to: Option<String>,
    /// At most this many a second, from 0.001 to 1,000,000: they fall due one after another. Default: all at
    /// once.
    #[uniffi(default)]
    pub rate: Option<f64>,
    /// Change nothing, only count. Default: no.
    #[uniffi(default)]
    pub dry_run: bool,
}

impl Redrive {
    pub(crate) fn into_core(self) -> Result<blockqueue::Redrive> {
        let mut redrive = blockqueue::Redrive::from(self.which.into_core()?);
        redrive.filter = filter(self.filter)?;
        redrive.to = self.to;
        redrive.rate = self.rate;
        redrive.dry_run = self.dry_run;
        Ok(redrive)
    }
}

/// How to purge dead letters.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Purge {
    /// Which dead letters.
    pub which: DeadLetters,
    /// Of these, only those whose headers match this filter, as JSON; a limit counts only these. Default: no
    /// filter.
    #[uniffi(default)]
    pub filter: Option<String>,
    /// Delete nothing, only count. Default: no.
    #[uniffi(default)]
    pub dry_run: bool,
}

impl Purge {
    pub(crate) fn into_core(self) -> Result<blockqueue::Purge> {
        let mut purge = blockqueue::Purge::from(self.which.into_core()?);
        purge.filter = filter(self.filter)?;
        purge.dry_run = self.dry_run;
        Ok(purge)
    }
}

fn filter(text: Option<String>) -> Result<Option<Filter>> {
    text.map(|text| text.parse()).transpose()
}

/// A delivery that ran out of attempts.
#[derive(Debug, Clone, uniffi::Record)]
pub struct DeadLetter {
    /// The message.
    pub message: MessageView,
    /// Attempts made.
    pub attempts: i64,
    /// Attempts that ended badly.
    pub failures: i64,
    /// The last error, if one was given.
    pub error: Option<String>,
    /// When it was given up.
    pub dead_at_ms: i64,
}

impl DeadLetter {
    #[expect(clippy::unnecessary_wraps, reason = "as the entries of other pages")]
    fn from_core(dead: blockqueue::DeadLetter) -> Result<Self> {
        Ok(Self {
            message: dead.message.into(),
            attempts: dead.attempts.into(),
            failures: dead.failures.into(),
            error: dead.error,
            dead_at_ms: millis(dead.dead_at),
        })
    }
}

/// One attempt that ended badly.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Failure {
    /// Which failure this was, from 1.
    pub failure: i64,
    /// What went wrong, if it was said.
    pub error: Option<String>,
    /// When.
    pub failed_at_ms: i64,
}

impl Failure {
    #[expect(clippy::unnecessary_wraps, reason = "as the entries of other pages")]
    fn from_core(failure: blockqueue::Failure) -> Result<Self> {
        Ok(Self {
            failure: failure.failure.into(),
            error: failure.error,
            failed_at_ms: millis(failure.failed_at),
        })
    }
}

pages! {
    /// Dead letters, oldest first.
    DeadLetterPage: DeadLetter of DeadLetter;
    /// Failures, oldest first.
    FailurePage: Failure of Failure;
}
