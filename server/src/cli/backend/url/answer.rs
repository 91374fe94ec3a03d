//! What a server answers, in the words of its contract, and what that is here.
//!
//! Fields that are not known here are passed over, so that a newer server can say more.

mod delivery;
mod message;
mod result;
mod schedule;
mod stats;
mod topology;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blockqueue::Error;
use serde::Deserialize;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::view::Payload;
pub(super) use delivery::{Claimed, Item, Nacked};
pub(super) use message::{
    Count, DeliveryStatus, Failures, Letter, MessageStatus, Messages, Peeked, Published,
};
pub(super) use result::MessageResult;
pub(super) use schedule::{Run, Runs, Schedule, Schedules};
pub(super) use stats::TopicStats;
pub(super) use topology::{Subscribers, Topic, Topics};

/// A duration: text, or milliseconds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Span {
    Millis(u64),
    Text(String),
}

impl Span {
    fn duration(&self) -> Outcome<Duration> {
        match self {
            Self::Millis(millis) => Ok(Duration::from_millis(*millis)),
            Self::Text(text) => humantime::parse_duration(text)
                .map_err(|_| misunderstood(&format!("{text:?} is not a duration"))),
        }
    }
}

fn misunderstood(what: &str) -> Failure {
    Error::Internal { detail: format!("the server's answer is not understood: {what}") }.into()
}

/// A payload: text, or base64 and a word that says so.
#[derive(Deserialize)]
struct Text {
    message: String,
    encoding: Option<String>,
}

impl Text {
    fn into_payload(self) -> Outcome<Payload> {
        match self.encoding.as_deref() {
            None => Ok(Payload(self.message.into_bytes())),
            Some("base64") => STANDARD
                .decode(self.message)
                .map(Payload)
                .map_err(|error| misunderstood(&error.to_string())),
            Some(other) => Err(misunderstood(&format!("encoding {other:?}"))),
        }
    }
}
