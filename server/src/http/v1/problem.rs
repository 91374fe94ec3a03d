//! Failures as problem documents (RFC 9457), and the one table from codes to statuses.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use blockqueue::Error;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder};

/// The content type of a problem document.
const KIND: &str = "application/problem+json";

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
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let status = status(code);
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
        Self::new("invalid_argument", detail)
    }

    pub(crate) fn status(&self) -> StatusCode {
        status(self.code)
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn into_detail(self) -> String {
        self.detail
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, KIND)], body).into_response()
    }
}

/// The one table: HTTP status, and the codes that it goes with.
const STATUSES: [(StatusCode, &[&str]); 12] = [
    (StatusCode::BAD_REQUEST, &["invalid_argument", "invalid_receipt", "sql_failed"]),
    (StatusCode::UNAUTHORIZED, &["unauthorized"]),
    (StatusCode::FORBIDDEN, &["forbidden"]),
    (
        StatusCode::NOT_FOUND,
        &[
            "not_found",
            "unknown_topic",
            "unknown_subscriber",
            "unknown_message",
            "unknown_schedule",
        ],
    ),
    (StatusCode::METHOD_NOT_ALLOWED, &["method_not_allowed"]),
    (StatusCode::REQUEST_TIMEOUT, &["request_timeout"]),
    (
        StatusCode::CONFLICT,
        &[
            "topic_exists",
            "subscriber_exists",
            "schedule_exists",
            "stale_version",
            "lease_lost",
            "idempotency_conflict",
            "unique_conflict",
            "in_transaction",
            "transaction_ended",
        ],
    ),
    (StatusCode::PAYLOAD_TOO_LARGE, &["limit_exceeded"]),
    (StatusCode::TOO_MANY_REQUESTS, &["backlog_full"]),
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        &[
            "outcome_unknown",
            "read_only",
            "cannot_open",
            "not_a_database",
            "corrupt",
            "newer_schema",
            "io",
            "internal",
            "forked",
            "foreign_sqlite",
        ],
    ),
    (StatusCode::SERVICE_UNAVAILABLE, &["busy", "locked", "shutdown"]),
    (StatusCode::INSUFFICIENT_STORAGE, &["disk_full"]),
];

fn status(code: &str) -> StatusCode {
    let row = STATUSES.iter().find(|(_, codes)| codes.contains(&code));
    row.map_or(StatusCode::INTERNAL_SERVER_ERROR, |(status, _)| *status)
}

/// Says in the document that every operation may fail, and that all failures look the same.
pub(crate) fn describe(document: &mut OpenApi) {
    let rows =
        STATUSES.map(|(status, codes)| format!("{}: {}.", status.as_u16(), codes.join(", ")));
    let description = format!("A problem document. Statuses and their codes: {}", rows.join(" "));
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    let response = ResponseBuilder::new().description(description).content(KIND, content).build();
    let components = document.components.get_or_insert_default();
    components.responses.insert("Problem".to_owned(), response.into());
    let problem = Ref::from_response_name("Problem");
    for item in document.paths.paths.values_mut() {
        let methods =
            [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in methods.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            let failures = responses.iter_mut().filter(|(status, _)| !status.starts_with('2'));
            failures.for_each(|(_, response)| *response = RefOr::Ref(problem.clone()));
            responses.insert("default".to_owned(), RefOr::Ref(problem.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_status() {
        let mut codes: Vec<_> = STATUSES.iter().flat_map(|(_, codes)| *codes).copied().collect();
        codes.sort_unstable();
        let count = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), count);
        for known in blockqueue::error_codes() {
            assert!(codes.contains(&known.code), "{} has no status", known.code);
        }
        assert_eq!(status("invalid_receipt"), StatusCode::BAD_REQUEST);
        assert_eq!(status("unknown_topic"), StatusCode::NOT_FOUND);
        assert_eq!(status("busy"), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn the_manual_has_the_table() {
        let manual = include_str!("../../../../docs/server.md");
        for (status, codes) in STATUSES {
            let row = format!("| {} | `{}` |", status.as_u16(), codes.join("`, `"));
            assert!(manual.lines().any(|line| line == row), "{row}");
        }
    }
}
