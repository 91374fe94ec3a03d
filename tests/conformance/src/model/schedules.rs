//! Schedules: which occurrences fire, which were missed, which wait.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Answer, Model, No, Place, refused};
use crate::operation::{Message, Misfire, Overlap, ScheduleOptions};

const UNKNOWN_SCHEDULE: No = No::Refused("unknown_schedule", None);
const GRACE_MS: i64 = 60_000;
/// The header that names the occurrence of a message.
const OCCURRENCE: &str = "blockqueue-occurrence";

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule {
    /// Older ones have smaller numbers.
    number: u64,
    pub version: u64,
    paused: bool,
    options: ScheduleOptions,
    created_at: i64,
    next_at: Option<i64>,
    /// The newest occurrence that was decided about.
    last_at: Option<i64>,
    queued_at: Option<i64>,
    /// Its newest message.
    message: Option<Place>,
    /// Oldest first.
    runs: Vec<Run>,
}

#[derive(Debug, Clone, PartialEq)]
struct Run {
    number: usize,
    status: &'static str,
    occurrence_at: Option<i64>,
    until_at: Option<i64>,
    at: i64,
}

/// Times at a fixed distance: all that the rules of histories describe.
struct Recurrence {
    anchor: i64,
    interval: i64,
    first: i64,
    end: Option<i64>,
}

impl Recurrence {
    fn of(options: &ScheduleOptions, created_at: i64) -> Result<Self, No> {
        let seconds = |text: &str| text.parse::<i64>().map_err(|_| No::Impossible);
        let (start, end) = (options.start_at, options.end_at);
        if let Some(every) = options.cron.strip_prefix("@every ") {
            let interval = 1_000 * seconds(every.trim_end_matches('s'))?;
            let anchor = start.unwrap_or(created_at);
            // A start is an occurrence; the moment of creation is none.
            let first = start.unwrap_or(created_at + interval);
            return Ok(Self { anchor, interval, first, end });
        }
        let every =
            options.cron.strip_prefix("*/").and_then(|rest| rest.strip_suffix(" * * * * *"));
        let interval = 1_000 * seconds(every.ok_or(No::Impossible)?)?;
        // Histories begin with a minute.
        Ok(Self { anchor: 0, interval, first: start.unwrap_or(i64::MIN), end })
    }

    fn after(&self, at: i64) -> Option<i64> {
        let at = at.max(self.first.saturating_sub(1));
        let steps = (at - self.anchor).div_euclid(self.interval) + 1;
        let next = self.anchor + steps * self.interval;
        self.end.is_none_or(|end| next <= end).then_some(next)
    }
}

impl Schedule {
    fn recurrence(&self) -> Result<Recurrence, No> {
        Recurrence::of(&self.options, self.created_at)
    }

    /// Goes on with the first occurrence that was not decided about.
    fn plan(&mut self, now: i64) -> Result<(), No> {
        let decided = self.last_at.map_or(now, |last| last.max(now));
        self.next_at = if self.paused { None } else { self.recurrence()?.after(decided) };
        Ok(())
    }

    fn view(&self, topic: &str, name: &str) -> Value {
        json!({
            "topic": topic,
            "name": name,
            "version": self.version,
            "paused": self.paused,
            "next_at": self.next_at,
            "due_at": self.next_at,
            "last_at": self.last_at,
            "queued_at": self.queued_at,
            "created_at": self.created_at,
            "options": { "cron": self.options.cron, "misfire": self.options.misfire },
        })
    }

    fn record(&mut self, status: &'static str, occurrence_at: Option<i64>, at: i64) -> Value {
        let run = Run { number: self.runs.len() + 1, status, occurrence_at, until_at: None, at };
        let view = run.view();
        self.runs.push(run);
        view
    }
}

impl Run {
    fn view(&self) -> Value {
        let Self { number, status, occurrence_at, until_at, at } = self;
        let error = if *status == "refused" { json!({ "$not": null }) } else { json!(null) };
        json!({ "run": number, "status": status, "occurrence_at": occurrence_at,
                "until_at": until_at, "at": at, "error": error })
    }
}

