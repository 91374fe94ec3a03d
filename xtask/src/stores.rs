//! The stage of the stores: what is tested on servers of its own.

use crate::postgres::{Server, Sync};
use crate::run::{Result, cargo_with};

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
    let core = ["test", "--package", "blockqueue", "--features", "test-clock,postgres"];
    cargo_with(&[&core[..], &["--lib", "--", "postgres"]].concat(), &variables)?;
    cargo_with(&[&core[..], &["--test", "conformance", "postgresql"]].concat(), &variables)?;
    cargo_with(&[&core[..], &["--test", "copy", "postgresql"]].concat(), &variables)?;
    cargo_with(&[&core[..], &["--test", "postgres"]].concat(), &variables)?;
    let tests = ["test", "--package", "blockqueue-tests"];
    let on_files_too = ["--test", "histories", "--test", "crash", "--test", "paused"];
    cargo_with(&[&tests[..], &on_files_too, &["postgresql"]].concat(), &variables)?;
    // Whoever restarts the server is alone.
    let restarting = [&variables[..], &[("BLOCKQUEUE_TEST_POSTGRES_RESTART", &restart)]].concat();
    cargo_with(&[&core[..], &["--test", "postgres", "a_server_that_dies"]].concat(), &restarting)?;
    cargo_with(&[&tests[..], &["--test", "crash", "the_server_dies"]].concat(), &restarting)
}
