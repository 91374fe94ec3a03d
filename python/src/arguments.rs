//! Python's arguments in the core's types. A wrong type is a `TypeError` that names the argument.

mod message;
mod options;
mod place;
mod receipt;
mod schedule;
mod time;

pub(crate) use message::{MessageFields, Messages, ReplyArgument, new_message};
pub(crate) use options::{
    Backlog, NewSubscriberArgument, RetentionArgument, Retry, Start, SubscriberFields, Ttl,
    open_options,
};
pub(crate) use place::{SeekArgument, Which};
pub(crate) use receipt::{DeferArgument, NackArgument, ReceiptArgument, receipts};
pub(crate) use schedule::ScheduleArgument;
pub(crate) use time::{Instant, Seconds};

use std::str::FromStr as _;

use blockqueue::{MessageId, Page};
use pyo3::prelude::*;

use crate::error;

/// The text of a message id.
pub(crate) struct Id(pub(crate) MessageId);

impl<'py> FromPyObject<'_, 'py> for Id {
    type Error = PyErr;

    fn extract(text: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let id = MessageId::from_str(text.extract()?);
        id.map(Self).map_err(|invalid| error::to_python(text.py(), &invalid))
    }
}

pub(crate) fn page(limit: Option<usize>, after: Option<String>) -> Page {
    let mut page = Page::default();
    page.limit = limit;
    page.after = after;
    page
}
