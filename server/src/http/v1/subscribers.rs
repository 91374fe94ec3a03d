//! `/v1/topics/{topic}/subscribers`.

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{Json, Response};
use blockqueue::{Listed, Seek, SeekTo};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Params, Path};
use super::wire::{
    OptionIn, PageQuery, Paused, SubscriberIn, SubscriberOut, SubscriberStatus, seek_to,
};
use super::{Data, Problem, State, created, data};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(seek))
}

/// Topic and subscriber of a path.
pub(super) type Names = Path<(String, String)>;

#[derive(Debug, Serialize, ToSchema)]
struct Subscribers {
    subscribers: Vec<SubscriberStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The subscribers of a topic in numbers, by name.
#[utoipa::path(get, path = "/v1/topics/{topic}/subscribers", params(("topic" = String, Path), PageQuery), responses((status = 200, body = Data<Subscribers>)))]
async fn list(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Data<Subscribers>>, Problem> {
    let Listed { items, next, .. } = state.queue.subscribers(&topic, page.into()).await?;
    let mut subscribers = Vec::with_capacity(items.len());
    for subscriber in items {
        let stats = state.queue.subscriber_stats(&topic, &subscriber.name).await?;
        subscribers.push(SubscriberStatus::from(stats).with_settings(subscriber));
    }
    Ok(data(Subscribers { subscribers, next_cursor: next }))
}

/// Creates 1 to 1,000 subscribers: all or none.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers", params(("topic" = String, Path)), request_body = Vec<SubscriberIn>, responses((status = 201, body = Data<Vec<SubscriberOut>>), (status = 409, body = Problem)))]
async fn create(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
    Body(subscribers): Body<Vec<SubscriberIn>>,
) -> Result<Response, Problem> {
    let new = subscribers.into_iter().map(SubscriberIn::into_new).collect::<Result<_, _>>()?;
    let subscribers = state.queue.create_subscribers(&topic, new).await?;
    let out: Vec<_> = subscribers.into_iter().map(SubscriberOut::from).collect();
    Ok(created(out))
}

/// A subscriber in numbers, with its settings.
#[utoipa::path(get, path = "/v1/topics/{topic}/subscribers/{subscriber}", params(("topic" = String, Path), ("subscriber" = String, Path)), responses((status = 200, body = Data<SubscriberStatus>)))]
async fn get(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
) -> Result<Json<Data<SubscriberStatus>>, Problem> {
    let found = state.queue.subscriber(&topic, &subscriber).await?;
    let stats = state.queue.subscriber_stats(&topic, &subscriber).await?;
    Ok(data(SubscriberStatus::from(stats).with_settings(found)))
}

/// Changes the settings of a subscriber.
#[utoipa::path(patch, path = "/v1/topics/{topic}/subscribers/{subscriber}", params(("topic" = String, Path), ("subscriber" = String, Path)), request_body = OptionIn, responses((status = 200, body = Data<SubscriberOut>)))]
async fn update(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
    Body(change): Body<OptionIn>,
) -> Result<Json<Data<SubscriberOut>>, Problem> {
    let change = change.into_change()?;
    Ok(data(state.queue.update_subscriber(&topic, &subscriber, change).await?.into()))
}

/// Deletes a subscriber with its deliveries.
#[utoipa::path(delete, path = "/v1/topics/{topic}/subscribers/{subscriber}", params(("topic" = String, Path), ("subscriber" = String, Path)), responses((status = 204)))]
async fn delete(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
) -> Result<StatusCode, Problem> {
    state.queue.delete_subscriber(&topic, &subscriber).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops claims on the subscriber.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/pause", params(("topic" = String, Path), ("subscriber" = String, Path)), responses((status = 200, body = Data<Paused>)))]
async fn pause(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
) -> Result<Json<Data<Paused>>, Problem> {
    state.queue.pause_subscriber(&topic, &subscriber).await?;
    Ok(data(Paused { paused: true }))
}

/// Lets claims go on.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/resume", params(("topic" = String, Path), ("subscriber" = String, Path)), responses((status = 200, body = Data<Paused>)))]
async fn resume(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
) -> Result<Json<Data<Paused>>, Problem> {
    state.queue.resume_subscriber(&topic, &subscriber).await?;
    Ok(data(Paused { paused: false }))
}

/// Where to go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SeekIn {
    /// `earliest`, `latest`, a time, or the id of a message.
    to: Option<String>,
    /// Or this sequence number of the log of one priority.
    sequence: Option<u64>,
    #[serde(default)]
    priority: i16,
    /// Only count.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct SeekOut {
    /// The place is not kept any more: it goes on with the oldest message kept.
    clamped: bool,
    /// Messages that are delivered again.
    replayed_count: u64,
    /// Messages that are passed over.
    skipped_count: u64,
    /// Whether the counts are exact, or upper bounds.
    exact: bool,
}

/// Moves a subscriber to another place of its topic, or tells what that would do.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/seek", params(("topic" = String, Path), ("subscriber" = String, Path)), request_body = SeekIn, responses((status = 200, body = Data<SeekOut>)))]
async fn seek(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
    Body(body): Body<SeekIn>,
) -> Result<Json<Data<SeekOut>>, Problem> {
    let to = match (&body.to, body.sequence) {
        (Some(to), None) => seek_to(to)?,
        (None, Some(sequence)) => SeekTo::Sequence { priority: body.priority, sequence },
        _ => return Err(Problem::invalid("one of to and sequence is needed")),
    };
    let seek = Seek::to(to).with_dry_run(body.dry_run);
    let sought = state.queue.seek(&topic, &subscriber, seek).await?;
    Ok(data(SeekOut {
        clamped: sought.clamped,
        replayed_count: sought.replayed_count,
        skipped_count: sought.skipped_count,
        exact: sought.exact,
    }))
}
