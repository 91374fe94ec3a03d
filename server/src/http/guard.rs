//! Who may make which request: the scopes and topics of paths, for both contracts.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;

use super::refusal;
use super::v1::Problem;
use crate::auth::{Refused, Scope, Tokens};

pub(super) async fn guard(
    State(tokens): State<Arc<Tokens>>,
    request: Request,
    next: Next,
) -> Response {
    if !tokens.is_required() {
        return next.run(request).await;
    }
    let checked = match need(request.method(), request.uri().path()) {
        Need::Nothing => Ok(()),
        Need::Token { scope, topic } => tokens.check(bearer(&request), scope, topic.as_deref()),
    };
    match checked {
        Ok(()) => next.run(request).await,
        Err(Refused::Unauthorized) => {
            let problem = Problem::new("unauthorized", "a token is needed");
            let mut response = refusal(request.uri().path(), problem);
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            response
        }
        Err(Refused::Forbidden) => {
            let problem = Problem::new("forbidden", "the token does not allow this");
            refusal(request.uri().path(), problem)
        }
    }
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[derive(Debug, PartialEq, Eq)]
enum Need {
    /// Probes of whatever looks after the process.
    Nothing,
    /// A token, of this scope if one is named, for this topic if it is about one.
    Token { scope: Option<Scope>, topic: Option<String> },
}

/// What a request needs. Whatever is not known to need less needs `admin`.
fn need(method: &Method, path: &str) -> Need {
    let path = path.strip_prefix("/v1").unwrap_or(path);
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (scope, topic) = match segments.as_slice() {
        ["livez" | "readyz"] => return Need::Nothing,
        ["openapi.json" | "metrics"] | ["prometheus", "metrics"] => (None, None),
        ["topics", topic, rest @ ..] => (Some(scope(method, rest)), Some(*topic)),
        _ => (Some(Scope::Admin), None),
    };
    let topic = topic.map(|topic| percent_decode_str(topic).decode_utf8_lossy().into_owned());
    Need::Token { scope, topic }
}

/// What a request about one topic needs, by what follows the topic's name.
fn scope(method: &Method, rest: &[&str]) -> Scope {
    match rest {
        ["messages"] | ["messages", "batch"] if method == Method::POST => Scope::Publish,
        // A publisher waits for what comes of its message.
        ["messages", _, "results", _] if method == Method::GET => Scope::Publish,
        // Reading and settling in the original contract.
        ["subscribers", _] if method == Method::GET => Scope::Consume,
        ["subscribers", _, "messages", _] if method == Method::DELETE => Scope::Consume,
        ["subscribers", _, "claim"]
        | ["subscribers", _, "messages", _, "ack" | "nack" | "lease" | "snooze"] => Scope::Consume,
        _ => Scope::Admin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_needs_the_scope_of_what_it_does() {
        for (method, path, scope, topic) in [
            (Method::POST, "/v1/topics/a%20b/messages", Some(Scope::Publish), Some("a b")),
            (Method::POST, "/topics/t/messages", Some(Scope::Publish), Some("t")),
            (Method::POST, "/v1/topics/t/messages/batch", Some(Scope::Publish), Some("t")),
            (Method::GET, "/topics/t/subscribers/s", Some(Scope::Consume), Some("t")),
            (Method::DELETE, "/topics/t/subscribers/s/messages/i", Some(Scope::Consume), Some("t")),
            (Method::POST, "/v1/topics/t/subscribers/s/claim", Some(Scope::Consume), Some("t")),
            (
                Method::POST,
                "/v1/topics/t/subscribers/s/messages/i/ack",
                Some(Scope::Consume),
                Some("t"),
            ),
            (Method::GET, "/v1/topics/t/messages/i/results/s", Some(Scope::Publish), Some("t")),
            (Method::DELETE, "/topics/t/subscribers/s", Some(Scope::Admin), Some("t")),
            (Method::GET, "/v1/topics/t/messages/i", Some(Scope::Admin), Some("t")),
            (Method::POST, "/v1/topics/t/messages/i/cancel", Some(Scope::Admin), Some("t")),
            (Method::GET, "/v1/topics/t/schedules", Some(Scope::Admin), Some("t")),
            (Method::POST, "/v1/topics/t/schedules/n/run-now", Some(Scope::Admin), Some("t")),
            (Method::GET, "/v1/topics", Some(Scope::Admin), None),
            (Method::GET, "/metrics", None, None),
            (Method::GET, "/anything/else", Some(Scope::Admin), None),
        ] {
            let topic = topic.map(str::to_owned);
            assert_eq!(need(&method, path), Need::Token { scope, topic }, "{method} {path}");
        }
        assert_eq!(need(&Method::GET, "/livez"), Need::Nothing);
    }
}
