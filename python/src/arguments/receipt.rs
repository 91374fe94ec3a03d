//! Receipts: the text, or the delivery that has it.

use std::str::FromStr as _;
use std::time::Duration;

use blockqueue::{NackOptions, Receipt};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::{Fields, Seconds};
use crate::delivery::Claimed;
use crate::error;

pub(crate) struct ReceiptArgument(pub(crate) Receipt);

impl<'py> FromPyObject<'_, 'py> for ReceiptArgument {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        if let Ok(text) = value.cast::<PyString>() {
            let receipt = Receipt::from_str(text.to_cow()?.as_ref());
            return receipt.map(Self).map_err(|invalid| error::to_python(py, &invalid));
        }
        if let Ok(claimed) = value.cast::<Claimed>() {
            return Ok(Self(claimed.get().0.receipt));
        }
        let claimed = value.getattr_opt(intern!(py, "_claimed"))?.ok_or_else(|| {
            let found = value.get_type();
            PyTypeError::new_err(format!("expected a receipt or a delivery, not {found}"))
        })?;
        Ok(Self(claimed.cast::<Claimed>()?.get().0.receipt))
    }
}

pub(crate) fn receipts(arguments: Vec<ReceiptArgument>) -> Vec<Receipt> {
    arguments.into_iter().map(|argument| argument.0).collect()
}

/// A delivery to nack, or `blockqueue.Nack` where it has options of its own.
pub(crate) enum NackArgument {
    Plain(ReceiptArgument),
    Own(NackFields),
}

#[derive(FromPyObject)]
pub(crate) struct NackFields {
    delivery: ReceiptArgument,
    delay: Option<Seconds>,
    error: Option<String>,
    give_up: bool,
}

impl NackArgument {
    /// The receipt, and its own options or else these.
    pub(crate) fn or(self, options: &NackOptions) -> (Receipt, NackOptions) {
        match self {
            Self::Plain(receipt) => (receipt.0, options.clone()),
            Self::Own(own) => {
                let mut options = NackOptions::default().with_give_up(own.give_up);
                options.delay = own.delay.map(|delay| delay.0);
                options.error = own.error;
                (own.delivery.0, options)
            }
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for NackArgument {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if value.hasattr(intern!(value.py(), "give_up"))? {
            return value.extract().map(|Fields(own)| Self::Own(own));
        }
        value.extract().map(Self::Plain)
    }
}

/// A delivery to defer, or `blockqueue.Defer` where it has a delay of its own.
pub(crate) enum DeferArgument {
    Plain(ReceiptArgument),
    Own(DeferFields),
}

#[derive(FromPyObject)]
pub(crate) struct DeferFields {
    delivery: ReceiptArgument,
    delay: Seconds,
}

impl DeferArgument {
    /// The receipt, and its own delay or else this.
    pub(crate) fn or(self, delay: Seconds) -> (Receipt, Duration) {
        match self {
            Self::Plain(receipt) => (receipt.0, delay.0),
            Self::Own(own) => (own.delivery.0, own.delay.0),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for DeferArgument {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if value.hasattr(intern!(value.py(), "delivery"))? {
            return value.extract().map(|Fields(own)| Self::Own(own));
        }
        value.extract().map(Self::Plain)
    }
}
