//! `/metrics`: the queue and the server in numbers, as Prometheus reads them.
//!
//! Everything about the queue is asked for at each scrape; only requests are counted here. The number of
//! series is bounded: topics and subscribers beyond it are summed up under one name.

mod schedules;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::{self, MatchedPath, Request};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use blockqueue::{EngineStats, Page, Schedule, SubscriberStats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, MetricEncoder, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::State;

/// So many topics, subscribers and schedules have series of their own. The other schedules have none.
const SERIES_MAX: usize = 1_000;
/// The topic and subscriber of all others together.
const OTHERS: &str = "(others)";
/// Methods with series of their own. Clients may make up any other.
static METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

pub(super) fn routes() -> Router<State> {
    Router::new().route("/metrics", get(scrape)).route("/prometheus/metrics", get(scrape))
}

// --- requests -----------------------------------------------------------------------------------------

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

/// Requests counted since the start.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Family<RequestLabels, Counter>>);

/// Counts a request by its route's template and a method that is known, so that nothing that a client
/// chooses makes series.
pub(super) async fn count(
    extract::State(requests): extract::State<Requests>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let method = METHODS.iter().find(|known| *known == request.method());
    let method = method.map_or("other", Method::as_str);
    let response = next.run(request).await;
    let route = route.map_or_else(|| OTHERS.to_owned(), |route| route.as_str().to_owned());
    let status = response.status().as_u16();
    requests.0.get_or_create(&RequestLabels { route, method, status }).inc();
    response
}

// --- the queue ----------------------------------------------------------------------------------------

async fn scrape(extract::State(state): extract::State<State>) -> Response {
    match collect(&state, SERIES_MAX).await {
        Ok(body) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "no metrics");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// The text of a scrape, with so many series of a kind at most, and one more of all others.
async fn collect(state: &State, most: usize) -> blockqueue::Result<String> {
    let queue = &state.queue;
    let mut subscribers = Vec::new();
    let mut others = Sums::default();
    let mut published: Vec<(String, u64)> = Vec::new();
    let mut published_by_others = None;
    let mut schedules = Vec::new();
    let mut page = Page::default();
    loop {
        let topics = queue.topics(page).await?;
        for topic in topics.items {
            let stats = queue.topic_stats(&topic.name).await;
            let listed = schedules::add(&mut schedules, most, queue, &topic.name).await;
            let stats = match listed.and(stats) {
                Ok(stats) => stats,
                // Deleted meanwhile.
                Err(blockqueue::Error::UnknownTopic { .. }) => continue,
                Err(error) => return Err(error),
            };
            if published.len() < most {
                published.push((stats.topic, stats.published_count));
            } else {
                *published_by_others.get_or_insert(0) += stats.published_count;
            }
            for subscriber in stats.subscribers {
                if subscribers.len() < most {
                    subscribers.push(Sums::of(subscriber));
                } else {
                    others.add(&Sums::of(subscriber));
                }
            }
        }
        match topics.next {
            Some(next) => page = Page::default().with_after(next),
            None => break,
        }
    }
    if others.is_some {
        subscribers.push(others);
    }
    published.extend(published_by_others.map(|count| (OTHERS.to_owned(), count)));
    let engine = state.engine_stats().await?;
    let mut registry = Registry::with_prefix("blockqueue");
    if let Some(Requests(requests)) = &state.requests {
        registry.register("http_requests", "Requests answered", (**requests).clone());
    }
    registry.register_collector(Box::new(Snapshot { subscribers, published, schedules, engine }));
    let mut body = String::new();
    // Writing to a string cannot fail.
    let _ = text::encode(&mut body, &registry);
    Ok(body)
}

/// One subscriber in numbers, or several together.
#[derive(Debug)]
struct Sums {
    topic: String,
    subscriber: String,
    is_some: bool,
    gauges: [u64; 6],
    oldest_age: f64,
    counters: [u64; 7],
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            topic: OTHERS.to_owned(),
            subscriber: OTHERS.to_owned(),
            is_some: false,
            gauges: [0; 6],
            oldest_age: 0.0,
            counters: [0; 7],
        }
    }
}

const GAUGES: [(&str, &str); 6] = [
    ("pending", "Messages not claimed yet"),
    ("pending_bytes", "Their bytes of payload and headers"),
    ("leased", "Deliveries leased to consumers"),
    ("retrying", "Deliveries that wait for their next attempt"),
    ("parked", "Deliveries that wait behind another of their key"),
    ("dead_letters", "Deliveries out of attempts"),
];

const COUNTERS: [(&str, &str); 7] = [
    ("claimed", "Deliveries claimed, once per attempt"),
    ("acked", "Deliveries acked"),
    ("nacked", "Attempts nacked"),
    ("expired", "Leases expired"),
    ("ttl_expired", "Messages that expired before they were settled"),
    ("filtered", "Messages skipped by the filter"),
    ("dropped", "Messages skipped by the backlog limit"),
];

impl Sums {
    fn of(stats: SubscriberStats) -> Self {
        Self {
            gauges: [
                stats.pending_count,
                stats.pending_bytes,
                stats.leased_count,
                stats.retrying_count,
                stats.parked_count,
                stats.dead_count,
            ],
            oldest_age: stats.oldest_age.map_or(0.0, |age| age.as_secs_f64()),
            counters: [
                stats.claimed_count,
                stats.acked_count,
                stats.nacked_count,
                stats.expired_count,
                stats.ttl_expired_count,
                stats.filtered_count,
                stats.dropped_count,
            ],
            topic: stats.topic,
            subscriber: stats.subscriber,
            is_some: true,
        }
    }

