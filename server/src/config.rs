//! Settings of the server: command line over environment over file over default.
//!
//! Unknown keys are refused. The original project's `config.yaml` is read, too.

mod original;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use blockqueue::Durability;
use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::auth::{Malformed, Tokens};
use crate::http::Bounds;

/// Options of `blockqueue serve`. What is not given comes from the file, then from the default.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct ServeArgs {
    /// Settings file: TOML, or the original project's YAML
    #[arg(long, env = "BLOCKQUEUE_CONFIG", value_name = "PATH")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// File of the queue, or postgres://…, libsql://… or shards://…; created if it does not exist [default: blockqueue.db]
    #[arg(long, env = "BLOCKQUEUE_DB", value_name = "PATH")]
    pub db: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "BLOCKQUEUE_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// `full` is on disk before the answer; `balanced` may lose the newest commits at a power cut
    #[arg(long, env = "BLOCKQUEUE_DURABILITY", value_enum)]
    pub durability: Option<DurabilityArg>,
    /// Largest payload of one message, in bytes [default: 1048576]
    #[arg(long, env = "BLOCKQUEUE_PAYLOAD_BYTES_MAX", value_name = "BYTES")]
    pub payload_bytes_max: Option<usize>,
    /// Largest request body, in bytes [default: 33554432]
    #[arg(long, env = "BLOCKQUEUE_BODY_BYTES_MAX", value_name = "BYTES")]
    pub body_bytes_max: Option<usize>,
    /// How long a client may take for the head of a request, or pause within its body, in seconds
    /// [default: 30]
    #[arg(long, env = "BLOCKQUEUE_READ_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub read_timeout_seconds: Option<u64>,
    /// File of bearer tokens: a secret, scopes and topics on each line
    #[arg(long, env = "BLOCKQUEUE_TOKENS_FILE", value_name = "PATH")]
    pub tokens_file: Option<PathBuf>,
    /// Bearer tokens themselves, from the environment only
    #[arg(skip)]
    #[serde(skip)]
    pub tokens: Option<String>,
    /// Certificate chain for TLS, PEM
    #[arg(long, env = "BLOCKQUEUE_TLS_CERT", value_name = "PATH", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Private key for TLS, PEM
    #[arg(long, env = "BLOCKQUEUE_TLS_KEY", value_name = "PATH", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Listen beyond this machine although no token is needed
    #[arg(long, env = "BLOCKQUEUE_INSECURE")]
    #[serde(default)]
    pub insecure: bool,
    /// How long the end waits for requests that are under way, in seconds [default: 10]
    #[arg(long, env = "BLOCKQUEUE_SHUTDOWN_SECONDS", value_name = "SECONDS")]
    pub shutdown_seconds: Option<u64>,
    /// Whether requests are counted and `/metrics` is there [default: true]
    #[arg(long, env = "BLOCKQUEUE_METRICS", value_name = "BOOL")]
    pub metrics: Option<bool>,
    /// Log lines as `text` or `json`
    #[arg(long, env = "BLOCKQUEUE_LOG_FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,
    /// Log from this level on: error, warn, info, debug, trace [default: info]
    #[arg(long, env = "BLOCKQUEUE_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<String>,
}

/// See [`Durability`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DurabilityArg {
    /// [`Durability::Full`].
    Full,
    /// [`Durability::Balanced`].
    Balanced,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Settings that are complete and make sense together.
#[derive(Debug)]
pub struct Config {
    /// File of the queue.
    pub db: PathBuf,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// How safe an answered write is.
    pub durability: Durability,
    /// Largest payload, if not the default.
    pub payload_bytes_max: Option<usize>,
    /// What a client may ask of the server.
    pub bounds: Bounds,
    /// Who may do what.
    pub tokens: Tokens,
    /// Certificate and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// How long the end waits for requests that are under way.
    pub shutdown: Duration,
    /// Whether requests are counted and `/metrics` is there.
    pub metrics: bool,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// From which level on.
    pub log_level: String,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("{path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The settings file is malformed, or has a key that is not known.
    #[error("{path}: {detail}", path = path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The tokens are malformed.
    #[error(transparent)]
    Tokens(#[from] Malformed),
    /// Settings that exclude each other, or that lack another.
    #[error("{0}")]
    Contradiction(&'static str),
}

impl ServeArgs {
    /// Completes the settings.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn resolve(mut self) -> Result<Config, ConfigError> {
        let file = match &self.config {
            Some(path) => read_file(path)?,
            None => Self::default(),
        };
        let tokens = self.tokens.take().or_else(|| std::env::var("BLOCKQUEUE_TOKENS").ok());
        let tokens_file = self.tokens_file.or(file.tokens_file);
        let tokens = match (tokens, tokens_file) {
            (Some(_), Some(_)) => {
                let detail = "tokens come from the environment or from a file, not from both";
                return Err(ConfigError::Contradiction(detail));
            }
            (Some(text), None) => Tokens::parse(&text)?,
            (None, Some(path)) => Tokens::parse(&read(&path)?)?,
            (None, None) => Tokens::default(),
        };
        let listen = self.listen.or(file.listen);
        let listen = listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 8080).into());
        let is_guarded = listen.ip().is_loopback() || tokens.is_required();
        if !is_guarded && !self.insecure && !file.insecure {
            let detail = "listening beyond this machine needs tokens, or --insecure";
            return Err(ConfigError::Contradiction(detail));
        }
        let tls = match (self.tls_cert.or(file.tls_cert), self.tls_key.or(file.tls_key)) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err(ConfigError::Contradiction("TLS needs a certificate and a key")),
        };
        let durability = match self.durability.or(file.durability) {
            Some(DurabilityArg::Balanced) => Durability::Balanced,
            Some(DurabilityArg::Full) | None => Durability::Full,
        };
        let read_timeout = self.read_timeout_seconds.or(file.read_timeout_seconds).unwrap_or(30);
        if read_timeout == 0 {
            return Err(ConfigError::Contradiction("read_timeout_seconds must be at least 1"));
        }
        let bounds = Bounds {
            body_bytes_max: self.body_bytes_max.or(file.body_bytes_max).unwrap_or(32 << 20),
            read_timeout: Duration::from_secs(read_timeout),
        };
        let shutdown = self.shutdown_seconds.or(file.shutdown_seconds).unwrap_or(10);
        Ok(Config {
            db: self.db.or(file.db).unwrap_or_else(|| "blockqueue.db".into()),
            listen,
            durability,
            payload_bytes_max: self.payload_bytes_max.or(file.payload_bytes_max),
            bounds,
            tokens,
            tls,
            shutdown: Duration::from_secs(shutdown),
            metrics: self.metrics.or(file.metrics).unwrap_or(true),
            log_format: self.log_format.or(file.log_format).unwrap_or_default(),
            log_level: self.log_level.or(file.log_level).unwrap_or_else(|| "info".to_owned()),
        })
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let path = path.to_owned();
    std::fs::read_to_string(&path).map_err(|source| ConfigError::Read { path, source })
}