impl Model {
    pub(super) fn schedule_of(&mut self, topic: &str, name: &str) -> Result<&mut Schedule, No> {
        self.topic_mut(topic)?.schedules.get_mut(name).ok_or(UNKNOWN_SCHEDULE)
    }

    pub(super) fn create_schedule(
        &mut self,
        topic: &str,
        name: &str,
        options: &ScheduleOptions,
    ) -> Answer {
        let (number, now) = (self.number(), self.now);
        let topic_of = self.topic_mut(topic)?;
        if topic_of.schedules.contains_key(name) {
            return refused("schedule_exists");
        }
        let mut schedule = Schedule {
            number,
            version: 1,
            paused: false,
            options: options.clone(),
            created_at: now,
            next_at: None,
            last_at: None,
            queued_at: None,
            message: None,
            runs: Vec::new(),
        };
        schedule.plan(now)?;
        let view = schedule.view(topic, name);
        topic_of.schedules.insert(name.to_owned(), schedule);
        Ok(view)
    }

    pub(super) fn update_schedule(
        &mut self,
        topic: &str,
        name: &str,
        version: u64,
        options: &ScheduleOptions,
    ) -> Answer {
        let now = self.now;
        let schedule = self.schedule_of(topic, name)?;
        if schedule.version != version {
            return refused("stale_version");
        }
        schedule.version += 1;
        schedule.options = options.clone();
        schedule.plan(now)?;
        Ok(schedule.view(topic, name))
    }

    pub(super) fn delete_schedule(&mut self, topic: &str, name: &str) -> Answer {
        self.schedule_of(topic, name)?;
        self.topic_mut(topic)?.schedules.remove(name);
        Ok(json!({}))
    }

    pub(super) fn pause_schedule(&mut self, topic: &str, name: &str, paused: bool) -> Answer {
        let now = self.now;
        let schedule = self.schedule_of(topic, name)?;
        if schedule.paused != paused {
            schedule.paused = paused;
            schedule.plan(now)?;
        }
        Ok(json!({}))
    }

    pub(super) fn run_schedule_now(&mut self, topic: &str, name: &str) -> Answer {
        let now = self.now;
        self.publish_scheduled(topic, name, None)?;
        Ok(self.schedule_of(topic, name)?.record("manual", None, now))
    }

    pub(super) fn schedule(&mut self, topic: &str, name: &str) -> Answer {
        Ok(self.schedule_of(topic, name)?.view(topic, name))
    }

    pub(super) fn schedules(&self, topic: &str) -> Answer {
        let schedules = self.topic(topic)?.schedules.iter();
        let items: Vec<_> = schedules.map(|(name, schedule)| schedule.view(topic, name)).collect();
        Ok(json!({ "items": items, "next": null }))
    }

    pub(super) fn schedule_runs(&mut self, topic: &str, name: &str) -> Answer {
        let runs = &self.schedule_of(topic, name)?.runs;
        let items: Vec<_> = runs.iter().rev().map(Run::view).collect();
        Ok(json!({ "items": items, "next": null }))
    }

    /// What waited fires, then what is due.
    pub(super) fn fire(&mut self) -> Result<(), No> {
        for (topic, name, occurrence) in self.waiting() {
            if !self.is_running(&topic, &name) {
                self.schedule_of(&topic, &name)?.queued_at = None;
                self.fire_one(&topic, &name, occurrence)?;
            }
        }
        let now = self.now;
        for (topic, name, first) in self.in_order(|schedule| schedule.next_at) {
            if first <= now {
                self.fire_due(&topic, &name, first)?;
            }
        }
        Ok(())
    }

    /// Occurrences that wait for the message before to be settled.
    fn waiting(&self) -> Vec<(String, String, i64)> {
        self.in_order(|schedule| schedule.queued_at.filter(|_| !schedule.paused))
    }

    /// The message that an occurrence waited for is settled: the next transaction fires it.
    pub(super) fn is_any_released(&self) -> bool {
        self.waiting().iter().any(|(topic, name, _)| !self.is_running(topic, name))
    }

