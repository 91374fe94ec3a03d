//! Where the queue of a test is: in a file, or in a schema of a PostgreSQL server.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio_postgres::NoTls;

/// How long the server may take to notice that a process is gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// A queue of its own, and a folder for what a test writes beside it.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    server: Option<Server>,
}

#[derive(Debug)]
struct Server {
    address: String,
    schema: String,
}

impl Place {
    /// A file.
    ///
    /// # Panics
    /// Without a folder for it.
    pub fn file() -> Self {
        Self { folder: folder(), server: None }
    }

    /// A schema of the server that the stage `stores` starts; `None` if there is none.
    ///
    /// # Panics
    /// Without a folder beside it.
    pub fn on_server() -> Option<Self> {
        let Ok(address) = std::env::var("BLOCKQUEUE_TEST_POSTGRES") else {
            eprintln!("SKIPPED: BLOCKQUEUE_TEST_POSTGRES names no PostgreSQL server");
            return None;
        };
        Some(Self { folder: folder(), server: Some(Server::new(address)) })
    }

    /// Whether it is a file.
    pub fn is_file(&self) -> bool {
        self.server.is_none()
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of the queue.
    pub fn address(&self) -> String {
        self.address_for("test")
    }

    /// The address of the queue for a process that a server shall know by this name.
    pub fn address_for(&self, name: &str) -> String {
        match &self.server {
            None => self.folder.path().join("queue.db").display().to_string(),
            Some(Server { address, schema }) => {
                format!("{address}&schema={schema}&application_name={schema}.{name}")
            }
        }
    }

    /// Waits until nothing is done any more of what a process asked for that was killed: a server goes on with
    /// the statement that it has begun.
    ///
    /// # Panics
    /// If that does not come.
    pub fn wait_until_gone(&self, name: &str) {
        let Some(server) = &self.server else { return };
        let name = format!("{}.{name}", server.schema);
        let deadline = now() + PATIENCE;
        while server.knows(&name).unwrap_or_else(|error| panic!("{error}")) {
            assert!(now() < deadline, "the server goes on for {name}");
        }
    }
}

impl Server {
    fn new(address: String) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let start = UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
        Self { address, schema: format!("processes_{start}_{process}_{number}") }
    }

    /// Whether it has a connection of this name.
    fn knows(&self, name: &str) -> Result<bool, Box<dyn Error>> {
        let ask = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = $1)";
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (client, connection) =
            runtime.block_on(tokio_postgres::connect(&self.address, NoTls))?;
        runtime.spawn(connection);
        Ok(runtime.block_on(client.query_one(ask, &[&name]))?.get(0))
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"))
}

#[expect(clippy::disallowed_methods, reason = "a test gives up at some time")]
fn now() -> Instant {
    Instant::now()
}