    fn add(&mut self, other: &Self) {
        self.is_some = true;
        for (sum, value) in self.gauges.iter_mut().zip(other.gauges) {
            *sum += value;
        }
        for (sum, value) in self.counters.iter_mut().zip(other.counters) {
            *sum += value;
        }
        self.oldest_age = self.oldest_age.max(other.oldest_age);
    }

    fn labels(&self) -> [(&str, &str); 2] {
        [("topic", &self.topic), ("subscriber", &self.subscriber)]
    }
}

#[derive(Debug)]
struct Snapshot {
    subscribers: Vec<Sums>,
    published: Vec<(String, u64)>,
    schedules: Vec<Schedule>,
    engine: EngineStats,
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_subscribers(&mut encoder)?;
        schedules::encode(&self.schedules, &mut encoder)?;
        self.encode_engine(&mut encoder)
    }
}

impl Snapshot {
    fn encode_subscribers(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        for (place, (name, help)) in GAUGES.iter().enumerate() {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for sums in &self.subscribers {
                let value = sums.gauges.get(place).copied().unwrap_or(0);
                let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
                gauge.encode(family.encode_family(&sums.labels())?)?;
            }
        }
        let help = "Age of the oldest pending message";
        let mut family =
            encoder.encode_descriptor("oldest_age_seconds", help, None, MetricType::Gauge)?;
        for sums in &self.subscribers {
            ConstGauge::new(sums.oldest_age).encode(family.encode_family(&sums.labels())?)?;
        }
        for (place, (name, help)) in COUNTERS.iter().enumerate() {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for sums in &self.subscribers {
                let value = sums.counters.get(place).copied().unwrap_or(0);
                ConstCounter::new(value).encode(family.encode_family(&sums.labels())?)?;
            }
        }
        let help = "Messages accepted";
        let mut family = encoder.encode_descriptor("published", help, None, MetricType::Counter)?;
        for (topic, count) in &self.published {
            let labels = [("topic", topic.as_str())];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn encode_engine(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let engine = &self.engine;
        let gauges = [
            ("waiting_claims", "Claims that wait for something to claim", engine.waiting_claims),
            ("file_bytes", "Size of the database file", engine.file_bytes),
            ("wal_bytes", "Size of the write-ahead log", engine.wal_bytes),
        ];
        for (name, help, value) in gauges {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(metric)?;
        }
        let help = "Groups that failed as a whole";
        let metric =
            encoder.encode_descriptor("failed_commits", help, None, MetricType::Counter)?;
        ConstCounter::new(engine.failed_commits).encode(metric)?;
        let help = "Operations in a commit";
        let metric =
            encoder.encode_descriptor("commit_operations", help, None, MetricType::Histogram)?;
        let bounds = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, f64::MAX];
        #[expect(clippy::cast_precision_loss, reason = "a sum for people")]
        let operations = engine.operations as f64;
        histogram(metric, operations, engine.commits, bounds, engine.commits_by_size)?;
        let help = "Time that a commit takes";
        let name = "commit_duration_seconds";
        let metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        let bounds = [0.001, 0.004, 0.016, 0.064, 0.256, 1.024, f64::MAX];
        let seconds = engine.commit_time.as_secs_f64();
        histogram(metric, seconds, engine.commits, bounds, engine.commits_by_duration)
    }
}

fn histogram(
    mut metric: MetricEncoder<'_>,
    sum: f64,
    count: u64,
    bounds: [f64; 7],
    counts: [u64; 7],
) -> fmt::Result {
    let buckets: Vec<(f64, u64)> = bounds.into_iter().zip(counts).collect();
    metric.encode_histogram::<[(&str, &str); 0]>(sum, count, &buckets, None)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use blockqueue::{NewTopic, Queue};

    use super::*;

    #[tokio::test]
    async fn beyond_the_bound_all_are_summed_up() {
        let queue = Queue::open(":memory:").unwrap();
        for (topic, count) in [("a", 1), ("b", 2), ("c", 4)] {
            queue.create_topic(NewTopic::new(topic).with_subscriber("s")).await.unwrap();
            queue.publish_batch(topic, vec!["x".into(); count]).await.unwrap();
        }
        let (_end, ending) = tokio::sync::watch::channel(false);
        let state = State {
            queue,
            ending,
            tokens: Arc::default(),
            requests: Some(Requests::default()),
            #[cfg(feature = "test-clock")]
            clock: None,
        };
        let text = collect(&state, 1).await.unwrap();
        for name in ["pending{", "published_total{"] {
            let series: Vec<_> = text
                .lines()
                .filter_map(|line| line.strip_prefix("blockqueue_")?.strip_prefix(name))
                .collect();
            let [own, others] = series.as_slice() else { panic!("{series:?}") };
            assert!(own.starts_with("topic=\"a\"") && own.ends_with(" 1"), "{own}");
            assert!(others.starts_with("topic=\"(others)\"") && others.ends_with(" 6"), "{others}");
        }
    }
}
