//! `/v1/topics`.

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{Json, Response};
use blockqueue::{Listed, LogStats};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Params, Path};
use super::wire::{PageQuery, Paused, SubscriberStatus, TopicIn, TopicOptionIn, TopicOut};
use super::{Data, Problem, State, created, data};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(stats))
}

#[derive(Debug, Serialize, ToSchema)]
struct Topics {
    topics: Vec<TopicOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The topics, by name.
#[utoipa::path(get, path = "/v1/topics", params(PageQuery), responses((status = 200, body = Data<Topics>)))]
async fn list(
    Shared(state): Shared<State>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Data<Topics>>, Problem> {
    let Listed { items, next, .. } = state.queue.topics(page.into()).await?;
    let topics = items.into_iter().map(TopicOut::from).collect();
    Ok(data(Topics { topics, next_cursor: next }))
}

/// Creates a topic, perhaps with subscribers.
#[utoipa::path(post, path = "/v1/topics", request_body = TopicIn, responses((status = 201, body = Data<TopicOut>), (status = 409, body = Problem)))]
async fn create(
    Shared(state): Shared<State>,
    Body(topic): Body<TopicIn>,
) -> Result<Response, Problem> {
    let topic = state.queue.create_topic(topic.into_new()?).await?;
    Ok(created(TopicOut::from(topic)))
}

/// A topic.
#[utoipa::path(get, path = "/v1/topics/{topic}", params(("topic" = String, Path)), responses((status = 200, body = Data<TopicOut>), (status = 404, body = Problem)))]
async fn get(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
) -> Result<Json<Data<TopicOut>>, Problem> {
    Ok(data(state.queue.topic(&topic).await?.into()))
}

/// Changes the settings of a topic.
#[utoipa::path(patch, path = "/v1/topics/{topic}", params(("topic" = String, Path)), request_body = TopicOptionIn, responses((status = 200, body = Data<TopicOut>), (status = 404, body = Problem)))]
async fn update(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
    Body(change): Body<TopicOptionIn>,
) -> Result<Json<Data<TopicOut>>, Problem> {
    let topic = state.queue.update_topic(&topic, change.into_change()?).await?;
    Ok(data(topic.into()))
}

/// Deletes a topic with its subscribers and messages.
#[utoipa::path(delete, path = "/v1/topics/{topic}", params(("topic" = String, Path)), responses((status = 204), (status = 404, body = Problem)))]
async fn delete(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
) -> Result<StatusCode, Problem> {
    state.queue.delete_topic(&topic).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops claims on every subscriber of the topic; publishing goes on.
#[utoipa::path(post, path = "/v1/topics/{topic}/pause", params(("topic" = String, Path)), responses((status = 200, body = Data<Paused>)))]
async fn pause(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
) -> Result<Json<Data<Paused>>, Problem> {
    state.queue.pause_topic(&topic).await?;
    Ok(data(Paused { paused: true }))
}

/// Lets claims go on.
#[utoipa::path(post, path = "/v1/topics/{topic}/resume", params(("topic" = String, Path)), responses((status = 200, body = Data<Paused>)))]
async fn resume(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
) -> Result<Json<Data<Paused>>, Problem> {
    state.queue.resume_topic(&topic).await?;
    Ok(data(Paused { paused: false }))
}

/// A topic in numbers.
#[derive(Debug, Serialize, ToSchema)]
struct TopicStatus {
    topic: String,
    paused: bool,
    published_total: u64,
    delayed: u64,
    retained: u64,
    retained_bytes: u64,
    /// Highest priority first.
    logs: Vec<LogOut>,
    subscribers: Vec<SubscriberStatus>,
}

/// One log of a topic in numbers.
#[derive(Debug, Serialize, ToSchema)]
struct LogOut {
    priority: i16,
    /// The sequence number of its newest message.
    last_sequence: u64,
    /// Messages up to here were trimmed, or are held back by a delivery.
    trimmed_sequence: u64,
}

impl From<LogStats> for LogOut {
    fn from(log: LogStats) -> Self {
        let LogStats { priority, last_sequence, trimmed_sequence, .. } = log;
        Self { priority, last_sequence, trimmed_sequence }
    }
}

/// A topic and its subscribers in numbers.
#[utoipa::path(get, path = "/v1/topics/{topic}/stats", params(("topic" = String, Path)), responses((status = 200, body = Data<TopicStatus>)))]
async fn stats(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
) -> Result<Json<Data<TopicStatus>>, Problem> {
    let stats = state.queue.topic_stats(&topic).await?;
    Ok(data(TopicStatus {
        topic: stats.topic,
        paused: stats.paused,
        published_total: stats.published_count,
        delayed: stats.delayed_count,
        retained: stats.retained_count,
        retained_bytes: stats.retained_bytes,
        logs: stats.logs.into_iter().map(LogOut::from).collect(),
        subscribers: stats.subscribers.into_iter().map(SubscriberStatus::from).collect(),
    }))
}
