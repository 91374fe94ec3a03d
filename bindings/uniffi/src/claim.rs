//! Claims, which hold what they got until it is taken.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use blockqueue::Pending;

use crate::delivery::Delivery;
use crate::error::{Result, invalid};
use crate::number::{duration, maybe_count, maybe_duration};

/// One subscriber of one topic.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Source {
    /// The topic's name.
    pub topic: String,
    /// The subscriber's name.
    pub subscriber: String,
}

/// How to claim.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct ClaimOptions {
    /// At most this many deliveries; 1 to 1,000. Default: the subscriber's `claim_limit`.
    #[uniffi(default)]
    pub limit: Option<i64>,
    /// How long to wait when there is nothing to claim. Default: not at all; at most 1 h.
    #[uniffi(default)]
    pub wait_ms: i64,
    /// How long the deliveries are leased; 1 ms to 12 h. Default: the subscriber's `lease`.
    #[uniffi(default)]
    pub lease_ms: Option<i64>,
}

impl ClaimOptions {
    pub(crate) fn into_core(self) -> blockqueue::Result<blockqueue::ClaimOptions> {
        let mut options = blockqueue::ClaimOptions::default();
        options.limit = maybe_count("limit", self.limit)?;
        options.wait = duration("wait", self.wait_ms)?;
        options.lease = maybe_duration("lease", self.lease_ms)?;
        Ok(options)
    }
}

/// A claim on its way. Wait until it is ready, then take what it got.
///
/// What was claimed and not taken is given back when this is cancelled, or goes away: whoever stops waiting
/// just when a message arrives does not keep it from others.
#[derive(Debug, uniffi::Object)]
pub struct PendingClaim(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Gone when it was taken or cancelled.
    pending: Option<Pending<Vec<blockqueue::Delivery>>>,
    /// Whoever waits, to be told of a cancellation.
    waiting: Option<Waker>,
}

impl PendingClaim {
    pub(crate) fn new(pending: Pending<Vec<blockqueue::Delivery>>) -> Self {
        Self(Mutex::new(State { pending: Some(pending), waiting: None }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        let ready = state.pending.as_mut().map_or(Poll::Ready(()), |it| it.poll_ready(context));
        state.waiting = ready.is_pending().then(|| context.waker().clone());
        ready
    }
}

#[uniffi::export]
impl PendingClaim {
    /// Waits until there is an answer, or the claim is cancelled.
    pub async fn ready(&self) -> Result<()> {
        poll_fn(|context| self.poll_ready(context)).await;
        Ok(())
    }

    /// What was claimed, once and for all: nothing when the time was over, or the claim was cancelled.
    pub fn take(&self) -> Result<Vec<Delivery>> {
        let Some(mut pending) = self.state().pending.take() else { return Ok(Vec::new()) };
        let mut nobody = Context::from_waker(Waker::noop());
        match std::pin::Pin::new(&mut pending).poll(&mut nobody) {
            Poll::Ready(deliveries) => Ok(deliveries?.into_iter().map(Into::into).collect()),
            Poll::Pending => Err(invalid("the claim is taken before it is ready").into()),
        }
    }

    /// Ends the claim, and gives back what it got. Any thread may call it, at any time, several times.
    pub fn cancel(&self) {
        let (pending, waiting) = {
            let mut state = self.state();
            (state.pending.take(), state.waiting.take())
        };
        drop(pending);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}
