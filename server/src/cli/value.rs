//! Values on the command line: durations, times, sizes, headers, places.
//!
//! Only their form is checked here; whether a value is allowed is the engine's to say.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use blockqueue::{
    Error, Filter, MessageId, MisfirePolicy, OverlapPolicy, RateLimit, Retention, SeekTo, StartFrom,
};
use bytesize::ByteSize;

/// A duration as people write it: `250ms`, `5s`, `1m30s`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| error.to_string())
}

/// A setting that can be taken back, with the word `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrNone<T>(pub(crate) Option<T>);

/// A duration, or `none`.
pub(crate) fn duration_or_none(text: &str) -> Result<OrNone<Duration>, String> {
    if text == "none" {
        return Ok(OrNone(None));
    }
    duration(text).map(|duration| OrNone(Some(duration)))
}

/// A number, or `none`.
pub(crate) fn count_or_none(text: &str) -> Result<OrNone<u32>, String> {
    if text == "none" {
        return Ok(OrNone(None));
    }
    text.parse().map(|count| OrNone(Some(count))).map_err(|error| format!("{error}, or none"))
}

/// So many per duration, as `100/1s`, or `none`.
pub(crate) fn rate(text: &str) -> Result<OrNone<RateLimit>, String> {
    if text == "none" {
        return Ok(OrNone(None));
    }
    let parse = || {
        let (count, interval) = text.split_once('/')?;
        Some(RateLimit::new(count.parse().ok()?, duration(interval).ok()?))
    };
    parse().map(|rate| OrNone(Some(rate))).ok_or_else(|| "a rate is N/DURATION, or none".to_owned())
}

/// A filter as JSON, or `none`.
pub(crate) fn filter(text: &str) -> Result<OrNone<Filter>, String> {
    if text == "none" {
        return Ok(OrNone(None));
    }
    text.parse().map(|filter| OrNone(Some(filter))).map_err(|error: Error| error.to_string())
}

/// A time as RFC 3339: `2030-01-31T08:00:00Z`.
pub(crate) fn time(text: &str) -> Result<SystemTime, String> {
    humantime::parse_rfc3339_weak(text).map_err(|error| format!("{error}, as 2030-01-31T08:00:00Z"))
}

/// A number of bytes: `1048576`, `64MiB`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    ByteSize::from_str(text).map(|size| size.as_u64())
}

/// A header: `name=value`.
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a header is name=value".to_owned()),
    }
}

/// What a topic keeps: `none`, a duration, `count:N` or `bytes:SIZE`.
pub(crate) fn retention(text: &str) -> Result<Retention, String> {
    if text == "none" {
        return Ok(Retention::None);
    }
    if let Some(count) = text.strip_prefix("count:") {
        return count.parse().map(Retention::Count).map_err(|error| error.to_string());
    }
    if let Some(size) = text.strip_prefix("bytes:") {
        return bytes(size).map(Retention::Bytes);
    }
    duration(text)
        .map(Retention::Duration)
        .map_err(|_| "a retention is none, a duration, count:N or bytes:SIZE".to_owned())
}

/// Where a new subscriber begins: `now`, `earliest` or a time.
pub(crate) fn start(text: &str) -> Result<StartFrom, String> {
    match text {
        "now" => Ok(StartFrom::Now),
        "earliest" => Ok(StartFrom::Earliest),
        _ => time(text).map(StartFrom::Time),
    }
}

/// Where a subscriber goes: `earliest`, `latest`, a time, a message id, or `sequence:N[@PRIORITY]`.
pub(crate) fn place(text: &str) -> Result<SeekTo, String> {
    match text {
        "earliest" => return Ok(SeekTo::Earliest),
        "latest" => return Ok(SeekTo::Latest),
        _ => {}
    }
    if let Some(place) = text.strip_prefix("sequence:") {
        let (sequence, priority) = place.split_once('@').unwrap_or((place, "0"));
        return Ok(SeekTo::Sequence {
            priority: priority.parse().map_err(|error| format!("priority: {error}"))?,
            sequence: sequence.parse().map_err(|error| format!("sequence: {error}"))?,
        });
    }
    if let Ok(id) = text.parse::<MessageId>() {
        return Ok(SeekTo::Message(id));
    }
    time(text).map(SeekTo::Time).map_err(|_| {
        "a place is earliest, latest, a time, a message id, or sequence:N[@PRIORITY]".to_owned()
    })
}

