//! Connections: accepted, secured, served as HTTP/1, and ended in order.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// How long nothing is accepted after the system refused to: it may be out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What every connection gets.
pub(super) struct Connections {
    /// The routes.
    pub(super) router: Router,
    /// If they speak TLS.
    pub(super) tls: Option<TlsAcceptor>,
    /// How long a client may take for the handshake, and for the head of a request: of the first one, which
    /// it may never send, and of each one after a pause.
    pub(super) read_timeout: Duration,
}

impl Connections {
    /// Serves until it is told to end, and then for so long at most what is under way.
    pub(super) async fn serve(
        self,
        listener: TcpListener,
        until: impl Future<Output = ()>,
        patience: Duration,
    ) {
        let this = Arc::new(self);
        let under_way = GracefulShutdown::new();
        // Its end is the end of handshakes: nobody has asked for anything yet.
        let (ending, ended) = watch::channel(());
        let mut until = pin!(until);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut until => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let talk = Arc::clone(&this).talk(stream, under_way.watcher(), ended.clone());
                    tokio::spawn(talk);
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop((listener, ending));
        if timeout(patience, under_way.shutdown()).await.is_err() {
            tracing::warn!("requests that take too long are given up");
        }
    }

    async fn talk(
        self: Arc<Self>,
        stream: TcpStream,
        watcher: Watcher,
        mut ended: watch::Receiver<()>,
    ) {
        // An answer is one write, and somebody waits for it.
        let _ = stream.set_nodelay(true);
        let ended = match &self.tls {
            None => self.answer(stream, watcher).await,
            Some(tls) => {
                let handshake = tokio::select! {
                    handshake = timeout(self.read_timeout, tls.accept(stream)) => handshake,
                    _ = ended.changed() => return,
                };
                match handshake {
                    Ok(Ok(stream)) => self.answer(stream, watcher).await,
                    Ok(Err(error)) => Err(error),
                    Err(late) => Err(late.into()),
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke off");
        }
    }

    async fn answer<S>(&self, stream: S, watcher: Watcher) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = TowerToHyperService::new(self.router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.read_timeout)
            .serve_connection(TokioIo::new(stream), service);
        watcher.watch(connection).await.map_err(io::Error::other)
    }
}
