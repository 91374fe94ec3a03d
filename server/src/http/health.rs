//! Whether the server lives, and whether it can do its work.

use axum::Router;
use axum::extract;
use axum::http::StatusCode;
use axum::routing::get;
use blockqueue::Page;

use super::State;

pub(super) fn routes() -> Router<State> {
    Router::new().route("/livez", get(|| async { "ok" })).route("/readyz", get(ready))
}

/// Ready as long as the queue answers a query and the server is not ending.
async fn ready(extract::State(state): extract::State<State>) -> (StatusCode, &'static str) {
    let page = Page::default().with_limit(1);
    if *state.ending.borrow() || state.queue.topics(page).await.is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready");
    }
    (StatusCode::OK, "ok")
}
