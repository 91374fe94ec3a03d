//! `/v1/topics/{topic}/messages`: publishing and looking.

use axum::extract::State as Shared;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use blockqueue::MessageId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Params, Path};
use super::wire::{DeliveryOut, MessageIn, MessageOut, PublishedOut, message_id, status};
use super::{Data, Problem, State, data};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(publish))
        .routes(routes!(publish_batch))
        .routes(routes!(get))
        .routes(routes!(cancel))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct PublishQuery {
    /// `commit` answers with 200 instead of 202; the message is on disk in both cases.
    wait_for: Option<WaitFor>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum WaitFor {
    Commit,
}

impl PublishQuery {
    fn status(&self) -> StatusCode {
        match self.wait_for {
            Some(WaitFor::Commit) => StatusCode::OK,
            None => StatusCode::ACCEPTED,
        }
    }
}

/// Publishes a message. It is on disk when the answer comes.
#[utoipa::path(post, path = "/v1/topics/{topic}/messages", params(("topic" = String, Path), PublishQuery), request_body = MessageIn, responses((status = 202, body = Data<PublishedOut>), (status = 200, body = Data<PublishedOut>), (status = 404, body = Problem)))]
async fn publish(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
    Params(query): Params<PublishQuery>,
    Body(message): Body<MessageIn>,
) -> Result<Response, Problem> {
    let published = state.queue.publish(&topic, message.into_message()?).await?;
    let status = query.status();
    let location = format!("/v1/topics/{}/messages/{}", encode(&topic), published.id);
    let mut response = (status, data(PublishedOut::from(published))).into_response();
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// A name as it stands in a path.
fn encode(name: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes()
        .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Publishes 1 to 1,000 messages, all or none.
#[utoipa::path(post, path = "/v1/topics/{topic}/messages/batch", params(("topic" = String, Path), PublishQuery), request_body = Vec<MessageIn>, responses((status = 202, body = Data<Vec<PublishedOut>>), (status = 200, body = Data<Vec<PublishedOut>>), (status = 404, body = Problem)))]
async fn publish_batch(
    Shared(state): Shared<State>,
    Path(topic): Path<String>,
    Params(query): Params<PublishQuery>,
    Body(messages): Body<Vec<MessageIn>>,
) -> Result<Response, Problem> {
    let messages = messages.into_iter().map(MessageIn::into_message).collect::<Result<_, _>>()?;
    let published = state.queue.publish_batch(&topic, messages).await?;
    let out: Vec<_> = published.into_iter().map(PublishedOut::from).collect();
    Ok((query.status(), data(out)).into_response())
}

#[derive(Debug, Serialize, ToSchema)]
struct MessageStatusOut {
    #[serde(flatten)]
    message: MessageOut,
    topic_id: u64,
    delayed: bool,
    deliveries: Vec<DeliveryOut>,
}

/// A message by its id, with its state for every subscriber.
#[utoipa::path(get, path = "/v1/topics/{topic}/messages/{id}", params(("topic" = String, Path), ("id" = String, Path)), responses((status = 200, body = Data<MessageStatusOut>), (status = 404, body = Problem)))]
async fn get(
    Shared(state): Shared<State>,
    Path((topic, id)): Path<(String, String)>,
) -> Result<Json<Data<MessageStatusOut>>, Problem> {
    let topic_id = state.queue.topic(&topic).await?.id;
    let found = state.queue.message(&topic, message_id(&id)?).await?;
    Ok(data(MessageStatusOut {
        message: found.message.into(),
        topic_id,
        delayed: found.delayed,
        deliveries: found.deliveries.into_iter().map(DeliveryOut::from).collect(),
    }))
}

/// Why. It is kept with the failures of a delivery; that of a whole message goes to the server's log.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonIn {
    pub reason: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct CancelledOut {
    #[schema(value_type = String)]
    message_id: MessageId,
    subscriber_id: u64,
    subscriber: String,
    /// Where it stood.
    status: &'static str,
}

/// Ends a message for every subscriber, also before its time.
#[utoipa::path(post, path = "/v1/topics/{topic}/messages/{id}/cancel", params(("topic" = String, Path), ("id" = String, Path)), request_body = ReasonIn, responses((status = 200, body = Data<Vec<CancelledOut>>), (status = 404, body = Problem)))]
async fn cancel(
    Shared(state): Shared<State>,
    Path((topic, id)): Path<(String, String)>,
    Body(body): Body<ReasonIn>,
) -> Result<Json<Data<Vec<CancelledOut>>>, Problem> {
    let id = message_id(&id)?;
    let deliveries = state.queue.cancel_message(&topic, id).await?;
    tracing::info!(%topic, message = %id, reason = body.reason, "message cancelled");
    let cancelled = deliveries.into_iter().map(|delivery| CancelledOut {
        message_id: id,
        subscriber_id: delivery.subscriber_id,
        subscriber: delivery.subscriber,
        status: status(delivery.state),
    });
    Ok(data(cancelled.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_encoded_for_a_path() {
        assert_eq!(encode("cart-1"), "cart-1");
        assert_eq!(encode("a b?é"), "a%20b%3F%C3%A9");
    }
}
