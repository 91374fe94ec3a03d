//! A real server on a free port of this machine, with a queue in memory.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use blockqueue::Queue;
use blockqueue_server::auth::Tokens;
use blockqueue_server::http::{Bounds, Requests, State, router};
use serde_json::Value;

/// Short, for the test of what happens when it is over.
const READ_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(500);

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) queue: Queue,
    /// Tells waiting reads that the server is about to end.
    pub(crate) end: tokio::sync::watch::Sender<bool>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// With these tokens; none if there is no line.
    pub(crate) fn start_with(tokens: &str) -> Self {
        #[cfg(not(feature = "test-clock"))]
        let options = blockqueue::OpenOptions::default();
        #[cfg(feature = "test-clock")]
        let clock = blockqueue::TestClock::new(
            std::time::UNIX_EPOCH + std::time::Duration::from_hours(24 * 365 * 56),
        );
        #[cfg(feature = "test-clock")]
        let options = blockqueue::OpenOptions::default().with_clock(clock.clone());
        let queue = Queue::open_with(":memory:", options).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener =
            runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ending) = tokio::sync::watch::channel(false);
        let state = State {
            queue: queue.clone(),
            ending,
            tokens: Arc::new(Tokens::parse(tokens).unwrap_or_default()),
            requests: Some(Requests::default()),
            #[cfg(feature = "test-clock")]
            clock: Some(clock),
        };
        let router = router(state, Bounds { body_bytes_max: 1 << 16, read_timeout: READ_TIMEOUT });
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, queue, end, _runtime: runtime }
    }

    /// Status and JSON document of an answer.
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.call_as("", method, path, body)
    }

    /// As `call`, with this token.
    pub(crate) fn call_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> (u16, Value) {
        let (status, _, document) = self.answer(token, method, path, body);
        (status, document)
    }

    /// Status, content type and document of an answer.
    pub(crate) fn answer(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> (u16, String, Value) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"))
            .body(body.to_owned())
            .unwrap();
        let mut response = agent.run(request).unwrap();
        let status = response.status().as_u16();
        let kind = response.body().mime_type().unwrap_or_default().to_owned();
        let text = response.body_mut().read_to_string().unwrap();
        (status, kind, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}
