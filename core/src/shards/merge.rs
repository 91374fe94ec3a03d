//! Answers of several databases as one.

use std::collections::VecDeque;

use crate::error::{Error, Result};
use crate::model::{Diagnosis, EngineStats, Listed, Topic};
use crate::op::{Outcome, Settled};

/// One page of what are pages of each, by name.
pub(super) fn topics(pages: Vec<Listed<Topic>>, limit: usize) -> Listed<Topic> {
    let mut more = pages.iter().any(|page| page.next.is_some());
    let mut items: Vec<_> = pages.into_iter().flat_map(|page| page.items).collect();
    items.sort_by(|a, b| a.name.cmp(&b.name));
    more |= items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|topic| topic.name.clone());
    Listed { items, next }
}

/// Outcomes in the order in which they were asked for: `places` says which database each is from.
pub(super) fn settled(places: &[usize], parts: Vec<Result<Outcome>>) -> Vec<Result<Settled>> {
    let mut parts: Vec<Result<VecDeque<Result<Settled>>>> = parts
        .into_iter()
        .map(|part| match part? {
            Outcome::Settled(items) => Ok(items.into()),
            _ => Err(Error::internal("an outcome of something else")),
        })
        .collect();
    let mut next = |place: &usize| match parts.get_mut(*place) {
        Some(Ok(items)) => items.pop_front(),
        Some(Err(error)) => Some(Err(error.clone())),
        None => None,
    };
    let missing = || Err(Error::internal("a settlement has no outcome"));
    places.iter().map(|place| next(place).unwrap_or_else(missing)).collect()
}

pub(super) fn diagnoses(found: Vec<(String, Diagnosis)>) -> Diagnosis {
    let mut all = Diagnosis {
        schema_version: 0,
        sqlite_version: String::new(),
        file_bytes: 0,
        wal_bytes: 0,
        free_bytes: 0,
        problems: Vec::new(),
        advice: Vec::new(),
    };
    for (name, one) in found {
        let named = |text: String| format!("{name}: {text}");
        all.schema_version = all.schema_version.max(one.schema_version);
        if !all.sqlite_version.contains(&one.sqlite_version) {
            let comma = if all.sqlite_version.is_empty() { "" } else { ", " };
            all.sqlite_version = format!("{}{comma}{}", all.sqlite_version, one.sqlite_version);
        }
        all.file_bytes += one.file_bytes;
        all.wal_bytes += one.wal_bytes;
        all.free_bytes += one.free_bytes;
        all.problems.extend(one.problems.into_iter().map(named));
        all.advice.extend(one.advice.into_iter().map(named));
    }
    all
}

pub(super) fn engine_stats(mut sum: EngineStats, one: &EngineStats) -> EngineStats {
    sum.commits += one.commits;
    sum.operations += one.operations;
    sum.failed_commits += one.failed_commits;
    let add = |sums: &mut [u64], ones: &[u64]| {
        sums.iter_mut().zip(ones).for_each(|(sum, one)| *sum += one);
    };
    add(&mut sum.commits_by_size, &one.commits_by_size);
    add(&mut sum.commits_by_duration, &one.commits_by_duration);
    sum.commit_time += one.commit_time;
    sum.waiting_claims += one.waiting_claims;
    sum.file_bytes += one.file_bytes;
    sum.wal_bytes += one.wal_bytes;
    sum
}
