//! Being told to stop: SIGINT and SIGTERM finish the work at hand instead of ending the process.
//!
//! The first signal asks. The second ends the command that runs for a message; without one, or from
//! the third on, it ends the process, and what is leased comes back when its lease expires.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Exit status of a process that was interrupted before it could tidy up.
const INTERRUPTED: i32 = 130;

/// Whether the process was told to stop.
#[derive(Debug)]
pub(crate) struct Stop {
    requested: AtomicBool,
    /// The process group of the command that runs now.
    command: Mutex<Option<Pid>>,
    /// The thread that waits.
    waiter: Thread,
}

impl Stop {
    /// Takes over SIGINT and SIGTERM. The calling thread is the one that is woken.
    pub(crate) fn install() -> io::Result<Arc<Self>> {
        let stop = Arc::new(Self {
            requested: AtomicBool::new(false),
            command: Mutex::new(None),
            waiter: thread::current(),
        });
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let shared = Arc::clone(&stop);
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for (count, _signal) in signals.forever().enumerate() {
                shared.signalled(count);
            }
        })?;
        Ok(stop)
    }

    fn signalled(&self, earlier: usize) {
        self.requested.store(true, Ordering::SeqCst);
        self.waiter.unpark();
        let command = *self.command.lock().unwrap_or_else(PoisonError::into_inner);
        match (earlier, command) {
            (0, _) => {}
            (1, Some(group)) => {
                // It may have ended meanwhile, and then there is nothing to end.
                let _ = kill_process_group(group, Signal::TERM);
            }
            (_, group) => {
                if let Some(group) = group {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                exit(INTERRUPTED);
            }
        }
    }

    /// Whether the process was told to stop.
    pub(crate) fn is_requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Says which command runs now, if any.
    pub(crate) fn set_command(&self, group: Option<Pid>) {
        *self.command.lock().unwrap_or_else(PoisonError::into_inner) = group;
    }

    /// Waits for an answer on the waiting thread; `None` when told to stop, and the question is dropped.
    pub(crate) fn or_answer<F: Future + Unpin>(&self, mut question: F) -> Option<F::Output> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        while !self.is_requested() {
            match Pin::new(&mut question).poll(&mut context) {
                Poll::Ready(answer) => return Some(answer),
                Poll::Pending => thread::park(),
            }
        }
        None
    }

    /// Pauses the waiting thread, at most until told to stop.
    pub(crate) fn pause(&self, duration: Duration) {
        if !self.is_requested() {
            thread::park_timeout(duration);
        }
    }
}

/// Wakes a thread that waits for an answer.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
