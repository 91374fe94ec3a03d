//! The core's errors as the exceptions of `blockqueue.errors`.

use blockqueue::{Error, Retry};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// An exception of the class that belongs to the code.
pub(crate) fn to_exception(py: Python<'_>, error: &Error) -> PyResult<Py<PyAny>> {
    static FROM_CODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let from_code = FROM_CODE.import(py, "blockqueue.errors", "from_code")?;
    let retry = match error.retry() {
        Retry::Never => "never",
        Retry::Later => "later",
        Retry::Reconcile => "reconcile",
    };
    let index = match error {
        Error::IdempotencyConflict { index, .. } | Error::UniqueConflict { index, .. } => {
            Some(*index)
        }
        _ => None,
    };
    from_code
        .call1((error.code(), error.number(), retry, error.to_string(), index))
        .map(Bound::unbind)
}

pub(crate) fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    match to_exception(py, error) {
        Ok(exception) => PyErr::from_value(exception.into_bound(py)),
        Err(unexpected) => unexpected,
    }
}

/// The refusal of a field, out of the `TypeError` that names the field; anything else as it is.
pub(crate) fn refusal(py: Python<'_>, error: PyErr) -> PyErr {
    static REFUSAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let Ok(class) = REFUSAL.import(py, "blockqueue.errors", "BlockQueueError") else {
        return error;
    };
    let mut cause = error.cause(py);
    while let Some(found) = cause {
        if found.is_instance(py, class) {
            return found;
        }
        cause = found.cause(py);
    }
    error
}

/// The exception for an argument that cannot even be handed to the core.
pub(crate) fn invalid_argument(py: Python<'_>, detail: impl Into<String>) -> PyErr {
    to_python(py, &Error::InvalidArgument { detail: detail.into() })
}
