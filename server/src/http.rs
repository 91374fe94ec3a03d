//! The contracts spoken over HTTP, each a module of its own, all thin over the core.

mod duration;
mod health;
mod original;
mod payload;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use blockqueue::Queue;

/// What every handler needs.
#[derive(Debug, Clone)]
pub struct State {
    /// The open queue.
    pub queue: Queue,
    /// Cancelled when the server is about to end: waiting reads are answered at once.
    pub ending: tokio::sync::watch::Receiver<bool>,
}

/// Every route.
pub fn router(state: State, body_bytes_max: usize) -> Router {
    Router::new()
        .merge(original::routes())
        .merge(health::routes())
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .with_state(state)
}
