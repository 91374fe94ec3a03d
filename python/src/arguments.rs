//! Python's arguments in the core's types. A wrong type is a `TypeError` that names the argument.

mod message;
mod options;
mod place;
mod receipt;
mod schedule;
mod subscriber;
mod time;

pub(crate) use message::{MessageFields, Messages, ReplyArgument, new_message};
pub(crate) use options::{Backlog, OrNone, RetentionArgument, open_options};
pub(crate) use place::{SeekArgument, Which};
pub(crate) use receipt::{DeferArgument, NackArgument, ReceiptArgument, receipts};
pub(crate) use schedule::ScheduleArgument;
pub(crate) use subscriber::{FilterArgument, NewSubscriberArgument, SubscriberFields};
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

/// An object with these attributes. What refuses one of them comes out as it is, with its code.
pub(crate) struct Fields<T>(pub(crate) T);

impl<'py, T> FromPyObject<'_, 'py> for Fields<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object.extract().map(Self).map_err(|wrong| error::refusal(object.py(), wrong))
    }
}

pub(crate) fn page(limit: Option<usize>, after: Option<String>) -> Page {
    let mut page = Page::default();
    page.limit = limit;
    page.after = after;
    page
}
