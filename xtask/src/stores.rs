//! The stage of the stores: a PostgreSQL server of its own in a temporary directory, and what is tested on it.
//!
//! Debian's server, run by an unprivileged user, because it refuses to run as root. Invariant: the server ends
//! with the stage.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::Command;

use crate::run::{Failure, Result, cargo_with, program};

/// Who the server runs as if this program runs as root, and that user's number on Debian.
const USER: (&str, u32) = ("nobody", 65_534);
/// The server's password: tests give a wrong one, too.
const PASSWORD: &str = "for tests";

/// Starts a server, and runs on it everything that needs one.
pub(crate) fn test() -> Result {
    let server = Server::start()?;
    let address = server.address();
    let restart = server.restart.display().to_string();
    let variables = [
        ("BLOCKQUEUE_TEST_POSTGRES", address.as_str()),
        ("BLOCKQUEUE_TEST_POSTGRES_RESTART", restart.as_str()),
    ];
    let core = ["test", "--package", "blockqueue", "--features", "test-clock,postgres"];
    cargo_with(&[&core[..], &["--lib", "--", "postgres"]].concat(), &variables)?;
    cargo_with(&[&core[..], &["--test", "conformance", "postgresql"]].concat(), &variables)?;
    cargo_with(&[&core[..], &["--test", "copy", "postgresql"]].concat(), &variables)?;
    // Whoever restarts the server is alone.
    let restarting = "faults::a_server_that_dies";
    let test = ["--test", "postgres", "--"];
    cargo_with(&[&core[..], &test, &["--skip", restarting]].concat(), &variables)?;
    cargo_with(&[&core[..], &test, &[restarting]].concat(), &variables)
}

struct Server {
    programs: PathBuf,
    directory: PathBuf,
    port: u16,
    /// A script that kills the server and starts it again.
    restart: PathBuf,
}

impl Server {
    fn start() -> Result<Self> {
        let programs = programs()?;
        let directory =
            std::env::temp_dir().join(format!("blockqueue-stores-{}", std::process::id()));
        let restart = directory.join("restart");
        let server = Self { programs, directory, port: free_port()?, restart };
        server.make().map_err(|error| Failure::new(error.to_string()))?;
        let (data, password) = (server.data(), server.directory.join("password"));
        let (data, password) = (data.display().to_string(), password.display().to_string());
        let words = ["-D", &data, "-U", "postgres", "--auth=scram-sha-256", "--pwfile", &password];
        server.run("initdb", &words)?;
        server.control(&["-w", "start"])?;
        Ok(server)
    }

    fn make(&self) -> std::io::Result<()> {
        fs::create_dir(&self.directory)?;
        fs::write(self.directory.join("password"), PASSWORD)?;
        let stop = self.command("pg_ctl", &["-D", &self.shown(), "-m", "immediate", "-w", "stop"]);
        let start = self.command("pg_ctl", &self.words(&["-w", "start"]));
        let line = |words: Vec<String>| {
            words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
        };
        let script = format!("#!/bin/sh\n{}\n{} > /dev/null\n", line(stop), line(start));
        fs::write(&self.restart, script)?;
        fs::set_permissions(&self.restart, fs::Permissions::from_mode(0o755))?;
        if is_root() {
            chown(&self.directory, Some(USER.1), None)?;
        }
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn shown(&self) -> String {
        self.data().display().to_string()
    }

    fn address(&self) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!("postgres://postgres:{password}@127.0.0.1:{}/postgres", self.port)
    }

    /// The words of `pg_ctl` for this server.
    fn words(&self, words: &[&str]) -> Vec<String> {
        let settings = format!(
            // What is tested is that the server's processes die, not that the machine does.
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync=off",
            self.port,
            self.directory.display()
        );
        let log = self.directory.join("log").display().to_string();
        let own = ["-D", &self.shown(), "-o", &settings, "-l", &log].map(str::to_owned);
        own.into_iter().chain(words.iter().map(ToString::to_string)).collect()
    }

    fn control(&self, words: &[&str]) -> Result {
        let words = self.words(words);
        self.run("pg_ctl", &words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn run(&self, name: &str, words: &[&str]) -> Result {
        let words = self.command(name, words);
        match words.split_first() {
            Some((name, words)) => {
                program(name, &words.iter().map(String::as_str).collect::<Vec<_>>())
            }
            None => Ok(()),
        }
    }

    /// A program of the server's with its words, as its user.
    fn command<W: AsRef<str>>(&self, name: &str, words: &[W]) -> Vec<String> {
        let user = format!("--reuid={}", USER.0);
        let prefix = if is_root() { vec!["setpriv", &user, "--clear-groups"] } else { Vec::new() };
        let name = self.programs.join(name).display().to_string();
        let prefix = prefix.into_iter().map(str::to_owned).chain([name]);
        prefix.chain(words.iter().map(|word| word.as_ref().to_owned())).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whatever is left over is in the temporary directory.
        let _ = self.run("pg_ctl", &["-D", &self.shown(), "-m", "immediate", "stop"]);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Where the newest server's programs are; Debian's are installed if there are none.
fn programs() -> Result<PathBuf> {
    let newest = || {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        let mut found: Vec<PathBuf> = versions
            .filter_map(|version| Some(version.ok()?.path().join("bin")))
            .filter(|programs| programs.join("initdb").exists())
            .collect();
        found.sort();
        found.pop()
    };
    if newest().is_none() {
        program("apt-get", &["update", "--quiet"])?;
        program("apt-get", &["install", "--yes", "--quiet", "postgresql"])?;
    }
    newest().ok_or_else(|| Failure::new("there is no PostgreSQL server to test on"))
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|error| Failure::new(error.to_string()))
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout == b"0\n")
}

/// A word of a shell's command line.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
