//! The arguments of the scripts in the library's types.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blockqueue::{
    BacklogLimit, BacklogPolicy, ClaimOptions, DeadLetters, Error, Filter, Message, MisfirePolicy,
    NackOptions, NewSubscriber, NewTopic, OnDead, OnExpiry, OverlapPolicy, Page, RateLimit,
    Receipt, Reply, Retention, RetryPolicy, ScheduleOptions, SeekTo, StartFrom, SubscriberChange,
    SubscriberOptions, TopicChange, TopicOptions,
};
use blockqueue_conformance::{self as script, OrNone};

use serde_json::Value;

pub(crate) fn duration(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).expect("a duration has no sign here"))
}

fn instant(at_ms: i64) -> SystemTime {
    let since_1970 = u64::try_from(script::START_MS + at_ms).expect("after 1970");
    UNIX_EPOCH + Duration::from_millis(since_1970)
}

pub(crate) fn receipts(texts: &[String]) -> Result<Vec<Receipt>, Error> {
    texts.iter().map(|text| text.parse()).collect()
}

pub(crate) fn page(limit: Option<usize>, after: Option<&str>) -> Page {
    let mut page = Page::default();
    page.limit = limit;
    page.after = after.map(str::to_owned);
    page
}

pub(crate) fn claim_options(
    limit: Option<usize>,
    wait_ms: i64,
    lease_ms: Option<i64>,
) -> ClaimOptions {
    let mut options = ClaimOptions::default().with_wait(duration(wait_ms));
    options.limit = limit;
    options.lease = lease_ms.map(duration);
    options
}

pub(crate) fn nack(nack: &script::Nack) -> NackOptions {
    let mut options = NackOptions::default().with_give_up(nack.give_up);
    options.delay = nack.delay_ms.map(duration);
    options.error.clone_from(&nack.error_text);
    options
}

fn payload(text: Option<&str>, base64: Option<&str>) -> Vec<u8> {
    match (text, base64) {
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, Some(base64)) => STANDARD.decode(base64).expect("base64 in the script"),
        (None, None) => Vec::new(),
        (Some(_), Some(_)) => panic!("a script gives a payload twice"),
    }
}

pub(crate) fn reply(reply: &script::Reply) -> Reply {
    let mut out = Reply::new(payload(reply.payload.as_deref(), reply.payload_base64.as_deref()));
    out.content_type.clone_from(&reply.content_type);
    out.ttl = reply.ttl_ms.map(duration);
    out
}

pub(crate) fn message(message: &script::Message) -> Message {
    let payload = payload(message.payload.as_deref(), message.payload_base64.as_deref());
    let mut out =
        Message::new(payload).with_headers(message.headers.clone()).with_priority(message.priority);
    out.content_type.clone_from(&message.content_type);
    out.correlation_id.clone_from(&message.correlation_id);
    out.idempotency_key.clone_from(&message.idempotency_key);
    out.ordering_key.clone_from(&message.ordering_key);
    out.ttl = message.ttl_ms.map(duration);
    out.unique_key.clone_from(&message.unique_key);
    out.delay = message.delay_ms.map(duration);
    out.deliver_at = message.deliver_at.map(instant);
    out
}

pub(crate) fn new_topic(
    name: &str,
    options: &script::TopicOptions,
    subscribers: &[script::NewSubscriber],
) -> Result<NewTopic, Error> {
    let change = topic_change(options);
    let mut settings = TopicOptions::default();
    settings.retention = change.retention.unwrap_or(settings.retention);
    settings.backlog_limit = change.backlog_limit.unwrap_or(settings.backlog_limit);
    settings.idempotency_window = change.idempotency_window.unwrap_or(settings.idempotency_window);
    settings.ttl = change.ttl.unwrap_or(settings.ttl);
    let mut topic = NewTopic::new(name).with_options(settings);
    topic.subscribers = subscribers.iter().map(new_subscriber).collect::<Result<_, _>>()?;
    Ok(topic)
}

pub(crate) fn topic_change(options: &script::TopicOptions) -> TopicChange {
    let mut change = TopicChange::default();
    change.retention = options.retention.map(|retention| match retention {
        script::Retention::None => Retention::None,
        script::Retention::DurationMs(ms) => Retention::Duration(duration(ms)),
        script::Retention::Count(count) => Retention::Count(count),
        script::Retention::Bytes(bytes) => Retention::Bytes(bytes),
    });
    change.backlog_limit = options.backlog_limit.map(|limit| {
        let mut out = BacklogLimit::default();
        out.messages = limit.messages;
        out.bytes = limit.bytes;
        out.age = limit.age_ms.map(duration);
        out.policy = match limit.policy {
            Some(script::BacklogPolicy::DropOldest) => BacklogPolicy::DropOldest,
            Some(script::BacklogPolicy::Refuse) | None => BacklogPolicy::Refuse,
        };
        out
    });
    change.idempotency_window = options.idempotency_window_ms.map(duration);
    change.ttl = options.ttl_ms.map(|ttl| ttl.into_option().map(duration));
    change
}

