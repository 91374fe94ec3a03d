//! The writer's end of a transaction that its owner carries out step by step.
//!
//! The writer serves one such transaction at a time and nothing else meanwhile, until its owner ends it,
//! goes away, or the deadline passes. Invariant: each step is answered once, or its reply is dropped, which
//! its owner sees as the end of the transaction.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use super::{Answered, HandleId, ReplyTo, Turn};
use crate::clock::monotonic;
use crate::error::Result;
use crate::op::{Outcome, TxStep};
use crate::store::Owner;

/// A step, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Asked {
    pub step: TxStep,
    pub reply: ReplyTo,
}

#[derive(Debug)]
pub(crate) struct Session {
    steps: Receiver<Asked>,
    /// How long it may last.
    patience: Duration,
    turn: Turn,
    /// When it has to be over; not yet known before it begins.
    deadline: Option<Instant>,
    /// Of the step that is being carried out; at first, of the beginning.
    reply: Option<ReplyTo>,
    /// Held until it is over, so that what waits is bounded.
    permit: Option<OwnedSemaphorePermit>,
}

impl Session {
    pub(super) fn new(steps: Receiver<Asked>, patience: Duration, turn: Turn) -> Self {
        Self { steps, patience, turn, deadline: None, reply: None, permit: None }
    }

    /// This is who waits for it to begin.
    pub(super) fn expect(&mut self, reply: ReplyTo, permit: Option<OwnedSemaphorePermit>) {
        self.reply = Some(reply);
        self.permit = permit;
    }

    /// Somebody still waits for it to begin.
    pub(super) fn is_wanted(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| !reply.is_closed())
    }

    /// It came by this handle, and has not begun.
    pub(super) fn waits_for(&self, handle: HandleId) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.handle == handle)
    }

    fn begin(&mut self) {
        self.deadline = Some(monotonic() + self.patience);
        self.turn.begin();
        self.answer(Ok(Outcome::Done));
    }
}

impl Owner for Session {
    fn next(&mut self) -> TxStep {
        if self.deadline.is_none() {
            self.begin();
        }
        let left = self.deadline().saturating_duration_since(monotonic());
        match self.steps.recv_timeout(left) {
            Ok(Asked { step, reply }) => {
                self.reply = Some(reply);
                step
            }
            // It is late, or its owner is gone.
            Err(_) => TxStep::RollBack,
        }
    }

    fn answer(&mut self, outcome: Result<Outcome>) {
        if let Some(reply) = self.reply.take() {
            reply.send(outcome.map(Answered::new));
        }
    }

    fn deadline(&self) -> Instant {
        self.deadline.unwrap_or_else(monotonic)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.turn.end();
    }
}
