//! The stage of the stores: what is tested on servers of its own.

use std::path::{Path, PathBuf};

use crate::postgres::{Server, Sync};
use crate::run::{Result, cargo_with, program};

/// The package of Turso's own server, for the machines that CI has.
const TURSODB: &str = "@tursodatabase/cli-linux-x64-gnu";
const TURSODB_VERSION: &str = "0.7.0";

/// Starts a server, and runs on it everything that needs one.
pub(crate) fn test() -> Result {
    let postgres = Server::start(Sync::Off)?;
    let address = postgres.address();
    let [restart, certificate] =
        [postgres.restart(), postgres.certificate()].map(|path| path.display().to_string());
    let variables = [
        ("BLOCKQUEUE_TEST_POSTGRES", address.as_str()),
        ("BLOCKQUEUE_TEST_POSTGRES_CERTIFICATE", certificate.as_str()),
    ];
    let core = ["test", "--package", "blockqueue", "--features", "test-clock,postgres,turso"];
    cargo_with(&[&core[..], &["--lib", "--", "postgres"]].concat(), &variables)?;
    cargo_with(&[&core[..], &["--test", "conformance", "postgresql"]].concat(), &variables)?;
    cargo_with(&[&core[..], &["--test", "copy", "postgresql"]].concat(), &variables)?;
    cargo_with(&[&core[..], &["--test", "postgres"]].concat(), &variables)?;
    let server = ["test", "--package", "blockqueue-server", "--features", "test-clock"];
    cargo_with(&[&server[..], &["--test", "cli", "postgres::"]].concat(), &variables)?;
    libsql(&core)?;
    let tests = ["test", "--package", "blockqueue-tests"];
    let on_files_too = ["--test", "histories", "--test", "crash", "--test", "paused"];
    cargo_with(&[&tests[..], &on_files_too, &["postgresql"]].concat(), &variables)?;
    // Whoever restarts the server is alone.
    let restarting = [&variables[..], &[("BLOCKQUEUE_TEST_POSTGRES_RESTART", &restart)]].concat();
    cargo_with(&[&core[..], &["--test", "postgres", "a_server_that_dies"]].concat(), &restarting)?;
    cargo_with(&[&tests[..], &["--test", "crash", "the_server_dies"]].concat(), &restarting)
}

/// The tests of libSQL bring a server of their own; one is on Turso's.
fn libsql(core: &[&str]) -> Result {
    cargo_with(&[core, &["--lib", "--", "turso"]].concat(), &[])?;
    cargo_with(&[core, &["--test", "conformance", "libsql"]].concat(), &[])?;
    let folder = std::env::temp_dir().join(format!("blockqueue-tursodb-{}", std::process::id()));
    let tursodb = tursodb(&folder).map(|path| path.display().to_string());
    let variable = tursodb.iter().map(|path| ("BLOCKQUEUE_TEST_TURSODB", path.as_str()));
    let tested = cargo_with(&[core, &["--test", "turso"]].concat(), &variable.collect::<Vec<_>>());
    // Whatever is left over is in the temporary directory.
    let _ = std::fs::remove_dir_all(folder);
    tested
}

/// Turso's own server. Without npm, or on another system, its one test says that it is skipped.
fn tursodb(folder: &Path) -> Option<PathBuf> {
    let place = folder.display().to_string();
    let package = format!("{TURSODB}@{TURSODB_VERSION}");
    let words = ["install", "--silent", "--no-audit", "--no-fund", "--prefix", &place, &package];
    if let Err(failure) = program("npm", &words) {
        eprintln!("without tursodb: {failure}");
        return None;
    }
    Some(folder.join("node_modules").join(TURSODB).join("tursodb")).filter(|path| path.exists())
}
