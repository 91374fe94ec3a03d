//! The threads that run the handler.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::held::Held;
use super::{HandlerError, HandlerResult, Next};
use crate::error::Error;
use crate::model::Delivery;
use crate::options::NackOptions;

pub(super) fn run(held: &Held, handler: &dyn Fn(&Delivery) -> HandlerResult) {
    while let Some((number, delivery)) = held.take() {
        let result = catch_unwind(AssertUnwindSafe(|| handler(&delivery)));
        let result = result.unwrap_or_else(|panic| Err(HandlerError::retry(text_of(&*panic))));
        let settled = match &result {
            Ok(()) => held.queue.ack(&delivery.receipt).wait(),
            Err(error) => {
                held.queue.nack(&delivery.receipt, &options(error)).wait().map(|_nacked| ())
            }
        };
        held.done(number, |report| match (settled, result) {
            (Err(Error::LeaseLost { .. }), _) => report.lost += 1,
            // It could not be settled: its lease expires, and it is tried again.
            (Err(_), _) | (Ok(()), Err(_)) => report.failed += 1,
            (Ok(()), Ok(())) => report.acked += 1,
        });
    }
}

fn options(error: &HandlerError) -> NackOptions {
    let options = NackOptions::default().with_error(error.text.clone());
    match error.next {
        Next::Retry => options,
        Next::RetryAfter(delay) => options.with_delay(delay),
        Next::GiveUp => options.with_give_up(true),
    }
}

/// What a panic says, if it says anything.
fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.as_deref().unwrap_or("without a word"))
}
