//! Commands, run from the root of the repository and printed before they run.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a chore failed, in words.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For what the system says.
    #[expect(clippy::needless_pass_by_value, reason = "as `map_err` calls it")]
    pub(crate) fn because(error: std::io::Error) -> Self {
        Self(error.to_string())
    }

    /// Fails with one line per problem, if there are any.
    pub(crate) fn unless_none(what: &str, problems: &[String]) -> Result {
        if problems.is_empty() {
            println!("{what}: ok");
            return Ok(());
        }
        Err(Self::new(format!("{what}:\n{}", problems.join("\n"))))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// A path as people write it: from the root.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Runs cargo with these words, and fails if it does.
pub(crate) fn cargo(words: &[&str]) -> Result {
    cargo_with(words, &[])
}

/// As [`cargo`], with variables.
pub(crate) fn cargo_with(words: &[&str], variables: &[(&str, &str)]) -> Result {
    let settings = variables.iter().map(|(name, value)| format!("{name}={value}"));
    let words_shown = ["cargo"].iter().chain(words).map(ToString::to_string);
    let shown = settings.chain(words_shown).collect::<Vec<_>>().join(" ");
    let variables = variables.iter().copied();
    execute(Command::new(cargo_program()).args(words).envs(variables), &shown)
}

/// Runs another program, and fails if it does.
pub(crate) fn program(name: &str, words: &[&str]) -> Result {
    execute(Command::new(name).args(words), &format!("{name} {}", words.join(" ")))
}

/// As [`program`], in a folder of the repository and with variables.
pub(crate) fn program_in(
    folder: &str,
    name: &str,
    words: &[&str],
    variables: &[(&str, &str)],
) -> Result {
    let shown = format!("cd {folder} && {} {}", relative(Path::new(name)), words.join(" "));
    let variables = variables.iter().copied();
    let mut command = Command::new(name);
    execute_in(&root().join(folder), command.args(words).envs(variables), &shown)
}

fn execute(command: &mut Command, shown: &str) -> Result {
    execute_in(&root(), command, shown)
}

fn execute_in(folder: &Path, command: &mut Command, shown: &str) -> Result {
    println!("$ {shown}");
    let status = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| Failure::new(format!("cannot run {shown}: {error}")))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("{shown}: {status}"))) }
}

/// Whether a cargo subcommand is installed.
pub(crate) fn has_cargo(subcommand: &str) -> bool {
    Command::new(cargo_program())
        .args([subcommand, "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// The cargo that runs this program, not another one that happens to be on the path.
fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
