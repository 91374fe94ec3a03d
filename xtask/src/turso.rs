//! Turso's own server from npm, in a temporary directory, for tests and benchmarks.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::postgres::free_port;
use crate::run::{Failure, Result, program};

/// The package, for the machines that CI has.
const PACKAGE: &str = "@tursodatabase/cli-linux-x64-gnu";
const VERSION: &str = "0.7.0";

/// The program, as long as this lives.
pub(crate) struct Program(PathBuf);

impl Program {
    /// Wants npm.
    pub(crate) fn install() -> Result<Self> {
        let name = format!("blockqueue-tursodb-{}", std::process::id());
        let installed = Self(std::env::temp_dir().join(name));
        let folder = installed.0.display().to_string();
        let package = format!("{PACKAGE}@{VERSION}");
        let words = ["install", "--silent", "--no-audit", "--no-fund", "--prefix"];
        program("npm", &[&words[..], &[&folder, &package]].concat())?;
        if installed.path().exists() {
            Ok(installed)
        } else {
            Err(Failure::new("npm has no tursodb for this system"))
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.join("node_modules").join(PACKAGE).join("tursodb")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Whatever is left over is in the temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that ends with this.
pub(crate) struct Server {
    child: Child,
    /// Host and port.
    pub place: String,
    /// Removed after the server has ended.
    _program: Program,
}

impl Server {
    /// Starts a server on a database of its own.
    pub(crate) fn start() -> Result<Self> {
        let program = Program::install()?;
        let place = format!("127.0.0.1:{}", free_port()?);
        let child = Command::new(program.path())
            .args(["--sync-server", &place])
            .arg(program.0.join("turso.db"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Failure::because)?;
        let server = Self { child, place, _program: program };
        for _ in 0..500 {
            if TcpStream::connect(&server.place).is_ok() {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(Failure::new("tursodb does not listen"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
