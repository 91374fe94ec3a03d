//! Counters of the engine, written by the writer thread and read by anybody.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::model::EngineStats;

#[derive(Debug, Default)]
pub(crate) struct Stats {
    commits: AtomicU64,
    operations: AtomicU64,
    failed_commits: AtomicU64,
    by_size: [AtomicU64; 7],
    by_duration: [AtomicU64; 7],
    commit_nanos: AtomicU64,
    pub(super) waiting_claims: AtomicU64,
}

impl Stats {
    pub(super) fn committed(&self, operations: u64, took: Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.operations.fetch_add(operations, Ordering::Relaxed);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.commit_nanos.fetch_add(nanos, Ordering::Relaxed);
        count(&self.by_size, operations);
        count(&self.by_duration, nanos.div_ceil(1_000_000));
    }

    pub(super) fn failed(&self) {
        self.failed_commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> EngineStats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        EngineStats {
            commits: load(&self.commits),
            operations: load(&self.operations),
            failed_commits: load(&self.failed_commits),
            commits_by_size: self.by_size.each_ref().map(load),
            commits_by_duration: self.by_duration.each_ref().map(load),
            commit_time: Duration::from_nanos(load(&self.commit_nanos)),
            waiting_claims: load(&self.waiting_claims),
            ..EngineStats::default()
        }
    }
}

/// Counts in the first bucket of 1, 4, 16, … that holds the value; the last takes the rest.
fn count(buckets: &[AtomicU64; 7], value: u64) {
    let exponent = value.max(1).next_power_of_two().trailing_zeros().div_ceil(2) as usize;
    if let Some(bucket) = buckets.get(exponent.min(6)) {
        bucket.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_counted_in_the_first_bucket_that_holds_it() {
        for (value, bucket) in [(0, 0), (1, 0), (2, 1), (4, 1), (5, 2), (64, 3), (65, 4), (9999, 6)]
        {
            let buckets: [AtomicU64; 7] = Default::default();
            count(&buckets, value);
            assert_eq!(buckets[bucket].load(Ordering::Relaxed), 1, "{value}");
        }
    }
}
