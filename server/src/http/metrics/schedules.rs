//! Schedules in numbers: when each is due, and whether it stands still.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use blockqueue::{Page, Queue, Schedule};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// At most so many of a topic are asked for at once.
const PAGE: usize = 1_000;

/// Adds the schedules of a topic, up to a number of all.
pub(super) async fn add(
    all: &mut Vec<Schedule>,
    most: usize,
    queue: &Queue,
    topic: &str,
) -> blockqueue::Result<()> {
    let mut page = Page::default().with_limit(PAGE);
    while all.len() < most {
        let found = queue.schedules(topic, page).await?;
        all.extend(found.items);
        match found.next {
            Some(next) => page = Page::default().with_limit(PAGE).with_after(next),
            None => break,
        }
    }
    all.truncate(most);
    Ok(())
}

type Value = fn(&Schedule) -> Option<f64>;

/// What is told of each schedule, where there is something to tell.
const GAUGES: [(&str, &str, Value); 4] = [
    ("schedule_due_timestamp_seconds", "When its next occurrence is fired", |schedule| {
        schedule.due_at.map(seconds)
    }),
    (
        "schedule_last_occurrence_timestamp_seconds",
        "The newest occurrence that was decided about, fired or not",
        |schedule| schedule.last_at.map(seconds),
    ),
    ("schedule_paused", "1 if it is paused", |schedule| Some(flag(schedule.paused))),
    (
        "schedule_waiting",
        "1 if an occurrence waits until the message before is settled",
        |schedule| Some(flag(schedule.queued_at.is_some())),
    ),
];

pub(super) fn encode(all: &[Schedule], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    for (name, help, value) in GAUGES {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for schedule in all {
            let labels = [("topic", schedule.topic.as_str()), ("schedule", schedule.name.as_str())];
            if let Some(value) = value(schedule) {
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
    }
    Ok(())
}

fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}
