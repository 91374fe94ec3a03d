//! A command for each message: payload on its standard input, the rest in its environment.
//!
//! The command runs in a process group of its own, so that Ctrl-C reaches this program and not the
//! work at hand. What it prints goes where this program's output goes, or is the reply to the message; the
//! end of what it says on standard error becomes the error text of a failure.

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use blockqueue::limits;
use rustix::process::{Pid, Signal, kill_process_group};

use super::super::stop::Stop;
use super::super::view::Delivery;
use super::{ConsumeArgs, Handled};

/// How much of standard error is kept.
const TAIL_BYTES: usize = 2 << 10;
/// A command that was told to end has this long to do so.
const GRACE: Duration = Duration::from_secs(5);
/// A command that has ended may have left a child that keeps its standard error open: not waited for.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Runs a command for each message.
pub(super) struct Exec {
    command: String,
    timeout: Option<Duration>,
    /// Its standard output is the reply to the message.
    reply: bool,
    stop: Arc<Stop>,
}

/// How a command ended.
enum Ended {
    Exited(ExitStatus),
    TimedOut(Duration),
}

impl Exec {
    /// Runs this with the shell.
    pub(super) fn new(command: &str, args: &ConsumeArgs, stop: Arc<Stop>) -> Self {
        let ConsumeArgs { timeout, reply, .. } = *args;
        Self { command: command.to_owned(), timeout, reply, stop }
    }

    /// Runs the command for a message and waits for it.
    pub(super) fn handle(&self, delivery: Delivery) -> Handled {
        match self.run(delivery) {
            Ok((Ended::Exited(status), _, said)) if status.success() => match said {
                None => Handled::Done,
                Some(Ok(reply)) => Handled::Replied(reply),
                Some(Err(why)) => Handled::Failed(why.to_owned()),
            },
            Ok((ended, tail, _)) => Handled::Failed(describe(&ended, &tail)),
            Err(error) => Handled::Failed(format!("cannot run the command: {error}")),
        }
    }

    /// How it ended, the end of its standard error, and its standard output if that is the reply.
    fn run(&self, delivery: Delivery) -> io::Result<(Ended, Vec<u8>, Option<Said>)> {
        let mut child = self.spawn(&delivery)?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        self.stop.set_command(group);
        feed(&mut child, delivery.payload.0);
        let tail = Tail::default();
        let closed = listen(&mut child, &tail);
        let reply = child.stdout.take().map(take_reply);
        let ended = self.wait(child, group);
        self.stop.set_command(None);
        // An answer or not: what was said so far is there.
        let _ = closed.recv_timeout(LAST_WORDS);
        let unfinished = Err("something keeps the command's standard output open");
        let said = reply.map(|reply| reply.recv_timeout(LAST_WORDS).unwrap_or(unfinished));
        Ok((ended?, tail.take(), said))
    }

    fn spawn(&self, delivery: &Delivery) -> io::Result<Child> {
        let headers = serde_json::to_string(&delivery.headers)?;
        let set = |value: &Option<String>| value.as_deref().unwrap_or_default().replace('\0', "");
        Command::new("/bin/sh")
            .arg("-c")
            .arg(&self.command)
            .env("BLOCKQUEUE_TOPIC", &delivery.topic)
            .env("BLOCKQUEUE_SUBSCRIBER", &delivery.subscriber)
            .env("BLOCKQUEUE_MESSAGE_ID", &delivery.id)
            .env("BLOCKQUEUE_ATTEMPT", delivery.attempt.to_string())
            .env("BLOCKQUEUE_FAILURES", delivery.failures.to_string())
            .env("BLOCKQUEUE_PRIORITY", delivery.priority.to_string())
            .env("BLOCKQUEUE_PUBLISHED_AT", delivery.published_at.to_string())
            .env("BLOCKQUEUE_CONTENT_TYPE", set(&delivery.content_type))
            .env("BLOCKQUEUE_CORRELATION_ID", set(&delivery.correlation_id))
            .env("BLOCKQUEUE_ORDERING_KEY", set(&delivery.ordering_key))
            .env("BLOCKQUEUE_HEADERS", headers)
            .stdin(Stdio::piped())
            .stdout(if self.reply { Stdio::piped() } else { Stdio::inherit() })
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
    }

