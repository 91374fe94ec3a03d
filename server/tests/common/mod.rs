//! A real server on a free port of this machine, with a queue in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot start has failed")]

use std::net::{Ipv4Addr, SocketAddr};

use blockqueue::Queue;
use blockqueue_server::http::{State, router};
use serde_json::Value;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) queue: Queue,
    /// Tells waiting reads that the server is about to end.
    pub(crate) end: tokio::sync::watch::Sender<bool>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    pub(crate) fn start() -> Self {
        let queue = Queue::open(":memory:").unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener =
            runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ending) = tokio::sync::watch::channel(false);
        let router = router(State { queue: queue.clone(), ending }, 1 << 20);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, queue, end, _runtime: runtime }
    }

    /// Status and JSON document of an answer.
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("content-type", "application/json")
            .body(body.to_owned())
            .unwrap();
        let mut response = agent.run(request).unwrap();
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}
