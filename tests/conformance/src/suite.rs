//! Runs all scripts against faces made for them, and tells what came of it.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::face::{Face, Omission};
use crate::run::{Failure, run};
use crate::script::{Action, Script, ScriptError, scripts};

/// What came of all scripts.
#[derive(Debug, Default)]
pub struct Report {
    /// Scripts that hold.
    pub passed: usize,
    /// Scripts that cannot run on this face: name and reason.
    pub skipped: Vec<(String, String)>,
    /// Scripts that do not hold.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Panics with every failure, so that a test fails with all there is to know; prints what was
    /// skipped.
    ///
    /// # Panics
    /// If a script failed or none passed.
    pub fn assert_passed(&self) {
        assert!(self.failures.is_empty() && self.passed > 0, "\n{self}");
        println!("{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "{failure}")?;
        }
        for (name, reason) in &self.skipped {
            writeln!(f, "skipped {name}: {reason}")?;
        }
        let (skipped, failed) = (self.skipped.len(), self.failures.len());
        write!(f, "{} scripts passed, {skipped} skipped, {failed} failed", self.passed)
    }
}

/// Runs every script against a face of its own. The environment variable `CONFORMANCE_SCRIPT` picks
/// those whose name contains it.
///
/// # Errors
/// A script file that cannot be read, or an omission that omits nothing.
pub fn run_all(mut face: impl FnMut() -> Arc<dyn Face>) -> Result<Report, ScriptError> {
    let picked = std::env::var("CONFORMANCE_SCRIPT").unwrap_or_default();
    let mut report = Report::default();
    let scripts = scripts()?;
    for script in scripts.iter().filter(|script| script.name.contains(&picked)) {
        let face = face();
        if let Some(name) = unknown(face.omissions(), &scripts) {
            return Err(ScriptError::UnknownOmission { name });
        }
        if let Some(reason) = obstacle(script, &*face) {
            face.close();
            report.skipped.push((script.name.clone(), reason));
            continue;
        }
        match run(script, &face) {
            Ok(()) => report.passed += 1,
            Err(failure) => report.failures.push(*failure),
        }
    }
    Ok(report)
}

/// Why a face cannot run a script.
fn obstacle(script: &Script, face: &dyn Face) -> Option<String> {
    if let Some(feature) = script.needs.iter().find(|feature| !face.has(**feature)) {
        return Some(format!("it needs {feature:?}"));
    }
    face.omissions().iter().find_map(|omission| match omission {
        Omission::Script { name, reason } if *name == script.name => Some((*reason).to_owned()),
        Omission::Operation { name, reason } if uses(script, name) => {
            Some(format!("{name}: {reason}"))
        }
        _ => None,
    })
}

/// An omission that omits nothing: it was misspelt, or its script is gone.
fn unknown(omissions: &[Omission], scripts: &[Script]) -> Option<&'static str> {
    omissions.iter().find_map(|omission| {
        let (name, known) = match *omission {
            Omission::Script { name, .. } => {
                (name, scripts.iter().any(|script| script.name == name))
            }
            Omission::Operation { name, .. } | Omission::Field { operation: name, .. } => {
                (name, scripts.iter().any(|script| uses(script, name)))
            }
        };
        (!known).then_some(name)
    })
}

fn uses(script: &Script, name: &str) -> bool {
    script.steps.iter().any(|step| match &step.action {
        Action::Perform(operation) | Action::Start(_, operation) => {
            operation.get("do").and_then(Value::as_str) == Some(name)
        }
        _ => false,
    })
}
