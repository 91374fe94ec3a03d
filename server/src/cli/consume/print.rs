//! Messages on standard output, one line each.

use std::io::{self, StdoutLock};

use super::super::failure::{Failure, Outcome};
use super::super::output::{FormatArgs, json, write_line};
use super::super::view::Delivery;

/// Prints messages: the payload as it is, or everything as JSON.
#[derive(Debug)]
pub(super) struct Print {
    format: FormatArgs,
    out: StdoutLock<'static>,
}

impl Print {
    /// Prints to standard output.
    pub(super) fn new(format: FormatArgs) -> Self {
        Self { format, out: io::stdout().lock() }
    }

    /// Prints a message. The line is with the system when this returns.
    pub(super) fn handle(&mut self, delivery: &Delivery) -> Outcome<()> {
        if self.format.is_json() {
            return self.write(&json(delivery)?);
        }
        self.write(&delivery.payload.0)
    }

    fn write(&mut self, line: &[u8]) -> Outcome<()> {
        write_line(&mut self.out, line).map_err(Failure::Output)
    }
}
