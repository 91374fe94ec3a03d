//! Settings of queues and topics.

use blockqueue::{BacklogLimit, BacklogPolicy, Durability, OpenOptions, Retention};
use pyo3::prelude::*;

use super::Seconds;
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

/// A new value of a setting, or `"none"` to take it back.
pub(crate) struct OrNone<T>(pub(crate) Option<T>);

impl<'py, T> FromPyObject<'_, 'py> for OrNone<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.extract() {
            Ok("none") => Ok(Self(None)),
            _ => value.extract().map(Some).map(Self),
        }
    }
}
