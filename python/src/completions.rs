//! Operations that an event loop waits for: no thread for each, one wake-up for many.
//!
//! The writer thread puts what has news on a list and signals the loop, once for all that is on it; the loop
//! drains the list. Invariant: the writer thread never takes the interpreter's lock.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::pending::{Call, Pending, told};

/// The list of what has news, for one event loop.
#[pyclass(frozen, module = "blockqueue._native")]
pub(crate) struct Completions(Arc<Shared>);

struct Shared {
    ready: Mutex<Vec<Arc<Started>>>,
    /// For the pump thread of loops that cannot watch a descriptor.
    arrived: Condvar,
    signal: Option<OwnedFd>,
}

/// An operation and the future that waits for it.
struct Started {
    call: Mutex<Option<Call>>,
    future: Py<PyAny>,
    shared: Arc<Shared>,
}

impl Wake for Started {
    fn wake(self: Arc<Self>) {
        let shared = Arc::clone(&self.shared);
        shared.add(self);
    }
}

impl Shared {
    fn ready(&self) -> MutexGuard<'_, Vec<Arc<Started>>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, started: Arc<Started>) {
        let was_empty = {
            let mut ready = self.ready();
            ready.push(started);
            ready.len() == 1
        };
        if was_empty {
            match &self.signal {
                // It cannot block: the counter is far from its end.
                Some(signal) => drop(rustix::io::write(signal, &1_u64.to_ne_bytes())),
                None => self.arrived.notify_one(),
            }
        }
    }

    fn take(&self) -> Vec<Arc<Started>> {
        if let Some(signal) = &self.signal {
            // Before the list is taken: what comes later signals again.
            let _ = rustix::io::read(signal, &mut [0; 8]);
        }
        std::mem::take(&mut *self.ready())
    }
}

#[pymethods]
impl Completions {
    /// With a descriptor that an event loop can watch, if it is wanted and the system has one.
    #[new]
    fn new(descriptor: bool) -> PyResult<Self> {
        let signal = if descriptor { signal()? } else { None };
        Ok(Self(Arc::new(Shared { ready: Mutex::default(), arrived: Condvar::new(), signal })))
    }

    /// The descriptor that becomes readable when something has news.
    fn fileno(&self) -> Option<i32> {
        self.0.signal.as_ref().map(OwnedFd::as_raw_fd)
    }

    /// Completes the future when the operation has its answer, perhaps at once.
    fn submit(&self, py: Python<'_>, pending: &Pending, future: Py<PyAny>) -> PyResult<Submitted> {
        let call = Mutex::new(Some(pending.take()?));
        let started = Arc::new(Started { call, future, shared: Arc::clone(&self.0) });
        advance(py, &started)?;
        Ok(Submitted(started))
    }

    /// Completes the futures of all that have their answers. Only on the loop's thread.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        for started in self.0.take() {
            advance(py, &started)?;
        }
        Ok(())
    }

    /// Waits until something has news, for the pump thread; `False` when the time is over.
    fn wait(&self, py: Python<'_>, seconds: f64) -> bool {
        let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        py.detach(|| {
            let waited =
                self.0.arrived.wait_timeout_while(self.0.ready(), time, |list| list.is_empty());
            !waited.unwrap_or_else(PoisonError::into_inner).0.is_empty()
        })
    }
}

/// Handed over for an event loop.
#[pyclass(frozen, module = "blockqueue._native")]
pub(crate) struct Submitted(Arc<Started>);

#[pymethods]
impl Submitted {
    /// Nobody waits any more: what a claim has, or would get, is given back.
    fn cancel(&self, py: Python<'_>) {
        py.detach(|| drop(self.0.take_call()));
    }
}

impl Started {
    fn call(&self) -> MutexGuard<'_, Option<Call>> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_call(&self) -> Option<Call> {
        self.call().take()
    }
}

/// Polls once, and completes the future if the answer is there.
fn advance(py: Python<'_>, started: &Arc<Started>) -> PyResult<()> {
    let future = started.future.bind(py);
    // Before the answer is taken: what a claim got is given back if nobody waits for it any more.
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        drop(started.take_call());
        return Ok(());
    }
    let waker = Waker::from(Arc::clone(started));
    let result = {
        let mut slot = started.call();
        let Some(call) = slot.as_mut() else { return Ok(()) };
        match call.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => return Ok(()),
            Poll::Ready(result) => result,
        }
    };
    drop(started.take_call());
    match told(py, result) {
        Ok(answer) => future.call_method1(intern!(py, "set_result"), (answer,))?,
        Err(error) => future.call_method1(intern!(py, "set_exception"), (error,))?,
    };
    Ok(())
}

#[cfg(target_os = "linux")]
fn signal() -> PyResult<Option<OwnedFd>> {
    use rustix::event::{EventfdFlags, eventfd};
    let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
    descriptor.map(Some).map_err(|error| PyOSError::new_err(error.to_string()))
}

#[cfg(not(target_os = "linux"))]
fn signal() -> PyResult<Option<OwnedFd>> {
    Ok(None)
}
