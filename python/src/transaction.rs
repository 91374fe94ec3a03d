//! A transaction on the queue's own connection: statements of the application and verbs of the queue.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use blockqueue::{NackOptions, SqlRows, SqlValue, Transaction as CoreTransaction};
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString};

use crate::answers::Answer;
use crate::arguments::{
    Id, Instant, MessageFields, Messages, ReceiptArgument, Seconds, new_message,
};
use crate::error;
use crate::pending::Pending;

/// It is rolled back when it is dropped before it is committed.
#[pyclass(frozen, module = "blockqueue._native")]
pub(crate) struct Transaction(Mutex<Option<CoreTransaction>>);

impl Answer for CoreTransaction {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, Transaction(Mutex::new(Some(self))))?.into_any())
    }
}

impl Transaction {
    /// Waited for as a whole, so that the transaction belongs to the thread that waits.
    fn step<T: Answer>(
        &self,
        py: Python<'_>,
        step: impl FnOnce(&CoreTransaction) -> blockqueue::Pending<T>,
    ) -> PyResult<Pending> {
        let transaction = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        transaction.as_ref().map(|open| Pending::whole(step(open))).ok_or_else(|| ended(py))
    }

    fn take(&self, py: Python<'_>) -> PyResult<CoreTransaction> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(|| ended(py))
    }
}

fn ended(py: Python<'_>) -> PyErr {
    error::to_python(py, &blockqueue::Error::TransactionEnded)
}

#[pymethods]
impl Transaction {
    fn execute(&self, py: Python<'_>, sql: &str, values: Vec<Value>) -> PyResult<Pending> {
        self.step(py, |open| open.execute(sql, to_core(values)))
    }

    fn query(&self, py: Python<'_>, sql: &str, values: Vec<Value>) -> PyResult<Pending> {
        self.step(py, |open| open.query(sql, to_core(values)))
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of a message")]
    fn publish(
        &self,
        py: Python<'_>,
        topic: &str,
        payload: &Bound<'_, PyAny>,
        content_type: Option<String>,
        headers: Option<BTreeMap<String, String>>,
        correlation_id: Option<String>,
        priority: i16,
        delay: Option<Seconds>,
        deliver_at: Option<Instant>,
        idempotency_key: Option<String>,
        ordering_key: Option<String>,
        unique_key: Option<String>,
        ttl: Option<Seconds>,
    ) -> PyResult<Pending> {
        let fields = MessageFields {
            content_type,
            headers,
            correlation_id,
            priority,
            delay,
            deliver_at,
            idempotency_key,
            ordering_key,
            unique_key,
            ttl,
        };
        let message = new_message(payload, fields)?;
        self.step(py, |open| open.publish(topic, message))
    }

    fn publish_many(&self, py: Python<'_>, topic: &str, messages: Messages) -> PyResult<Pending> {
        self.step(py, |open| open.publish_batch(topic, messages.0))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn ack(&self, py: Python<'_>, receipt: ReceiptArgument) -> PyResult<Pending> {
        self.step(py, |open| open.ack(&receipt.0))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn nack(
        &self,
        py: Python<'_>,
        receipt: ReceiptArgument,
        delay: Option<Seconds>,
        error: Option<String>,
        give_up: bool,
    ) -> PyResult<Pending> {
        let mut options = NackOptions::default().with_give_up(give_up);
        options.delay = delay.map(|delay| delay.0);
        options.error = error;
        self.step(py, |open| open.nack(&receipt.0, &options))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn extend(
        &self,
        py: Python<'_>,
        receipt: ReceiptArgument,
        lease: Seconds,
    ) -> PyResult<Pending> {
        self.step(py, |open| open.extend(&receipt.0, lease.0))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn defer(&self, py: Python<'_>, receipt: ReceiptArgument, delay: Seconds) -> PyResult<Pending> {
        self.step(py, |open| open.defer(&receipt.0, delay.0))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn cancel(
        &self,
        py: Python<'_>,
        receipt: ReceiptArgument,
        reason: Option<&str>,
    ) -> PyResult<Pending> {
        self.step(py, |open| open.cancel(&receipt.0, reason))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn cancel_message(&self, py: Python<'_>, topic: &str, message_id: Id) -> PyResult<Pending> {
        self.step(py, |open| open.cancel_message(topic, message_id.0))
    }

    fn commit(&self, py: Python<'_>) -> PyResult<Pending> {
        Ok(Pending::whole(self.take(py)?.commit()))
    }

    fn rollback(&self, py: Python<'_>) -> PyResult<Pending> {
        Ok(Pending::whole(self.take(py)?.rollback()))
    }
}

/// A value of a statement.
struct Value(SqlValue);

fn to_core(values: Vec<Value>) -> Vec<SqlValue> {
    values.into_iter().map(|value| value.0).collect()
}

impl<'py> FromPyObject<'_, 'py> for Value {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(if value.is_none() {
            SqlValue::Null
        } else if value.cast::<PyBool>().is_ok() || value.cast::<PyInt>().is_ok() {
            SqlValue::Integer(value.extract()?)
        } else if value.cast::<PyFloat>().is_ok() {
            SqlValue::Real(value.extract()?)
        } else if value.cast::<PyString>().is_ok() {
            SqlValue::Text(value.extract()?)
        } else if let Ok(bytes) = value.cast::<PyBytes>() {
            SqlValue::Blob(bytes.as_bytes().to_owned())
        } else {
            let found = value.get_type();
            return Err(PyTypeError::new_err(format!("no value of a statement: {found}")));
        }))
    }
}

impl Answer for SqlValue {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Null => Ok(py.None()),
            Self::Integer(value) => value.into_py_any(py),
            Self::Real(value) => value.into_py_any(py),
            Self::Text(value) => value.into_py_any(py),
            Self::Blob(value) => PyBytes::new(py, &value).into_py_any(py),
        }
    }
}

/// A list of rows, each a dictionary by column.
impl Answer for SqlRows {
    fn to_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let rows = pyo3::types::PyList::empty(py);
        for row in self.rows {
            let named = pyo3::types::PyDict::new(py);
            for (column, value) in self.columns.iter().zip(row) {
                named.set_item(column, value.to_python(py)?)?;
            }
            rows.append(named)?;
        }
        rows.into_py_any(py)
    }
}
