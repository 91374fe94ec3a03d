//! Replies to messages, and waiting for them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use blockqueue::Pending;

use crate::bytes::Bytes;
use crate::error::{Result, unknown};
use crate::number::{maybe_duration, millis};

/// A reply to store together with an ack, for whoever waits for the message's result.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct Reply {
    /// Any bytes, also none. At most 1 MiB.
    pub payload: Bytes,
    /// What the payload is, for example `application/json`; at most 255 bytes.
    #[uniffi(default)]
    pub content_type: Option<String>,
    /// How long it is kept. Default 1 h; 1 ms to 31 days.
    #[uniffi(default)]
    pub ttl_ms: Option<i64>,
}

impl Reply {
    pub(crate) fn into_core(self) -> blockqueue::Result<blockqueue::Reply> {
        let mut reply = blockqueue::Reply::new(self.payload.0);
        reply.content_type = self.content_type;
        reply.ttl = maybe_duration("ttl", self.ttl_ms)?;
        Ok(reply)
    }
}

/// What came of a message for one subscriber.
#[derive(Debug, Clone, uniffi::Enum)]
pub enum DeliveryResult {
    /// The subscriber acked it with this reply.
    Replied {
        /// The reply.
        reply: ReplyView,
    },
    /// It is settled without a reply: acked or cancelled, passed over, or its reply has expired.
    Settled,
    /// It ran out of attempts. A redrive may still bring a reply.
    DeadLettered,
    /// Nothing yet.
    Unsettled,
}

/// A reply as it was stored.
#[derive(Debug, Clone, uniffi::Record)]
pub struct ReplyView {
    /// The bytes of the reply.
    pub payload: Bytes,
    /// What the payload is.
    pub content_type: Option<String>,
    /// When the message was acked.
    pub replied_at_ms: i64,
    /// Until when the reply is kept.
    pub expires_at_ms: i64,
}

impl DeliveryResult {
    pub(crate) fn from_core(result: blockqueue::DeliveryResult) -> blockqueue::Result<Self> {
        Ok(match result {
            blockqueue::DeliveryResult::Replied(reply) => Self::Replied {
                reply: ReplyView {
                    payload: Bytes(reply.payload),
                    content_type: reply.content_type,
                    replied_at_ms: millis(reply.replied_at),
                    expires_at_ms: millis(reply.expires_at),
                },
            },
            blockqueue::DeliveryResult::Settled => Self::Settled,
            blockqueue::DeliveryResult::DeadLettered => Self::DeadLettered,
            blockqueue::DeliveryResult::Unsettled => Self::Unsettled,
            other => return Err(unknown(std::mem::discriminant(&other))),
        })
    }
}

/// The wait for a result, which can be ended.
#[derive(Debug, uniffi::Object)]
pub struct PendingResult(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Gone when there was an answer, or the wait was cancelled.
    pending: Option<Pending<blockqueue::DeliveryResult>>,
    /// Whoever waits, to be told of a cancellation.
    waiting: Option<Waker>,
}

impl PendingResult {
    pub(crate) fn new(pending: Pending<blockqueue::DeliveryResult>) -> Self {
        Self(Mutex::new(State { pending: Some(pending), waiting: None }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<blockqueue::Result<blockqueue::DeliveryResult>> {
        let mut state = self.state();
        let Some(pending) = &mut state.pending else {
            return Poll::Ready(Ok(blockqueue::DeliveryResult::Unsettled));
        };
        let answer = Pin::new(pending).poll(context);
        match answer {
            Poll::Ready(_) => *state = State { pending: None, waiting: None },
            Poll::Pending => state.waiting = Some(context.waker().clone()),
        }
        answer
    }
}

#[uniffi::export]
impl PendingResult {
    /// Waits for the result; unsettled when the time was over, or the wait was cancelled.
    pub async fn wait(&self) -> Result<DeliveryResult> {
        Ok(DeliveryResult::from_core(poll_fn(|context| self.poll(context)).await?)?)
    }

    /// Ends the wait. Any thread may call it, at any time, several times.
    pub fn cancel(&self) {
        let waiting = {
            let mut state = self.state();
            state.pending = None;
            state.waiting.take()
        };
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}
