//! `/v1/topics/{topic}/schedules`.

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use blockqueue::Listed;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Params, Path};
use super::wire::{PageQuery, Paused, RunOut, ScheduleIn, ScheduleOut};
use super::{Data, Problem, State, created, data};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(run_now))
        .routes(routes!(runs))
}

/// Topic and schedule of a path.
type Names = Path<(String, String)>;

#[derive(Debug, Serialize, ToSchema)]
struct Schedules {
    schedules: Vec<ScheduleOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The schedules of a topic, by name.
#[utoipa::path(get, path = "/v1/topics/{topic}/schedules", params(("topic" = String, Path), PageQuery), responses((status = 200, body = Data<Schedules>)))]
async fn list(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Data<Schedules>>, Problem> {
    let Listed { items, next, .. } = state.queue.schedules(&topic, page.into()).await?;
    let schedules = items.into_iter().map(ScheduleOut::from).collect();
    Ok(data(Schedules { schedules, next_cursor: next }))
}

/// Creates a schedule, which publishes its message at each occurrence.
#[utoipa::path(post, path = "/v1/topics/{topic}/schedules", params(("topic" = String, Path)), request_body = ScheduleIn, responses((status = 201, body = Data<ScheduleOut>), (status = 409, body = Problem)))]
async fn create(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
    Body(schedule): Body<ScheduleIn>,
) -> Result<Response, Problem> {
    let schedule = state.queue.create_schedule(&topic, schedule.into_new()?).await?;
    Ok(created(ScheduleOut::from(schedule)))
}

/// A schedule.
#[utoipa::path(get, path = "/v1/topics/{topic}/schedules/{schedule}", params(("topic" = String, Path), ("schedule" = String, Path)), responses((status = 200, body = Data<ScheduleOut>), (status = 404, body = Problem)))]
async fn get(
    Shared(state): Shared<State>,
    Path((topic, schedule)): Names,
) -> Result<Json<Data<ScheduleOut>>, Problem> {
    Ok(data(state.queue.schedule(&topic, &schedule).await?.into()))
}

/// Replaces the settings of a schedule, if it still has the version that was read.
#[utoipa::path(put, path = "/v1/topics/{topic}/schedules/{schedule}", params(("topic" = String, Path), ("schedule" = String, Path)), request_body = ScheduleIn, responses((status = 200, body = Data<ScheduleOut>), (status = 409, body = Problem)))]
async fn update(
    Shared(state): Shared<State>,
    Path((topic, schedule)): Names,
    Body(body): Body<ScheduleIn>,
) -> Result<Json<Data<ScheduleOut>>, Problem> {
    let (version, options) = body.into_update(&schedule)?;
    Ok(data(state.queue.update_schedule(&topic, &schedule, version, options).await?.into()))
}

/// Deletes a schedule with its history; the messages that it published stay.
#[utoipa::path(delete, path = "/v1/topics/{topic}/schedules/{schedule}", params(("topic" = String, Path), ("schedule" = String, Path)), responses((status = 204)))]
async fn delete(
    Shared(state): Shared<State>,
    Path((topic, schedule)): Names,
) -> Result<StatusCode, Problem> {
    state.queue.delete_schedule(&topic, &schedule).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops a schedule.
#[utoipa::path(post, path = "/v1/topics/{topic}/schedules/{schedule}/pause", params(("topic" = String, Path), ("schedule" = String, Path)), responses((status = 200, body = Data<Paused>)))]
async fn pause(
    Shared(state): Shared<State>,
    Path((topic, schedule)): Names,
) -> Result<Json<Data<Paused>>, Problem> {
    state.queue.pause_schedule(&topic, &schedule).await?;
    Ok(data(Paused { paused: true }))
}

/// Lets a schedule go on, with the first occurrence after now.
#[utoipa::path(post, path = "/v1/topics/{topic}/schedules/{schedule}/resume", params(("topic" = String, Path), ("schedule" = String, Path)), responses((status = 200, body = Data<Paused>)))]
async fn resume(
    Shared(state): Shared<State>,
    Path((topic, schedule)): Names,
) -> Result<Json<Data<Paused>>, Problem> {
    state.queue.resume_schedule(&topic, &schedule).await?;
    Ok(data(Paused { paused: false }))
}

/// Publishes the message of a schedule now, paused or not.
#[utoipa::path(post, path = "/v1/topics/{topic}/schedules/{schedule}/run-now", params(("topic" = String, Path), ("schedule" = String, Path)), responses((status = 202, body = Data<RunOut>)))]
async fn run_now(
    Shared(state): Shared<State>,
    Path((topic, schedule)): Names,
) -> Result<Response, Problem> {
    let run = state.queue.run_schedule_now(&topic, &schedule).await?;
    Ok((StatusCode::ACCEPTED, data(RunOut::from(run))).into_response())
}

#[derive(Debug, Serialize, ToSchema)]
struct Runs {
    runs: Vec<RunOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What became of the occurrences of a schedule, newest first.
#[utoipa::path(get, path = "/v1/topics/{topic}/schedules/{schedule}/runs", params(("topic" = String, Path), ("schedule" = String, Path), PageQuery), responses((status = 200, body = Data<Runs>)))]
async fn runs(
    Shared(state): Shared<State>,
    Path((topic, schedule)): Names,
    Params(page): Params<PageQuery>,
) -> Result<Json<Data<Runs>>, Problem> {
    let Listed { items, next, .. } =
        state.queue.schedule_runs(&topic, &schedule, page.into()).await?;
    Ok(data(Runs { runs: items.into_iter().map(RunOut::from).collect(), next_cursor: next }))
}
