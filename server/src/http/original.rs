//! The original contract, at the root: an envelope around every answer, receipts as message ids.
//!
//! Unknown fields are ignored, as they always were. Everything that is not there is 404, everything
//! malformed 400.

use std::time::Duration;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request, State as Shared};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{delete, get, post};
use blockqueue::{
    ClaimOptions, Delivery, Error, Message, NewSubscriber, NewTopic, Receipt, SubscriberOptions,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::v1::Problem;
use super::{State, duration, extract, payload};

/// Messages that one read hands out.
const READ_MAX: usize = 10;

pub(super) fn routes() -> Router<State> {
    Router::new()
        .route("/topics", post(create_topic))
        .route("/topics/", post(create_topic))
        .route("/topics/{topic}", delete(delete_topic))
        .route("/topics/{topic}/messages", post(publish))
        .route("/topics/{topic}/subscribers", get(statuses).post(create_subscribers))
        .route("/topics/{topic}/subscribers/{subscriber}", get(read).delete(delete_subscriber))
        .route("/topics/{topic}/subscribers/{subscriber}/messages/{id}", delete(ack))
}

/// Whether a path is one of this contract.
pub(super) fn is_of(path: &str) -> bool {
    path.strip_prefix("/topics").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

// --- the envelope -------------------------------------------------------------------------------------

#[derive(Debug, Serialize)]
struct Envelope<T> {
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A refusal in the words of this contract.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: &'static str,
    error: String,
}

type Answer<T> = Result<Json<Envelope<T>>, Refusal>;

#[expect(clippy::unnecessary_wraps, reason = "it ends handlers that can be refused")]
fn success<T>(data: Option<T>) -> Answer<T> {
    Ok(Json(Envelope { message: "success", data, error: None }))
}

fn malformed(error: impl Into<String>) -> Refusal {
    Refusal { status: StatusCode::BAD_REQUEST, message: "failure", error: error.into() }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, message, error } = self;
        (status, Json(Envelope::<()> { message, data: None, error: Some(error) })).into_response()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let (status, message, text) = match &error {
            Error::UnknownTopic { .. } => (StatusCode::NOT_FOUND, "not found", "topic not found"),
            Error::UnknownSubscriber { .. } => {
                (StatusCode::NOT_FOUND, "not found", "subscriber not found")
            }
            Error::UnknownMessage { .. } | Error::LeaseLost { .. } | Error::InvalidReceipt => {
                (StatusCode::NOT_FOUND, "not found", "message not found")
            }
            Error::TopicExists { .. } => (StatusCode::CONFLICT, "Conflict", "topic was exist"),
            Error::SubscriberExists { .. } => {
                (StatusCode::CONFLICT, "Conflict", "subscriber was exist")
            }
            Error::InvalidArgument { .. } | Error::LimitExceeded { .. } => {
                (StatusCode::BAD_REQUEST, "failure", "")
            }
            Error::BacklogFull { .. } | Error::Busy | Error::Locked => {
                (StatusCode::TOO_MANY_REQUESTS, "failure", "")
            }
            Error::Shutdown => (StatusCode::SERVICE_UNAVAILABLE, "failure", ""),
            Error::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, "failure", ""),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "failure", ""),
        };
        let error = if text.is_empty() { error.to_string() } else { text.to_owned() };
        Self { status, message, error }
    }
}

/// What is refused before this contract sees it.
impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let status = problem.status();
        let message = if status == StatusCode::NOT_FOUND { "not found" } else { "failure" };
        Self { status, message, error: problem.into_detail() }
    }
}

/// A JSON body.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = extract::body(request).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| malformed(error.to_string()))
    }
}

/// The names in a path.
struct Path<T>(T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Ok(Self(extract::path(parts).await?))
    }
}

// --- topics and subscribers ---------------------------------------------------------------------------

#[derive(Debug, Deserialize)]
struct TopicBody {
    name: String,
    #[serde(default)]
    subscribers: Vec<SubscriberBody>,
}

#[derive(Debug, Deserialize)]
struct SubscriberBody {
    name: String,
    #[serde(default)]
    option: OptionBody,
}

#[derive(Debug, Default, Deserialize)]
struct OptionBody {
    max_attempts: Option<u32>,
    visibility_duration: Option<String>,
}