/// What happens to missed occurrences: `skip`, `once` or `all:N`.
pub(crate) fn misfire(text: &str) -> Result<MisfirePolicy, String> {
    match text {
        "skip" => Ok(MisfirePolicy::Skip),
        "once" => Ok(MisfirePolicy::Once),
        _ => text
            .strip_prefix("all:")
            .and_then(|limit| limit.parse().ok())
            .map(|limit| MisfirePolicy::All { limit })
            .ok_or_else(|| "missed occurrences: skip, once or all:N".to_owned()),
    }
}

/// What happens while the message before is not settled: `allow`, `skip` or `queue`.
pub(crate) fn overlap(text: &str) -> Result<OverlapPolicy, String> {
    match text {
        "allow" => Ok(OverlapPolicy::Allow),
        "skip" => Ok(OverlapPolicy::Skip),
        "queue" => Ok(OverlapPolicy::Queue),
        _ => Err("an overlap is allow, skip or queue".to_owned()),
    }
}

/// A time, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound(Option<SystemTime>);

impl From<Bound> for Option<SystemTime> {
    fn from(bound: Bound) -> Self {
        bound.0
    }
}

/// A bound in time: a time, or `none`.
pub(crate) fn bound(text: &str) -> Result<Bound, String> {
    if text == "none" { Ok(Bound(None)) } else { time(text).map(|at| Bound(Some(at))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_human() {
        for (text, millis) in
            [("250ms", 250), ("5s", 5_000), ("1m30s", 90_000), ("5m", 300_000), ("1h", 3_600_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "-5s", "5 parsecs"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_is_a_number_per_duration() {
        let rate_of = |text| rate(text).map(|OrNone(rate)| rate);
        assert_eq!(rate_of("100/1s"), Ok(Some(RateLimit::new(100, Duration::from_secs(1)))));
        assert_eq!(rate_of("none"), Ok(None));
        for text in ["", "100", "x/1s", "1/", "1/x"] {
            assert!(rate_of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_header_keeps_what_follows_the_first_equals_sign() {
        assert_eq!(header("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(header("a="), Ok(("a".to_owned(), String::new())));
        assert!(header("=b").is_err());
        assert!(header("a").is_err());
    }

    #[test]
    fn retention_has_four_forms() {
        assert_eq!(retention("none"), Ok(Retention::None));
        assert_eq!(retention("7d"), Ok(Retention::Duration(Duration::from_hours(24 * 7))));
        assert_eq!(retention("count:1000"), Ok(Retention::Count(1_000)));
        assert_eq!(retention("bytes:64MiB"), Ok(Retention::Bytes(64 << 20)));
        assert!(retention("forever").is_err());
    }

    #[test]
    fn policies_of_schedules_have_words() {
        assert_eq!(misfire("once"), Ok(MisfirePolicy::Once));
        assert_eq!(misfire("all:7"), Ok(MisfirePolicy::All { limit: 7 }));
        assert!(misfire("all").is_err() && misfire("all:x").is_err());
        assert_eq!(overlap("queue"), Ok(OverlapPolicy::Queue));
        assert_eq!(bound("none"), Ok(Bound(None)));
        assert!(bound("never").is_err());
    }

    #[test]
    fn a_place_is_a_word_a_time_a_message_or_a_sequence_number() {
        assert_eq!(place("latest"), Ok(SeekTo::Latest));
        assert_eq!(place("sequence:7"), Ok(SeekTo::Sequence { priority: 0, sequence: 7 }));
        assert_eq!(place("sequence:7@-3"), Ok(SeekTo::Sequence { priority: -3, sequence: 7 }));
        assert_eq!(place(&MessageId::NIL.to_string()), Ok(SeekTo::Message(MessageId::NIL)));
        assert!(matches!(place("2030-01-31T08:00:00Z"), Ok(SeekTo::Time(_))));
        assert!(place("yesterday").is_err());
    }
}
