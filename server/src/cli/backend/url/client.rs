//! Requests to a server and its answers: addresses, the token, envelopes, problem documents.

use std::fmt;
use std::time::Duration;

use blockqueue::Retry;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ureq::http::{Method, Request, StatusCode, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::cli::failure::{Failure, Outcome};

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long an answer may take, beyond what the request itself waits for.
const ANSWER_MAX: Duration = Duration::from_mins(1);
/// The largest answer: a page or a claim of 16 MiB, of which each byte may be escaped.
const ANSWER_BYTES_MAX: u64 = 128 << 20;
/// What stands in a segment of a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A bearer token. Never shown.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// Takes a token, if it can be one.
    pub(crate) fn new(token: &str) -> Outcome<Self> {
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Usage("a token is printable ASCII without spaces".to_owned()));
        }
        Ok(Self(token.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// What a request that was not answered may have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing, or nothing that doing it again would not repair.
    None,
    /// Something, and nobody knows.
    Unknown,
}

/// A request, in pieces.
pub(super) struct Call<'a, B> {
    method: Method,
    path: &'a [&'a str],
    query: Vec<(&'static str, String)>,
    body: Option<B>,
    effect: Effect,
    waits: Duration,
}

impl<'a> Call<'a, ()> {
    /// A question.
    pub(super) const fn get(path: &'a [&'a str]) -> Self {
        Self::new(Method::GET, path, Effect::None)
    }

    /// A request to do something.
    pub(super) const fn post(path: &'a [&'a str]) -> Self {
        Self::new(Method::POST, path, Effect::Unknown)
    }

    /// A request to change something.
    pub(super) const fn patch(path: &'a [&'a str]) -> Self {
        Self::new(Method::PATCH, path, Effect::Unknown)
    }

    /// A request to replace something.
    pub(super) const fn put(path: &'a [&'a str]) -> Self {
        Self::new(Method::PUT, path, Effect::Unknown)
    }

    /// A request to delete something.
    pub(super) const fn delete(path: &'a [&'a str]) -> Self {
        Self::new(Method::DELETE, path, Effect::Unknown)
    }

    const fn new(method: Method, path: &'a [&'a str], effect: Effect) -> Self {
        Self { method, path, query: Vec::new(), body: None, effect, waits: Duration::ZERO }
    }

    /// With a document.
    pub(super) fn body<B: Serialize>(self, body: B) -> Call<'a, B> {
        let Self { method, path, query, effect, waits, body: _ } = self;
        Call { method, path, query, body: Some(body), effect, waits }
    }
}

impl<B> Call<'_, B> {
    /// With a parameter, if it has a value.
    pub(super) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Doing it again repairs what an unanswered request did.
    pub(super) const fn repeatable(mut self) -> Self {
        self.effect = Effect::None;
        self
    }

    /// The server may wait this long before it answers.
    pub(super) const fn waits(mut self, duration: Duration) -> Self {
        self.waits = duration;
        self
    }
}

/// A server.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    base: String,
    token: Option<Token>,
}

/// The envelope of a success.
#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

/// A problem document, as far as it matters here.
#[derive(Deserialize)]
struct Problem {
    code: String,
    #[serde(default)]
    detail: String,
}

impl Client {
    /// A server at an address such as `http://localhost:8080`.
    pub(super) fn new(url: &str, token: Option<Token>) -> Outcome<Self> {
        let base = url.trim_end_matches('/');
        let rest = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
        if rest.is_none_or(str::is_empty) {
            let detail = format!("{url:?} is no address such as http://localhost:8080");
            return Err(Failure::Usage(detail));
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_MAX));
        if base.starts_with("https://") {
            config = config.tls_config(TlsConfig::builder().root_certs(roots()).build());
        }
        let agent = config.build().into();
        Ok(Self { agent, base: format!("{base}/v1"), token })
    }

    /// Sends a request and takes the data of its answer.
    pub(super) fn send<B: Serialize, T: DeserializeOwned>(&self, call: Call<'_, B>) -> Outcome<T> {
        let answer = self.exchange(call)?;
        let data: Data<T> = serde_json::from_slice(&answer)
            .map_err(|error| internal(format!("the server's answer is not understood: {error}")))?;
        Ok(data.data)
    }

    /// Sends a request of which only success matters.
    pub(super) fn order<B: Serialize>(&self, call: Call<'_, B>) -> Outcome<()> {
        self.exchange(call).map(drop)
    }

    fn exchange<B: Serialize>(&self, call: Call<'_, B>) -> Outcome<Vec<u8>> {
        let effect = call.effect;
        let waits = call.waits;
        let request = self.request(call)?;
        let request =
            self.agent.configure_request(request).timeout_global(Some(ANSWER_MAX + waits)).build();
        let mut response = self.agent.run(request).map_err(|error| unanswered(&error, effect))?;
        let status = response.status();
        let body = read(response.body_mut()).map_err(|error| unanswered(&error, effect))?;
        if status.is_success() { Ok(body) } else { Err(refused(status, &body)) }
    }

    fn request<B: Serialize>(&self, call: Call<'_, B>) -> Outcome<Request<Vec<u8>>> {
        let mut request =
            Request::builder().method(call.method).uri(self.address(call.path, &call.query));
        if let Some(Token(token)) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match call.body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                serde_json::to_vec(&body).map_err(|error| internal(error.to_string()))?
            }
            None => Vec::new(),
        };
        request.body(body).map_err(|error| Failure::Usage(error.to_string()))
    }

    fn address(&self, path: &[&str], query: &[(&str, String)]) -> String {
        let mut address = self.base.clone();
        for segment in path {
            address.push('/');
            address.extend(utf8_percent_encode(segment, PLAIN));
        }
        for (position, (name, value)) in query.iter().enumerate() {
            address.push(if position == 0 { '?' } else { '&' });
            address.push_str(name);
            address.push('=');
            address.extend(utf8_percent_encode(value, PLAIN));
        }
        address
    }
}

