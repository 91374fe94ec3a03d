//! The native half of the Python package: the private module `blockqueue._native`.
//!
//! Converts in, calls the core, converts out, and holds no rule of the queue. What people use is the typed
//! Python in `blockqueue/` on top of it.

mod answers;
mod arguments;
#[cfg(feature = "test-clock")]
mod clock;
mod completions;
mod delivery;
mod error;
mod limits;
mod pending;
mod queue;
mod transaction;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

#[pymodule(gil_used = true)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    refuse_subinterpreter()?;
    module.add_class::<queue::Queue>()?;
    module.add_class::<pending::Pending>()?;
    module.add_class::<completions::Completions>()?;
    module.add_class::<completions::Submitted>()?;
    module.add_class::<delivery::Claimed>()?;
    module.add_class::<delivery::Published>()?;
    module.add_class::<transaction::Transaction>()?;
    #[cfg(feature = "test-clock")]
    module.add_class::<clock::TestClock>()?;
    limits::add(module)
}

/// Classes of Python are looked up once for the process, so they must all be of one interpreter.
fn refuse_subinterpreter() -> PyResult<()> {
    #[expect(unsafe_code, reason = "only the C API tells interpreters apart")]
    // SAFETY: a module is initialised by a thread that is attached to an interpreter, which lives meanwhile.
    let id = unsafe { pyo3::ffi::PyInterpreterState_GetID(pyo3::ffi::PyInterpreterState_Get()) };
    if id == 0 {
        return Ok(());
    }
    Err(PyImportError::new_err("blockqueue is for the main interpreter, not for a subinterpreter"))
}
