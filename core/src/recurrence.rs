//! When the occurrences of a schedule are: cron fields in a time zone, or a fixed interval.
//!
//! Arithmetic on instants; reads no clock. The cron library decides what its fields mean; this module
//! decides where the list begins and ends, and that it only ever goes forward.

use std::sync::LazyLock;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::clock::{Millis, duration_millis, to_millis};
use crate::error::{Error, Result};
use crate::limits;
use crate::options::ScheduleOptions;

/// What stands before the interval instead of cron fields.
const EVERY: &str = "@every";
/// The library finds nothing after a time that falls on a day which a zone left out as a whole, as Samoa
/// did in 2011. From a little less than a day later it goes on.
const BEYOND_A_LOST_DAY: Millis = 23 * 3_600_000;

static PARSER: LazyLock<CronParser> = LazyLock::new(|| {
    CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build()
});

/// The occurrences of one schedule.
#[derive(Debug)]
pub(crate) struct Recurrence {
    rule: Rule,
    start: Option<Millis>,
    end: Option<Millis>,
}

#[derive(Debug)]
enum Rule {
    Cron {
        cron: Box<Cron>,
        zone: TimeZone,
    },
    /// Counted from the anchor, so that phases never drift.
    Every {
        interval: Millis,
        anchor: Millis,
    },
}

impl Recurrence {
    /// The occurrences that these options describe. An interval is counted from the start, or else from
    /// when the schedule was created.
    pub(crate) fn new(options: &ScheduleOptions, created_at: Millis) -> Result<Self> {
        let start = options.start.map(to_millis);
        let rule = match options.cron.trim().strip_prefix(EVERY) {
            Some(interval) => {
                let interval = interval_of(interval)?;
                Rule::Every { interval, anchor: start.unwrap_or(created_at) }
            }
            None => Rule::Cron {
                cron: Box::new(PARSER.parse(options.cron.trim()).map_err(|error| {
                    Error::invalid(format!("cron {:?}: {error}", options.cron))
                })?),
                zone: zone_of(&options.timezone)?,
            },
        };
        Ok(Self { rule, start, end: options.end.map(to_millis) })
    }

    /// The first occurrence later than `at`.
    pub(crate) fn after(&self, at: Millis) -> Option<Millis> {
        let at = self.start.map_or(at, |start| at.max(start - 1));
        let next = match &self.rule {
            Rule::Every { interval, anchor } if at < *anchor => {
                // The start is an occurrence; the moment of creation is none.
                if self.start.is_some() { Some(*anchor) } else { Some(anchor + interval) }
            }
            Rule::Every { interval, anchor } => {
                Some(anchor + ((at - anchor) / interval + 1) * interval)
            }
            Rule::Cron { cron, zone } => {
                let from = |at| cron.find_next_occurrence(&zoned(at, zone)?, false).ok();
                from(at).or_else(|| from(at + BEYOND_A_LOST_DAY)).map(|next| millis(&next))
            }
        };
        next.filter(|next| *next > at && self.end.is_none_or(|end| *next <= end))
    }

    /// The last occurrence no later than `at`.
    pub(crate) fn latest(&self, at: Millis) -> Option<Millis> {
        let at = self.end.map_or(at, |end| at.min(end));
        let latest = match &self.rule {
            Rule::Every { interval, anchor } => {
                (at >= *anchor).then(|| anchor + (at - anchor) / interval * interval)
            }
            Rule::Cron { cron, zone } => {
                cron.find_previous_occurrence(&zoned(at, zone)?, true).ok().map(|at| millis(&at))
            }
        };
        latest.filter(|latest| *latest <= at && self.start.is_none_or(|start| *latest >= start))
    }
}

/// Refuses what has no occurrence at all, such as the 30th of February.
pub(crate) fn validate(options: &ScheduleOptions) -> Result<()> {
    let unbounded = Recurrence { start: None, end: None, ..Recurrence::new(options, 0)? };
    match unbounded.after(0) {
        Some(_) => Ok(()),
        None => Err(Error::invalid(format!("cron {:?} never comes", options.cron))),
    }
}

fn interval_of(text: &str) -> Result<Millis> {
    let wrong = || {
        let least = limits::SCHEDULE_INTERVAL_MIN.as_secs();
        Error::invalid(format!("{EVERY} takes a duration such as 90s or 1h30m, at least {least} s"))
    };
    let interval: SignedDuration = text.trim().parse().map_err(|_| wrong())?;
    let interval = std::time::Duration::try_from(interval).map_err(|_| wrong())?;
    if !(limits::SCHEDULE_INTERVAL_MIN..=limits::DELAY_MAX).contains(&interval) {
        return Err(wrong());
    }
    Ok(duration_millis(interval))
}

fn zone_of(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).map_err(|_| Error::invalid(format!("unknown time zone {name:?}")))
}

/// The library counts whole seconds.
fn zoned(at: Millis, zone: &TimeZone) -> Option<Zoned> {
    let second = Timestamp::from_second(at.div_euclid(1_000)).ok()?;
    Some(second.to_zoned(zone.clone()))
}

fn millis(at: &Zoned) -> Millis {
    at.timestamp().as_millisecond()
}

#[cfg(test)]
mod tests;
