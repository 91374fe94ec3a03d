//! Results of messages, for publishers who wait for them.

use axum::extract::State as Shared;
use axum::response::Json;
use blockqueue::{DeliveryResult, Reply};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Params, Path};
use super::wire::{Span, message_id, optional, payload_of, time, wait_in_query};
use super::{Data, Problem, State, data};
use crate::http::payload;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(result))
}

/// A reply to store together with an ack.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplyIn {
    /// The payload as text; or `payload_base64`.
    message: Option<String>,
    payload_base64: Option<String>,
    content_type: Option<String>,
    /// How long it is kept; default 1 h, at most 31 days.
    ttl: Option<Span>,
}

impl ReplyIn {
    pub(super) fn into_reply(self) -> Result<Reply, Problem> {
        let mut reply = Reply::new(payload_of(self.message, self.payload_base64)?);
        reply.content_type = self.content_type;
        reply.ttl = optional(self.ttl.as_ref(), "ttl")?;
        Ok(reply)
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ResultQuery {
    /// How long to wait while there is none; default 30 s, at most 60 s.
    timeout: Option<String>,
}

/// What came of a message for one subscriber.
#[derive(Debug, Serialize, ToSchema)]
struct ResultOut {
    /// `replied`; `processed` without a reply, or it has expired; `dead_letter`; `pending` if nothing yet.
    status: &'static str,
    #[serde(flatten)]
    reply: Option<ReplyOut>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ReplyOut {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    content_type: Option<String>,
    replied_at: String,
    expires_at: String,
}

impl From<DeliveryResult> for ResultOut {
    fn from(result: DeliveryResult) -> Self {
        let without = |status| Self { status, reply: None };
        match result {
            DeliveryResult::Replied(reply) => {
                let (message, encoding) = payload::encode(reply.payload);
                let reply = ReplyOut {
                    message,
                    encoding,
                    content_type: reply.content_type,
                    replied_at: time(reply.replied_at),
                    expires_at: time(reply.expires_at),
                };
                Self { status: "replied", reply: Some(reply) }
            }
            DeliveryResult::Settled => without("processed"),
            DeliveryResult::DeadLettered => without("dead_letter"),
            _ => without("pending"),
        }
    }
}

/// What came of a message for one subscriber; waits while it is neither settled nor a dead letter.
#[utoipa::path(get, path = "/v1/topics/{topic}/messages/{id}/results/{subscriber}", params(("topic" = String, Path), ("id" = String, Path), ("subscriber" = String, Path), ResultQuery), responses((status = 200, body = Data<ResultOut>), (status = 404, body = Problem)))]
async fn result(
    Shared(mut state): Shared<State>,
    Path((topic, id, subscriber)): Path<(String, String, String)>,
    Params(query): Params<ResultQuery>,
) -> Result<Json<Data<ResultOut>>, Problem> {
    let id = message_id(&id)?;
    let wait = wait_in_query(query.timeout.as_deref())?;
    let result = if wait.is_zero() {
        state.queue.result(&topic, &subscriber, id).await?
    } else {
        tokio::select! {
            result = state.queue.wait_result(&topic, &subscriber, id, wait) => result?,
            _ = state.ending.wait_for(|ending| *ending) => DeliveryResult::Unsettled,
        }
    };
    Ok(data(result.into()))
}