pub(crate) fn new_subscriber(subscriber: &script::NewSubscriber) -> Result<NewSubscriber, Error> {
    let settings = subscriber_change(&subscriber.options)?.apply(&SubscriberOptions::default());
    let start = match subscriber.start {
        script::Start::Now => StartFrom::Now,
        script::Start::Earliest => StartFrom::Earliest,
        script::Start::At(at) => StartFrom::Time(instant(at)),
    };
    Ok(NewSubscriber::new(subscriber.name.clone()).with_options(settings).with_start(start))
}

pub(crate) fn subscriber_change(
    options: &script::SubscriberOptions,
) -> Result<SubscriberChange, Error> {
    let mut change = SubscriberChange::default();
    change.max_attempts = options.max_attempts;
    change.lease = options.lease_ms.map(duration);
    change.claim_limit = options.claim_limit;
    change.retry = options.retry.map(|retry| {
        let mut policy = RetryPolicy::default();
        policy.initial = retry.initial_ms.map_or(policy.initial, duration);
        policy.max = retry.max_ms.map_or(policy.max, duration);
        policy.multiplier = retry.multiplier.unwrap_or(policy.multiplier);
        policy.jitter = retry.jitter.unwrap_or(policy.jitter);
        policy
    });
    change.ordered = options.ordered;
    change.on_dead = options.on_dead.map(|policy| match policy {
        script::OnDead::Skip => OnDead::Skip,
        script::OnDead::Block => OnDead::Block,
    });
    change.filter = match &options.filter {
        Some(filter) if filter == "none" => Some(None),
        given => filter(given.as_ref())?.map(Some),
    };
    change.on_expiry = options.on_expiry.map(|policy| match policy {
        script::OnExpiry::Skip => OnExpiry::Skip,
        script::OnExpiry::DeadLetter => OnExpiry::DeadLetter,
    });
    change.leased_max = options.leased_max.map(OrNone::into_option);
    change.rate = options.rate.map(|rate| {
        rate.into_option().map(|rate| RateLimit::new(rate.count, duration(rate.interval_ms)))
    });
    change.leased_per_key_max = options.leased_per_key_max.map(OrNone::into_option);
    Ok(change)
}

pub(crate) fn place(place: &script::Place) -> Result<SeekTo, Error> {
    Ok(match place {
        script::Place::Earliest => SeekTo::Earliest,
        script::Place::Latest => SeekTo::Latest,
        script::Place::At(at) => SeekTo::Time(instant(*at)),
        script::Place::MessageId(id) => SeekTo::Message(id.parse()?),
        script::Place::Sequence { priority, sequence } => {
            SeekTo::Sequence { priority: *priority, sequence: *sequence }
        }
    })
}

pub(crate) fn which(which: &script::DeadLetters) -> Result<DeadLetters, Error> {
    Ok(match which {
        script::DeadLetters::All => DeadLetters::All,
        script::DeadLetters::Oldest(limit) => DeadLetters::Oldest(*limit),
        script::DeadLetters::Ids(ids) => {
            DeadLetters::Ids(ids.iter().map(|id| id.parse()).collect::<Result<_, _>>()?)
        }
    })
}

pub(crate) fn schedule_options(options: &script::ScheduleOptions) -> ScheduleOptions {
    let mut out = ScheduleOptions::new(&options.cron, message(&options.message));
    if let Some(timezone) = &options.timezone {
        out.timezone.clone_from(timezone);
    }
    out.misfire = match options.misfire {
        Some(script::Misfire::Skip) => MisfirePolicy::Skip,
        Some(script::Misfire::Once) => MisfirePolicy::Once,
        Some(script::Misfire::All(limit)) => MisfirePolicy::All { limit },
        None => out.misfire,
    };
    out.overlap = match options.overlap {
        Some(script::Overlap::Allow) => OverlapPolicy::Allow,
        Some(script::Overlap::Skip) => OverlapPolicy::Skip,
        Some(script::Overlap::Queue) => OverlapPolicy::Queue,
        None => out.overlap,
    };
    out.start = options.start_at.map(instant);
    out.end = options.end_at.map(instant);
    out.jitter = options.jitter_ms.map_or(out.jitter, duration);
    out.grace = options.grace_ms.map_or(out.grace, duration);
    out
}

pub(crate) fn filter(json: Option<&Value>) -> Result<Option<Filter>, Error> {
    json.map(|json| json.to_string().parse()).transpose()
}
