//! The server: a listener, a router over a queue, and an orderly end.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use blockqueue::{OpenOptions, Queue};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::watch;

use crate::address;
pub use crate::config::ServeArgs;
use crate::config::{Config, ConfigError};
use crate::http::{self, State};

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
    /// The address could not be listened on, or the listener failed.
    #[error("{address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
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
    let address = config.listen;
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
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
        requests: http::Requests::default(),
        #[cfg(feature = "test-clock")]
        clock,
    };
    let service = http::router(state, config.bounds).into_make_service();
    let handle = Handle::new();
    tokio::spawn(end_on_signal(handle.clone(), end, config.shutdown));
    tracing::info!(address = %bound, tls = tls.is_some(), file = address::shown(&config.db), "listening");
    let served = if let Some(tls) = tls {
        let mut server = axum_server::from_tcp_rustls(listener, tls).handle(handle);
        set_timeout(server.http_builder(), config.bounds.read_timeout);
        server.serve(service).await
    } else {
        let mut server = axum_server::from_tcp(listener).handle(handle);
        set_timeout(server.http_builder(), config.bounds.read_timeout);
        server.serve(service).await
    };
    // It fails only if the queue was shut down already.
    let _ = queue.shutdown().await;
    served.map_err(listen)
}

/// For the head of a request, the first of a connection and each one after a pause.
fn set_timeout(
    builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>,
    read_timeout: Duration,
) {
    builder.http1().timer(hyper_util::rt::TokioTimer::new()).header_read_timeout(read_timeout);
}

fn tls(cert: &Path, key: &Path) -> Result<RustlsConfig, ServeError> {
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
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

/// The clock of a test build, if the test asks for one: it stands still until the test moves it.
#[cfg(feature = "test-clock")]
fn test_clock() -> Option<blockqueue::TestClock> {
    let start_ms = std::env::var("BLOCKQUEUE_TEST_CLOCK_MS").ok()?.parse().ok()?;
    Some(blockqueue::TestClock::new(std::time::UNIX_EPOCH + Duration::from_millis(start_ms)))
}

async fn end_on_signal(handle: Handle, end: watch::Sender<bool>, patience: Duration) {
    signal().await;
    tracing::info!("ending");
    // Waiting reads are answered; nobody listens any more if there are none.
    let _ = end.send(true);
    handle.graceful_shutdown(Some(patience));
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
