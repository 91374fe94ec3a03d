//! Numbers in the form that every language has: signed, times in milliseconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blockqueue::{Error, Result};

use crate::error::invalid;

pub(crate) fn duration(what: &str, ms: i64) -> Result<Duration> {
    u64::try_from(ms).map(Duration::from_millis).map_err(|_| negative(what))
}

pub(crate) fn maybe_duration(what: &str, ms: Option<i64>) -> Result<Option<Duration>> {
    ms.map(|ms| duration(what, ms)).transpose()
}

/// Any number that is not negative and fits; the core knows the bounds.
pub(crate) fn count<T: TryFrom<i64>>(what: &str, count: i64) -> Result<T> {
    if count < 0 {
        return Err(negative(what));
    }
    T::try_from(count).map_err(|_| invalid(format!("{what} is too large")))
}

pub(crate) fn maybe_count<T: TryFrom<i64>>(what: &str, given: Option<i64>) -> Result<Option<T>> {
    given.map(|given| count(what, given)).transpose()
}

/// What does not fit is out of range as well.
pub(crate) fn priority(priority: i32) -> i16 {
    i16::try_from(priority).unwrap_or(if priority < 0 { i16::MIN } else { i16::MAX })
}

fn negative(what: &str) -> Error {
    invalid(format!("{what} must not be negative"))
}

/// Instants before 1970 are as good as 1970: no message is older.
pub(crate) fn instant(at_ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(at_ms).unwrap_or(0))
}

pub(crate) fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    duration_millis(since)
}

/// Counts, sizes and durations that come out are far below 2⁶³.
pub(crate) fn duration_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn signed(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_is_an_invalid_argument() {
        assert_eq!(duration("wait", -1).unwrap_err().code(), "invalid_argument");
        assert_eq!(count::<usize>("limit", i64::MIN).unwrap_err().code(), "invalid_argument");
        assert_eq!(count::<u32>("limit", 1 << 32).unwrap_err().code(), "invalid_argument");
        assert_eq!(duration("wait", i64::MAX).unwrap().as_millis(), i64::MAX as u128);
    }

    #[test]
    fn any_instant_crosses() {
        for (at, back) in [(i64::MIN, 0), (-1, 0), (0, 0), (1_764_000_000_123, 1_764_000_000_123)] {
            assert_eq!(millis(instant(at)), back);
        }
        assert_eq!(millis(instant(i64::MAX)), i64::MAX);
    }
}
