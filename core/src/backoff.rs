//! How long a failed delivery waits before its next attempt.

use crate::clock::{Millis, duration_millis};
use crate::options::RetryPolicy;

/// The pause after the given number of failures, from 1. `chance` is from 0 up to, not including, 1.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "at most a year")]
pub(crate) fn pause(policy: &RetryPolicy, failures: u32, chance: f64) -> Millis {
    let max = duration_millis(policy.max) as f64;
    let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
    // Overflows to infinity at worst, and `min` brings it back.
    let base = (duration_millis(policy.initial) as f64 * policy.multiplier.powi(exponent)).min(max);
    let share = policy.jitter * (2.0 * chance - 1.0);
    (base * (1.0 + share)).min(max).max(0.0) as Millis
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let policy = RetryPolicy::default().with_jitter(0.0);
        let pauses: Vec<_> = [1, 2, 3, 12, 13, 4_000_000].map(|n| pause(&policy, n, 0.0)).into();
        assert_eq!(pauses, [1_000, 2_000, 4_000, 2_048_000, 3_600_000, 3_600_000]);
    }

    #[test]
    fn jitter_shortens_and_lengthens_by_its_share_and_never_beyond_the_longest() {
        let policy = RetryPolicy::default();
        assert_eq!(pause(&policy, 1, 0.0), 800);
        assert_eq!(pause(&policy, 1, 0.5), 1_000);
        assert!((1_199..=1_200).contains(&pause(&policy, 1, 0.999_999)));
        assert!(pause(&policy, 99, 0.999_999) <= 3_600_000);
    }

    #[test]
    fn no_pause_stays_no_pause() {
        let policy = RetryPolicy::default().with_initial(Duration::ZERO);
        assert_eq!(pause(&policy, 9, 0.9), 0);
    }
}
