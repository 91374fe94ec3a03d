//! Dead letters: claimable again, or gone.
//!
//! Bounded per transaction: an operation on many goes on in further ones.

use rusqlite::params;

use super::cache::SubscriberId;
use super::encode;
use super::ids::{self, Found};
use super::settle::{self, Wait};
use super::tx::{Step, Tx};
use crate::limits;
use crate::op::{Outcome, Source};
use crate::options::DeadLetters;

pub(super) fn redrive(
    tx: &mut Tx<'_>,
    source: &Source,
    which: &DeadLetters,
    done: u64,
) -> Step<Outcome> {
    let id = tx.subscriber_id(source)?;
    let (letters, more) = choose(tx, id, which, done)?;
    for (key, failures) in &letters {
        let wait = Wait { lease: None, ready_at: tx.now, attempts: 0, failures: *failures };
        settle::retry(tx, id, *key, &wait)?;
    }
    let count = letters.len().cast_signed() as i64;
    let counts = tx.counts(id)?;
    counts.dead -= count;
    counts.retrying += count;
    if count > 0 {
        tx.note_ready(id, tx.now)?;
    }
    Ok(outcome(done, letters.len(), more))
}

pub(super) fn purge(
    tx: &mut Tx<'_>,
    source: &Source,
    which: &DeadLetters,
    done: u64,
) -> Step<Outcome> {
    let id = tx.subscriber_id(source)?;
    let (letters, more) = choose(tx, id, which, done)?;
    for (key, _) in &letters {
        settle::delete(tx, id, *key)?;
    }
    tx.counts(id)?.dead -= letters.len().cast_signed() as i64;
    Ok(outcome(done, letters.len(), more))
}

fn outcome(done: u64, count: usize, more: bool) -> Outcome {
    let done = done + count as u64;
    if more { Outcome::Partial(done) } else { Outcome::Count(done) }
}

/// Keys and failures of the dead letters to touch now, and whether there are more for later.
fn choose(
    tx: &Tx<'_>,
    id: SubscriberId,
    which: &DeadLetters,
    done: u64,
) -> Step<(Vec<(i64, u32)>, bool)> {
    let wanted = match which {
        DeadLetters::Ids(message_ids) => {
            let topic = tx.subscriber(id)?.topic;
            let mut letters = Vec::new();
            for message in message_ids {
                let found = ids::find(tx.connection, tx.tag, topic, *message)?;
                let Some(Found::Logged { key }) = found else { continue };
                let state = encode::delivery_state(tx.connection, key, id)?;
                // An id named twice counts once.
                if let Some((encode::DEAD, failures)) = state
                    && !letters.contains(&(key, failures))
                {
                    letters.push((key, failures));
                }
            }
            return Ok((letters, false));
        }
        DeadLetters::Oldest(limit) => limit.saturating_sub(done),
        DeadLetters::All => u64::MAX,
    };
    let step = wanted.min(limits::STEP_ROWS as u64);
    let letters: Vec<(i64, u32)> = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/dead_oldest.sql"))?
        .query_map(params![id, encode::signed(step)], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let more = letters.len() == limits::STEP_ROWS && wanted > step;
    Ok((letters, more))
}
