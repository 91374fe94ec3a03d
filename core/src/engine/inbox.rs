//! The way to the writer: a channel whose receiver sleeps until there is enough to wake up for.
//!
//! One commit answers many callers, and they come back one after another: a receiver that woke for each
//! of them would spend more time on waking than on writing. Unbounded; what waits is bounded by the
//! engine's permits. Invariant: once the receiver is gone, a command comes back to its sender.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Command;
use crate::clock::monotonic;
use crate::process::fork::Birth;

#[derive(Default)]
struct State {
    commands: VecDeque<Command>,
    /// The receiver sleeps until there are so many; `None` while it is awake.
    enough: Option<usize>,
    /// Something came that is not to wait for others.
    urgent: bool,
    closed: bool,
}

struct Shared {
    /// In a forked child there is no receiver, and the lock may be held by a thread that is not there.
    birth: Birth,
    state: Mutex<State>,
    filled: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
pub(crate) struct Sender(Arc<Shared>);

pub(super) struct Receiver {
    shared: Arc<Shared>,
    /// Taken out of the channel and not yet asked for.
    taken: VecDeque<Command>,
}

pub(super) fn channel() -> (Sender, Receiver) {
    let (state, filled) = (Mutex::default(), Condvar::new());
    let shared = Arc::new(Shared { birth: Birth::now(), state, filled });
    (Sender(Arc::clone(&shared)), Receiver { shared, taken: VecDeque::new() })
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl Sender {
    /// Hands a command over.
    ///
    /// # Errors
    /// The command, if the receiver is gone.
    pub(crate) fn send(&self, command: Command) -> Result<(), Box<Command>> {
        if self.0.birth.is_inherited() {
            return Err(Box::new(command));
        }
        let mut state = self.0.lock();
        if state.closed {
            return Err(Box::new(command));
        }
        state.urgent |= !matches!(command, Command::Run(_));
        state.commands.push_back(command);
        let is_enough = |enough| state.urgent || state.commands.len() >= enough;
        let wakes = state.enough.is_some_and(is_enough);
        if wakes {
            state.enough = None;
        }
        drop(state);
        if wakes {
            self.0.filled.notify_one();
        }
        Ok(())
    }
}

impl Receiver {
    /// How many commands are there.
    pub(super) fn len(&self) -> usize {
        self.taken.len() + self.shared.lock().commands.len()
    }

    /// Sleeps until so many commands are there, or one that is urgent, or the time is up.
    pub(super) fn wait(&self, enough: usize, patience: Duration) {
        let enough = enough.saturating_sub(self.taken.len());
        let until = monotonic() + patience;
        let mut state = self.shared.lock();
        while !state.urgent && state.commands.len() < enough {
            let left = until.saturating_duration_since(monotonic());
            if left.is_zero() {
                break;
            }
            state.enough = Some(enough);
            let woken = self.shared.filled.wait_timeout(state, left);
            (state, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
        state.enough = None;
        state.urgent = false;
    }

    /// The oldest command.
    pub(super) fn take(&mut self) -> Option<Command> {
        if self.taken.is_empty() {
            std::mem::swap(&mut self.taken, &mut self.shared.lock().commands);
        }
        self.taken.pop_front()
    }

    /// Accepts nothing more; what was accepted is still there to be taken.
    pub(super) fn close(&self) {
        self.shared.lock().closed = true;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.close();
        // Outside of the lock: what hangs on a command may send another one when it is dropped.
        while self.take().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_mins(10);

    #[test]
    fn a_receiver_sleeps_until_there_is_enough() {
        let (sender, mut receiver) = channel();
        let senders = [sender.clone(), sender].map(|sender| {
            thread::spawn(move || {
                sender.send(Command::Run(crate::engine::tests::request())).is_ok()
            })
        });
        receiver.wait(2, LONG);
        assert_eq!(receiver.len(), 2);
        for sender in senders {
            assert!(sender.join().unwrap());
        }
        assert!(receiver.take().is_some());
        assert!(receiver.take().is_some());
        assert!(receiver.take().is_none());
    }

    #[test]
    fn what_is_urgent_waits_for_nobody() {
        let (sender, mut receiver) = channel();
        let sender = thread::spawn(move || sender.send(Command::Shutdown(None)).is_ok());
        receiver.wait(1_000, LONG);
        assert!(matches!(receiver.take(), Some(Command::Shutdown(None))));
        assert!(sender.join().unwrap());
    }

    #[test]
    fn a_command_for_nobody_comes_back() {
        let (sender, mut receiver) = channel();
        sender.send(Command::Shutdown(None)).unwrap();
        receiver.close();
        assert!(
            matches!(sender.send(Command::Shutdown(None)), Err(command) if matches!(*command, Command::Shutdown(None)))
        );
        assert!(receiver.take().is_some(), "it was accepted before");
        drop(receiver);
        sender.send(Command::Shutdown(None)).unwrap_err();
    }
}
