//! What a publish and a claim hand out: made by the thousand, so they stay in Rust until somebody looks.

use blockqueue::{Delivery, Published as CorePublished};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::time::SystemTime;

/// A message leased to this consumer.
#[pyclass(frozen, module = "blockqueue._native")]
pub(crate) struct Claimed(pub(crate) Delivery);

#[pymethods]
impl Claimed {
    #[getter]
    fn topic(&self) -> &str {
        &self.0.topic
    }

    #[getter]
    fn subscriber(&self) -> &str {
        &self.0.subscriber
    }

    #[getter]
    fn message_id(&self) -> String {
        self.0.message_id.to_string()
    }

    #[getter]
    fn receipt(&self) -> String {
        self.0.receipt.to_string()
    }

    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.payload)
    }

    #[getter]
    fn content_type(&self) -> Option<&str> {
        self.0.content_type.as_deref()
    }

    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        for (name, value) in &self.0.headers {
            headers.set_item(name, value)?;
        }
        Ok(headers)
    }

    #[getter]
    fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    #[getter]
    fn ordering_key(&self) -> Option<&str> {
        self.0.ordering_key.as_deref()
    }

    #[getter]
    fn priority(&self) -> i16 {
        self.0.priority
    }

    #[getter]
    fn attempt(&self) -> u32 {
        self.0.attempt
    }

    #[getter]
    fn failures(&self) -> u32 {
        self.0.failures
    }

    #[getter]
    fn published_at(&self) -> SystemTime {
        self.0.published_at
    }

    #[getter]
    fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    #[getter]
    fn lease_expires_at(&self) -> SystemTime {
        self.0.lease_expires_at
    }
}

/// The answer to a publish.
#[pyclass(frozen, eq, module = "blockqueue._native")]
#[derive(PartialEq)]
pub(crate) struct Published(pub(crate) CorePublished);

#[pymethods]
impl Published {
    #[getter]
    fn id(&self) -> String {
        self.0.id.to_string()
    }

    #[getter]
    fn duplicate(&self) -> bool {
        self.0.duplicate
    }

    #[getter]
    fn deliver_at(&self) -> Option<SystemTime> {
        self.0.deliver_at
    }

    #[getter]
    fn subscriber_count(&self) -> usize {
        self.0.subscriber_count
    }

    fn __repr__(&self) -> String {
        let duplicate = if self.0.duplicate { "True" } else { "False" };
        format!("Published(id='{}', duplicate={duplicate})", self.0.id)
    }
}
