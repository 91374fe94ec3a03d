//! A PostgreSQL server of its own in a temporary directory, for tests and benchmarks.
//!
//! Debian's server, run by an unprivileged user, because it refuses to run as root. Invariant: the server ends
//! with its owner.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::Command;

use crate::run::{Failure, Result, program};

/// Who the server runs as if this program runs as root, and that user's number on Debian.
const USER: (&str, u32) = ("nobody", 65_534);
/// The server's password: tests give a wrong one, too.
const PASSWORD: &str = "for tests";

/// Whether the server waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// As it should.
    On,
    /// Where its processes die, and not the machine.
    Off,
}

/// A server that ends with this.
pub(crate) struct Server {
    programs: PathBuf,
    directory: PathBuf,
    port: u16,
    sync: Sync,
}

impl Server {
    /// Starts a server in a temporary directory.
    pub(crate) fn start(sync: Sync) -> Result<Self> {
        let programs = programs()?;
        let directory =
            std::env::temp_dir().join(format!("blockqueue-postgres-{}", std::process::id()));
        let server = Self { programs, directory, port: free_port()?, sync };
        server.make().map_err(|error| Failure::new(error.to_string()))?;
        let (data, password) = (server.data(), server.directory.join("password"));
        let (data, password) = (data.display().to_string(), password.display().to_string());
        let words = ["-D", &data, "-U", "postgres", "--auth=scram-sha-256", "--pwfile", &password];
        server.run("initdb", &words)?;
        server.certify()?;
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
        fs::write(self.restart(), script)?;
        fs::set_permissions(self.restart(), fs::Permissions::from_mode(0o755))?;
        if is_root() {
            chown(&self.directory, Some(USER.1), None)?;
        }
        Ok(())
    }

    /// Makes a certificate that is its own authority, for the address alone.
    fn certify(&self) -> Result {
        let [key, certificate] =
            [self.key(), self.certificate()].map(|path| path.display().to_string());
        let kind =
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"];
        let name =
            ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"];
        let files = ["-keyout", &key, "-out", &certificate];
        // The server wants the key to be its own and nobody else's.
        let openssl = as_user("openssl".to_owned(), &[&kind[..], &name, &files].concat());
        execute(&openssl)
    }

    /// A script that kills the server and starts it again.
    pub(crate) fn restart(&self) -> PathBuf {
        self.directory.join("restart")
    }

    fn key(&self) -> PathBuf {
        self.directory.join("key")
    }

    /// Who vouches for it over TLS.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.join("certificate")
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn shown(&self) -> String {
        self.data().display().to_string()
    }

    /// Without a schema, and with a parameter.
    pub(crate) fn address(&self) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!("postgres://postgres:{password}@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// The words of `pg_ctl` for this server.
    fn words(&self, words: &[&str]) -> Vec<String> {
        let sync = if self.sync == Sync::On { "on" } else { "off" };
        let settings = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync={sync} \
             -c ssl=on -c ssl_key_file={} -c ssl_cert_file={}",
            self.port,
            self.directory.display(),
            self.key().display(),
            self.certificate().display()
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
        execute(&self.command(name, words))
    }

    /// A program of the server's with its words, as its user.
    fn command<W: AsRef<str>>(&self, name: &str, words: &[W]) -> Vec<String> {
        as_user(self.programs.join(name).display().to_string(), words)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whatever is left over is in the temporary directory.
        let _ = self.run("pg_ctl", &["-D", &self.shown(), "-m", "immediate", "stop"]);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn execute(words: &[String]) -> Result {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.split_first().map_or(Ok(()), |(name, words)| program(name, words))
}

/// A program with its words, as the user of the server.
fn as_user<W: AsRef<str>>(name: String, words: &[W]) -> Vec<String> {
    let user = format!("--reuid={}", USER.0);
    let prefix = if is_root() { vec!["setpriv", &user, "--clear-groups"] } else { Vec::new() };
    let prefix = prefix.into_iter().map(str::to_owned).chain([name]);
    prefix.chain(words.iter().map(|word| word.as_ref().to_owned())).collect()
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
    let has_openssl = Command::new("openssl").arg("version").output().is_ok();
    if newest().is_none() || !has_openssl {
        program("apt-get", &["update", "--quiet"])?;
        program("apt-get", &["install", "--yes", "--quiet", "postgresql", "openssl"])?;
    }
    newest().ok_or_else(|| Failure::new("there is no PostgreSQL server to test on"))
}

pub(crate) fn free_port() -> Result<u16> {
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
