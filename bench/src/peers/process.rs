//! Starts servers and drivers, and sees to it that each of them ends.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::catalogue::{Form, Peer, Program};
use super::embedded;
use super::install::Installed;
use super::plan::{Case, FILL_SECONDS, FILLED};
use crate::cases::Failure;
use crate::measure::Stopwatch;
use crate::servers::Kind;

/// The figures of a run, by their keys.
pub(crate) type Figures = BTreeMap<String, f64>;

/// What a driver may need beyond the time that it is given: to start, and to end what it has begun.
const GRACE: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(10);

/// Whether a queue waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    Synced,
    /// To fill it in a bearable time, where it has such a setting.
    Relaxed,
}

/// Runs a case on a queue that begins in an empty folder. How many messages wait is told beside the
/// figures, where it matters.
pub(crate) fn run(
    installed: &Installed,
    peer: &Peer,
    case: &Case,
    seconds: f64,
    folder: &Path,
) -> Result<(Figures, Option<f64>), Failure> {
    let mut waiting = None;
    if case.word == FILLED {
        let server = Server::start(installed, peer, folder, Durability::Relaxed)?;
        let filled = drive(installed, peer, "fill", FILL_SECONDS, folder, server.as_ref())?;
        waiting = filled.get("value").copied();
        if let Some(server) = server {
            server.end()?;
        }
    }
    let server = Server::start(installed, peer, folder, Durability::Synced)?;
    let figures = drive(installed, peer, case.word, seconds, folder, server.as_ref())?;
    Ok((figures, waiting))
}

fn drive(
    installed: &Installed,
    peer: &Peer,
    case: &str,
    seconds: f64,
    folder: &Path,
    server: Option<&Server>,
) -> Result<Figures, Failure> {
    let mut command = match peer.program {
        Program::Embedded => {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg(embedded::WORD);
            command
        }
        Program::Python => {
            let (python, script) = installed.python_driver();
            let mut command = Command::new(python);
            command.arg(script);
            command
        }
        _ => Command::new(installed.go_driver()),
    };
    let queue = match peer.program {
        Program::Served | Program::Original => "blockqueue",
        _ => peer.word,
    };
    let target =
        server.map_or_else(|| folder.display().to_string(), |server| server.address.to_string());
    let pid = server.map_or(0, |server| server.child.0.id());
    command.args([queue, case, &target, &seconds.to_string(), &pid.to_string()]);
    let (output, errors) = (folder.join("driver.out"), folder.join("driver.err"));
    command.stdout(File::create(&output)?).stderr(File::create(&errors)?);
    let mut child = Killed(command.stdin(Stdio::null()).spawn()?);
    // What it has begun may have to be ended several times over.
    let ended = child.wait(Duration::from_secs_f64(seconds * 6.0) + GRACE)?;
    if !ended {
        let said = last_line(&errors);
        return Err(if said.is_empty() { "did not end in time".into() } else { said.into() });
    }
    Ok(serde_json::from_str(&fs::read_to_string(&output)?)?)
}

fn last_line(path: &Path) -> String {
    let mut text = String::new();
    // What cannot be read says nothing.
    let _ = File::open(path).and_then(|mut file| file.read_to_string(&mut text));
    text.trim().lines().last().unwrap_or_default().to_owned()
}

/// A process that ends with this.
#[derive(Debug)]
struct Killed(Child);

impl Killed {
    /// Whether it ended well in time.
    fn wait(&mut self, most: Duration) -> Result<bool, Failure> {
        let watch = Stopwatch::start();
        while watch.elapsed() < most {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status.success());
            }
            thread::sleep(PAUSE);
        }
        Ok(false)
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // Nothing to do about a process that cannot be ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on a free port of this machine.
#[derive(Debug)]
struct Server {
    child: Killed,
    address: SocketAddr,
}

