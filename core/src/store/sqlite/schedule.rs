//! Schedules: create, change, pause, delete, run now; their rows and their history.
//!
//! [`super::fire`] owns what time brings. Invariant: the next occurrence in the row is later than the
//! newest that was decided about.

use std::slice;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use super::cache::TopicId;
use super::tx::{Step, Tx};
use super::{encode, publish};
use crate::clock::{Millis, duration_millis, from_millis, to_millis};
use crate::error::Error;
use crate::firing::{self, Identity};
use crate::limits;
use crate::model::{IdParts, MessageId, RunStatus, Schedule, ScheduleRun};
use crate::op::{Named, Outcome};
use crate::options::{MisfirePolicy, NewSchedule, OverlapPolicy, ScheduleOptions};
use crate::recurrence::Recurrence;

/// The header that names the occurrence a message stands for.
const OCCURRENCE: &str = "blockqueue-occurrence";

/// The row of a schedule.
pub(super) struct Stored {
    pub id: i64,
    pub topic: TopicId,
    pub name: String,
    pub created_at: Millis,
    version: u64,
    paused: bool,
    pub options: ScheduleOptions,
    pub next_at: Option<Millis>,
    due_at: Option<Millis>,
    last_at: Option<Millis>,
    pub queued_at: Option<Millis>,
    /// Key of the newest message, and when it was accepted.
    pub message: Option<(i64, Millis)>,
    run_seq: i64,
}

impl Stored {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let message_id: Option<i64> = row.get("message_id")?;
        Ok(Self {
            id: row.get("id")?,
            topic: row.get("topic_id")?,
            name: row.get("name")?,
            created_at: row.get("created_at")?,
            version: row.get("version")?,
            paused: row.get("paused")?,
            options: encode::schedule_options(row)?,
            next_at: row.get("next_at")?,
            due_at: row.get("due_at")?,
            last_at: row.get("last_at")?,
            queued_at: row.get("queued_at")?,
            message: message_id.zip(row.get("message_at")?),
            run_seq: row.get("run_seq")?,
        })
    }

    pub(super) fn identity(&self, tag: u16) -> Identity {
        Identity { tag, schedule: self.id }
    }

    pub(super) fn view(self, topic: &str) -> Schedule {
        Schedule {
            id: self.id.cast_unsigned(),
            topic: topic.to_owned(),
            name: self.name,
            options: self.options,
            version: self.version,
            paused: self.paused,
            next_at: self.next_at.map(from_millis),
            due_at: self.due_at.map(from_millis),
            last_at: self.last_at.map(from_millis),
            queued_at: self.queued_at.map(from_millis),
            created_at: from_millis(self.created_at),
        }
    }
}

// --- verbs --------------------------------------------------------------------------------------------

pub(super) fn create(tx: &mut Tx<'_>, topic: &str, new: &NewSchedule) -> Step<Outcome> {
    let id = tx.topic_id(topic)?;
    if find(tx, id, &new.name)?.is_some() {
        let (topic, schedule) = (topic.to_owned(), new.name.clone());
        return Err(Error::ScheduleExists { topic, schedule }.into());
    }
    let count: u64 = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedule_count.sql"))?
        .query_row([id], |row| row.get(0))?;
    let limit = limits::SCHEDULES_PER_TOPIC_MAX as u64;
    if count >= limit {
        return Err(Error::LimitExceeded { what: "schedules", actual: count + 1, limit }.into());
    }
    let recurrence = Recurrence::new(&new.options, tx.now)?;
    let schedule = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedule_insert.sql"))?
        .insert(params![id, new.name, tx.now])?;
    write_options(tx, schedule, 1, &new.options)?;
    let stored = get(tx, schedule)?;
    plan(tx, &stored, false, Some(&recurrence))?;
    Ok(Outcome::Schedule(Box::new(get(tx, schedule)?.view(topic))))
}

pub(super) fn update(
    tx: &mut Tx<'_>,
    of: &Named,
    version: u64,
    options: &ScheduleOptions,
) -> Step<Outcome> {
    let stored = by_name(tx, of)?;
    if stored.version != version {
        return Err(Error::StaleVersion { version, current: stored.version }.into());
    }
    let recurrence = Recurrence::new(options, stored.created_at)?;
    write_options(tx, stored.id, version + 1, options)?;
    let stored = get(tx, stored.id)?;
    plan(tx, &stored, stored.paused, Some(&recurrence))?;
    Ok(Outcome::Schedule(Box::new(get(tx, stored.id)?.view(&of.topic))))
}

