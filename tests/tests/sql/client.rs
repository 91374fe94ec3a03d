//! A client in another process: a request per line, an answer per line. `tests/sql/README.md` has the verbs.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// How to start it, once the file is there.
pub(crate) struct Client(Command);

impl Client {
    pub(crate) fn python(script: &str) -> Self {
        let mut command = Command::new(variable("BLOCKQUEUE_SQL_PYTHON"));
        command.arg(clients().join(script));
        Self(command)
    }

    pub(crate) fn php(script: &str) -> Self {
        let mut command = Command::new("php");
        command.arg(clients().join(script));
        Self(command)
    }

    pub(crate) fn program(name: &str) -> Self {
        Self(Command::new(variable(name)))
    }

    pub(crate) fn start(mut self, file: &Path) -> Running {
        let mut child =
            self.0.arg(file).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Running { input, output: BufReader::new(output.unwrap()), child }
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/clients")
}

fn variable(name: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: use `cargo xtask test sql`"))
}

pub(crate) struct Running {
    child: Child,
    /// Closed to end it.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.input.as_mut().unwrap(), "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{request}: answered {line:?}"))
    }

    /// What it answered; an error of its library is the other result.
    pub(crate) fn try_ask(&mut self, request: &Value) -> Result<Value, String> {
        let answer = self.ask(request);
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer),
        }
    }

    pub(crate) fn run(&mut self, verb: &str) {
        self.try_ask(&json!({"do": verb})).unwrap();
    }

    pub(crate) fn read(&mut self) -> i64 {
        let answer = self.try_ask(&json!({"do": "read"})).unwrap();
        answer.get("rows").and_then(Value::as_i64).unwrap()
    }

    pub(crate) fn app(&mut self, x: &str) {
        self.try_ask(&json!({"do": "app", "x": x})).unwrap();
    }

    pub(crate) fn publish(&mut self, topic: &str, payload: &str) -> Result<Value, String> {
        self.try_ask(&json!({"do": "publish", "topic": topic, "payload": payload}))
    }

    pub(crate) fn finish(mut self) {
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
