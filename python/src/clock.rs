//! A clock that tests move by hand; only in builds for tests.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;

/// A clock that stands still until a test moves it.
#[pyclass(frozen, module = "blockqueue._native")]
pub(crate) struct TestClock(pub(crate) blockqueue::TestClock);

#[pymethods]
impl TestClock {
    #[new]
    fn new(start_ms: u64) -> Self {
        Self(blockqueue::TestClock::new(at(start_ms)))
    }

    /// Wakes every queue that uses the clock.
    fn set(&self, py: Python<'_>, at_ms: u64) {
        py.detach(|| self.0.set(at(at_ms)));
    }

    /// Wakes every queue that uses the clock.
    fn advance(&self, py: Python<'_>, by_ms: u64) {
        py.detach(|| self.0.advance(Duration::from_millis(by_ms)));
    }
}

fn at(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms)
}
