//! The thread that claims for a worker.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use super::held::Held;
use crate::entropy;
use crate::error::{Error, Result, Retry};
use crate::model::Delivery;
use crate::options::ClaimOptions;
use crate::pending::Pending;

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
        match wait_unless_stopped(held, held.queue.claim(topic, subscriber, &options)) {
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

/// The claim's answer, or nothing if the worker stops before; then what it claims is given back.
fn wait_unless_stopped(
    held: &Held,
    claim: Pending<Vec<Delivery>>,
) -> Option<Result<Vec<Delivery>>> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut claim = pin!(claim);
    loop {
        if let Poll::Ready(answer) = claim.as_mut().poll(&mut context) {
            return Some(answer);
        }
        if held.is_stopping() {
            return None;
        }
        thread::park();
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
