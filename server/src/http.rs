//! The contracts spoken over HTTP, each a module of its own, all thin over the core.

#[cfg(feature = "test-clock")]
mod clock;
mod duration;
mod extract;
mod guard;
mod health;
mod metrics;
mod original;
mod payload;
mod v1;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::get;
use blockqueue::Queue;
use tower_http::timeout::RequestBodyTimeoutLayer;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;

use crate::auth::Tokens;
pub(crate) use duration::parse as parse_duration;
pub use metrics::Requests;
use v1::Problem;

/// What every handler needs.
#[derive(Debug, Clone)]
pub struct State {
    /// The open queue.
    pub queue: Queue,
    /// Becomes true when the server is about to end: waiting reads are answered at once.
    pub ending: tokio::sync::watch::Receiver<bool>,
    /// Who may do what.
    pub tokens: Arc<Tokens>,
    /// Requests counted since the start; without, there are no metrics.
    pub requests: Option<Requests>,
    /// The queue's clock, if tests move it.
    #[cfg(feature = "test-clock")]
    pub clock: Option<blockqueue::TestClock>,
}

impl State {
    /// Numbers of the engine, without blocking the thread that asks.
    async fn engine_stats(&self) -> blockqueue::Result<blockqueue::EngineStats> {
        let queue = self.queue.clone();
        let stats = tokio::task::spawn_blocking(move || queue.engine_stats()).await;
        // It cannot be cancelled, and does not panic.
        stats.unwrap_or(Err(blockqueue::Error::Busy))
    }
}

/// What a client may ask of the server's memory and patience.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Largest request body.
    pub body_bytes_max: usize,
    /// How long a client may take for the head of a request, and between two parts of its body.
    pub read_timeout: Duration,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "BlockQueue",
    description = "A durable fan-out message queue. The full contract; failures are problem documents.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Described;

/// Every route.
pub fn router(state: State, bounds: Bounds) -> Router {
    let (v1, document) = described();
    let router = Router::new()
        .merge(original::routes())
        .merge(health::routes())
        .merge(v1)
        .route("/openapi.json", get(move || async move { Json(document) }));
    let router = if state.requests.is_some() { router.merge(metrics::routes()) } else { router };
    #[cfg(feature = "test-clock")]
    let router = router.merge(clock::routes());
    let guard = from_fn_with_state(Arc::clone(&state.tokens), guard::guard);
    let router = router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(bounds.body_bytes_max))
        .layer(RequestBodyTimeoutLayer::new(bounds.read_timeout))
        .layer(guard);
    let router = match state.requests.clone() {
        Some(requests) => router.layer(from_fn_with_state(requests, metrics::count)),
        None => router,
    };
    router.with_state(state)
}

/// What answers a path that is not there.
async fn not_found(uri: Uri) -> Response {
    refusal(uri.path(), Problem::new("not_found", "no such route"))
}

/// What answers a method that a path does not have.
async fn method_not_allowed(uri: Uri) -> Response {
    refusal(uri.path(), Problem::new("method_not_allowed", "no such method here"))
}

/// A refusal before any handler, in the form of the contract that the path is of.
fn refusal(path: &str, problem: Problem) -> Response {
    if original::is_of(path) {
        original::Refusal::from(problem).into_response()
    } else {
        problem.into_response()
    }
}

/// The document that describes the full contract, made from the same types as its handlers.
pub fn openapi() -> Document {
    described().1
}

fn described() -> (Router<State>, Document) {
    let routes = OpenApiRouter::with_openapi(Described::openapi()).merge(v1::routes());
    let (router, mut document) = routes.split_for_parts();
    v1::describe_failures(&mut document);
    (router, document)
}
