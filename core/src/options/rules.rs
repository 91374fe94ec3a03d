//! The checks that options share.

use std::time::Duration;

use crate::error::{Error, Result, positive};
use crate::limits;

pub(crate) fn name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid(format!("{what} must have a name")));
    }
    if name.len() > limits::NAME_BYTES_MAX {
        return Err(Error::LimitExceeded {
            what: "name",
            actual: name.len() as u64,
            limit: limits::NAME_BYTES_MAX as u64,
        });
    }
    if name.chars().any(|character| character == '/' || character.is_control()) {
        return Err(Error::invalid(format!(
            "the name of a {what} has no / and no control character"
        )));
    }
    Ok(())
}

pub(crate) fn ttl(duration: Duration) -> Result<()> {
    positive("ttl", duration)?;
    not_longer("ttl", duration, limits::TTL_MAX)
}

pub(crate) fn lease(what: &str, duration: Duration) -> Result<()> {
    if duration < limits::LEASE_MIN {
        return Err(Error::invalid(format!("{what} must be at least 1 ms")));
    }
    not_longer(what, duration, limits::LEASE_MAX)
}

pub(crate) fn not_longer(what: &str, duration: Duration, limit: Duration) -> Result<()> {
    if duration > limit {
        return Err(Error::invalid(format!("{what} must be at most {} s", limit.as_secs())));
    }
    Ok(())
}

pub(crate) fn at_most(what: &'static str, actual: usize, limit: usize) -> Result<()> {
    if actual > limit {
        return Err(Error::LimitExceeded { what, actual: actual as u64, limit: limit as u64 });
    }
    Ok(())
}

/// Refuses none and too many.
pub(crate) fn count(what: &'static str, actual: usize, limit: usize) -> Result<()> {
    if actual == 0 {
        return Err(Error::invalid(format!("{what} must be at least 1")));
    }
    at_most(what, actual, limit)
}

/// Texts for people are cut, not refused: a failure must be reportable whatever its text.
pub(crate) fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(limits::ERROR_BYTES_MAX));
    text
}
