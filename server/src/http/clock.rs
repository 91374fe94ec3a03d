//! `POST /test/clock`: tests move the queue's clock. Only in builds with the feature `test-clock`.

use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Json;
use axum::routing::post;
use serde::Deserialize;

use super::State;

pub(super) fn routes() -> Router<State> {
    Router::new().route("/test/clock", post(move_clock))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Move {
    /// Forward by so many milliseconds.
    AdvanceMs(u64),
    /// To so many milliseconds since 1970.
    SetMs(u64),
}

async fn move_clock(
    extract::State(state): extract::State<State>,
    Json(body): Json<Move>,
) -> StatusCode {
    let Some(clock) = &state.clock else { return StatusCode::NOT_FOUND };
    match body {
        Move::AdvanceMs(ms) => clock.advance(Duration::from_millis(ms)),
        Move::SetMs(ms) => clock.set(UNIX_EPOCH + Duration::from_millis(ms)),
    }
    StatusCode::NO_CONTENT
}
