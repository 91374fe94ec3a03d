//! Hrana: batches of statements over HTTP, as libSQL and Turso servers understand them (`POST /v2/pipeline`).
//!
//! Owns the wire and what a failure says about the batch. Invariant: whoever is told that nothing was done, can
//! rely on it. Holds a secret: shows none.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rusqlite::types::{Value, ValueRef};
use serde::{Deserialize, Serialize};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Timeout};

use super::address::Address;
use crate::error::Error;

/// How long a server may take to be reached, and to answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// Servers send base64 without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A statement, and when it is run.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
    stmt: Statement,
}

impl Step {
    pub(super) fn new(sql: impl Into<String>, args: Vec<Arg>) -> Self {
        Self { condition: None, stmt: Statement { sql: sql.into(), args, want_rows: true } }
    }

    /// Without values.
    pub(super) fn plain(sql: impl Into<String>) -> Self {
        Self::new(sql, Vec::new())
    }

    pub(super) fn is(&self, sql: &str) -> bool {
        self.stmt.sql == sql
    }

    /// Only if that step has succeeded.
    pub(super) fn if_ok(mut self, step: usize) -> Self {
        self.condition = Some(Condition::Ok { step });
        self
    }

    /// Unless that step has succeeded.
    pub(super) fn unless_ok(mut self, step: usize) -> Self {
        self.condition = Some(Condition::Not { cond: Box::new(Condition::Ok { step }) });
        self
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Condition {
    Ok { step: usize },
    Not { cond: Box<Condition> },
}

#[derive(Debug, Serialize)]
struct Statement {
    sql: String,
    args: Vec<Arg>,
    want_rows: bool,
}

/// A value that is sent.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Arg {
    Null,
    Integer { value: String },
    Float { value: f64 },
    Text { value: String },
    Blob { base64: String },
}

impl From<i64> for Arg {
    fn from(value: i64) -> Self {
        Self::Integer { value: value.to_string() }
    }
}

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Self::Text { value: value.to_owned() }
    }
}

impl From<&[u8]> for Arg {
    fn from(value: &[u8]) -> Self {
        Self::Blob { base64: BASE64.encode(value) }
    }
}

impl From<ValueRef<'_>> for Arg {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => value.into(),
            ValueRef::Real(value) => Self::Float { value },
            // Texts of a queue are UTF-8, or were refused.
            ValueRef::Text(value) => Self::Text { value: String::from_utf8_lossy(value).into() },
            ValueRef::Blob(value) => value.into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Received {
    Null,
    Integer { value: String },
    Float { value: f64 },
    Text { value: String },
    Blob { base64: String },
}

impl Received {
    fn value(self) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Integer { value } => Value::Integer(value.parse().ok()?),
            Self::Float { value } => Value::Real(value),
            Self::Text { value } => Value::Text(value),
            Self::Blob { base64 } => Value::Blob(BASE64.decode(base64).ok()?),
        })
    }
}

pub(super) type Row = Vec<Value>;

/// What a step came to.
#[derive(Debug)]
pub(super) enum Came {
    /// Its condition did not hold.
    Skipped,
    Rows(Vec<Row>),
    Refused {
        code: String,
        text: String,
    },
}

impl Came {
    pub(super) fn is_ok(&self) -> bool {
        matches!(self, Self::Rows(_))
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was done: it did not reach the server, or the server refused it.
    NotDone(Error),
    /// Nothing was done: the server wants to be left alone for a while.
    Later,
    /// Nothing was done: the token is not right, or not any more.
    Token(String),
    /// Nobody knows what was done.
    Lost(String),
}

/// A connection to one database. Clones have connections of their own.
#[derive(Clone)]
pub(super) struct Client {
    address: Arc<Address>,
    agent: Agent,
    token: Option<String>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.address.url).finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(address: Arc<Address>) -> Result<Self, Error> {
        let token = address.token.get()?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_WITHIN))
            .timeout_global(Some(ANSWER_WITHIN))
            .tls_config(TlsConfig::builder().root_certs(roots()).build())
            .user_agent("blockqueue")
            .build()
            .new_agent();
        Ok(Self { address, agent, token })
    }

    /// Runs a batch. A token that is refused is asked for anew, once.
    pub(super) fn run(&mut self, steps: &[Step]) -> Result<Vec<Came>, Failure> {
        let body = serde_json::to_vec(&Pipeline::of(steps, self.address.says_close))
            .map_err(|error| Failure::NotDone(Error::internal(error.to_string())))?;
        let answer = self.post(&body);
        if matches!(answer, Err(Failure::Token(_)))
            && let Ok(fresh) = self.address.token.get()
            && fresh != self.token
        {
            self.token = fresh;
            return read(steps.len(), &self.post(&body)?);
        }
        read(steps.len(), &answer?)
    }

    fn post(&self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut request =
            self.agent.post(&self.address.url).header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = request.send(body).map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let read = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        match status {
            200 => read.map_err(|error| Failure::Lost(error.to_string())),
            401 | 403 => Err(Failure::Token(format!("the server refuses the token ({status})"))),
            408 => Err(Failure::Lost("the server gave up waiting (408)".into())),
            429 => Err(Failure::Later),
            400..500 => {
                let said = said(&read.unwrap_or_default());
                let detail = format!("no Hrana server answers at this address ({status}{said})");
                if said.contains("BLOCKED") {
                    return Err(Failure::Later);
                }
                Err(Failure::NotDone(Error::CannotOpen { detail }))
            }
            300..400 => {
                let detail = format!("the server answers with a redirection ({status})");
                Err(Failure::NotDone(Error::CannotOpen { detail }))
            }
            _ => Err(Failure::Lost(format!("the server answers with {status}"))),
        }
    }
}

