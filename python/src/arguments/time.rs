//! Durations and instants.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDateTime, PyDelta, PyDeltaAccess as _, PyTzInfoAccess as _};

use crate::error::invalid_argument;

/// Seconds as a number, or a `timedelta`.
#[derive(Clone, Copy)]
pub(crate) struct Seconds(pub(crate) Duration);

impl<'py> FromPyObject<'_, 'py> for Seconds {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(delta) = value.cast::<PyDelta>() {
            return whole_and_rest(&delta).map(Self).ok_or_else(|| negative(value));
        }
        if value.cast::<PyBool>().is_ok() {
            return Err(wrong_type(value));
        }
        let seconds: f64 = value.extract().map_err(|_| wrong_type(value))?;
        if seconds < 0.0 {
            return Err(negative(value));
        }
        let duration = Duration::try_from_secs_f64(seconds);
        duration.map(Self).map_err(|error| invalid_argument(value.py(), error.to_string()))
    }
}

fn whole_and_rest(delta: &Bound<'_, PyDelta>) -> Option<Duration> {
    let days = u64::try_from(delta.get_days()).ok()?;
    let seconds = u64::try_from(delta.get_seconds()).ok()?;
    let micros = u32::try_from(delta.get_microseconds()).ok()?;
    Some(Duration::new(days * 24 * 60 * 60 + seconds, micros * 1_000))
}

fn negative(value: Borrowed<'_, '_, PyAny>) -> PyErr {
    invalid_argument(value.py(), format!("a duration must not be negative: {}", &*value))
}

fn wrong_type(value: Borrowed<'_, '_, PyAny>) -> PyErr {
    let found = value.get_type();
    PyTypeError::new_err(format!("expected seconds or a timedelta, not {found}"))
}

/// A `datetime` with a time zone.
pub(crate) struct Instant(pub(crate) SystemTime);

impl<'py> FromPyObject<'_, 'py> for Instant {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let (py, at) = (value.py(), value.cast::<PyDateTime>()?);
        if at.get_tzinfo().is_none() {
            return Err(invalid_argument(py, "a datetime must have a time zone"));
        }
        let since = at.sub(UNIX_EPOCH.into_pyobject(py)?)?;
        // What is before 1970 is as far in the past as can be told.
        let since = whole_and_rest(since.cast::<PyDelta>()?).unwrap_or_default();
        Ok(Self(UNIX_EPOCH + since))
    }
}
