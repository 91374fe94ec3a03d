//! The contracts spoken over HTTP, each a module of its own, all thin over the core.

#[cfg(feature = "test-clock")]
mod clock;
mod duration;
mod health;
mod original;
mod payload;
mod v1;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Json;
use axum::routing::get;
use blockqueue::Queue;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;

/// What every handler needs.
#[derive(Debug, Clone)]
pub struct State {
    /// The open queue.
    pub queue: Queue,
    /// Becomes true when the server is about to end: waiting reads are answered at once.
    pub ending: tokio::sync::watch::Receiver<bool>,
    /// The queue's clock, for tests to move.
    #[cfg(feature = "test-clock")]
    pub clock: blockqueue::TestClock,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "BlockQueue",
    description = "A durable fan-out message queue. The full contract; failures are problem documents.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Described;

/// Every route.
pub fn router(state: State, body_bytes_max: usize) -> Router {
    let (v1, document) = described();
    let router = Router::new()
        .merge(original::routes())
        .merge(health::routes())
        .merge(v1)
        .route("/openapi.json", get(move || async move { Json(document) }));
    #[cfg(feature = "test-clock")]
    let router = router.merge(clock::routes());
    router
        .fallback(v1::not_found)
        .method_not_allowed_fallback(v1::method_not_allowed)
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .with_state(state)
}

/// The document that describes the full contract, made from the same types as its handlers.
pub fn openapi() -> Document {
    described().1
}

fn described() -> (Router<State>, Document) {
    OpenApiRouter::with_openapi(Described::openapi()).merge(v1::routes()).split_for_parts()
}