impl SubscriberBody {
    fn into_new(self) -> Result<NewSubscriber, Refusal> {
        let mut options = SubscriberOptions::default().with_claim_limit(READ_MAX);
        if let Some(attempts) = self.option.max_attempts {
            options = options.with_max_attempts(attempts);
        }
        if let Some(text) = &self.option.visibility_duration {
            let lease = duration::parse(text)
                .ok_or_else(|| malformed("visibility_duration is a duration such as 5m"))?;
            options = options.with_lease(lease);
        }
        Ok(NewSubscriber::new(self.name).with_options(options))
    }
}

async fn create_topic(Shared(state): Shared<State>, Body(body): Body<TopicBody>) -> Answer<()> {
    let mut topic = NewTopic::new(body.name);
    for subscriber in body.subscribers {
        topic = topic.with_subscriber(subscriber.into_new()?);
    }
    state.queue.create_topic(topic).await?;
    success(None)
}

async fn delete_topic(Shared(state): Shared<State>, Path(topic): Path<String>) -> Answer<()> {
    state.queue.delete_topic(&topic).await?;
    success(None)
}

async fn create_subscribers(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
    Body(body): Body<Vec<SubscriberBody>>,
) -> Answer<()> {
    let subscribers = body.into_iter().map(SubscriberBody::into_new).collect::<Result<_, _>>()?;
    state.queue.create_subscribers(&topic, subscribers).await?;
    success(None)
}

async fn delete_subscriber(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Path<(String, String)>,
) -> Answer<()> {
    state.queue.delete_subscriber(&topic, &subscriber).await?;
    success(None)
}

#[derive(Debug, Serialize)]
struct Status {
    name: String,
    unpublished_message: u64,
    unacked_message: u64,
}

async fn statuses(Shared(state): Shared<State>, Path(topic): Path<String>) -> Answer<Vec<Status>> {
    let stats = state.queue.topic_stats(&topic).await?;
    let statuses = stats.subscribers.into_iter().map(|subscriber| Status {
        unpublished_message: subscriber.pending_count,
        unacked_message: subscriber.leased_count
            + subscriber.retrying_count
            + subscriber.parked_count,
        name: subscriber.subscriber,
    });
    success(Some(statuses.collect()))
}

// --- messages -----------------------------------------------------------------------------------------

#[derive(Debug, Deserialize)]
struct MessageBody {
    message: String,
}

async fn publish(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
    Body(body): Body<MessageBody>,
) -> Answer<()> {
    state.queue.publish(&topic, Message::from(body.message)).await?;
    success(None)
}

#[derive(Debug, Deserialize)]
struct ReadQuery {
    timeout: Option<String>,
}

#[derive(Debug, Serialize)]
struct Read {
    id: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
}

impl From<Delivery> for Read {
    fn from(delivery: Delivery) -> Self {
        let (message, encoding) = payload::encode(delivery.payload);
        Self { id: delivery.receipt.to_string(), message, encoding }
    }
}

async fn read(
    Shared(mut state): Shared<State>,
    Path((topic, subscriber)): Path<(String, String)>,
    query: Result<Query<ReadQuery>, QueryRejection>,
) -> Answer<Vec<Read>> {
    let timeout = query.ok().and_then(|Query(query)| query.timeout);
    let wait: Duration = timeout
        .and_then(|text| duration::parse(&text))
        .ok_or_else(|| malformed("timeout is a duration such as 5s"))?;
    let options = ClaimOptions::default().with_limit(READ_MAX).with_wait(wait);
    let claim = state.queue.claim(&topic, &subscriber, &options);
    let deliveries = tokio::select! {
        deliveries = claim => deliveries?,
        // The claim is dropped, and with it whatever it would have got.
        _ = state.ending.wait_for(|ending| *ending) => Vec::new(),
    };
    success(Some(deliveries.into_iter().map(Read::from).collect()))
}

async fn ack(
    Shared(state): Shared<State>,
    Path((topic, subscriber, id)): Path<(String, String, String)>,
) -> Answer<()> {
    let of = state.queue.subscriber(&topic, &subscriber).await?;
    let receipt: Receipt = id.parse()?;
    // Whoever may settle for one subscriber must not reach another's deliveries through it.
    if receipt.subscriber_id() != of.id {
        return Err(Error::LeaseLost { id: receipt.message_id() }.into());
    }
    state.queue.ack(&receipt).await?;
    success(None)
}
