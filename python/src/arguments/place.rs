//! Places to seek to, and dead letters to choose.

use blockqueue::{DeadLetters, SeekTo};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::{Fields, Id, Instant};
use crate::error::invalid_argument;

/// `"earliest"`, `"latest"`, a time, `blockqueue.AtMessage` or `blockqueue.AtSequence`.
pub(crate) struct SeekArgument(pub(crate) SeekTo);

#[derive(FromPyObject)]
struct AtMessage {
    message_id: Id,
}

#[derive(FromPyObject)]
struct AtSequence {
    priority: i16,
    sequence: u64,
}

impl<'py> FromPyObject<'_, 'py> for SeekArgument {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if value.cast::<PyString>().is_ok() {
            return match value.extract()? {
                "earliest" => Ok(Self(SeekTo::Earliest)),
                "latest" => Ok(Self(SeekTo::Latest)),
                _ => Err(invalid_argument(value.py(), "to is earliest, latest, or a place")),
            };
        }
        if value.hasattr("message_id")? {
            let Fields(at): Fields<AtMessage> = value.extract()?;
            return Ok(Self(SeekTo::Message(at.message_id.0)));
        }
        if value.hasattr("sequence")? {
            let Fields(AtSequence { priority, sequence }) = value.extract()?;
            return Ok(Self(SeekTo::Sequence { priority, sequence }));
        }
        Ok(Self(SeekTo::Time(value.extract::<Instant>()?.0)))
    }
}

/// Those of these messages, or the oldest, or all.
pub(crate) struct Which(pub(crate) DeadLetters);

impl Which {
    pub(crate) fn new(py: Python<'_>, ids: Option<Vec<Id>>, limit: Option<u64>) -> PyResult<Self> {
        match (ids, limit) {
            (Some(ids), None) => {
                Ok(Self(DeadLetters::Ids(ids.into_iter().map(|id| id.0).collect())))
            }
            (None, Some(limit)) => Ok(Self(DeadLetters::Oldest(limit))),
            (None, None) => Ok(Self(DeadLetters::All)),
            (Some(_), Some(_)) => Err(invalid_argument(py, "ids and limit exclude each other")),
        }
    }
}
