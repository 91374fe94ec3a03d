//! The handle. Every method hands an operation over and returns it as a [`Pending`].

mod consume;
mod letters;
mod look;
mod publish;
mod schedule;
mod topology;

use std::path::PathBuf;

use pyo3::prelude::*;

use crate::arguments::{Seconds, open_options};
use crate::error;
use crate::pending::Pending;

/// A handle to an open queue.
#[pyclass(frozen, module = "blockqueue._native")]
pub(crate) struct Queue(blockqueue::Queue);

#[pymethods]
impl Queue {
    #[staticmethod]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        durability: &str,
        payload_bytes_max: Option<usize>,
        must_exist: bool,
    ) -> PyResult<Self> {
        let options = open_options(py, durability, payload_bytes_max, must_exist)?;
        open(py, path, options)
    }

    fn transaction(&self, deadline: Seconds) -> Pending {
        let options = blockqueue::TransactionOptions::default().with_deadline(deadline.0);
        Pending::whole(self.0.transaction(options))
    }

    fn shutdown(&self) -> Pending {
        Pending::new(self.0.shutdown())
    }
}

#[cfg(feature = "test-clock")]
#[pymethods]
impl Queue {
    #[staticmethod]
    fn open_with_clock(
        py: Python<'_>,
        path: PathBuf,
        clock: &Bound<'_, crate::clock::TestClock>,
    ) -> PyResult<Self> {
        let options = blockqueue::OpenOptions::default().with_clock(clock.get().0.clone());
        open(py, path, options)
    }
}

fn open(py: Python<'_>, path: PathBuf, options: blockqueue::OpenOptions) -> PyResult<Queue> {
    let opened = py.detach(move || blockqueue::Queue::open_with(path, options));
    opened.map(Queue).map_err(|error| error::to_python(py, &error))
}
