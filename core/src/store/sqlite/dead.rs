//! Dead letters: claimable again, published to another topic, or gone.
//!
//! Bounded per transaction: an operation on many goes on in further ones, from where the last one ended,
//! and never looks at a letter twice. Invariant: a letter that was redriven to another topic is gone if
//! and only if its new message is there.

use rusqlite::params;

use super::cache::SubscriberId;
use super::claim::select;
use super::ids::{self, Found};
use super::keys;
use super::read::messages;
use super::settle::{self, Wait};
use super::tx::{Step, Tx};
use super::{encode, publish};
use crate::clock::{Millis, from_millis};
use crate::error::Error;
use crate::limits;
use crate::model::{MessageId, MessageView};
use crate::op::{Outcome, Progress, Source};
use crate::options::{DeadLetters, Filter, Message, Purge, Redrive};

/// Where a message came from that was redriven to another topic: `topic/subscriber/message id`. Names
/// have no slash.
const ORIGIN: &str = "blockqueue-origin";

/// A dead letter that was chosen.
struct Letter {
    key: i64,
    failures: u32,
    /// Only if it is to be published anew.
    message: Option<MessageView>,
}

pub(super) fn redrive(
    tx: &mut Tx<'_>,
    source: &Source,
    options: &Redrive,
    so_far: Option<Progress>,
) -> Step<Outcome> {
    let id = tx.subscriber_id(source)?;
    if let Some(to) = &options.to {
        tx.topic_id(to)?;
    }
    let choice = Choice {
        which: &options.which,
        filter: options.filter.as_ref(),
        at_most: options.rate.map_or(u64::MAX, due_in_time),
        with_messages: options.to.is_some() && !options.dry_run,
    };
    let begun = begin(tx, id, so_far)?;
    let (letters, progress, more) = choose(tx, id, &choice, begun)?;
    if !options.dry_run {
        let now = tx.now;
        let due = |place: usize| match options.rate {
            Some(rate) => begun.since + spacing(begun.done + place as u64, rate),
            None => now,
        };
        match &options.to {
            Some(to) => move_to(tx, id, to, letters, due)?,
            None => revive(tx, id, &letters, due)?,
        }
    }
    Ok(outcome(progress, more))
}

/// How many letters fall due within the longest delay, at this rate.
fn due_in_time(rate: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and bounded"
    )]
    let whole = (limits::DELAY_MAX.as_secs_f64() * rate) as u64;
    whole + 1
}

/// How long after the first letter this one falls due.
fn spacing(place: u64, rate: f64) -> Millis {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a year at most"
    )]
    let millis = (place as f64 * 1_000.0 / rate) as Millis;
    millis
}

/// They wait for their next attempt, with all attempts before them.
fn revive(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    letters: &[Letter],
    due: impl Fn(usize) -> Millis,
) -> Step<()> {
    for (place, letter) in letters.iter().enumerate() {
        let failures = letter.failures;
        tx.counts(id)?.dead -= 1;
        if !keys::revive(tx, id, letter.key)? {
            let wait = Wait { lease: None, ready_at: due(place), attempts: 0, failures };
            settle::retry(tx, id, letter.key, &wait)?;
            tx.counts(id)?.retrying += 1;
        }
    }
    let count = letters.len().cast_signed() as i64;
    if count > 0 {
        tx.note_ready(id, due(0))?;
    }
    Ok(())
}

/// Publishes them to another topic, which may refuse before anything is written, and ends them here.
fn move_to(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    to: &str,
    letters: Vec<Letter>,
    due: impl Fn(usize) -> Millis,
) -> Step<()> {
    let from = tx.source(id)?;
    let mut keys = Vec::with_capacity(letters.len());
    let mut copies = Vec::with_capacity(letters.len());
    for letter in letters {
        let message = letter.message.ok_or_else(|| Error::internal("a delivery of no message"))?;
        let due = due(copies.len());
        let copy = copy(message, &from);
        // Without a rate it is due at once, and goes straight into its log.
        copies.push(if due > tx.now { copy.with_deliver_at(from_millis(due)) } else { copy });
        keys.push(letter.key);
    }
    if !copies.is_empty() {
        publish::publish(tx, to, &copies)?;
    }
    bury_for_good(tx, id, &keys)
}

/// What a letter says, as a new message with a new life. Keys that belong to the topic it came from stay
/// there.
fn copy(message: MessageView, from: &Source) -> Message {
    let origin = format!("{}/{}/{}", from.topic, from.subscriber, message.id);
    let mut copy = Message::new(message.payload)
        .with_headers(message.headers)
        .with_header(ORIGIN, origin)
        .with_priority(message.priority);
    copy.content_type = message.content_type;
    copy.correlation_id = message.correlation_id;
    copy.ordering_key = message.ordering_key;
    copy
}

