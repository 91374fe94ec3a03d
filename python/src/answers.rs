//! The core's answers as Python's objects: the classes of `blockqueue._models`, built here.

mod look;
mod messages;
mod schedule;
mod topology;

use std::time::SystemTime;

use blockqueue::{Delivery, Error, Listed, Published as CorePublished};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyModule};

use crate::delivery::{Claimed, Published};
use crate::error;

/// An answer that Python can look at.
pub(crate) trait Answer: Send + 'static {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>>;
}

/// Builds an object of a class of `blockqueue._models` from its fields.
macro_rules! model {
    ($py:expr, $class:literal, { $($field:ident: $value:expr,)* }) => {{
        let fields = ::pyo3::types::PyDict::new($py);
        $(fields.set_item(::pyo3::intern!($py, stringify!($field)), $value)?;)*
        let class = $crate::answers::models($py)?.getattr(::pyo3::intern!($py, $class))?;
        class.call((), Some(&fields)).map(Bound::unbind)
    }};
}
use model;

fn models(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static MODELS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let models = MODELS.get_or_try_init(py, || py.import("blockqueue._models").map(Bound::unbind));
    models.map(|models| models.bind(py))
}

impl Answer for () {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(py.None())
    }
}

impl Answer for u64 {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.into_pyobject(py)?.into_any().unbind())
    }
}

impl Answer for SystemTime {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.into_pyobject(py)?.into_any().unbind())
    }
}

impl<T: Answer> Answer for Vec<T> {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let items: PyResult<Vec<_>> = self.into_iter().map(|item| item.to_python(py)).collect();
        Ok(PyList::new(py, items?)?.into_any().unbind())
    }
}

/// One item of a batch: the error is handed out, not raised.
impl<T: Answer> Answer for Result<T, Error> {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Ok(answer) => answer.to_python(py),
            Err(refused) => error::to_exception(py, &refused),
        }
    }
}

impl<T: Answer> Answer for Listed<T> {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model!(py, "Page", { items: self.items.to_python(py)?, next: self.next, })
    }
}

impl Answer for CorePublished {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, Published(self))?.into_any())
    }
}

impl Answer for Delivery {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, Claimed(self))?.into_any())
    }
}