pub(super) fn delete(tx: &mut Tx<'_>, of: &Named) -> Step<Outcome> {
    let id = by_name(tx, of)?.id;
    remove(tx, id)?;
    Ok(Outcome::Done)
}

pub(super) fn pause(tx: &mut Tx<'_>, of: &Named, paused: bool) -> Step<Outcome> {
    let stored = by_name(tx, of)?;
    if stored.paused != paused {
        // A rule that cannot be read any more is no reason to go on.
        let recurrence =
            (!paused).then(|| Recurrence::new(&stored.options, stored.created_at)).transpose()?;
        plan(tx, &stored, paused, recurrence.as_ref())?;
    }
    Ok(Outcome::Done)
}

pub(super) fn run_now(tx: &mut Tx<'_>, of: &Named) -> Step<Outcome> {
    let mut stored = by_name(tx, of)?;
    publish_message(tx, &mut stored, None)?;
    let run = record(tx, &mut stored, &Entry::new(RunStatus::Manual))?;
    write_progress(tx, &stored)?;
    Ok(Outcome::Run(run))
}

/// Deletes a schedule and its history, which is bounded.
pub(super) fn remove(tx: &mut Tx<'_>, id: i64) -> Step<()> {
    forget_runs(tx, id, i64::MAX)?;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedule_delete.sql"))?
        .execute([id])?;
    tx.cache.queued = None;
    Ok(())
}

/// The topic is gone: nothing of it is fired any more. Upkeep reclaims the rows.
pub(super) fn stop_all(tx: &mut Tx<'_>, topic: TopicId) -> Step<()> {
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedules_stop.sql"))?
        .execute([topic])?;
    tx.cache.queued = None;
    Ok(())
}

// --- rows ---------------------------------------------------------------------------------------------

fn find(tx: &Tx<'_>, topic: TopicId, name: &str) -> Step<Option<i64>> {
    Ok(tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedule_by_name.sql"))?
        .query_row(params![topic, name], |row| row.get(0))
        .optional()?)
}

pub(super) fn by_name(tx: &mut Tx<'_>, of: &Named) -> Step<Stored> {
    let topic = tx.topic_id(&of.topic)?;
    let Some(id) = find(tx, topic, &of.schedule)? else {
        let (topic, schedule) = (of.topic.clone(), of.schedule.clone());
        return Err(Error::UnknownSchedule { topic, schedule }.into());
    };
    get(tx, id)
}

pub(super) fn load(tx: &Tx<'_>, id: i64) -> Step<Option<Stored>> {
    Ok(tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedule_get.sql"))?
        .query_row([id], Stored::from_row)
        .optional()?)
}

pub(super) fn get(tx: &Tx<'_>, id: i64) -> Step<Stored> {
    load(tx, id)?.ok_or_else(|| Error::internal("a schedule is gone").into())
}

fn write_options(tx: &Tx<'_>, id: i64, version: u64, options: &ScheduleOptions) -> Step<()> {
    let (misfire, misfire_limit) = match options.misfire {
        MisfirePolicy::Skip => (0, 0),
        MisfirePolicy::Once => (1, 0),
        MisfirePolicy::All { limit } => (2, limit),
    };
    let overlap = match options.overlap {
        OverlapPolicy::Allow => 0,
        OverlapPolicy::Skip => 1,
        OverlapPolicy::Queue => 2,
    };
    let message = &options.message;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedule_settings.sql"))?
        .execute(params![
            id,
            version,
            options.cron,
            options.timezone,
            options.start.map(to_millis),
            options.end.map(to_millis),
            duration_millis(options.jitter),
            duration_millis(options.grace),
            misfire,
            misfire_limit,
            overlap,
            message.priority,
            message.content_type,
            encode::headers_to_json(&message.headers),
            message.correlation_id,
            message.ordering_key,
            message.ttl.map(duration_millis),
            message.payload,
        ])?;
    Ok(())
}

