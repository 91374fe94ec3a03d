//! A real server with a queue of its own, whose clock the script moves.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use blockqueue::{OpenOptions, Queue, TestClock};
use blockqueue_conformance::START_MS;
use blockqueue_server::auth::Tokens;
use blockqueue_server::http::{Bounds, Requests, State, router};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Room for a batch of 16 MiB, as text in JSON.
const BODY_BYTES_MAX: usize = 64 << 20;

pub(crate) struct Server {
    address: SocketAddr,
    queue: Queue,
    agent: ureq::Agent,
    end: watch::Sender<bool>,
    _runtime: Runtime,
}

/// Status and document of an answer.
pub(crate) type Answer = (u16, Value);

impl Server {
    pub(crate) fn start() -> Self {
        let clock = TestClock::new(UNIX_EPOCH + Duration::from_millis(START_MS.unsigned_abs()));
        let queue =
            Queue::open_with(":memory:", OpenOptions::default().with_clock(clock.clone())).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ending) = watch::channel(false);
        let state = State {
            queue: queue.clone(),
            ending,
            tokens: Arc::new(Tokens::default()),
            requests: Some(Requests::default()),
            clock: Some(clock),
        };
        let bounds =
            Bounds { body_bytes_max: BODY_BYTES_MAX, read_timeout: Duration::from_secs(30) };
        let router = router(state, bounds);
        runtime.spawn(async move { axum::serve(listener, router).await });
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { address, queue, agent, end, _runtime: runtime }
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("content-type", "application/json")
            .body(body.map(Value::to_string).unwrap_or_default())
            .unwrap();
        let mut response = self.agent.run(request).unwrap();
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(BODY_BYTES_MAX as u64);
        let text = body.read_to_string().unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(crate) fn close(&self) {
        let _ = self.end.send(true);
        let _ = self.queue.shutdown().wait();
    }
}
