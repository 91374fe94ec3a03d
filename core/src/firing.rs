//! What becomes of the occurrences of a schedule that are due: fired, made up for, or left out.
//!
//! Owns the misfire policies and the jitter. Reads no clock and knows no database, so every store decides
//! alike. Invariant: the work is bounded, however long nobody was there to fire.

use sha2::{Digest as _, Sha256};

use crate::clock::{Millis, duration_millis};
use crate::options::{MisfirePolicy, ScheduleOptions};
use crate::recurrence::Recurrence;

/// Which schedule: what makes its jitter different from that of another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    /// The database's tag.
    pub tag: u16,
    pub schedule: i64,
}

/// What becomes of everything from the first due occurrence up to the newest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Firing {
    /// Missed and left out: the first and the last of them.
    pub missed: Option<(Millis, Millis)>,
    /// To be fired now, oldest first.
    pub fire: Vec<Millis>,
    /// The newest occurrence that this decides about.
    pub newest: Millis,
}

/// When an occurrence is due. The same in every process.
pub(crate) fn due_at(options: &ScheduleOptions, who: Identity, occurrence: Millis) -> Millis {
    let most = duration_millis(options.jitter);
    if most == 0 {
        return occurrence;
    }
    let mut hash = Sha256::new();
    hash.update(who.tag.to_be_bytes());
    hash.update(who.schedule.to_be_bytes());
    hash.update(occurrence.to_be_bytes());
    let digest = hash.finalize();
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    occurrence + (number % (most.cast_unsigned() + 1)).cast_signed()
}

/// Decides about the occurrence `first`, which is due, and those after it that are due for certain.
pub(crate) fn decide(
    options: &ScheduleOptions,
    recurrence: &Recurrence,
    who: Identity,
    first: Millis,
    now: Millis,
) -> Firing {
    // Whatever its jitter is, an occurrence up to here is due.
    let certain = now - duration_millis(options.jitter);
    let newest = recurrence.latest(certain).map_or(first, |latest| latest.max(first));
    let is_late = now - due_at(options, who, newest) > duration_millis(options.grace);
    let mut fire = match options.misfire {
        MisfirePolicy::Skip if is_late => Vec::new(),
        MisfirePolicy::Skip | MisfirePolicy::Once => vec![newest],
        MisfirePolicy::All { limit } => back_from(recurrence, newest, first, limit),
    };
    fire.reverse();
    let missed = match fire.first() {
        None => Some((first, newest)),
        Some(oldest) if *oldest > first => {
            let last = recurrence.latest(oldest - 1).map_or(first, |latest| latest.max(first));
            Some((first, last))
        }
        Some(_) => None,
    };
    Firing { missed, fire, newest }
}

/// The newest occurrences, newest first, down to `first` and at most `limit`.
fn back_from(recurrence: &Recurrence, newest: Millis, first: Millis, limit: u32) -> Vec<Millis> {
    let before = |at: &Millis| recurrence.latest(at - 1).filter(|earlier| *earlier >= first);
    std::iter::successors(Some(newest), before).take(limit as usize).collect()
}

#[cfg(test)]
mod tests;