pub(super) fn purge(
    tx: &mut Tx<'_>,
    source: &Source,
    options: &Purge,
    so_far: Option<Progress>,
) -> Step<Outcome> {
    let id = tx.subscriber_id(source)?;
    let choice = Choice {
        which: &options.which,
        filter: options.filter.as_ref(),
        at_most: u64::MAX,
        with_messages: false,
    };
    let begun = begin(tx, id, so_far)?;
    let (letters, progress, more) = choose(tx, id, &choice, begun)?;
    if !options.dry_run {
        let keys: Vec<i64> = letters.iter().map(|letter| letter.key).collect();
        bury_for_good(tx, id, &keys)?;
    }
    Ok(outcome(progress, more))
}

fn bury_for_good(tx: &mut Tx<'_>, id: SubscriberId, keys: &[i64]) -> Step<()> {
    for key in keys {
        let ordering_key = keys::of(tx, id, *key)?;
        settle::delete(tx, id, *key)?;
        keys::freed(tx, id, ordering_key.as_deref())?;
    }
    tx.counts(id)?.dead -= keys.len().cast_signed() as i64;
    Ok(())
}

fn outcome(progress: Progress, more: bool) -> Outcome {
    if more { Outcome::Partial(progress) } else { Outcome::Count(progress.done) }
}

// --- which ----------------------------------------------------------------------------------------------

struct Choice<'a> {
    which: &'a DeadLetters,
    filter: Option<&'a Filter>,
    /// Whatever is asked for, no more than this.
    at_most: u64,
    with_messages: bool,
}

/// Where to go on. At first: at the oldest, as far as the letters that there are now, so that one which
/// dies again meanwhile is not taken a second time.
fn begin(tx: &Tx<'_>, id: SubscriberId, so_far: Option<Progress>) -> Step<Progress> {
    if let Some(progress) = so_far {
        return Ok(progress);
    }
    let left = u64::try_from(tx.subscriber(id)?.counts.dead).unwrap_or(0);
    Ok(Progress { done: 0, left, place: (Millis::MIN, 0), since: tx.now })
}

/// The letters to touch now, where that leads to, and whether there are more for later.
fn choose(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    choice: &Choice<'_>,
    begun: Progress,
) -> Step<(Vec<Letter>, Progress, bool)> {
    let at_most = match choice.which {
        DeadLetters::Oldest(limit) => choice.at_most.min(*limit),
        _ => choice.at_most,
    };
    let candidates = candidates(tx, id, choice.which, begun)?;
    let is_full = candidates.len() == limits::STEP_ROWS;
    let (mut letters, mut progress, mut bytes) = (Vec::new(), begun, 0);
    for (place, key, failures) in candidates {
        if progress.done == at_most {
            return Ok((letters, progress, false));
        }
        if bytes >= tx.step_bytes {
            return Ok((letters, progress, true));
        }
        progress.place = place;
        progress.left = progress.left.saturating_sub(1);
        if !select::matches(tx, choice.filter, key)? {
            continue;
        }
        let message = if choice.with_messages { messages::load(tx, key)? } else { None };
        bytes += message.as_ref().map_or(0, |message| message.payload.len());
        progress.done += 1;
        letters.push(Letter { key, failures, message });
    }
    let more = is_full && progress.left > 0 && progress.done < at_most;
    Ok((letters, progress, more))
}

/// The next dead letters among those asked for: place, key and failures.
type Candidate = ((i64, i64), i64, u32);

fn candidates(
    tx: &Tx<'_>,
    id: SubscriberId,
    which: &DeadLetters,
    progress: Progress,
) -> Step<Vec<Candidate>> {
    let place = progress.place;
    if let DeadLetters::Ids(named) = which {
        return named_letters(tx, id, named, usize::try_from(place.0).unwrap_or(0));
    }
    let count = progress.left.min(limits::STEP_ROWS as u64);
    let letters = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/dead_next.sql"))?
        .query_map(params![id, place.0, place.1, encode::signed(count)], |row| {
            let key = row.get(1)?;
            Ok(((row.get(0)?, key), key, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(letters)
}

/// Those of a list of messages that are dead letters; an id named twice counts once.
fn named_letters(
    tx: &Tx<'_>,
    id: SubscriberId,
    named: &[MessageId],
    skip: usize,
) -> Step<Vec<Candidate>> {
    let topic = tx.subscriber(id)?.topic;
    let mut letters: Vec<Candidate> = Vec::new();
    for (message, place) in named.iter().zip(1_i64..).skip(skip) {
        let found = ids::find(tx.connection, tx.tag, topic, *message)?;
        let Some(Found::Logged { key }) = found else { continue };
        let state = encode::delivery_state(tx.connection, key, id)?;
        if let Some((encode::DEAD, failures)) = state
            && !letters.iter().any(|(_, earlier, _)| *earlier == key)
        {
            letters.push(((place, 0), key, failures));
        }
    }
    Ok(letters)
}
