//! The server: a listener, a router over a queue, and an orderly end.

use std::net::SocketAddr;
use std::path::PathBuf;

use blockqueue::{OpenOptions, Queue};
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::http::{self, State};

/// Options of `blockqueue serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// File of the queue; created if it does not exist.
    #[arg(long, env = "BLOCKQUEUE_DB", default_value = "blockqueue.db")]
    pub db: PathBuf,
    /// Address to listen on.
    #[arg(long, env = "BLOCKQUEUE_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Largest request body, in bytes.
    #[arg(long, env = "BLOCKQUEUE_BODY_BYTES_MAX", default_value_t = 4 << 20)]
    pub body_bytes_max: usize,
}

/// Why the server did not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The queue could not be opened.
    #[error("{path}: {source}", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the core says.
        source: blockqueue::Error,
    },
    /// The address could not be listened on, or the listener failed.
    #[error("{address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Runs until SIGTERM or SIGINT, then finishes what is under way.
///
/// # Errors
/// [`ServeError`].
pub async fn run(args: ServeArgs) -> Result<(), ServeError> {
    #[cfg(not(feature = "test-clock"))]
    let options = OpenOptions::default();
    #[cfg(feature = "test-clock")]
    let clock = blockqueue::TestClock::new(started_at());
    #[cfg(feature = "test-clock")]
    let options = OpenOptions::default().with_clock(clock.clone());
    let queue = Queue::open_with(&args.db, options)
        .map_err(|source| ServeError::Open { path: args.db.clone(), source })?;
    let listen = |source| ServeError::Listen { address: args.listen, source };
    let listener = TcpListener::bind(args.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    tracing::info!(%address, file = %args.db.display(), "listening");
    let (end, ending) = watch::channel(false);
    let state = State {
        queue: queue.clone(),
        ending,
        #[cfg(feature = "test-clock")]
        clock,
    };
    let router = http::router(state, args.body_bytes_max);
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            signal().await;
            tracing::info!("ending");
            // Nobody listens any more if every handler has ended.
            let _ = end.send(true);
        })
        .await
        .map_err(listen)?;
    // It fails only if the queue was shut down already.
    let _ = queue.shutdown().await;
    Ok(())
}

/// Where the clock of a test build begins; it stands still until a test moves it.
#[cfg(feature = "test-clock")]
#[expect(clippy::disallowed_methods, reason = "once, at the start")]
fn started_at() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

async fn signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