fn read_file(path: &Path) -> Result<ServeArgs, ConfigError> {
    let text = read(path)?;
    let parsed = match path.extension().and_then(|extension| extension.to_str()) {
        Some("yaml" | "yml") => original::parse(&text),
        _ => toml::from_str(&text).map_err(|error| error.to_string()),
    };
    parsed.map_err(|detail| ConfigError::Parse { path: path.to_owned(), detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> (tempfile::TempDir, ServeArgs) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        (folder, ServeArgs { config: Some(path), ..ServeArgs::default() })
    }

    #[test]
    fn defaults_are_safe() {
        let config = ServeArgs::default().resolve().unwrap();
        assert!(config.listen.ip().is_loopback());
        assert_eq!(config.durability, Durability::Full);
        assert!(config.tls.is_none());
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let (_folder, mut args) = file("c.toml", "db = \"a.db\"\nlisten = \"127.0.0.1:1\"\n");
        args.db = Some("b.db".into());
        let config = args.resolve().unwrap();
        assert_eq!(config.db, PathBuf::from("b.db"));
        assert_eq!(config.listen.port(), 1);
    }

    #[test]
    fn unknown_keys_are_refused() {
        for (name, text) in [("c.toml", "colour = 1"), ("c.yaml", "http:\n  colour: 1\n")] {
            let (_folder, args) = file(name, text);
            assert!(matches!(args.resolve(), Err(ConfigError::Parse { .. })), "{name}");
        }
    }

    #[test]
    fn beyond_this_machine_needs_tokens_or_a_word() {
        let beyond = || ServeArgs { listen: "0.0.0.0:80".parse().ok(), ..ServeArgs::default() };
        assert!(matches!(beyond().resolve(), Err(ConfigError::Contradiction(_))));
        assert!(ServeArgs { insecure: true, ..beyond() }.resolve().is_ok());
        let tokens = Some("0123456789abcdef admin".to_owned());
        assert!(ServeArgs { tokens, ..beyond() }.resolve().is_ok());
    }

    #[test]
    fn malformed_tokens_do_not_start_a_server_without_auth() {
        let tokens = Some("short admin".to_owned());
        let result = ServeArgs { tokens, ..ServeArgs::default() }.resolve();
        assert!(matches!(result, Err(ConfigError::Tokens(_))));
    }

    #[test]
    fn the_original_settings_file_is_read() {
        let text = "http:\n  port: 9090\n  shutdown: 30s\n  driver: sqlite\nlogging:\n  level: debug\n  \
                    type: json\nsqlite:\n  db_name: cart\n  busy_timeout: 5000\nmetric:\n  enable: true\n\
                    etcd:\n  path: x\njob:\n  partition: 1\n";
        let (_folder, args) = file("config.yaml", text);
        let config = args.resolve().unwrap();
        assert_eq!(config.listen.port(), 9090);
        assert_eq!(config.shutdown, Duration::from_secs(30));
        assert_eq!(config.db, PathBuf::from("cart"));
        assert_eq!((config.log_level.as_str(), config.log_format), ("debug", LogFormat::Json));
    }

    #[test]
    fn the_original_settings_file_turns_metrics_off() {
        for (text, is_on) in [("metric:\n  enable: false\n", false), ("http:\n  port: 1\n", true)] {
            let (_folder, args) = file("config.yaml", text);
            assert_eq!(args.resolve().unwrap().metrics, is_on, "{text}");
        }
    }

    #[test]
    fn a_driver_that_is_not_there_is_refused() {
        for (text, word) in
            [("http:\n  driver: mysql\n", "mysql"), ("http:\n  driver: turso\n", "turso.url")]
        {
            let (_folder, args) = file("config.yaml", text);
            let error = args.resolve().unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn the_original_settings_name_a_turso_database() {
        let text = "http:\n  driver: turso\nturso:\n  url: libsql://db-me.turso.io\n\
                    sqlite:\n  db_name: cart\n";
        let (_folder, args) = file("config.yaml", text);
        assert_eq!(args.resolve().unwrap().db, PathBuf::from("libsql://db-me.turso.io"));
    }
}
