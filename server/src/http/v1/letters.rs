//! Dead letters, and what went wrong.

use axum::extract::State as Shared;
use axum::response::Json;
use blockqueue::{DeadLetter, DeadLetters, Filter, Listed, MessageId, Purge, Redrive};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Params, Path};
use super::subscribers::Names;
use super::wire::{MessageOut, PageQuery, message_id, time};
use super::{Data, Problem, State, data};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list, purge))
        .routes(routes!(replay))
        .routes(routes!(errors))
}

#[derive(Debug, Serialize, ToSchema)]
struct LetterOut {
    #[serde(flatten)]
    message: MessageOut,
    delivery_count: u32,
    failure_count: u32,
    error: Option<String>,
    dead_at: String,
}

impl From<DeadLetter> for LetterOut {
    fn from(letter: DeadLetter) -> Self {
        Self {
            message: letter.message.into(),
            delivery_count: letter.attempts,
            failure_count: letter.failures,
            error: letter.error,
            dead_at: time(letter.dead_at),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct LettersOut {
    messages: Vec<LetterOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The dead letters of a subscriber, oldest first.
#[utoipa::path(get, path = "/v1/topics/{topic}/subscribers/{subscriber}/dlq", params(("topic" = String, Path), ("subscriber" = String, Path), PageQuery), responses((status = 200, body = Data<LettersOut>)))]
async fn list(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
    Params(page): Params<PageQuery>,
) -> Result<Json<Data<LettersOut>>, Problem> {
    let Listed { items, next, .. } =
        state.queue.dead_letters(&topic, &subscriber, page.into()).await?;
    let messages = items.into_iter().map(LetterOut::from).collect();
    Ok(data(LettersOut { messages, next_cursor: next }))
}

/// Which dead letters to replay, these, all, or so many of the oldest, and how.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplayIn {
    message_ids: Option<Vec<String>>,
    #[serde(default)]
    all: bool,
    limit: Option<u64>,
    /// Of these, only those whose headers match.
    #[schema(value_type = Option<Object>)]
    filter: Option<Value>,
    /// Publish them to this topic instead of delivering them again.
    to: Option<String>,
    /// At most this many a second fall due. Default: all at once.
    rate: Option<f64>,
    /// Only count.
    #[serde(default)]
    dry_run: bool,
}

/// Which dead letters to delete: these, all, or so many of the oldest.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PurgeIn {
    message_ids: Option<Vec<String>>,
    #[serde(default)]
    all: bool,
    limit: Option<u64>,
    /// Of these, only those whose headers match.
    #[schema(value_type = Option<Object>)]
    filter: Option<Value>,
    /// Only count.
    #[serde(default)]
    dry_run: bool,
}

fn which(ids: Option<&[String]>, limit: Option<u64>, all: bool) -> Result<DeadLetters, Problem> {
    match (ids, limit, all) {
        (Some(ids), None, false) => {
            let ids: Result<Vec<MessageId>, _> = ids.iter().map(|id| message_id(id)).collect();
            Ok(DeadLetters::Ids(ids?))
        }
        (None, Some(limit), _) => Ok(DeadLetters::Oldest(limit)),
        (None, None, true) => Ok(DeadLetters::All),
        _ => Err(Problem::invalid("one of message_ids, limit and all is needed")),
    }
}

fn filter(value: Option<&Value>) -> Result<Option<Filter>, Problem> {
    Ok(value.map(|value| value.to_string().parse()).transpose()?)
}

impl ReplayIn {
    fn into_options(self) -> Result<Redrive, Problem> {
        let which = which(self.message_ids.as_deref(), self.limit, self.all)?;
        let mut options = Redrive::from(which).with_dry_run(self.dry_run);
        options.filter = filter(self.filter.as_ref())?;
        options.to = self.to;
        options.rate = self.rate;
        Ok(options)
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct CountOut {
    count: u64,
}

/// Makes dead letters claimable again, with all their attempts, or publishes them to another topic.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/dlq/replay", params(("topic" = String, Path), ("subscriber" = String, Path)), request_body = ReplayIn, responses((status = 200, body = Data<CountOut>)))]
async fn replay(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
    Body(body): Body<ReplayIn>,
) -> Result<Json<Data<CountOut>>, Problem> {
    let count = state.queue.redrive(&topic, &subscriber, body.into_options()?).await?;
    Ok(data(CountOut { count }))
}

/// Deletes dead letters.
#[utoipa::path(delete, path = "/v1/topics/{topic}/subscribers/{subscriber}/dlq", params(("topic" = String, Path), ("subscriber" = String, Path)), request_body = PurgeIn, responses((status = 200, body = Data<CountOut>)))]
async fn purge(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
    Body(body): Body<PurgeIn>,
) -> Result<Json<Data<CountOut>>, Problem> {
    let which = which(body.message_ids.as_deref(), body.limit, body.all)?;
    let mut options = Purge::from(which).with_dry_run(body.dry_run);
    options.filter = filter(body.filter.as_ref())?;
    let count = state.queue.purge_dead_letters(&topic, &subscriber, options).await?;
    Ok(data(CountOut { count }))
}

#[derive(Debug, Serialize, ToSchema)]
struct ErrorOut {
    id: u32,
    #[schema(value_type = String)]
    message_id: MessageId,
    subscriber_id: u64,
    failure_count: u32,
    error: Option<String>,
    failed_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct ErrorsOut {
    errors: Vec<ErrorOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What went wrong with a delivery so far, oldest first.
#[utoipa::path(get, path = "/v1/topics/{topic}/subscribers/{subscriber}/messages/{id}/errors", params(("topic" = String, Path), ("subscriber" = String, Path), ("id" = String, Path), PageQuery), responses((status = 200, body = Data<ErrorsOut>)))]
async fn errors(
    Shared(state): Shared<State>,
    Path((topic, subscriber, id)): Path<(String, String, String)>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Data<ErrorsOut>>, Problem> {
    let message_id = message_id(&id)?;
    let subscriber_id = state.queue.subscriber(&topic, &subscriber).await?.id;
    let failures = state.queue.failures(&topic, &subscriber, message_id, page.into()).await?;
    let errors = failures.items.into_iter().map(|failure| ErrorOut {
        id: failure.failure,
        message_id,
        subscriber_id,
        failure_count: failure.failure,
        error: failure.error,
        failed_at: time(failure.failed_at),
    });
    Ok(data(ErrorsOut { errors: errors.collect(), next_cursor: failures.next }))
}