    fn wait(&self, mut child: Child, group: Option<Pid>) -> io::Result<Ended> {
        let Some(timeout) = self.timeout else { return child.wait().map(Ended::Exited) };
        let (reaped, ended) = channel();
        thread::spawn(move || reaped.send(child.wait()));
        if let Ok(status) = ended.recv_timeout(timeout) {
            return status.map(Ended::Exited);
        }
        for signal in [Signal::TERM, Signal::KILL] {
            if let Some(group) = group {
                // It may end on its own at this very moment.
                let _ = kill_process_group(group, signal);
            }
            if ended.recv_timeout(GRACE).is_ok() {
                break;
            }
        }
        Ok(Ended::TimedOut(timeout))
    }
}

/// Hands over the payload on another thread: the command may read it late, in part, or not at all.
fn feed(child: &mut Child, payload: Vec<u8>) {
    if let Some(mut stdin) = child.stdin.take() {
        thread::spawn(move || stdin.write_all(&payload));
    }
}

/// A reply, or why there is none.
type Said = Result<Vec<u8>, &'static str>;

/// Reads a reply while the command runs, and no more of it than a reply can have.
fn take_reply(stdout: ChildStdout) -> Receiver<Said> {
    let (saying, said) = channel();
    thread::spawn(move || {
        let mut reply = Vec::new();
        let limit = limits::REPLY_BYTES_MAX;
        let read = stdout.take(limit as u64 + 1).read_to_end(&mut reply);
        saying.send(match read {
            Ok(_) if reply.len() <= limit => Ok(reply),
            Ok(_) => Err("the command's standard output is longer than a reply may be"),
            Err(_) => Err("the command's standard output cannot be read"),
        })
    });
    said
}

/// Passes standard error on and keeps its end; the answer comes when it is closed.
fn listen(child: &mut Child, tail: &Tail) -> Receiver<()> {
    let (closing, closed) = channel();
    if let Some(mut stderr) = child.stderr.take() {
        let tail = tail.clone();
        thread::spawn(move || {
            pass_on(&mut stderr, &tail);
            closing.send(())
        });
    }
    closed
}

fn pass_on(from: &mut impl Read, tail: &Tail) {
    let mut buffer = [0; 4 << 10];
    while let Ok(taken @ 1..) = from.read(&mut buffer) {
        let bytes = buffer.get(..taken).unwrap_or_default();
        let _ = io::stderr().lock().write_all(bytes);
        tail.push(bytes);
    }
}

/// The last bytes of what a command says.
#[derive(Clone, Default)]
struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    fn push(&self, bytes: &[u8]) {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(bytes);
        let excess = tail.len().saturating_sub(TAIL_BYTES);
        tail.drain(..excess);
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn describe(ended: &Ended, tail: &[u8]) -> String {
    let how = match ended {
        Ended::TimedOut(timeout) => {
            format!("took longer than {}", humantime::format_duration(*timeout))
        }
        Ended::Exited(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("ended by signal {signal}"),
            (None, None) => status.to_string(),
        },
    };
    match String::from_utf8_lossy(tail).trim() {
        "" => how,
        said => format!("{how}: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_complaint_is_kept() {
        let said = Tail::default();
        said.push(&[b'x'; 3 * TAIL_BYTES]);
        said.push(b"the point");
        let tail = said.take();
        assert_eq!(tail.len(), TAIL_BYTES);
        assert!(tail.ends_with(b"the point"));
    }

    #[test]
    fn a_failure_says_how_it_ended_and_what_was_said() {
        let failed = Ended::Exited(ExitStatus::from_raw(3 << 8));
        assert_eq!(describe(&failed, b"no route\n"), "exit status 3: no route");
        assert_eq!(describe(&failed, b""), "exit status 3");
        let killed = Ended::Exited(ExitStatus::from_raw(9));
        assert_eq!(describe(&killed, b""), "ended by signal 9");
        assert_eq!(describe(&Ended::TimedOut(Duration::from_secs(2)), b""), "took longer than 2s");
    }
}