impl Server {
    /// Starts it and waits until it listens. A library has none.
    fn start(
        installed: &Installed,
        peer: &Peer,
        folder: &Path,
        durability: Durability,
    ) -> Result<Option<Self>, Failure> {
        if peer.form == Form::Library {
            return Ok(None);
        }
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = match peer.program {
            Program::Served => ours(folder, address)?,
            Program::Original => original(installed, folder, address)?,
            Program::Redis => redis(folder, address, durability),
            Program::Nats => nats(installed, folder, address, durability)?,
            Program::Beanstalkd => beanstalkd(folder, address, durability),
            _ => return Err(format!("{} has no server", peer.name).into()),
        };
        let log = folder.join("server.log");
        command.current_dir(folder).stdin(Stdio::null());
        command.stdout(File::create(&log)?).stderr(File::create(&log)?);
        let mut server = Self { child: Killed(command.spawn()?), address };
        let watch = Stopwatch::start();
        while TcpStream::connect(address).is_err() {
            if server.child.0.try_wait()?.is_some() || watch.elapsed() > GRACE {
                return Err(format!("the server does not listen: {}", last_line(&log)).into());
            }
            thread::sleep(PAUSE);
        }
        Ok(Some(server))
    }

    /// Asks it to end, and waits until everything is in its files.
    fn end(mut self) -> Result<(), Failure> {
        let id = self.child.0.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        self.child.wait(GRACE)?;
        Ok(())
    }
}

fn ours(folder: &Path, address: SocketAddr) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(Kind::Queue.word()).arg(folder.join("queue.db")).arg(address.to_string());
    Ok(command)
}

fn original(installed: &Installed, folder: &Path, address: SocketAddr) -> Result<Command, Failure> {
    let config = folder.join("config.yaml");
    let text = format!(
        "http:\n  host: \"{}\"\n  port: {}\n  driver: sqlite\nlogging:\n  level: error\n  type: text\n\
         sqlite:\n  db_name: \"{}\"\n  durability: strict\n\
         writer:\n  batch_size: 1000\n  flush_interval: 10ms\n",
        address.ip(),
        address.port(),
        folder.join("original.db").display(),
    );
    fs::write(&config, text)?;
    let call = |word: &str| {
        let mut command = Command::new(installed.original());
        command.arg(word).arg("-config").arg(&config).current_dir(folder);
        command
    };
    let migrated = call("migrate").stdin(Stdio::null()).output()?;
    if !migrated.status.success() {
        return Err(String::from_utf8_lossy(&migrated.stderr).trim().into());
    }
    Ok(call("http"))
}

fn redis(folder: &Path, address: SocketAddr, durability: Durability) -> Command {
    let fsync = if durability == Durability::Synced { "always" } else { "no" };
    let mut command = Command::new("redis-server");
    command.args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string()]);
    command.args(["--appendonly", "yes", "--appendfsync", fsync, "--save", ""]);
    command.arg("--dir").arg(folder);
    command
}

fn nats(
    installed: &Installed,
    folder: &Path,
    address: SocketAddr,
    durability: Durability,
) -> Result<Command, Failure> {
    let config = folder.join("nats.conf");
    let interval = if durability == Durability::Synced { "always" } else { "2m" };
    let text = format!(
        "host: \"{}\"\nport: {}\njetstream {{ store_dir: \"{}\", sync_interval: {interval} }}\n",
        address.ip(),
        address.port(),
        folder.join("nats").display(),
    );
    fs::write(&config, text)?;
    let mut command = Command::new(installed.nats_server());
    command.arg("--config").arg(config);
    Ok(command)
}

fn beanstalkd(folder: &Path, address: SocketAddr, durability: Durability) -> Command {
    let mut command = Command::new("beanstalkd");
    command.args(["-l", &address.ip().to_string(), "-p", &address.port().to_string()]);
    command.arg("-b").arg(folder);
    match durability {
        Durability::Synced => command.args(["-f", "0"]),
        Durability::Relaxed => command.arg("-F"),
    };
    command
}
