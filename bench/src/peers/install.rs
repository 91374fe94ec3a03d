//! Brings what the peers need into `target/peers`, and says why where it cannot be had.
//!
//! Debian's packages are installed for the whole machine, which only root may do; nothing else leaves the
//! folder. A second run finds all of it there.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::catalogue::{PEERS, Peer, Program};
use crate::cases::Failure;

/// Where things are, once they are there.
#[derive(Debug)]
pub(crate) struct Installed {
    folder: PathBuf,
    sources: PathBuf,
    /// A server of the original project that somebody built by hand.
    original: Option<PathBuf>,
    /// Peers that cannot be had, and why.
    missing: HashMap<&'static str, String>,
    /// Versions that the distribution decided.
    found: HashMap<&'static str, String>,
}

impl Installed {
    /// Installs what these peers need.
    pub(crate) fn new(
        wanted: &[&'static Peer],
        original: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = bench.parent().ok_or("the crate is in no workspace")?;
        let mut installed = Self {
            folder: root.join("target/peers"),
            sources: bench.join("peers"),
            original,
            missing: HashMap::new(),
            found: HashMap::new(),
        };
        fs::create_dir_all(&installed.folder)?;
        let mut done: HashMap<Need, Result<(), String>> = HashMap::new();
        for peer in PEERS.iter().filter(|peer| wanted.iter().any(|other| other.word == peer.word)) {
            for need in needs(peer) {
                let result = done.entry(*need).or_insert_with(|| {
                    eprintln!("installing: {need:?}");
                    installed.bring(*need)
                });
                if let Err(reason) = result {
                    installed.missing.insert(peer.word, reason.clone());
                    break;
                }
            }
            if let (None, Some(package)) = (peer.version, peer.source.split('`').nth(1)) {
                let version = said("dpkg-query", &["--show", "--showformat=${Version}", package]);
                installed.found.insert(peer.word, version.unwrap_or_else(|_| "unknown".to_owned()));
            }
        }
        Ok(installed)
    }

    fn bring(&self, need: Need) -> Result<(), String> {
        match need {
            Need::GoDriver => self.build_go(),
            Need::Packages => self.make_venv(),
            Need::Debian(package) => debian(package),
            Need::Original => self.fetch_original(),
        }
    }

    fn build_go(&self) -> Result<(), String> {
        let mut build = Command::new("go");
        build.args(["build", "-o"]).arg(self.go_driver()).arg(".");
        finish(build.current_dir(self.sources.join("go")))
    }

    /// A virtual environment, made anew when the list of packages has changed.
    fn make_venv(&self) -> Result<(), String> {
        let list = self.sources.join("python/requirements.txt");
        let stamp = self.folder.join("venv/requirements.txt");
        let is_same = |a: &Path, b: &Path| match (fs::read(a), fs::read(b)) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        };
        if is_same(&list, &stamp) {
            return Ok(());
        }
        finish(
            Command::new("python3").args(["-m", "venv", "--clear"]).arg(self.folder.join("venv")),
        )?;
        let mut install = Command::new(self.folder.join("venv/bin/pip"));
        finish(install.args(["install", "--quiet", "--requirement"]).arg(&list))?;
        fs::copy(&list, &stamp).map(drop).map_err(|error| error.to_string())
    }

    fn fetch_original(&self) -> Result<(), String> {
        if self.original().is_file() {
            return Ok(());
        }
        let peer = PEERS.iter().find(|peer| peer.program == Program::Original);
        let module = peer.and_then(|peer| Some((peer.source.split('`').nth(1)?, peer.version?)));
        let (module, version) = module.ok_or("no such module")?;
        let program = format!("{module}/cmd/blockqueue@{version}");
        let mut install = Command::new("go");
        finish(install.args(["install", &program]).env("GOBIN", self.folder.join("original")))
    }

    /// The program that drives servers, and libraries in Go.
    pub(crate) fn go_driver(&self) -> PathBuf {
        self.folder.join("driver")
    }

    /// What drives libraries in Python: an interpreter and its script.
    pub(crate) fn python_driver(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("venv/bin/python"), self.sources.join("python/driver.py"))
    }

    pub(crate) fn nats_server(&self) -> PathBuf {
        self.folder.join("venv/bin/nats-server")
    }

    pub(crate) fn original(&self) -> PathBuf {
        self.original.clone().unwrap_or_else(|| self.folder.join("original/blockqueue"))
    }

    /// Why a peer cannot be had.
    pub(crate) fn missing(&self, peer: &Peer) -> Option<&str> {
        self.missing.get(peer.word).map(String::as_str)
    }

    /// What exactly was compared.
    pub(crate) fn version(&self, peer: &Peer) -> String {
        let by_hand = peer.program == Program::Original && self.original.is_some();
        let version = peer.version.or_else(|| self.found.get(peer.word).map(String::as_str));
        format!(
            "{}{}",
            version.unwrap_or("–"),
            if by_hand { ", built from its source, not had from the registry" } else { "" }
        )
    }
}

/// Something to install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Need {
    GoDriver,
    Packages,
    Debian(&'static str),
    Original,
}

fn needs(peer: &Peer) -> &'static [Need] {
    match peer.program {
        Program::Embedded | Program::None => &[],
        Program::Served | Program::Go => &[Need::GoDriver],
        Program::Original => &[Need::GoDriver, Need::Original],
        Program::Redis => &[Need::GoDriver, Need::Debian("redis-server")],
        Program::Beanstalkd => &[Need::GoDriver, Need::Debian("beanstalkd")],
        Program::Nats => &[Need::GoDriver, Need::Packages],
        Program::Python => &[Need::Packages],
    }
}

/// A package whose program goes by its own name.
fn debian(package: &str) -> Result<(), String> {
    if said(package, &["--version"]).is_ok() || said(package, &["-v"]).is_ok() {
        return Ok(());
    }
    if said("id", &["-u"]).as_deref() != Ok("0") {
        return Err(format!("not installed, and only root may: apt-get install {package}"));
    }
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--no-install-recommends", package]);
    // In this runlevel no service is started by its installation.
    install.envs([("DEBIAN_FRONTEND", "noninteractive"), ("RUNLEVEL", "1")]);
    finish(&mut install).or_else(|_| {
        finish(Command::new("apt-get").arg("update"))?;
        finish(&mut install)
    })
}

/// Runs to the end; what went wrong is the last line that it wrote.
fn finish(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().display().to_string();
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(text.lines().last().map_or_else(
        || format!("{name}: {}", output.status),
        |line| format!("{name}: {}", line.trim()),
    ))
}

/// What a program prints.
fn said(program: &str, words: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(words).stdin(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(output.status.to_string());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
