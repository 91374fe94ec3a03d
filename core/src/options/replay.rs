//! What to deliver again: dead letters to redrive or purge, and a place to seek to.

use super::{DeadLetters, Filter, SeekTo};
use crate::error::{Error, Result};
use crate::limits;

/// How to redrive dead letters. Made from [`DeadLetters`] where nothing else is wanted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Redrive {
    /// Which dead letters. Default: all.
    pub which: DeadLetters,
    /// Of these, only those whose headers match; a limit counts only these. Default: none.
    pub filter: Option<Filter>,
    /// Publish them to this topic instead of delivering them again: new ids, and a header
    /// `blockqueue-origin` that says `topic/subscriber/message id`. Default: none.
    pub to: Option<String>,
    /// At most this many a second, from 0.001 to 1,000,000: they fall due one after another. Those that
    /// would fall due more than 366 days from now stay dead letters. Default: all at once.
    pub rate: Option<f64>,
    /// Change nothing, only count. Default: no.
    pub dry_run: bool,
}

impl Default for Redrive {
    fn default() -> Self {
        Self { which: DeadLetters::All, filter: None, to: None, rate: None, dry_run: false }
    }
}

impl Redrive {
    setters! {
        /// Chooses dead letters.
        with_which: which = DeadLetters;
        /// Leaves those alone whose headers do not match.
        with_filter: filter = Filter;
        /// Limits how many fall due in a second.
        with_rate: rate = f64;
        /// Only counts.
        with_dry_run: dry_run = bool;
    }

    text_setters! {
        /// Publishes them to this topic instead.
        with_to: to;
    }

    pub(crate) fn validate(&self, topic: &str) -> Result<()> {
        self.which.validate()?;
        if self.to.as_deref() == Some(topic) {
            return Err(Error::invalid("to must name another topic"));
        }
        let rates = limits::REDRIVE_RATE_MIN..=limits::REDRIVE_RATE_MAX;
        if self.rate.is_some_and(|rate| !rates.contains(&rate)) {
            return Err(Error::invalid("rate must be from 0.001 to 1000000 a second"));
        }
        Ok(())
    }
}

impl From<DeadLetters> for Redrive {
    fn from(which: DeadLetters) -> Self {
        Self::default().with_which(which)
    }
}

/// How to purge dead letters. Made from [`DeadLetters`] where nothing else is wanted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Purge {
    /// Which dead letters. Default: all.
    pub which: DeadLetters,
    /// Of these, only those whose headers match; a limit counts only these. Default: none.
    pub filter: Option<Filter>,
    /// Delete nothing, only count. Default: no.
    pub dry_run: bool,
}

impl Default for Purge {
    fn default() -> Self {
        Self { which: DeadLetters::All, filter: None, dry_run: false }
    }
}

impl Purge {
    setters! {
        /// Chooses dead letters.
        with_which: which = DeadLetters;
        /// Leaves those alone whose headers do not match.
        with_filter: filter = Filter;
        /// Only counts.
        with_dry_run: dry_run = bool;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        self.which.validate()
    }
}

impl From<DeadLetters> for Purge {
    fn from(which: DeadLetters) -> Self {
        Self::default().with_which(which)
    }
}

/// How to seek. Made from [`SeekTo`] where nothing else is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seek {
    /// Where the subscriber goes on.
    pub to: SeekTo,
    /// Move nothing, only count. Default: no.
    pub dry_run: bool,
}

impl Seek {
    /// Goes on at this place.
    pub const fn to(to: SeekTo) -> Self {
        Self { to, dry_run: false }
    }

    setters! {
        /// Only counts.
        with_dry_run: dry_run = bool;
    }
}

impl From<SeekTo> for Seek {
    fn from(to: SeekTo) -> Self {
        Self::to(to)
    }
}
