//! What must hold for any request. Called by the fuzzing target `http`, and by tests with its corpus.
//!
//! An input is a request as it is written: a line with method and path, headers, an empty line, and a body.
//! `$receipt` and `$id` stand for those of a delivery that is leased. With a header `authorization`, tokens are
//! needed.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, Response, header};
use blockqueue::{ClaimOptions, NewTopic, Queue, error_codes};
use blockqueue_server::auth::Tokens;
use blockqueue_server::http::{Bounds, Requests, State, router};
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const PUBLISHER: &str = "secret-of-a-publisher";
const ADMIN: &str = "secret-of-an-admin";
const BODY_BYTES_MAX: usize = 1 << 16;
/// No request waits: the server is about to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// Codes of the server's own.
const BEYOND_CORE: [&str; 5] =
    ["not_found", "method_not_allowed", "unauthorized", "forbidden", "request_timeout"];

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());

/// The status of the answer; `None` if the input is no request.
///
/// # Panics
/// If something does not hold.
pub(crate) fn check(input: &[u8]) -> Option<u16> {
    let queue = Queue::open(":memory:").unwrap();
    let request = read(&prepared(&queue, input))?;
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let token = request.headers().get(header::AUTHORIZATION).cloned();
    let (_end, ending) = tokio::sync::watch::channel(true);
    let tokens = token.as_ref().map(|_| format!("{PUBLISHER} publish t*\n{ADMIN} admin"));
    let state = State {
        queue: queue.clone(),
        ending,
        tokens: Arc::new(tokens.map_or_else(Tokens::default, |text| Tokens::parse(&text).unwrap())),
        requests: Some(Requests::default()),
        #[cfg(feature = "test-clock")]
        clock: None,
    };
    let bounds = Bounds { body_bytes_max: BODY_BYTES_MAX, read_timeout: PATIENCE };
    let answer = RUNTIME.block_on(async {
        let answer = router(state, bounds).oneshot(request);
        let answer = tokio::time::timeout(PATIENCE, answer).await.unwrap().unwrap();
        let (head, body) = answer.into_parts();
        Response::from_parts(head, to_bytes(body, usize::MAX).await.unwrap())
    });
    let status = answer.status();
    let is_open = ["/livez", "/readyz"].contains(&path.as_str());
    if let Some(token) = token.filter(|_| !is_open) {
        let is_known = [PUBLISHER, ADMIN].iter().any(|secret| holds(token.as_bytes(), secret));
        assert!(is_known || status == 401, "{status} without a token");
    }
    assert!(!status.is_server_error() || is_open, "{status}");
    // Others have no body to look at.
    if method != "HEAD" {
        check_body(&path, &answer);
    }
    assert_eq!(queue.diagnose().wait().unwrap().problems, Vec::<String>::new());
    queue.shutdown().wait().unwrap();
    Some(status.as_u16())
}

fn holds(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}

/// Success and failure are what the contract says.
fn check_body(path: &str, answer: &Response<Bytes>) {
    let status = answer.status();
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let document = serde_json::from_slice::<Value>(answer.body());
    if kind.ends_with("json") {
        assert!(document.is_ok(), "{status} with {kind} that is none");
    }
    if status.is_success() || status.is_redirection() {
        return;
    }
    if path == "/topics" || path.starts_with("/topics/") {
        assert_eq!(kind, "application/json", "{status}");
        let document = document.unwrap();
        let told =
            ["message", "error"].map(|name| document.get(name).is_some_and(Value::is_string));
        assert_eq!(told, [true, true], "{document}");
        return;
    }
    if !path.starts_with("/v1/") {
        return;
    }
    assert_eq!(kind, "application/problem+json", "{status}");
    let document = document.unwrap();
    let code = document.get("code").and_then(Value::as_str).unwrap_or_default();
    let is_known = error_codes().iter().any(|known| known.code == code);
    assert!(is_known || BEYOND_CORE.contains(&code), "{document}");
    assert_eq!(document.get("status").and_then(Value::as_u64), Some(status.as_u16().into()));
}

/// A topic with a delivery that is leased, one that waits, a dead letter and a schedule; and the input with what
/// it stands for.
fn prepared(queue: &Queue, input: &[u8]) -> Vec<u8> {
    queue.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    queue.create_topic("to").wait().unwrap();
    let payloads = ["dead", "leased", "waits"];
    queue.publish_batch("t", payloads.map(Into::into).to_vec()).wait().unwrap();
    let claim = ClaimOptions::default().with_limit(2);
    let claimed = queue.claim("t", "s", &claim).wait().unwrap();
    let [dead, leased] = claimed.as_slice() else { panic!("{claimed:?}") };
    let give_up = blockqueue::NackOptions::default().with_give_up(true);
    queue.nack(&dead.receipt, &give_up).wait().unwrap();
    let daily = blockqueue::ScheduleOptions::new("@daily", "scheduled");
    queue.create_schedule("t", blockqueue::NewSchedule::new("daily", daily)).wait().unwrap();
    let with_receipt = replace(input, b"$receipt", leased.receipt.to_string().as_bytes());
    replace(&with_receipt, b"$id", leased.message_id.to_string().as_bytes())
}

fn replace(text: &[u8], name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut rest = text;
    let mut replaced = Vec::new();
    while let Some((first, others)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(name) {
            replaced.extend_from_slice(value);
            rest = after;
        } else {
            replaced.push(*first);
            rest = others;
        }
    }
    replaced
}

/// What the HTTP library itself refuses is not a request.
fn read(input: &[u8]) -> Option<Request<Body>> {
    let end = input.windows(2).position(|two| two == b"\n\n").unwrap_or(input.len());
    let (head, rest) = input.split_at(end);
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut words = lines.next()?.split(|byte| *byte == b' ');
    let mut request = Request::builder().method(words.next()?).uri(words.next()?);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        request = request.header(name, value.get(1..)?.trim_ascii());
    }
    let body: Vec<u8> = rest.iter().skip(2).copied().collect();
    let request = request.body(Body::from(body)).ok()?;
    request.uri().path().starts_with('/').then_some(request)
}
