//! A child process whose lines are read, with a deadline for each.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// How long a line may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Killed when it is dropped.
#[derive(Debug)]
pub struct Talking {
    child: Child,
    lines: Receiver<String>,
}

impl Talking {
    /// Starts the command.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (sender, lines) = mpsc::channel();
        let output = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// The next line.
    ///
    /// # Errors
    /// If none comes in time, or no more.
    pub fn line(&self) -> io::Result<String> {
        self.lines.recv_timeout(PATIENCE).map_err(io::Error::other)
    }

    /// Tells it a line.
    ///
    /// # Errors
    /// If it does not listen.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        let input = self.child.stdin.as_mut().ok_or_else(|| io::Error::other("no input"))?;
        input.write_all(format!("{line}\n").as_bytes())
    }

    /// The process itself.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
