//! Failures as problem documents (RFC 9457), and the one table from codes to statuses.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use blockqueue::Error;
use serde::Serialize;
use utoipa::ToSchema;

/// A problem document. `code` is stable, `detail` is for people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:blockqueue:error:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            code,
        }
    }

    /// The request itself is wrong.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_argument", detail)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::new(status(&error), error.code(), error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}

/// The one table: code, HTTP status.
fn status(error: &Error) -> StatusCode {
    match error.code() {
        "invalid_argument" | "invalid_receipt" | "sql_failed" => StatusCode::BAD_REQUEST,
        "limit_exceeded" => StatusCode::PAYLOAD_TOO_LARGE,
        "unknown_topic" | "unknown_subscriber" | "unknown_message" | "unknown_schedule" => {
            StatusCode::NOT_FOUND
        }
        "topic_exists"
        | "subscriber_exists"
        | "schedule_exists"
        | "stale_version"
        | "lease_lost"
        | "idempotency_conflict"
        | "unique_conflict"
        | "in_transaction"
        | "transaction_ended" => StatusCode::CONFLICT,
        "backlog_full" => StatusCode::TOO_MANY_REQUESTS,
        "busy" | "locked" | "shutdown" => StatusCode::SERVICE_UNAVAILABLE,
        "disk_full" => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_status() {
        assert_eq!(status(&Error::Busy), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(&Error::InvalidReceipt), StatusCode::BAD_REQUEST);
        let unknown = Error::UnknownTopic { topic: "t".into() };
        assert_eq!(status(&unknown), StatusCode::NOT_FOUND);
    }
}
