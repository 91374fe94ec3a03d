//! The cases over HTTP: a server in a process of its own, and 64 connections that are kept alive.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use blockqueue::{NewTopic, Queue};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::cases::{Failure, Rows, at_least, fill, fresh};
use crate::measure::{Row, compare, time};
use crate::servers::{Kind, Server};

const CONNECTIONS: usize = 64;

/// A topic with one subscriber in a new file.
fn create(file: &Path) -> Result<Queue, Failure> {
    let queue = Queue::open(file)?;
    queue.create_topic(NewTopic::new("t").with_subscriber("s0")).wait()?;
    Ok(queue)
}

/// Single publishes over 64 connections, beside a minimal server that inserts the same in groups.
pub(crate) fn publish(directory: &Path) -> Rows {
    const EACH: usize = 200;
    let file = fresh(directory);
    create(&file)?.shutdown().wait()?;
    let queue = Server::start(Kind::Queue, &file)?;
    let raw = Server::start(Kind::Raw, &fresh(directory))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let body = format!("{{\"message\":\"{}\"}}", "x".repeat(100));
    let mut ours = connect(&runtime, queue.address)?;
    let mut base = connect(&runtime, raw.address)?;
    let result = compare(
        CONNECTIONS * EACH,
        || send(&runtime, &mut ours, EACH, &Call::post("/v1/topics/t/messages", &body)),
        || send(&runtime, &mut base, EACH, &Call::post("/messages", &body)),
    );
    let case = "HTTP single publish, 64 connections / minimal server with raw grouped inserts";
    Ok(vec![at_least(case, result, 0.60)])
}

/// Resident memory of the server with a large backlog, after claims.
pub(crate) fn memory(directory: &Path) -> Rows {
    const WAITING: usize = 5_000_000;
    const CLAIMS: usize = 10_000;
    const MIB_MAX: u64 = 64;
    let file = fresh(directory);
    let queue = create(&file)?;
    fill(&queue, WAITING)?;
    queue.shutdown().wait()?;
    let server = Server::start(Kind::Queue, &file)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut connections = connect(&runtime, server.address)?;
    let claim = Call::post("/v1/topics/t/subscribers/s0/claim?limit=1&timeout=0s", "");
    send(&runtime, &mut connections, CLAIMS.div_ceil(CONNECTIONS), &claim);
    let mib = server.resident_bytes()? >> 20;
    Ok(vec![Row {
        case: "server with 5,000,000 × 100 B waiting, after 10,000 claims".to_owned(),
        ours: format!("{mib} MiB resident"),
        base: "–".to_owned(),
        ratio: "–".to_owned(),
        target: format!("< {MIB_MAX} MiB"),
        reached: mib < MIB_MAX,
    }])
}

/// One request, made many times.
struct Call {
    path: &'static str,
    body: Bytes,
}

impl Call {
    fn post(path: &'static str, body: &str) -> Self {
        Self { path, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json");
        request.body(Full::new(self.body.clone())).expect("a valid request")
    }
}

type Connection = SendRequest<Full<Bytes>>;

fn connect(runtime: &Runtime, address: SocketAddr) -> Result<Vec<Connection>, Failure> {
    runtime.block_on(async {
        let mut connections = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            connections.push(sender);
        }
        Ok(connections)
    })
}

/// Each connection makes `each` requests, one after another.
fn send(
    runtime: &Runtime,
    connections: &mut Vec<Connection>,
    each: usize,
    call: &Call,
) -> Duration {
    let (took, back) = time(|| {
        runtime.block_on(async {
            let tasks: Vec<_> = connections
                .drain(..)
                .map(|mut connection| {
                    let requests: Vec<_> = (0..each).map(|_| call.request()).collect();
                    tokio::spawn(async move {
                        for request in requests {
                            connection.ready().await.expect("is open");
                            let response = connection.send_request(request).await.expect("answers");
                            assert!(response.status().is_success(), "{}", response.status());
                            response.into_body().collect().await.expect("a whole answer");
                        }
                        connection
                    })
                })
                .collect();
            let mut back = Vec::with_capacity(tasks.len());
            for task in tasks {
                back.push(task.await.expect("ends"));
            }
            back
        })
    });
    *connections = back;
    took
}
