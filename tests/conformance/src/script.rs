//! The scripts as they are written: names, rules and steps.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::face::Feature;

/// A few steps that prove one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// The file that holds it, without directory.
    pub file: String,
    /// What it is called; unique among all scripts.
    pub name: String,
    /// The rule that it proves, in one line.
    pub rule: String,
    /// What a face must have for it to run.
    pub needs: Vec<Feature>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// Keep the answer under this name.
    pub save: Option<String>,
    /// What the answer must be like.
    pub expect: Option<Value>,
    /// The code that it must be refused with.
    pub error: Option<String>,
    /// The item of the batch that the refusal must name.
    pub index: Option<usize>,
    /// Repeat the step until it answers as expected, for up to 10 seconds.
    pub eventually: bool,
    /// The answer must take at least this long, in real milliseconds.
    pub takes_ms: u64,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Carries out an operation.
    Perform(Value),
    /// Carries out an operation in the background, under this name.
    Start(String, Value),
    /// Waits for the answer of what was started under this name.
    Join(String),
    /// Moves the clock forward by so many milliseconds.
    Advance(i64),
    /// Sets the clock to so many milliseconds after the start of the script, perhaps backwards.
    SetClock(i64),
}

/// Why the scripts cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A file or directory cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not what the format asks for.
    #[error("{file}: {detail}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A face omits something that no script has.
    #[error("no script has what a face omits: {name}")]
    UnknownOmission {
        /// The operation or script.
        name: &'static str,
    },
}

/// Reads all scripts, in the order of their files.
///
/// # Errors
/// A file that cannot be read or is not a list of scripts.
pub fn scripts() -> Result<Vec<Script>, ScriptError> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| ScriptError::Unreadable { path, source }
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable(directory))? {
        paths.push(entry.map_err(unreadable(directory))?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut scripts = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        scripts.extend(parse(&file, &text)?);
    }
    Ok(scripts)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScript {
    name: String,
    rule: String,
    #[serde(default)]
    needs: Vec<Feature>,
    steps: Vec<Map<String, Value>>,
}

/// The members of a step that are not arguments of its operation.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Control {
    save: Option<String>,
    /// Absent and `null` differ: `null` expects no answer.
    #[serde(default, deserialize_with = "present")]
    expect: Option<Value>,
    error: Option<String>,
    index: Option<usize>,
    #[serde(default)]
    eventually: bool,
    #[serde(default)]
    takes_ms: u64,
    start: Option<String>,
    join: Option<String>,
    /// For people.
    #[serde(rename = "note")]
    _note: Option<String>,
}

const CONTROL: [&str; 9] =
    ["save", "expect", "error", "index", "eventually", "takes_ms", "start", "join", "note"];

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Reads the scripts of one file.
///
/// # Errors
/// A text that is not a list of scripts.
pub fn parse(file: &str, text: &str) -> Result<Vec<Script>, ScriptError> {
    let malformed = |detail: String| ScriptError::Malformed { file: file.to_owned(), detail };
    let raw: Vec<RawScript> =
        serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
    raw.into_iter()
        .map(|raw| {
            let RawScript { name, rule, needs, steps } = raw;
            let steps = steps
                .into_iter()
                .enumerate()
                .map(|(index, step)| {
                    parse_step(step).map_err(|detail| {
                        malformed(format!("{name}, step {}: {detail}", index + 1))
                    })
                })
                .collect::<Result<_, _>>()?;
            Ok(Script { file: file.to_owned(), name, rule, needs, steps })
        })
        .collect()
}

pub(crate) fn parse_step(step: Map<String, Value>) -> Result<Step, String> {
    let (control, arguments): (Map<_, _>, Map<_, _>) =
        step.into_iter().partition(|(name, _)| CONTROL.contains(&name.as_str()));
    let control: Control =
        serde_json::from_value(Value::Object(control)).map_err(|error| error.to_string())?;
    if control.error.is_some() && control.expect.is_some() {
        return Err("a step expects an answer or an error".to_owned());
    }
    Ok(Step {
        action: parse_action(control.start, control.join, arguments)?,
        save: control.save,
        expect: control.expect,
        error: control.error,
        index: control.index,
        eventually: control.eventually,
        takes_ms: control.takes_ms,
    })
}

fn parse_action(
    start: Option<String>,
    join: Option<String>,
    arguments: Map<String, Value>,
) -> Result<Action, String> {
    if let Some(name) = join {
        let alone = arguments.is_empty() && start.is_none();
        return if alone {
            Ok(Action::Join(name))
        } else {
            Err("a join does nothing else".to_owned())
        };
    }
    let number = |name: &str| {
        arguments
            .get(name)
            .and_then(Value::as_i64)
            .ok_or_else(|| format!("{name} must be a number"))
    };
    match arguments.get("do").and_then(Value::as_str) {
        None => Err("a step needs do or join".to_owned()),
        Some("advance") => Ok(Action::Advance(number("ms")?)),
        Some("set_clock") => Ok(Action::SetClock(number("at")?)),
        Some(_) => {
            let operation = Value::Object(arguments);
            Ok(match start {
                Some(name) => Action::Start(name, operation),
                None => Action::Perform(operation),
            })
        }
    }
}

#[cfg(test)]
mod tests;