/// Goes on with the first occurrence after now that was not decided about; without a recurrence, or
/// paused, with none.
pub(super) fn plan(
    tx: &mut Tx<'_>,
    stored: &Stored,
    paused: bool,
    recurrence: Option<&Recurrence>,
) -> Step<()> {
    let decided = stored.last_at.map_or(tx.now, |last| last.max(tx.now));
    let next = recurrence.filter(|_| !paused).and_then(|recurrence| recurrence.after(decided));
    let due = due_of(tx, stored, next);
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedule_plan.sql"))?
        .execute(params![stored.id, paused, next, due])?;
    tx.cache.queued = None;
    Ok(())
}

/// When the next occurrence is due; whoever waits for time is told.
pub(super) fn due_of(tx: &mut Tx<'_>, stored: &Stored, next: Option<Millis>) -> Option<Millis> {
    let due = firing::due_at(&stored.options, stored.identity(tx.tag), next?);
    tx.cache.next_schedule.note(due);
    Some(due)
}

pub(super) fn write_progress(tx: &mut Tx<'_>, stored: &Stored) -> Step<()> {
    let (message, message_at) = stored.message.unzip();
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedule_progress.sql"))?
        .execute(params![stored.id, stored.queued_at, message, message_at, stored.run_seq])?;
    // It may wait for another message now.
    tx.cache.queued = None;
    Ok(())
}

// --- messages and history -----------------------------------------------------------------------------

/// Publishes the message for an occurrence, or for nobody's; the schedule remembers which it was.
pub(super) fn publish_message(
    tx: &mut Tx<'_>,
    stored: &mut Stored,
    occurrence: Option<Millis>,
) -> Step<()> {
    let mut message = stored.options.message.clone();
    if let Some(occurrence) = occurrence.and_then(|at| Timestamp::from_millisecond(at).ok()) {
        message.headers.entry(OCCURRENCE.to_owned()).or_insert_with(|| occurrence.to_string());
    }
    let topic = Arc::clone(&tx.topic(stored.topic)?.name);
    let Outcome::Published(published) = publish::publish(tx, &topic, slice::from_ref(&message))?
    else {
        return Err(Error::internal("a publish published nothing").into());
    };
    let parts = published.first().and_then(|published| published.id.parts());
    stored.message = parts.map(|parts| (parts.key, parts.at));
    Ok(())
}

/// An entry of the history that is about to be written.
pub(super) struct Entry<'a> {
    pub status: RunStatus,
    pub occurrence: Option<Millis>,
    pub until: Option<Millis>,
    pub error: Option<&'a str>,
}

impl Entry<'_> {
    pub(super) const fn new(status: RunStatus) -> Self {
        Self { status, occurrence: None, until: None, error: None }
    }

    pub(super) const fn of(status: RunStatus, occurrence: Millis) -> Self {
        Self { occurrence: Some(occurrence), ..Self::new(status) }
    }
}

/// Adds to the history, and forgets its oldest part. A message is that of the schedule's newest publish.
pub(super) fn record(tx: &Tx<'_>, stored: &mut Stored, entry: &Entry<'_>) -> Step<ScheduleRun> {
    let published = matches!(entry.status, RunStatus::Fired | RunStatus::Manual);
    let (message, message_at) = stored.message.filter(|_| published).unzip();
    stored.run_seq += 1;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/schedule_run_insert.sql"))?
        .execute(params![
            stored.id,
            stored.run_seq,
            encode::run_status(entry.status),
            entry.occurrence,
            entry.until,
            tx.now,
            message,
            message_at,
            entry.error,
        ])?;
    forget_runs(tx, stored.id, stored.run_seq - limits::SCHEDULE_RUNS_KEPT.cast_signed())?;
    Ok(ScheduleRun {
        run: stored.run_seq.cast_unsigned(),
        status: entry.status,
        occurrence_at: entry.occurrence.map(from_millis),
        until_at: entry.until.map(from_millis),
        at: from_millis(tx.now),
        message_id: message.zip(message_at).map(|(key, at)| message_id(tx.tag, key, at)),
        error: entry.error.map(str::to_owned),
    })
}

fn forget_runs(tx: &Tx<'_>, id: i64, newest: i64) -> Step<()> {
    if newest > 0 {
        tx.connection
            .prepare_cached(include_str!("../../../sql/sqlite/schedule_run_forget.sql"))?
            .execute(params![id, newest])?;
    }
    Ok(())
}

pub(super) fn message_id(tag: u16, key: i64, at: Millis) -> MessageId {
    MessageId::new(IdParts { at, key, tag })
}
