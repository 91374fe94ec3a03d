//! The thread that claims for a worker.

use std::thread;
use std::time::Duration;

use super::held::Held;
use crate::entropy;
use crate::error::{Error, Retry};
use crate::options::ClaimOptions;

/// How long one claim waits.
const WAIT: Duration = Duration::from_mins(1);
/// The first pause after an error that may pass, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

pub(super) fn run(held: &Held, topic: &str, subscriber: &str) {
    let options =
        ClaimOptions::default().with_limit(held.batch).with_lease(held.lease).with_wait(WAIT);
    let mut pause = PAUSES.0;
    let error = loop {
        if !held.wait_for_room(thread::current()) {
            break None;
        }
        let claim = held.queue.claim(topic, subscriber, &options);
        match claim.wait_unless(|| held.is_stopping()) {
            // What it claims is given back.
            None => break None,
            Some(Ok(deliveries)) => {
                pause = PAUSES.0;
                held.add(deliveries);
            }
            Some(Err(error)) if may_pass(&error) => {
                // Not all workers at the same moment.
                held.pause(pause.mul_f64(0.5 + entropy::unit() / 2.0));
                pause = (pause * 2).min(PAUSES.1);
            }
            Some(Err(error)) => break Some(error),
        }
    };
    held.close(error);
}

fn may_pass(error: &Error) -> bool {
    error.retry() != Retry::Never
}