    /// Topics and names of schedules by a time that they have; of equal times the older one is first.
    fn in_order(&self, time: impl Fn(&Schedule) -> Option<i64>) -> Vec<(String, String, i64)> {
        let mut found = Vec::new();
        for (topic, of) in &self.topics {
            for (name, schedule) in &of.schedules {
                let key = time(schedule).map(|at| (at, schedule.number));
                found.extend(key.map(|key| (key, topic.clone(), name.clone())));
            }
        }
        found.sort();
        found.into_iter().map(|((at, _), topic, name)| (topic, name, at)).collect()
    }

    fn fire_due(&mut self, topic: &str, name: &str, first: i64) -> Result<(), No> {
        let now = self.now;
        let schedule = self.schedule_of(topic, name)?;
        let recurrence = schedule.recurrence()?;
        let next = |at: &i64| recurrence.after(*at).filter(|next| *next <= now);
        let due: Vec<i64> = std::iter::successors(Some(first), next).collect();
        let newest = due.last().copied().unwrap_or(first);
        let is_late = now - newest > schedule.options.grace_ms.unwrap_or(GRACE_MS);
        let fired = match schedule.options.misfire.unwrap_or(Misfire::Once) {
            Misfire::Skip if is_late => 0,
            Misfire::Skip | Misfire::Once => 1,
            Misfire::All(limit) => due.len().min(limit as usize),
        };
        let (missed, fired) = due.split_at(due.len() - fired);
        schedule.last_at = Some(newest);
        schedule.next_at = recurrence.after(newest);
        if let [from, ..] = missed {
            schedule.record("skipped_misfire", Some(*from), now);
            if let (Some(run), [_, .., until]) = (schedule.runs.last_mut(), missed) {
                run.until_at = Some(*until);
            }
        }
        fired.iter().try_for_each(|occurrence| self.decide(topic, name, *occurrence))
    }

    /// What the one before allows.
    fn decide(&mut self, topic: &str, name: &str, occurrence: i64) -> Result<(), No> {
        let (now, is_running) = (self.now, self.is_running(topic, name));
        let schedule = self.schedule_of(topic, name)?;
        let overlap = schedule.options.overlap.unwrap_or(Overlap::Skip);
        if overlap == Overlap::Allow || (schedule.queued_at.is_none() && !is_running) {
            return self.fire_one(topic, name, occurrence);
        }
        if overlap == Overlap::Queue && schedule.queued_at.is_none() {
            schedule.queued_at = Some(occurrence);
            schedule.record("queued", Some(occurrence), now);
        } else {
            schedule.record("skipped_overlap", Some(occurrence), now);
        }
        Ok(())
    }

    fn fire_one(&mut self, topic: &str, name: &str, occurrence: i64) -> Result<(), No> {
        let now = self.now;
        let status = match self.publish_scheduled(topic, name, Some(occurrence)) {
            Ok(()) => "fired",
            Err(No::Refused(..)) => "refused",
            Err(No::Impossible) => return Err(No::Impossible),
        };
        self.schedule_of(topic, name)?.record(status, Some(occurrence), now);
        Ok(())
    }

    /// Its message has no name until it is claimed.
    fn publish_scheduled(
        &mut self,
        topic: &str,
        name: &str,
        occurrence: Option<i64>,
    ) -> Result<(), No> {
        let mut message: Message = self.schedule_of(topic, name)?.options.message.clone();
        let header = occurrence.map(|at| (OCCURRENCE.to_owned(), written(at)));
        message.headers.extend(header);
        let priority = message.priority;
        self.publish(topic, &[message], |_| String::new())?;
        let place = (priority, self.topic(topic)?.last(priority));
        self.schedule_of(topic, name)?.message = Some(place);
        Ok(())
    }

    /// Some subscriber is not done with the message before.
    fn is_running(&self, topic: &str, name: &str) -> bool {
        let message = self.topics.get(topic).and_then(|of| of.schedules.get(name)?.message);
        message.is_some_and(|place| self.is_open(topic, place))
    }
}

/// A time of the first day, as the queue writes it.
fn written(at: i64) -> String {
    let (seconds, ms) = (at.div_euclid(1_000), at.rem_euclid(1_000));
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("2026-01-01T{hours:02}:{minutes:02}:{seconds:02}");
    if ms > 0 {
        let digits = format!("{ms:03}");
        let _ = write!(text, ".{}", digits.trim_end_matches('0'));
    }
    text + "Z"
}
