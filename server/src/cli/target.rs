//! Which queue a command is about.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use super::backend::{Backend, FileBackend, Missing, Token, UrlBackend};
use super::failure::{Failure, Outcome};

/// The file when nothing else is said.
const FILE_DEFAULT: &str = "blockqueue.db";
const FILE_HELP: &str =
    "A file, postgres://…, libsql://… or shards://… [env: BLOCKQUEUE_DB=] [default: blockqueue.db]";
const TOKEN_HELP: &str =
    "The server's bearer token; other users may see it here, not in [env: BLOCKQUEUE_TOKEN=]";

/// Options of commands that only work on a file.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct FileArgs {
    // Read from the environment by hand, so that the environment never contradicts `--url`.
    #[arg(long, value_name = "PATH", global = true, help = FILE_HELP)]
    db: Option<PathBuf>,
}

impl FileArgs {
    /// Opens the file.
    pub(crate) fn open(&self) -> Outcome<FileBackend> {
        FileBackend::open(&self.path(), Missing::Refuse)
    }

    /// The file.
    pub(crate) fn path(&self) -> PathBuf {
        let named = self.db.clone().or_else(|| env::var_os("BLOCKQUEUE_DB").map(PathBuf::from));
        named.unwrap_or_else(|| PathBuf::from(FILE_DEFAULT))
    }
}

/// Options of commands that work on a file or on a server.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TargetArgs {
    #[command(flatten)]
    file: FileArgs,
    /// Ask the server at this address instead of opening a file
    #[arg(long, value_name = "URL", global = true, conflicts_with = "db")]
    url: Option<String>,
    #[arg(long, value_name = "TOKEN", global = true, requires = "url", help = TOKEN_HELP)]
    token: Option<String>,
}

impl TargetArgs {
    /// Opens the queue, which must exist.
    pub(crate) fn open(&self) -> Outcome<Arc<dyn Backend>> {
        self.open_or(Missing::Refuse)
    }

    /// Opens the queue; a file that is not there is made.
    pub(crate) fn open_or_create(&self) -> Outcome<Arc<dyn Backend>> {
        self.open_or(Missing::Create)
    }

    fn open_or(&self, missing: Missing) -> Outcome<Arc<dyn Backend>> {
        match &self.url {
            Some(url) => Ok(Arc::new(UrlBackend::new(url, self.token()?)?)),
            None => Ok(Arc::new(FileBackend::open(&self.file.path(), missing)?)),
        }
    }

    fn token(&self) -> Outcome<Option<Token>> {
        if let Some(token) = &self.token {
            return Token::new(token).map(Some);
        }
        match env::var("BLOCKQUEUE_TOKEN") {
            Ok(token) => Token::new(&token).map(Some),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => {
                Err(Failure::Usage("BLOCKQUEUE_TOKEN is not text".to_owned()))
            }
        }
    }
}
