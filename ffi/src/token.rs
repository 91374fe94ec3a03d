//! Ending a wait from another thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

use blockqueue::{Pending, Result};

use crate::arguments::out;
use crate::error::bq_error;
use crate::guard::guard;
use crate::handle::{self, object};
use crate::status::bq_status;

/// Ends waits from another thread: pass it to calls that wait, and cancel it. One token may be passed to any
/// number of calls. Once it is cancelled it stays so.
pub struct bq_token(());

#[derive(Default)]
pub(crate) struct Token {
    cancelled: AtomicBool,
    /// Who waits with it.
    waiting: Mutex<Vec<Thread>>,
}

object!(Token, bq_token, 4, "token");

impl Token {
    fn waiting(&self) -> MutexGuard<'_, Vec<Thread>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        for thread in &*self.waiting() {
            thread.unpark();
        }
    }
}

/// Makes a token. It belongs to the caller: free it with bq_token_free. Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_token_new(
    token: *mut *mut bq_token,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes a place for the handle.
        let token = unsafe { out("the place for the token", token) }?;
        *token = handle::give(Token::default());
        Ok(())
    })
}

/// Ends all waits that have this token, now and later, as if their time were over. Any thread may call it, and
/// more than once. What a claim got at that very moment is answered, or given back at once: nothing is lost.
///
/// Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_token_cancel(
    token: *mut bq_token,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        handle::get::<Token>(token)?.cancel();
        Ok(())
    })
}

/// Frees a token. Calls that wait with it wait on, and nobody can cancel them any more. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_token_free(token: *mut bq_token) -> bq_status {
    guard(std::ptr::null_mut(), || handle::free::<Token>(token))
}

/// The token that C passes; NULL is none.
pub(crate) fn optional(token: *mut bq_token) -> Result<Option<Arc<Token>>> {
    if token.is_null() { Ok(None) } else { handle::get::<Token>(token).map(Some) }
}

/// Waits for the answer; `None` if the token was cancelled before it came. Dropping what was cancelled gives
/// back what it claims.
pub(crate) fn wait<T>(pending: Pending<T>, token: Option<&Token>) -> Result<Option<T>> {
    let Some(token) = token else { return pending.wait().map(Some) };
    let _waits = Waiting::register(token);
    pending.wait_unless(|| token.cancelled.load(Ordering::SeqCst)).transpose()
}

/// A thread that is known to the token as long as this lives.
struct Waiting<'a>(&'a Token);

impl<'a> Waiting<'a> {
    fn register(token: &'a Token) -> Self {
        token.waiting().push(thread::current());
        Self(token)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let (mut waiting, own) = (self.0.waiting(), thread::current().id());
        if let Some(place) = waiting.iter().position(|thread| thread.id() == own) {
            waiting.swap_remove(place);
        }
    }
}
