//! What both contracts read from a request; each says in its own words that it cannot be read.

use std::error::Error;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest as _, FromRequestParts as _, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use tower_http::timeout::TimeoutError;

use super::v1::Problem;

/// The body, if it comes whole, in time, and within the bounds.
pub(super) async fn body(request: Request) -> Result<Bytes, Problem> {
    Bytes::from_request(request, &()).await.map_err(|rejection| {
        let code = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "limit_exceeded",
            _ if timed_out(&rejection) => "request_timeout",
            _ => "invalid_argument",
        };
        Problem::new(code, rejection.body_text())
    })
}

/// The client took too long between two parts of its body.
fn timed_out(rejection: &BytesRejection) -> bool {
    let mut cause: Option<&dyn Error> = Some(rejection);
    while let Some(error) = cause {
        if error.is::<TimeoutError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The names in the path, if they are text.
pub(super) async fn path<T: DeserializeOwned + Send>(parts: &mut Parts) -> Result<T, Problem> {
    let path = Path::<T>::from_request_parts(parts, &()).await;
    path.map(|Path(names)| names).map_err(|rejection| Problem::invalid(rejection.body_text()))
}
