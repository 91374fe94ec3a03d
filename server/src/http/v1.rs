//! The full contract under `/v1`: everything that the engine can do.
//!
//! Strict: unknown fields and trailing data are refused. Success is `{"data": …}`, failure a problem
//! document with the core's code. The words of the wire stand in [`wire`] and nowhere else.

mod deliveries;
mod extract;
mod letters;
mod messages;
mod problem;
mod results;
mod schedules;
mod subscribers;
mod topics;
mod wire;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::State;
pub(crate) use problem::{Problem, describe as describe_failures};

/// The envelope of a success.
#[derive(Debug, Serialize, ToSchema)]
struct Data<T> {
    data: T,
}

fn data<T>(data: T) -> Json<Data<T>> {
    Json(Data { data })
}

fn created<T: Serialize>(value: T) -> Response {
    (StatusCode::CREATED, data(value)).into_response()
}

/// The routes, and what describes them.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .merge(topics::routes())
        .merge(subscribers::routes())
        .merge(messages::routes())
        .merge(deliveries::routes())
        .merge(letters::routes())
        .merge(schedules::routes())
        .merge(results::routes())
}
