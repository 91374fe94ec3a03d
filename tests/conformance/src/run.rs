//! The interpreter: carries out the steps of one script against a face.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::START_MS;
use crate::expect::{compare, shorten};
use crate::face::{Face, Omission, Refusal};
use crate::operation::Operation;
use crate::resolve::{Saved, resolve};
use crate::script::{Action, Script, Step};

/// How long a step that must answer as expected eventually, and a join, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to pause before the second try of a step. Each pause is twice as long as the one before:
/// work in the background may wait until nobody asks for anything.
const PAUSE_FIRST: Duration = Duration::from_millis(5);
/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_millis(640);

/// Where a script failed, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The script's file.
    pub file: String,
    /// The script's name.
    pub script: String,
    /// The rule that does not hold.
    pub rule: String,
    /// The step, from 1.
    pub step: usize,
    /// What the step does.
    pub action: String,
    /// What differed.
    pub detail: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({}): {}", self.script, self.file, self.rule)?;
        write!(f, "  step {}: {}\n  {}", self.step, self.action, self.detail)
    }
}

impl std::error::Error for Failure {}

/// Runs one script; `face` must hold an empty queue.
///
/// # Errors
/// The first step that did not answer as expected.
pub fn run(script: &Script, face: &Arc<dyn Face>) -> Result<(), Box<Failure>> {
    let mut runner = Runner::new(face);
    let steps = script.steps.iter().zip(1..);
    let outcome = steps.into_iter().try_for_each(|(step, number)| {
        runner.step(step).map_err(|detail| {
            Box::new(Failure {
                file: script.file.clone(),
                script: script.name.clone(),
                rule: script.rule.clone(),
                step: number,
                action: describe(&step.action),
                detail,
            })
        })
    });
    face.close();
    outcome
}

type Answer = Result<Value, Refusal>;

pub(crate) struct Runner {
    face: Arc<dyn Face>,
    saved: Saved,
    started: BTreeMap<String, Started>,
    now_ms: i64,
}

/// An operation that runs in the background.
struct Started {
    operation: String,
    since: Instant,
    answer: Receiver<(Answer, Instant)>,
}

impl Runner {
    pub(crate) fn new(face: &Arc<dyn Face>) -> Self {
        Self {
            face: Arc::clone(face),
            saved: Saved::new(),
            started: BTreeMap::new(),
            now_ms: START_MS,
        }
    }

    /// An operation with the answers in it that it refers to.
    pub(crate) fn resolved(&self, operation: &Value) -> Result<Operation, String> {
        self.operation(operation).map(|(_, operation)| operation)
    }

    pub(crate) fn step(&mut self, step: &Step) -> Result<(), String> {
        match &step.action {
            Action::Advance(by_ms) => self.set_clock(self.now_ms + by_ms),
            Action::SetClock(at_ms) => self.set_clock(START_MS + at_ms),
            Action::Start(name, operation) => {
                let started = self.start(operation)?;
                self.started.insert(name.clone(), started);
            }
            Action::Join(name) => self.join(name, step)?,
            Action::Perform(operation) if step.eventually => self.retry(operation, step)?,
            Action::Perform(operation) => self.perform(operation, step)?,
        }
        Ok(())
    }

    fn set_clock(&mut self, to_ms: i64) {
        self.now_ms = to_ms;
        self.face.set_clock(to_ms);
    }

    fn perform(&mut self, operation: &Value, step: &Step) -> Result<(), String> {
        let (name, operation) = self.operation(operation)?;
        let since = now();
        let answer = self.face.perform(&operation);
        self.check(step, &name, answer, now() - since)
    }

    fn retry(&mut self, operation: &Value, step: &Step) -> Result<(), String> {
        let deadline = now() + PATIENCE;
        let mut pause = PAUSE_FIRST;
        loop {
            match self.perform(operation, step) {
                Err(_) if now() < deadline => thread::sleep(pause),
                outcome => return outcome,
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn start(&self, operation: &Value) -> Result<Started, String> {
        let (name, operation) = self.operation(operation)?;
        let face = Arc::clone(&self.face);
        let (sender, answer) = mpsc::channel();
        let since = now();
        thread::spawn(move || {
            let answer = face.perform(&operation);
            // Nobody listens if the script failed meanwhile.
            let _ = sender.send((answer, now()));
        });
        Ok(Started { operation: name, since, answer })
    }

    fn join(&mut self, name: &str, step: &Step) -> Result<(), String> {
        let started = self.started.remove(name).ok_or_else(|| format!("{name} was not started"))?;
        let (answer, at) = started
            .answer
            .recv_timeout(PATIENCE)
            .map_err(|_| format!("no answer within {PATIENCE:?}"))?;
        self.check(step, &started.operation, answer, at - started.since)
    }

    fn operation(&self, operation: &Value) -> Result<(String, Operation), String> {
        let resolved = resolve(operation, &self.saved)?;
        let name = resolved.get("do").and_then(Value::as_str).unwrap_or_default().to_owned();
        let operation = serde_json::from_value(resolved).map_err(|error| error.to_string())?;
        Ok((name, operation))
    }

    fn check(
        &mut self,
        step: &Step,
        operation: &str,
        answer: Answer,
        took: Duration,
    ) -> Result<(), String> {
        if took < Duration::from_millis(step.takes_ms) {
            return Err(format!("answered after {took:?}, expected {} ms or more", step.takes_ms));
        }
        let value = match (answer, &step.error) {
            (Ok(value), None) => value,
            (Ok(value), Some(code)) => {
                return Err(format!("expected error {code}, found answer {}", shorten(&value)));
            }
            (Err(refusal), Some(code)) => return check_refusal(&refusal, code, step.index),
            (Err(refusal), None) => {
                return Err(format!(
                    "expected an answer, found error {}: {}",
                    refusal.code, refusal.detail
                ));
            }
        };
        if let Some(expected) = &step.expect {
            let expected = resolve(expected, &self.saved)?;
            let ignored = ignored(self.face.omissions(), operation);
            compare(&expected, &value, &ignored).map_err(|difference| difference.to_string())?;
        }
        if let Some(name) = &step.save {
            self.saved.insert(name.clone(), value);
        }
        Ok(())
    }
}

fn check_refusal(refusal: &Refusal, code: &str, index: Option<usize>) -> Result<(), String> {
    if refusal.code != code {
        return Err(format!("expected error {code}, found {}: {}", refusal.code, refusal.detail));
    }
    match (index, refusal.index) {
        (Some(expected), Some(found)) if expected != found => {
            Err(format!("expected item {expected} to be refused, found item {found}"))
        }
        _ => Ok(()),
    }
}

fn ignored(omissions: &[Omission], asked: &str) -> Vec<&'static str> {
    let fields = omissions.iter().filter_map(|omission| match omission {
        Omission::Field { operation, name, .. } if *operation == asked => Some(*name),
        _ => None,
    });
    fields.collect()
}

fn describe(action: &Action) -> String {
    match action {
        Action::Perform(operation) => shorten(operation),
        Action::Start(name, operation) => format!("start {name}: {}", shorten(operation)),
        Action::Join(name) => format!("join {name}"),
        Action::Advance(by_ms) => format!("advance the clock by {by_ms} ms"),
        Action::SetClock(at_ms) => format!("set the clock to {at_ms} ms after the start"),
    }
}

#[expect(clippy::disallowed_methods, reason = "a runner waits in real time")]
fn now() -> Instant {
    Instant::now()
}
