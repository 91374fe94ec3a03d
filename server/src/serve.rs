//! The server: a listener, a router over a queue, and an orderly end.

mod connections;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blockqueue::{OpenOptions, Queue};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::address;
pub use crate::config::ServeArgs;
use crate::config::{Config, ConfigError};
use crate::http::{self, Requests, State};
use connections::Connections;

/// Why the server did not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The queue could not be opened.
    #[error("{path}: {source}", path = address::shown(path))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the core says.
        source: blockqueue::Error,
    },
    /// The address could not be listened on.
    #[error("{address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system does not let the process be told to end.
    #[error("signals cannot be waited for: {0}")]
    Signals(io::Error),
    /// The certificate or its key cannot be used.
    #[error("{path}: {detail}", path = path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

/// Runs until SIGTERM or SIGINT, then finishes what is under way.
///
/// # Errors
/// [`ServeError`].
pub async fn run(config: Config) -> Result<(), ServeError> {
    // Before anything is opened: with a setting that is wrong, nothing happens.
    let tls = config.tls.as_ref().map(|(cert, key)| tls(cert, key)).transpose()?;
    let told_to_end = told_to_end().map_err(ServeError::Signals)?;
    let address = config.listen;
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let bound = listener.local_addr().map_err(listen)?;
    let mut options = OpenOptions::default().with_durability(config.durability);
    options.payload_bytes_max = config.payload_bytes_max;
    #[cfg(feature = "test-clock")]
    let clock = test_clock();
    #[cfg(feature = "test-clock")]
    let options = match &clock {
        Some(clock) => options.with_clock(clock.clone()),
        None => options,
    };
    let queue = Queue::open_with(&config.db, options)
        .map_err(|source| ServeError::Open { path: config.db.clone(), source })?;
    let (end, ending) = watch::channel(false);
    let state = State {
        queue: queue.clone(),
        ending,
        tokens: Arc::new(config.tokens),
        requests: config.metrics.then(Requests::default),
        #[cfg(feature = "test-clock")]
        clock,
    };
    let read_timeout = config.bounds.read_timeout;
    let connections = Connections { router: http::router(state, config.bounds), tls, read_timeout };
    let tls = connections.tls.is_some();
    tracing::info!(address = %bound, tls, file = address::shown(&config.db), "listening");
    let until = async {
        told_to_end.await;
        tracing::info!("ending");
        // Waiting reads are answered; nobody listens any more if there are none.
        let _ = end.send(true);
    };
    connections.serve(listener, until, config.shutdown).await;
    // It fails only if the queue was shut down already.
    let _ = queue.shutdown().await;
    Ok(())
}

fn tls(cert: &Path, key: &Path) -> Result<TlsAcceptor, ServeError> {
    let wrong = |path: &Path, detail: String| ServeError::Tls { path: path.to_owned(), detail };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(cert, error.to_string()))?;
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| wrong(cert, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The clock of a test build, if the test asks for one: it stands still until the test moves it.
#[cfg(feature = "test-clock")]
fn test_clock() -> Option<blockqueue::TestClock> {
    use std::time::{Duration, UNIX_EPOCH};
    let start_ms = std::env::var("BLOCKQUEUE_TEST_CLOCK_MS").ok()?.parse().ok()?;
    Some(blockqueue::TestClock::new(UNIX_EPOCH + Duration::from_millis(start_ms)))
}

/// Done when the process is told to end. From the call on, that does not kill it.
#[cfg(unix)]
fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Done when the process is told to end.
#[cfg(not(unix))]
fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