/// What a server says beside its status: short, and in its own words.
fn said(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Said {
        #[serde(alias = "message")]
        error: String,
    }
    let said = serde_json::from_slice::<Said>(body).map(|said| said.error);
    said.map_or_else(
        |_| String::new(),
        |said| format!(": {}", said.chars().take(200).collect::<String>()),
    )
}

/// The system's certificates; those of Mozilla where it has none.
fn roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return RootCerts::WebPki;
    }
    let found = found.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
    RootCerts::new_with_certs(&found.collect::<Vec<_>>())
}

/// Whether a request that failed was sent at all.
fn failure(error: &ureq::Error) -> Failure {
    let not_sent = match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::BadUri(_)
        | ureq::Error::Http(_)
        | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => true,
        ureq::Error::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        _ => false,
    };
    // Names the host at most.
    let detail = error.to_string();
    if not_sent { Failure::NotDone(Error::Io { detail }) } else { Failure::Lost(detail) }
}

#[derive(Serialize)]
struct Pipeline<'a> {
    requests: Vec<Request<'a>>,
}

impl<'a> Pipeline<'a> {
    fn of(steps: &'a [Step], says_close: bool) -> Self {
        let mut requests = vec![Request::Batch { batch: Batch { steps } }];
        if says_close {
            requests.push(Request::Close);
        }
        Self { requests }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Request<'a> {
    Batch { batch: Batch<'a> },
    Close,
}

#[derive(Serialize)]
struct Batch<'a> {
    steps: &'a [Step],
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Outcome>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Outcome {
    Ok { response: Response },
    Error { error: Refusal },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Response {
    Batch {
        result: Results,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Results {
    step_results: Vec<Option<Rows>>,
    step_errors: Vec<Option<Refusal>>,
}

#[derive(Deserialize)]
struct Rows {
    rows: Vec<Vec<Received>>,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
    #[serde(default)]
    code: Option<String>,
}

fn read(steps: usize, body: &[u8]) -> Result<Vec<Came>, Failure> {
    // Cut short, or by something in between.
    let lost = || Failure::Lost("the answer is not understood".into());
    let answer: Answer = serde_json::from_slice(body).map_err(|_| lost())?;
    let results = match answer.results.into_iter().next() {
        Some(Outcome::Ok { response: Response::Batch { result } }) => result,
        Some(Outcome::Error { error }) => return Err(refused(error)),
        _ => return Err(lost()),
    };
    let mut came = Vec::with_capacity(steps);
    for (rows, refusal) in results.step_results.into_iter().zip(results.step_errors) {
        came.push(match (rows, refusal) {
            (_, Some(Refusal { message, code })) => {
                Came::Refused { code: code.unwrap_or_default(), text: message }
            }
            (Some(rows), None) => {
                let row = |row: Vec<Received>| row.into_iter().map(Received::value).collect();
                let rows: Option<Vec<Row>> = rows.rows.into_iter().map(row).collect();
                Came::Rows(rows.ok_or_else(lost)?)
            }
            (None, None) => Came::Skipped,
        });
    }
    if came.len() == steps { Ok(came) } else { Err(lost()) }
}

/// The whole batch was refused; an open transaction ends with its stream.
fn refused(Refusal { message, code }: Refusal) -> Failure {
    match code.as_deref() {
        Some(code) if code.contains("BLOCKED") => Failure::Later,
        Some("RESPONSE_TOO_LARGE" | "SQL_PARSE_ERROR" | "ARGS_INVALID") => {
            Failure::NotDone(Error::Io { detail: message })
        }
        _ => Failure::Lost(message),
    }
}
