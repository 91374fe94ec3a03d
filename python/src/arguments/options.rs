//! Settings of queues, topics and subscribers.

use blockqueue::{
    BacklogLimit, BacklogPolicy, Durability, NewSubscriber, OpenOptions, Retention, RetryPolicy,
    StartFrom, SubscriberChange, SubscriberOptions,
};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::{Instant, Seconds};
use crate::error::invalid_argument;

pub(crate) fn open_options(
    py: Python<'_>,
    durability: &str,
    payload_bytes_max: Option<usize>,
    must_exist: bool,
) -> PyResult<OpenOptions> {
    let durability = match durability {
        "full" => Durability::Full,
        "balanced" => Durability::Balanced,
        _ => return Err(invalid_argument(py, "durability is full or balanced")),
    };
    let mut options =
        OpenOptions::default().with_durability(durability).with_must_exist(must_exist);
    options.payload_bytes_max = payload_bytes_max;
    Ok(options)
}

/// `blockqueue.Retention`.
#[derive(FromPyObject)]
pub(crate) struct RetentionArgument {
    duration: Option<Seconds>,
    count: Option<u64>,
    bytes: Option<u64>,
}

impl RetentionArgument {
    /// Python allows one of them at most.
    pub(crate) fn into_core(self) -> Retention {
        match self {
            Self { duration: Some(duration), .. } => Retention::Duration(duration.0),
            Self { count: Some(count), .. } => Retention::Count(count),
            Self { bytes: Some(bytes), .. } => Retention::Bytes(bytes),
            _ => Retention::None,
        }
    }
}

/// `blockqueue.BacklogLimit`.
#[derive(FromPyObject)]
pub(crate) struct Backlog {
    messages: Option<u64>,
    bytes: Option<u64>,
    age: Option<Seconds>,
    policy: Policy,
}

impl Backlog {
    pub(crate) fn into_core(self) -> BacklogLimit {
        let mut limit = BacklogLimit::default().with_policy(self.policy.0);
        limit.messages = self.messages;
        limit.bytes = self.bytes;
        limit.age = self.age.map(|age| age.0);
        limit
    }
}

struct Policy(BacklogPolicy);

impl<'py> FromPyObject<'_, 'py> for Policy {
    type Error = PyErr;

    fn extract(text: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match text.extract()? {
            "refuse" => Ok(Self(BacklogPolicy::Refuse)),
            "drop_oldest" => Ok(Self(BacklogPolicy::DropOldest)),
            _ => Err(invalid_argument(text.py(), "policy is refuse or drop_oldest")),
        }
    }
}

/// A life, or `"none"` to take it back.
pub(crate) struct Ttl(pub(crate) Option<std::time::Duration>);

impl<'py> FromPyObject<'_, 'py> for Ttl {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.extract() {
            Ok("none") => Ok(Self(None)),
            _ => Ok(Self(Some(value.extract::<Seconds>()?.0))),
        }
    }
}

/// `blockqueue.RetryPolicy`.
#[derive(FromPyObject)]
pub(crate) struct Retry {
    initial: Seconds,
    max: Seconds,
    multiplier: f64,
    jitter: f64,
}

/// The settings of a subscriber; what is `None` is the default, or stays.
#[derive(FromPyObject)]
pub(crate) struct SubscriberFields {
    pub max_attempts: Option<u32>,
    pub lease: Option<Seconds>,
    pub claim_limit: Option<usize>,
    pub retry: Option<Retry>,
}

impl SubscriberFields {
    pub(crate) fn into_change(self) -> SubscriberChange {
        let mut change = SubscriberChange::default();
        change.max_attempts = self.max_attempts;
        change.lease = self.lease.map(|lease| lease.0);
        change.claim_limit = self.claim_limit;
        change.retry = self.retry.map(|retry| {
            RetryPolicy::default()
                .with_initial(retry.initial.0)
                .with_max(retry.max.0)
                .with_multiplier(retry.multiplier)
                .with_jitter(retry.jitter)
        });
        change
    }

    fn into_options(self) -> SubscriberOptions {
        let (change, mut options) = (self.into_change(), SubscriberOptions::default());
        options.max_attempts = change.max_attempts.unwrap_or(options.max_attempts);
        options.lease = change.lease.unwrap_or(options.lease);
        options.claim_limit = change.claim_limit.unwrap_or(options.claim_limit);
        options.retry = change.retry.unwrap_or(options.retry);
        options
    }
}

/// `"now"`, `"earliest"`, or a time.
#[derive(Clone, Copy)]
pub(crate) struct Start(StartFrom);

impl<'py> FromPyObject<'_, 'py> for Start {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.extract() {
            Ok("now") => Ok(Self(StartFrom::Now)),
            Ok("earliest") => Ok(Self(StartFrom::Earliest)),
            Ok(_) => Err(invalid_argument(value.py(), "start is now, earliest, or a datetime")),
            Err(_) => Ok(Self(StartFrom::Time(value.extract::<Instant>()?.0))),
        }
    }
}

/// A name, or `blockqueue.NewSubscriber`.
pub(crate) struct NewSubscriberArgument(pub(crate) NewSubscriber);

#[derive(FromPyObject)]
struct NewSubscriberFields {
    name: String,
    start: Start,
}

impl NewSubscriberArgument {
    pub(crate) fn new(name: &str, fields: SubscriberFields, start: Start) -> Self {
        Self(NewSubscriber::new(name).with_options(fields.into_options()).with_start(start.0))
    }
}

impl<'py> FromPyObject<'_, 'py> for NewSubscriberArgument {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(name) = value.cast::<PyString>() {
            return Ok(Self(NewSubscriber::new(name.to_cow()?)));
        }
        let named: NewSubscriberFields = value.extract()?;
        Ok(Self::new(&named.name, value.extract()?, named.start))
    }
}
