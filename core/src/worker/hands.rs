//! The threads that run the handler.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::held::Held;
use super::{HandlerError, HandlerResult, Next};
use crate::error::{Error, Result};
use crate::model::Delivery;
use crate::options::{NackOptions, Reply};

pub(super) fn run(held: &Held, handler: &dyn Fn(&Delivery) -> HandlerResult<Option<Reply>>) {
    while let Some((number, delivery)) = held.take() {
        let result = catch_unwind(AssertUnwindSafe(|| handler(&delivery)));
        let result = result.unwrap_or_else(|panic| Err(HandlerError::retry(text_of(&*panic))));
        let result = result.and_then(checked);
        let succeeded = result.is_ok();
        let settled = settle(held, &delivery, result);
        held.done(number, |report| match settled {
            Err(Error::LeaseLost { .. }) => report.lost += 1,
            Ok(()) if succeeded => report.acked += 1,
            // Or it could not be settled: its lease expires, and it is tried again.
            Ok(()) | Err(_) => report.failed += 1,
        });
    }
}

/// A reply that cannot be stored is a failure of the handler.
fn checked(reply: Option<Reply>) -> HandlerResult<Option<Reply>> {
    if let Some(reply) = &reply {
        reply.validate()?;
    }
    Ok(reply)
}

fn settle(held: &Held, delivery: &Delivery, result: HandlerResult<Option<Reply>>) -> Result<()> {
    match result {
        Ok(None) => held.queue.ack(&delivery.receipt).wait(),
        Ok(Some(reply)) => held.queue.ack_with_result(&delivery.receipt, reply).wait(),
        Err(error) => held.queue.nack(&delivery.receipt, &options(&error)).wait().map(drop),
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
