//! Settings of subscribers, and where they begin.

use std::str::FromStr as _;

use blockqueue::{
    Filter, NewSubscriber, OnDead, OnExpiry, RateLimit, RetryPolicy, StartFrom, SubscriberChange,
    SubscriberOptions,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

use super::{Fields, Instant, OrNone, Seconds};
use crate::error::{self, invalid_argument};

/// The settings of a subscriber; what is `None` is the default, or stays.
#[derive(FromPyObject)]
pub(crate) struct SubscriberFields {
    max_attempts: Option<u32>,
    lease: Option<Seconds>,
    claim_limit: Option<usize>,
    retry: Option<RetryArgument>,
    ordered: Option<bool>,
    on_dead: Option<OnDeadArgument>,
    filter: Option<OrNone<FilterArgument>>,
    on_expiry: Option<OnExpiryArgument>,
    leased_max: Option<OrNone<u32>>,
    rate: Option<OrNone<RateArgument>>,
    leased_per_key_max: Option<OrNone<u32>>,
}

impl SubscriberFields {
    pub(crate) fn into_change(self) -> SubscriberChange {
        let mut change = SubscriberChange::default();
        change.max_attempts = self.max_attempts;
        change.lease = self.lease.map(|lease| lease.0);
        change.claim_limit = self.claim_limit;
        change.retry = self.retry.map(RetryArgument::into_core);
        change.ordered = self.ordered;
        change.on_dead = self.on_dead.map(|word| word.0);
        change.filter = self.filter.map(|filter| filter.0.map(|filter| filter.0));
        change.on_expiry = self.on_expiry.map(|word| word.0);
        change.leased_max = self.leased_max.map(|most| most.0);
        change.rate = self.rate.map(|rate| rate.0.map(RateArgument::into_core));
        change.leased_per_key_max = self.leased_per_key_max.map(|most| most.0);
        change
    }
}

/// `blockqueue.RetryPolicy`.
#[derive(FromPyObject)]
struct RetryArgument {
    initial: Seconds,
    max: Seconds,
    multiplier: f64,
    jitter: f64,
}

impl RetryArgument {
    fn into_core(self) -> RetryPolicy {
        RetryPolicy::default()
            .with_initial(self.initial.0)
            .with_max(self.max.0)
            .with_multiplier(self.multiplier)
            .with_jitter(self.jitter)
    }
}

/// `blockqueue.RateLimit`.
#[derive(FromPyObject)]
struct RateArgument {
    count: u32,
    interval: Seconds,
}

impl RateArgument {
    fn into_core(self) -> RateLimit {
        RateLimit::new(self.count, self.interval.0)
    }
}

struct OnDeadArgument(OnDead);

impl<'py> FromPyObject<'_, 'py> for OnDeadArgument {
    type Error = PyErr;

    fn extract(text: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match text.extract()? {
            "skip" => Ok(Self(OnDead::Skip)),
            "block" => Ok(Self(OnDead::Block)),
            _ => Err(invalid_argument(text.py(), "on_dead is skip or block")),
        }
    }
}

struct OnExpiryArgument(OnExpiry);

impl<'py> FromPyObject<'_, 'py> for OnExpiryArgument {
    type Error = PyErr;

    fn extract(text: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match text.extract()? {
            "skip" => Ok(Self(OnExpiry::Skip)),
            "dead_letter" => Ok(Self(OnExpiry::DeadLetter)),
            _ => Err(invalid_argument(text.py(), "on_expiry is skip or dead_letter")),
        }
    }
}

/// A condition as `json` would read it.
pub(crate) struct FilterArgument(pub(crate) Filter);

impl<'py> FromPyObject<'_, 'py> for FilterArgument {
    type Error = PyErr;

    fn extract(condition: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = condition.py();
        let json: String = DUMPS.import(py, "json", "dumps")?.call1((condition,))?.extract()?;
        Filter::from_str(&json).map(Self).map_err(|invalid| error::to_python(py, &invalid))
    }
}

/// `"now"`, `"earliest"`, or a time.
struct Start(StartFrom);

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

impl<'py> FromPyObject<'_, 'py> for NewSubscriberArgument {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(name) = value.cast::<PyString>() {
            return Ok(Self(NewSubscriber::new(name.to_cow()?)));
        }
        let Fields(NewSubscriberFields { name, start }) = value.extract()?;
        let Fields(fields): Fields<SubscriberFields> = value.extract()?;
        let options = fields.into_change().apply(&SubscriberOptions::default());
        Ok(Self(NewSubscriber::new(name).with_options(options).with_start(start.0)))
    }
}
