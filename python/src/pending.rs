//! An operation on its way, as Python holds it: waited for here, or completed by [`crate::completions`].

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use blockqueue::{Error, Result};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::answers::Answer;
use crate::error;

/// Converts the answer, once it is there and the interpreter is held.
type Told = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;
pub(crate) type Call = Pin<Box<dyn Future<Output = Result<Told>> + Send>>;

/// How long to wait before looking for signals, so that Ctrl-C ends any wait.
const SLICE: Duration = Duration::from_millis(100);

/// An operation that was handed over. Dropping it does not undo it, except for a claim: what it claims, or
/// already has, is given back.
#[pyclass(frozen, module = "blockqueue._native")]
pub(crate) struct Pending(Mutex<Option<Held>>);

enum Held {
    Call(Call),
    Whole(Box<dyn Whole>),
}

/// A step of a transaction, which belongs to the thread that waits for it with the core's own means. It is
/// bounded by the transaction's deadline, so signals can wait.
trait Whole: Send {
    fn wait(self: Box<Self>) -> Result<Told>;
    fn into_call(self: Box<Self>) -> Call;
}

impl<T: Answer> Whole for blockqueue::Pending<T> {
    fn wait(self: Box<Self>) -> Result<Told> {
        (*self).wait().map(tell)
    }

    fn into_call(self: Box<Self>) -> Call {
        Box::pin(async move { (*self).await.map(tell) })
    }
}

fn tell<T: Answer>(answer: T) -> Told {
    Box::new(move |py: Python<'_>| answer.to_python(py))
}

impl Pending {
    pub(crate) fn new<T: Answer>(pending: blockqueue::Pending<T>) -> Self {
        Self::of(async move { pending.await.map(tell) })
    }

    pub(crate) fn whole<T: Answer>(pending: blockqueue::Pending<T>) -> Self {
        Self(Mutex::new(Some(Held::Whole(Box::new(pending)))))
    }

    /// What is known already.
    pub(crate) fn ready<T: Answer>(answer: Result<T>) -> Self {
        Self::of(std::future::ready(answer.map(tell)))
    }

    fn of(call: impl Future<Output = Result<Told>> + Send + 'static) -> Self {
        Self(Mutex::new(Some(Held::Call(Box::pin(call)))))
    }

    pub(crate) fn take(&self) -> PyResult<Call> {
        Ok(match self.take_held()? {
            Held::Call(call) => call,
            Held::Whole(whole) => whole.into_call(),
        })
    }

    fn take_held(&self) -> PyResult<Held> {
        let call = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        call.ok_or_else(|| PyRuntimeError::new_err("the operation was waited for already"))
    }
}

#[pymethods]
impl Pending {
    /// Waits for the answer with the interpreter released; signals are looked at meanwhile.
    fn wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut call = match self.take_held()? {
            Held::Call(call) => call,
            Held::Whole(whole) => return told(py, py.detach(move || whole.wait())),
        };
        loop {
            match py.detach(|| poll_for(&mut call, SLICE)) {
                Poll::Ready(result) => return told(py, result),
                Poll::Pending => py.check_signals()?,
            }
        }
    }
}

pub(crate) fn told(py: Python<'_>, result: Result<Told, Error>) -> PyResult<Py<PyAny>> {
    match result {
        Ok(told) => told(py),
        Err(error) => Err(error::to_python(py, &error)),
    }
}

#[expect(clippy::disallowed_methods, reason = "a slice of waiting is no time of the queue")]
fn poll_for(call: &mut Call, time: Duration) -> Poll<Result<Told>> {
    thread_local! {
        static WAKER: Waker = Waker::from(Arc::new(Unpark(thread::current())));
    }
    WAKER.with(|waker| {
        let mut context = Context::from_waker(waker);
        let deadline = Instant::now() + time;
        loop {
            if let Poll::Ready(result) = call.as_mut().poll(&mut context) {
                return Poll::Ready(result);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Poll::Pending;
            }
            thread::park_timeout(left);
        }
    })
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