/// The system's certificates, which may be those of a company; those of Mozilla where it has none.
fn roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return RootCerts::WebPki;
    }
    let found = found.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
    RootCerts::new_with_certs(&found.collect::<Vec<_>>())
}

fn read(body: &mut Body) -> Result<Vec<u8>, ureq::Error> {
    body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()
}

fn internal(detail: String) -> Failure {
    blockqueue::Error::Internal { detail }.into()
}

/// The server refused, or whatever stands in front of it.
fn refused(status: StatusCode, body: &[u8]) -> Failure {
    let passing = matches!(status.as_u16(), 429 | 502 | 503 | 504);
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => refusal(problem.code, problem.detail, passing),
        Err(_) => refusal("io".to_owned(), format!("the server answered {status}"), passing),
    }
}

/// What a code of the server means here: the table is the engine's.
pub(super) fn refusal(code: String, detail: String, passing: bool) -> Failure {
    let known = blockqueue::error_codes().into_iter().find(|known| known.code == code);
    let later = known.map_or(passing, |known| known.retry == Retry::Later);
    let detail = if detail.is_empty() { code.clone() } else { detail };
    Failure::Refused { code, detail, later }
}

/// There was no answer. If the request may have arrived, it may have been carried out.
fn unanswered(error: &ureq::Error, effect: Effect) -> Failure {
    let not_sent = match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::BadUri(_)
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_)
        | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => true,
        ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        _ => false,
    };
    let detail = error.to_string();
    if not_sent || effect == Effect::None {
        Failure::Unreachable { detail }
    } else {
        blockqueue::Error::OutcomeUnknown { detail }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
        let client = Client::new("http://localhost:1/", None).unwrap();
        let address = client.address(&["topics", "a b?/é"], &[("limit", "5".to_owned())]);
        assert_eq!(address, "http://localhost:1/v1/topics/a%20b%3F%2F%C3%A9?limit=5");
    }

    #[test]
    fn an_address_has_a_scheme_and_a_host() {
        for url in ["localhost", "ftp://localhost", "http://", ""] {
            assert!(matches!(Client::new(url, None), Err(Failure::Usage(_))), "{url}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let token = Token::new(" secret\n").unwrap();
        assert_eq!(token.0, "secret");
        assert!(!format!("{token:?}").contains("secret"));
        assert!(Token::new("two words").is_err());
        assert!(Token::new("").is_err());
    }

    #[test]
    fn a_server_that_is_not_there_did_nothing() {
        let client = Client::new("http://127.0.0.1:1", None).unwrap();
        let failure = client.order(Call::post(&["topics"])).unwrap_err();
        assert!(matches!(failure, Failure::Unreachable { .. }), "{failure:?}");
        assert!(failure.is_passing());
    }

    #[test]
    fn a_refusal_that_passes_is_told_from_one_that_does_not() {
        let busy = refused(StatusCode::SERVICE_UNAVAILABLE, br#"{"code":"busy","detail":"x"}"#);
        assert!(busy.is_passing());
        let gone = refused(StatusCode::NOT_FOUND, br#"{"code":"unknown_topic","detail":"x"}"#);
        assert!(!gone.is_passing());
        assert_eq!(gone.code(), "unknown_topic");
        let proxy = refused(StatusCode::BAD_GATEWAY, b"<html>");
        assert!(proxy.is_passing());
    }
}
