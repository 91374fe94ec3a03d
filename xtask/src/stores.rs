//! The stage of the stores: what is tested on servers of its own.

use crate::postgres::{Server, Sync};
use crate::run::{Result, cargo_with};
use crate::turso::Program;

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

/// The tests of libSQL bring a server of their own; one is on Turso's. Without npm, or on another system, it says that
/// it is skipped.
fn libsql(core: &[&str]) -> Result {
    cargo_with(&[core, &["--lib", "--", "turso"]].concat(), &[])?;
    cargo_with(&[core, &["--test", "conformance", "libsql"]].concat(), &[])?;
    let tursodb = Program::install();
    if let Err(failure) = &tursodb {
        eprintln!("without tursodb: {failure}");
    }
    let path = tursodb.iter().map(|program| program.path().display().to_string());
    let path = path.collect::<String>();
    let variable = tursodb.iter().map(|_| ("BLOCKQUEUE_TEST_TURSODB", path.as_str()));
    cargo_with(&[core, &["--test", "turso"]].concat(), &variable.collect::<Vec<_>>())
}
