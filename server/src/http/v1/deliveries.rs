//! What a consumer does: claim, ack, nack, extend, snooze, cancel.

use axum::extract::State as Shared;
use axum::response::Json;
use blockqueue::{ClaimOptions, Error, Listed, NackOptions, Nacked, Subscriber};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Params, Path};
use super::messages::ReasonIn;
use super::results::ReplyIn;
use super::subscribers::Names;
use super::wire::{
    ClaimedOut, DeliveryOut, MessageOut, PageQuery, Span, message_id, receipt_of, span_in_query,
    time, wait_in_query,
};
use super::{Data, Problem, State, data};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(claim))
        .routes(routes!(peek))
        .routes(routes!(ack))
        .routes(routes!(nack))
        .routes(routes!(lease))
        .routes(routes!(snooze))
        .routes(routes!(cancel))
        .routes(routes!(ack_batch))
        .routes(routes!(nack_batch))
}

/// Topic, subscriber and message of a path.
type Place = Path<(String, String, String)>;

/// The subscriber of a path, which a receipt must be of.
async fn named(state: &State, topic: &str, subscriber: &str) -> Result<Subscriber, Problem> {
    Ok(state.queue.subscriber(topic, subscriber).await?)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ClaimQuery {
    /// How long to wait when there is nothing; default 30 s, at most 60 s.
    timeout: Option<String>,
    /// How long the deliveries are leased.
    lease: Option<String>,
    /// At most this many; default 10.
    limit: Option<usize>,
}

/// Leases deliveries to the caller; an empty list if there is nothing in time.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/claim", params(("topic" = String, Path), ("subscriber" = String, Path), ClaimQuery), responses((status = 200, body = Data<Vec<ClaimedOut>>), (status = 404, body = Problem)))]
async fn claim(
    Shared(mut state): Shared<State>,
    Path((topic, subscriber)): Names,
    Params(query): Params<ClaimQuery>,
) -> Result<Json<Data<Vec<ClaimedOut>>>, Problem> {
    let wait = wait_in_query(query.timeout.as_deref())?;
    let mut options = ClaimOptions::default().with_wait(wait);
    options.limit = query.limit;
    options.lease =
        query.lease.as_deref().map(|lease| span_in_query(lease, "lease")).transpose()?;
    let claim = state.queue.claim(&topic, &subscriber, &options);
    let deliveries = tokio::select! {
        deliveries = claim => deliveries?,
        // The claim is dropped, and with it whatever it would have got.
        _ = state.ending.wait_for(|ending| *ending) => Vec::new(),
    };
    Ok(data(deliveries.into_iter().map(ClaimedOut::from).collect()))
}

#[derive(Debug, Serialize, ToSchema)]
struct PeekedOut {
    #[serde(flatten)]
    message: MessageOut,
    #[serde(flatten)]
    delivery: DeliveryOut,
}

#[derive(Debug, Serialize, ToSchema)]
struct Messages {
    messages: Vec<PeekedOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Deliveries in flight, then pending ones, without receipts.
#[utoipa::path(get, path = "/v1/topics/{topic}/subscribers/{subscriber}/messages", params(("topic" = String, Path), ("subscriber" = String, Path), PageQuery), responses((status = 200, body = Data<Messages>)))]
async fn peek(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
    Params(page): Params<PageQuery>,
) -> Result<Json<Data<Messages>>, Problem> {
    let Listed { items, next, .. } = state.queue.peek(&topic, &subscriber, page.into()).await?;
    let peeked = |item: blockqueue::Peeked| PeekedOut {
        message: item.message.into(),
        delivery: item.status.into(),
    };
    Ok(data(Messages { messages: items.into_iter().map(peeked).collect(), next_cursor: next }))
}

// --- one ----------------------------------------------------------------------------------------------

#[derive(Debug, Serialize, ToSchema)]
struct StatusOut {
    status: &'static str,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AckIn {
    receipt_token: String,
    /// A reply for whoever waits for the result of the message.
    result: Option<ReplyIn>,
}

/// Settles a delivery: done.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/messages/{id}/ack", params(("topic" = String, Path), ("subscriber" = String, Path), ("id" = String, Path)), request_body = AckIn, responses((status = 200, body = Data<StatusOut>), (status = 409, body = Problem)))]
async fn ack(
    Shared(state): Shared<State>,
    Path((topic, subscriber, id)): Place,
    Body(body): Body<AckIn>,
) -> Result<Json<Data<StatusOut>>, Problem> {
    let of = named(&state, &topic, &subscriber).await?;
    let receipt = receipt_of(&body.receipt_token, &id, &of)?;
    match body.result {
        None => state.queue.ack(&receipt).await?,
        Some(reply) => state.queue.ack_with_result(&receipt, reply.into_reply()?).await?,
    }
    Ok(data(StatusOut { status: "processed" }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NackIn {
    receipt_token: String,
    retry_delay: Option<Span>,
    error: Option<String>,
    #[serde(default)]
    give_up: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct NackedOut {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    visible_at: Option<String>,
}

fn nacked(nacked: Nacked) -> NackedOut {
    // In this contract what waits for its next attempt is pending again.
    let status = if nacked.ready_at.is_some() { "pending" } else { "dead_letter" };
    NackedOut { status, visible_at: nacked.ready_at.map(time) }
}

fn nack_options(
    delay: Option<&Span>,
    error: Option<String>,
    give_up: bool,
) -> Result<NackOptions, Problem> {
    let mut options = NackOptions::default().with_give_up(give_up);
    options.delay = delay.map(|delay| delay.duration("retry_delay")).transpose()?;
    options.error = error;
    Ok(options)
}

/// Reports a failure: the delivery is tried again, or becomes a dead letter.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/messages/{id}/nack", params(("topic" = String, Path), ("subscriber" = String, Path), ("id" = String, Path)), request_body = NackIn, responses((status = 200, body = Data<NackedOut>), (status = 409, body = Problem)))]
async fn nack(
    Shared(state): Shared<State>,
    Path((topic, subscriber, id)): Place,
    Body(body): Body<NackIn>,
) -> Result<Json<Data<NackedOut>>, Problem> {
    let of = named(&state, &topic, &subscriber).await?;
    let receipt = receipt_of(&body.receipt_token, &id, &of)?;
    let options = nack_options(body.retry_delay.as_ref(), body.error, body.give_up)?;
    Ok(data(nacked(state.queue.nack(&receipt, &options).await?)))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LeaseIn {
    receipt_token: String,
    /// Default: the subscriber's lease.
    extension: Option<Span>,
}

#[derive(Debug, Serialize, ToSchema)]
struct LeaseOut {
    lease_expires_at: String,
}

/// Makes the lease last until so long after now.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/messages/{id}/lease", params(("topic" = String, Path), ("subscriber" = String, Path), ("id" = String, Path)), request_body = LeaseIn, responses((status = 200, body = Data<LeaseOut>), (status = 409, body = Problem)))]
async fn lease(
    Shared(state): Shared<State>,
    Path((topic, subscriber, id)): Place,
    Body(body): Body<LeaseIn>,
) -> Result<Json<Data<LeaseOut>>, Problem> {
    let of = named(&state, &topic, &subscriber).await?;
    let receipt = receipt_of(&body.receipt_token, &id, &of)?;
    let lease = match &body.extension {
        Some(span) => span.duration("extension")?,
        None => of.options.lease,
    };
    let expires_at = state.queue.extend(&receipt, lease).await?;
    Ok(data(LeaseOut { lease_expires_at: time(expires_at) }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SnoozeIn {
    receipt_token: String,
    delay: Span,
}

#[derive(Debug, Serialize, ToSchema)]
struct SnoozedOut {
    status: &'static str,
    visible_at: String,
}

/// Puts a delivery back for a while; the attempt does not count.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/messages/{id}/snooze", params(("topic" = String, Path), ("subscriber" = String, Path), ("id" = String, Path)), request_body = SnoozeIn, responses((status = 200, body = Data<SnoozedOut>), (status = 409, body = Problem)))]
async fn snooze(
    Shared(state): Shared<State>,
    Path((topic, subscriber, id)): Place,
    Body(body): Body<SnoozeIn>,
) -> Result<Json<Data<SnoozedOut>>, Problem> {
    let of = named(&state, &topic, &subscriber).await?;
    let receipt = receipt_of(&body.receipt_token, &id, &of)?;
    let ready_at = state.queue.defer(&receipt, body.delay.duration("delay")?).await?;
    Ok(data(SnoozedOut { status: "pending", visible_at: time(ready_at) }))
}

/// Ends one message for one subscriber, whatever its state, without a receipt.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/messages/{id}/cancel", params(("topic" = String, Path), ("subscriber" = String, Path), ("id" = String, Path)), request_body = ReasonIn, responses((status = 200, body = Data<StatusOut>), (status = 404, body = Problem)))]
async fn cancel(
    Shared(state): Shared<State>,
    Path((topic, subscriber, id)): Place,
    Body(body): Body<ReasonIn>,
) -> Result<Json<Data<StatusOut>>, Problem> {
    let id = message_id(&id)?;
    state.queue.cancel_delivery(&topic, &subscriber, id, body.reason.as_deref()).await?;
    Ok(data(StatusOut { status: "cancelled" }))
}

// --- many ---------------------------------------------------------------------------------------------

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AckItem {
    message_id: String,
    receipt_token: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NackItem {
    message_id: String,
    receipt_token: String,
    retry_delay: Option<Span>,
    error: Option<String>,
    #[serde(default)]
    give_up: bool,
}

/// The outcome of one item; `error` is a code.
#[derive(Debug, Serialize, ToSchema)]
struct ItemOut {
    message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

fn item(message_id: String, result: Result<&'static str, Problem>) -> ItemOut {
    match result {
        Ok(status) => ItemOut { message_id, status: Some(status), error: None },
        Err(problem) => ItemOut { message_id, status: None, error: Some(problem.code()) },
    }
}

/// Settles up to 1,000 deliveries and answers for each.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/messages/batch/ack", params(("topic" = String, Path), ("subscriber" = String, Path)), request_body = Vec<AckItem>, responses((status = 200, body = Data<Vec<ItemOut>>)))]
async fn ack_batch(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
    Body(items): Body<Vec<AckItem>>,
) -> Result<Json<Data<Vec<ItemOut>>>, Problem> {
    let of = named(&state, &topic, &subscriber).await?;
    let mut receipts = Vec::with_capacity(items.len());
    let mut ids = Vec::with_capacity(items.len());
    for AckItem { message_id, receipt_token } in items {
        receipts.push(receipt_of(&receipt_token, &message_id, &of));
        ids.push(message_id);
    }
    let ours: Vec<_> = receipts.iter().flatten().copied().collect();
    let results = if ours.len() < receipts.len() && ours.is_empty() {
        Vec::new()
    } else {
        state.queue.ack_batch(&ours).await?
    };
    let results = results.into_iter().map(|result| Ok(result.map(|()| "processed")?));
    Ok(data(merge(ids, receipts.into_iter().map(|own| own.map(|_| ())), results)))
}

/// Reports up to 1,000 failures and answers for each.
#[utoipa::path(post, path = "/v1/topics/{topic}/subscribers/{subscriber}/messages/batch/nack", params(("topic" = String, Path), ("subscriber" = String, Path)), request_body = Vec<NackItem>, responses((status = 200, body = Data<Vec<ItemOut>>)))]
async fn nack_batch(
    Shared(state): Shared<State>,
    Path((topic, subscriber)): Names,
    Body(items): Body<Vec<NackItem>>,
) -> Result<Json<Data<Vec<ItemOut>>>, Problem> {
    let of = named(&state, &topic, &subscriber).await?;
    let mut nacks = Vec::with_capacity(items.len());
    let mut ids = Vec::with_capacity(items.len());
    for NackItem { message_id, receipt_token, retry_delay, error, give_up } in items {
        let options = nack_options(retry_delay.as_ref(), error, give_up);
        let receipt = receipt_of(&receipt_token, &message_id, &of);
        nacks.push(receipt.and_then(|receipt| Ok((receipt, options?))));
        ids.push(message_id);
    }
    let ours: Vec<_> = nacks.iter().flatten().cloned().collect();
    let results = if ours.len() < nacks.len() && ours.is_empty() {
        Vec::new()
    } else {
        state.queue.nack_batch(&ours).await?
    };
    let results = results.into_iter().map(|result| Ok(nacked(result?).status));
    Ok(data(merge(ids, nacks.into_iter().map(|own| own.map(|_| ())), results)))
}

/// The outcomes in the order of the items: refused here, or what became of it.
fn merge(
    ids: Vec<String>,
    own: impl Iterator<Item = Result<(), Problem>>,
    mut results: impl Iterator<Item = Result<&'static str, Problem>>,
) -> Vec<ItemOut> {
    let missing = || {
        let detail = "an item without an outcome".to_owned();
        Err(Error::Internal { detail }.into())
    };
    ids.into_iter()
        .zip(own)
        .map(|(id, own)| item(id, own.and_then(|()| results.next().unwrap_or_else(missing))))
        .collect()
}
