//! The real program, run on a queue of its own.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// What takes longer does not come any more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The program, and the queue that its commands are about.
pub(crate) struct Cli {
    dir: TempDir,
    target: [String; 2],
    /// Runs as long as this is used.
    _server: Option<Server>,
}

impl Cli {
    /// On a file that does not exist yet.
    pub(crate) fn on_a_file() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("queue.db");
        let target = ["--db".to_owned(), file.display().to_string()];
        Self { dir, target, _server: None }
    }

    /// On the queue at this address.
    pub(crate) fn on(address: String) -> Self {
        let target = ["--db".to_owned(), address];
        Self { dir: tempfile::tempdir().unwrap(), target, _server: None }
    }

    /// On three files that are one queue.
    pub(crate) fn on_shards() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let target = ["--db".to_owned(), shards(&dir)];
        Self { dir, target, _server: None }
    }

    /// On a server of its own over three files.
    pub(crate) fn on_a_server_of_shards() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let map = shards(&dir);
        Self::served(dir, Path::new(&map), "")
    }

    /// On a server of its own.
    pub(crate) fn on_a_server() -> Self {
        Self::on_a_server_with("")
    }

    /// On a server of its own that accepts these tokens, or anybody.
    pub(crate) fn on_a_server_with(tokens: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("queue.db");
        Self::served(dir, &file, tokens)
    }

    /// On a server of its own for the queue at this address.
    pub(crate) fn on_a_server_for(address: &str) -> Self {
        Self::served(tempfile::tempdir().unwrap(), Path::new(address), "")
    }

    fn served(dir: TempDir, queue: &Path, tokens: &str) -> Self {
        let mut serve = program();
        serve.args(["serve", "--listen", "127.0.0.1:0", "--db"]).arg(queue);
        if !tokens.is_empty() {
            serve.env("BLOCKQUEUE_TOKENS", tokens);
        }
        let server = Server::start(&mut serve);
        let target = ["--url".to_owned(), format!("http://{}", server.address)];
        Self { dir, target, _server: Some(server) }
    }

    /// A path beside the queue.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The program with these arguments on this queue.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.dir.path()).args(args).args(&self.target).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        Ended::of(self.command(args).output().unwrap())
    }

    /// Runs the program, which must succeed; the answer is its output.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.status, Some(0), "{args:?}: {ended:?}");
        ended.out
    }

    /// Runs the program, which must succeed and print one JSON document per line.
    pub(crate) fn json(&self, args: &[&str]) -> Vec<Value> {
        let args = [args, &["--json"]].concat();
        self.ok(&args).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The numbers of a subscriber.
    pub(crate) fn stats(&self, topic: &str, subscriber: &str) -> Value {
        let stats = self.json(&["stats", topic]).remove(0);
        let subscribers = stats["subscribers"].as_array().unwrap();
        subscribers.iter().find(|stats| stats["subscriber"] == subscriber).unwrap().clone()
    }

    /// Runs the program with this on its standard input.
    pub(crate) fn feed(&self, args: &[&str], input: &[u8]) -> Ended {
        let path = self.path("input");
        File::create(&path).unwrap().write_all(input).unwrap();
        let input = File::open(&path).unwrap();
        Ended::of(self.command(args).stdin(input).output().unwrap())
    }
}

/// The program as a server. It must end well.
pub(crate) struct Server {
    process: Child,
    log: Receiver<String>,
    pub(crate) address: String,
}

impl Server {
    /// Started with this command, and listening.
    pub(crate) fn start(serve: &mut Command) -> Self {
        let mut process = serve.env("NO_COLOR", "1").stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(process.stderr.take().unwrap());
        let (lines, log) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            said.lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
        });
        let line = says(&log, "address=");
        let (_, rest) = line.split_once("address=").unwrap();
        let address = rest.split_whitespace().next().unwrap().to_owned();
        Self { process, log, address }
    }

    /// The next line of its log that says this.
    pub(crate) fn says(&self, what: &str) -> String {
        says(&self.log, what)
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        terminate(&self.process);
    }

    /// Whether it ended without having said this.
    pub(crate) fn ends_without_saying(&mut self, what: &str) -> bool {
        self.ended().success() && !self.log.iter().any(|line| line.contains(what))
    }

    /// How it ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

fn says(log: &Receiver<String>, what: &str) -> String {
    loop {
        let line = log.recv_timeout(PATIENCE).unwrap();
        if line.contains(what) {
            return line;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            self.terminate();
        }
        let ended = self.process.wait();
        assert!(std::thread::panicking() || ended.is_ok_and(|status| status.success()));
    }
}

/// The address of a map of three files.
fn shards(dir: &TempDir) -> String {
    let path = dir.path().join("map.json");
    let map = r#"{"databases": {"a": "a.db", "b": "b.db", "c": "c.db"}, "topics": {"jobs": "b"}}"#;
    std::fs::write(&path, map).unwrap();
    format!("shards://{}", path.display())
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The program, free of what the environment of the test says.
pub(crate) fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_blockqueue"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BLOCKQUEUE_") {
            program.env_remove(name);
        }
    }
    program
}

/// Asks a process to end.
pub(crate) fn terminate(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
}

/// Overwrites the middle of a file.
pub(crate) fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let length = bytes.len();
    bytes[length / 4..length / 4 * 3].fill(0xa5);
    std::fs::write(path, bytes).unwrap();
}
