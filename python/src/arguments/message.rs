//! Messages to publish, and their payloads.

use std::collections::BTreeMap;

use blockqueue::{Message, Reply};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString, PyType};

use super::{Fields, Instant, Seconds};

const TEXT: &str = "text/plain; charset=utf-8";

/// Everything about a message but its payload: the fields of `blockqueue.Message`.
#[derive(FromPyObject)]
pub(crate) struct MessageFields {
    pub content_type: Option<String>,
    pub headers: Option<BTreeMap<String, String>>,
    pub correlation_id: Option<String>,
    pub priority: i16,
    pub delay: Option<Seconds>,
    pub deliver_at: Option<Instant>,
    pub idempotency_key: Option<String>,
    pub ordering_key: Option<String>,
    pub unique_key: Option<String>,
    pub ttl: Option<Seconds>,
}

/// A message of this payload. What the payload is, is said unless the fields say otherwise.
pub(crate) fn new_message(payload: &Bound<'_, PyAny>, fields: MessageFields) -> PyResult<Message> {
    let mut message = of_payload(payload)?;
    message.content_type = fields.content_type.or(message.content_type);
    message.headers = fields.headers.unwrap_or_default();
    message.correlation_id = fields.correlation_id;
    message.priority = fields.priority;
    message.delay = fields.delay.map(|delay| delay.0);
    message.deliver_at = fields.deliver_at.map(|at| at.0);
    message.idempotency_key = fields.idempotency_key;
    message.ordering_key = fields.ordering_key;
    message.unique_key = fields.unique_key;
    message.ttl = fields.ttl.map(|ttl| ttl.0);
    Ok(message)
}

/// Bytes and text are taken as they are; the rest is encoded by `blockqueue._payload`.
fn of_payload(payload: &Bound<'_, PyAny>) -> PyResult<Message> {
    static ENCODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if let Ok(bytes) = payload.cast::<PyBytes>() {
        return Ok(Message::new(bytes.as_bytes()));
    }
    if let Ok(text) = payload.cast::<PyString>() {
        return Ok(Message::new(text.to_cow()?.as_bytes()).with_content_type(TEXT));
    }
    let encode = ENCODE.import(payload.py(), "blockqueue._payload", "encode")?;
    let (bytes, content_type): (Bound<'_, PyBytes>, Option<String>) =
        encode.call1((payload,))?.extract()?;
    let mut message = Message::new(bytes.as_bytes());
    message.content_type = content_type;
    Ok(message)
}

/// A payload, or a `blockqueue.Message`.
pub(super) fn message_or_payload(item: &Bound<'_, PyAny>) -> PyResult<Message> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(item.py(), "blockqueue._models", "Message")?;
    if item.get_type().is(class) {
        let payload = item.getattr(intern!(item.py(), "payload"))?;
        return new_message(&payload, item.extract::<Fields<_>>()?.0);
    }
    of_payload(item)
}

/// A list of payloads, and of messages where a payload does not say it all.
pub(crate) struct Messages(pub(crate) Vec<Message>);

impl<'py> FromPyObject<'_, 'py> for Messages {
    type Error = PyErr;

    fn extract(list: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let mut messages = Vec::with_capacity(list.len().unwrap_or(0));
        for item in list.try_iter()? {
            messages.push(message_or_payload(&item?)?);
        }
        Ok(Self(messages))
    }
}

/// A payload to reply with, or `blockqueue.Reply`.
pub(crate) struct ReplyArgument(pub(crate) Reply);

#[derive(FromPyObject)]
struct ReplyFields {
    content_type: Option<String>,
    ttl: Option<Seconds>,
}

impl<'py> FromPyObject<'_, 'py> for ReplyArgument {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let py = value.py();
        if !value.get_type().is(CLASS.import(py, "blockqueue._models", "Reply")?) {
            let message = of_payload(&value)?;
            let mut reply = Reply::new(message.payload);
            reply.content_type = message.content_type;
            return Ok(Self(reply));
        }
        let Fields(fields): Fields<ReplyFields> = value.extract()?;
        let message = of_payload(&value.getattr(intern!(py, "payload"))?)?;
        let mut reply = Reply::new(message.payload);
        reply.content_type = fields.content_type.or(message.content_type);
        reply.ttl = fields.ttl.map(|ttl| ttl.0);
        Ok(Self(reply))
    }
}
