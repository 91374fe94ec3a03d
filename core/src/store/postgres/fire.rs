//! Schedules: what needs the rules of `recurrence` and `firing`, which SQL does not know.
//!
//! The engine decides with what it has read; the database carries it out if nothing of that has changed since.

use serde_json::{Map, Value, json};

use super::decode::read;
use super::encode::Group;
use super::query::{Asker, of_schedule};
use super::settings::ScheduleRow;
use crate::clock::Millis;
use crate::error::Result;
use crate::firing::{self, Identity};
use crate::limits;
use crate::op::{Named, Op};
use crate::options::ScheduleOptions;
use crate::recurrence::Recurrence;

/// Whether what an operation does follows from a rule, and not from what is stored alone.
pub(super) const fn is_decided_here(op: &Op) -> bool {
    matches!(op, Op::CreateSchedule { .. } | Op::UpdateSchedule { .. } | Op::PauseSchedule { .. })
}

/// Adds such an operation; if that fails, nothing. `now` is the server's time.
pub(super) fn add<'a>(
    group: &mut Group<'a>,
    asker: &Asker<'_>,
    op: &'a Op,
    now: Millis,
) -> Result<()> {
    match op {
        Op::CreateSchedule { topic, new } => {
            let next = Recurrence::new(&new.options, now)?.after(now);
            let op = json!({
                "op": "create_schedule",
                "topic": topic,
                "name": new.name,
                "created_at": now,
                "next_at": next,
            });
            group.add_schedule(op, &new.options);
        }
        Op::UpdateSchedule { of, version, options } => {
            let stored = read_one(asker, of)?;
            let next = next_of(options, &stored, now)?;
            let op = json!({
                "op": "update_schedule",
                "topic": of.topic,
                "name": of.schedule,
                "version": version,
                "next_at": next,
                "last_at": stored.last_at,
            });
            group.add_schedule(op, options);
        }
        Op::PauseSchedule { of, paused } => {
            let stored = read_one(asker, of)?;
            // A rule that cannot be read any more is no reason to go on.
            let goes_on = stored.paused && !paused;
            let next = if goes_on { next_of(&stored.options(), &stored, now)? } else { None };
            group.topics.push(of.topic.clone());
            group.push(json!({
                "op": "pause_schedule",
                "topic": of.topic,
                "name": of.schedule,
                "paused": paused,
                "next_at": next,
                "version": stored.version,
                "last_at": stored.last_at,
            }));
        }
        _ => {}
    }
    Ok(())
}

fn read_one(asker: &Asker<'_>, of: &Named) -> Result<ScheduleRow> {
    read(asker.ask(&of_schedule(of, "schedule"))?.answer)
}

/// The first occurrence after now that was not decided about.
fn next_of(options: &ScheduleOptions, stored: &ScheduleRow, now: Millis) -> Result<Option<Millis>> {
    let decided = stored.last_at.map_or(now, |last| last.max(now));
    Ok(Recurrence::new(options, stored.created_at)?.after(decided))
}

/// Adds what is to be done with schedules that are due; a bounded number of them.
pub(super) fn add_due(group: &mut Group<'_>, asker: &Asker<'_>) -> Result<()> {
    let rows: Vec<ScheduleRow> = read(asker.ask(&json!({ "query": "due_schedules" }))?.answer)?;
    let mut cost = 0;
    for row in rows {
        if cost >= limits::BATCH_BYTES_MAX {
            break;
        }
        let Some(first) = row.next_at else { continue };
        let options = row.options();
        let mut op = Map::new();
        for (name, value) in [
            ("op", json!("fire")),
            ("id", json!(row.id)),
            ("version", json!(row.version)),
            ("from", json!(first)),
        ] {
            op.insert(name.into(), value);
        }
        match Recurrence::new(&options, row.created_at) {
            Ok(recurrence) => {
                let who = Identity { tag: asker.tag, schedule: row.id };
                let mut firing = firing::decide(&options, &recurrence, who, first, row.now);
                // Messages of no bytes cost time, too.
                let size =
                    options.message.size_bytes().max(limits::BATCH_BYTES_MAX / limits::STEP_ROWS);
                firing.fire.truncate((limits::BATCH_BYTES_MAX / size).max(1));
                cost += size * firing.fire.len();
                // What there is no room for is still to come.
                let decided = firing.fire.last().map_or(firing.newest, |last| *last);
                op.insert("decided".into(), json!(decided));
                op.insert("next".into(), json!(recurrence.after(decided)));
                op.insert("fire".into(), json!(firing.fire));
                if let Some(missed) = firing.missed {
                    op.insert("missed".into(), json!(missed));
                }
            }
            Err(error) => {
                op.insert("error".into(), json!(error.to_string()));
            }
        }
        group.topics.push(row.topic.clone());
        group.push(Value::Object(op));
    }
    Ok(())
}
