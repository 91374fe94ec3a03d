//! The servers of the cases over HTTP, each in a process of its own: this program, started again.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Json;
use axum::routing::{get, post};
use axum::{Router, serve};
use blockqueue_server::serve::{self as ours, ServeArgs};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::cases::Failure;
use crate::raw::Raw;

/// Which server a process of this program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `blockqueue serve`.
    Queue,
    /// The least that a server can do.
    Raw,
}

impl Kind {
    /// How it is asked for on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Queue => "serve-queue",
            Self::Raw => "serve-raw",
        }
    }
}

/// A server that ends with this.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts this program again as a server on a file, and waits until it listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(kind: Kind, file: &Path) -> Result<Self, Failure> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let program = std::env::current_exe()?;
        let child =
            Command::new(program).arg(kind.word()).arg(file).arg(free.to_string()).spawn()?;
        let mut server = Self { child, address: free };
        while TcpStream::connect(free).is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("the server ended: {status}").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    /// Resident memory, in bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn resident_bytes(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 =
            line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?.parse()?;
        Ok(kib * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing to do about a process that cannot be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the server that these words of the command line ask for, if they do.
pub fn run(words: &[String]) -> Option<Result<(), Failure>> {
    let [word, file, address] = words else { return None };
    let kind = [Kind::Queue, Kind::Raw].into_iter().find(|kind| kind.word() == word)?;
    let file = PathBuf::from(file);
    let served = address.parse().map_err(Failure::from).and_then(|address| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            match kind {
                Kind::Queue => serve_queue(file, address).await,
                Kind::Raw => serve_raw(&file, address).await,
            }
        })
    });
    Some(served)
}

async fn serve_queue(file: PathBuf, address: SocketAddr) -> Result<(), Failure> {
    let args = ServeArgs { db: Some(file), listen: Some(address), ..ServeArgs::default() };
    Ok(ours::run(args.resolve()?).await?)
}

type Insert = (Vec<u8>, oneshot::Sender<i64>);

/// One handler, and one thread that inserts whatever has come together in one transaction.
async fn serve_raw(file: &Path, address: SocketAddr) -> Result<(), Failure> {
    let mut raw = Raw::create(file)?;
    let (inserts, inbox) = mpsc::channel::<Insert>();
    thread::spawn(move || {
        while let Ok(first) = inbox.recv() {
            let group: Vec<Insert> = std::iter::once(first).chain(inbox.try_iter()).collect();
            let Ok(last) = raw.insert_each(group.iter().map(|(payload, _)| payload)) else {
                return;
            };
            let first = last - group.len().cast_signed() as i64;
            for (id, (_, reply)) in (first + 1..).zip(group) {
                let _ = reply.send(id);
            }
        }
    });
    let router = Router::new()
        .route("/livez", get(|| async {}))
        .route("/messages", post(insert))
        .with_state(inserts);
    serve(tokio::net::TcpListener::bind(address).await?, router).await?;
    Ok(())
}

async fn insert(
    State(inserts): State<mpsc::Sender<Insert>>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let payload = body.get("message").and_then(Value::as_str).unwrap_or_default();
    let (reply, answer) = oneshot::channel();
    let _ = inserts.send((payload.as_bytes().to_vec(), reply));
    match answer.await {
        Ok(id) => (StatusCode::ACCEPTED, Json(json!({"data": {"id": id}}))),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Json(Value::Null)),
    }
}
