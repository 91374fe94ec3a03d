//! Durations and times, as text or milliseconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::duration;
use crate::http::v1::Problem;

/// A duration: text such as `1m30s`, or milliseconds.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Span {
    Millis(u64),
    Text(String),
}

impl Span {
    pub(crate) fn duration(&self, what: &str) -> Result<Duration, Problem> {
        let parsed = match self {
            Self::Millis(millis) => Some(Duration::from_millis(*millis)),
            Self::Text(text) => duration::parse(text),
        };
        parsed.ok_or_else(|| Problem::invalid(format!("{what} is a duration such as 1m30s")))
    }
}

/// A duration in a query, where milliseconds are text, too.
pub(crate) fn span_in_query(text: &str, what: &str) -> Result<Duration, Problem> {
    let span = text.parse().map_or_else(|_| Span::Text(text.to_owned()), Span::Millis);
    span.duration(what)
}

/// The wait of a request that does not say, in the words of the contract.
const TIMEOUT_DEFAULT: &str = "30s";
/// The longest wait of a request, in seconds.
const TIMEOUT_MAX: u64 = 60;

/// How long a request is ready to wait.
pub(crate) fn wait_in_query(timeout: Option<&str>) -> Result<Duration, Problem> {
    let wait = span_in_query(timeout.unwrap_or(TIMEOUT_DEFAULT), "timeout")?;
    if wait.as_secs() > TIMEOUT_MAX {
        return Err(Problem::invalid("timeout must be at most 60 s"));
    }
    Ok(wait)
}

pub(crate) fn optional(span: Option<&Span>, what: &str) -> Result<Option<Duration>, Problem> {
    span.map(|span| span.duration(what)).transpose()
}

/// A setting that can be taken back: a value, or `none`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum OrNone<T> {
    None(NoneWord),
    Some(T),
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NoneWord {
    None,
}

impl<T> OrNone<T> {
    pub(crate) fn into_option(self) -> Option<T> {
        match self {
            Self::None(NoneWord::None) => None,
            Self::Some(value) => Some(value),
        }
    }
}

/// A time: RFC 3339 text, or milliseconds since 1970.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Instant {
    Millis(u64),
    Text(String),
}

impl Instant {
    pub(crate) fn time(&self, what: &str) -> Result<SystemTime, Problem> {
        let parsed = match self {
            Self::Millis(millis) => UNIX_EPOCH.checked_add(Duration::from_millis(*millis)),
            Self::Text(text) => text.parse::<Timestamp>().ok().map(SystemTime::from),
        };
        parsed.ok_or_else(|| {
            Problem::invalid(format!("{what} is a time such as 2026-01-31T12:00:00Z"))
        })
    }
}

pub(crate) fn time(at: SystemTime) -> String {
    Timestamp::try_from(at).map_or_else(|_| String::new(), |at| at.to_string())
}

pub(crate) fn span(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}
