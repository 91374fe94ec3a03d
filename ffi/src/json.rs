//! Settings in, and what people look at out, as JSON: in the words of `tests/conformance/README.md`, but for
//! instants, which are milliseconds since 1970.
//!
//! Owns the words. What is not known is refused, so that a misspelt setting is an error.

mod letters;
mod message;
mod schedule;
mod sql;
mod stats;
mod subscriber;
mod topic;

pub(crate) use letters::{PurgeIn, RedriveIn};
pub(crate) use schedule::ScheduleIn;
pub(crate) use subscriber::{NewSubscriberIn, SeekIn, SubscriberIn};
pub(crate) use topic::{NewTopicIn, TopicIn};

use std::ffi::c_char;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blockqueue::{Listed, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::arguments::{instant_ms as instant, invalid, optional_text};

/// An answer that has a form in JSON.
pub(crate) trait ToJson {
    fn to_json(&self) -> Value;
}

/// The text of an answer.
pub(crate) fn text(answer: &impl ToJson) -> String {
    answer.to_json().to_string()
}

/// What C passes as JSON; NULL stands for an empty object.
///
/// # Safety
/// It is NULL, or can be read.
pub(crate) unsafe fn read<T: DeserializeOwned>(
    what: &str,
    data: *const c_char,
    len: usize,
) -> Result<T> {
    // SAFETY: passed on.
    let text = unsafe { optional_text(what, data, len) }?;
    serde_json::from_str(text.unwrap_or("{}")).map_err(|error| invalid(format!("{what}: {error}")))
}

/// A setting that can be taken back: a value, or the word `none`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum OrNone<T> {
    None(NoneWord),
    Some(T),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NoneWord {
    None,
}

impl<T> OrNone<T> {
    fn into_option(self) -> Option<T> {
        match self {
            Self::None(NoneWord::None) => None,
            Self::Some(value) => Some(value),
        }
    }
}

fn optional_duration(what: &str, ms: Option<i64>) -> Result<Option<Duration>> {
    ms.map(|ms| crate::arguments::duration(what, ms)).transpose()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Bytes as base64, and as text where they are text.
fn with_payload(mut answer: Value, payload: &[u8]) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.insert("payload_base64".into(), json!(STANDARD.encode(payload)));
        if let Ok(text) = std::str::from_utf8(payload) {
            members.insert("payload".into(), json!(text));
        }
    }
    answer
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        self.iter().map(ToJson::to_json).collect()
    }
}

impl<T: ToJson> ToJson for Listed<T> {
    fn to_json(&self) -> Value {
        json!({ "items": self.items.to_json(), "next": self.next })
    }
}

/// How many.
impl ToJson for u64 {
    fn to_json(&self) -> Value {
        json!({ "count": self })
    }
}
