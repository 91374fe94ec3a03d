//! The stage of the Python package: environments of its own below `target/`, the build, types, tests, and the
//! wheel in an environment that has nothing else.

use std::fs;
use std::path::PathBuf;

use crate::run::{Failure, Result, program, program_in, root};

const FOLDER: &str = "python";

/// Builds the package, and runs everything that looks at it.
pub(crate) fn test() -> Result {
    let tools = Environment::make("python-tools")?;
    tools.python(&["-m", "pip", "install", "--quiet", "-r", "tests/requirements.txt"])?;
    // With the clock that tests move.
    tools.run("maturin", &["develop", "--quiet", "--features", "test-clock"])?;
    tools.run("ruff", &["check", "."])?;
    tools.run("ruff", &["format", "--check", "."])?;
    tools.run("mypy", &[])?;
    tools.python(&[
        "-m",
        "mypy.stubtest",
        "blockqueue._native",
        "--allowlist",
        "tests/stubtest.txt",
    ])?;
    tools.run("pyright", &["--pythonpath", &tools.program("python")])?;
    tools.python(&["-m", "pytest"])?;
    wheel(&tools)
}

/// What users get, in an environment that has nothing else: the examples of the README run as they are written.
fn wheel(tools: &Environment) -> Result {
    let wheels = root().join("target/python-wheels");
    if wheels.exists() {
        fs::remove_dir_all(&wheels).map_err(|error| Failure::new(error.to_string()))?;
    }
    let out = wheels.display().to_string();
    tools.run("maturin", &["build", "--quiet", "--profile", "dev", "--out", &out])?;
    let clean = Environment::make("python-clean")?;
    let install = ["-m", "pip", "install", "--quiet", "--no-index", "--force-reinstall"];
    clean.python(&[&install[..], &["--find-links", &out, "blockqueue"]].concat())?;
    clean.python(&["tests/run_readme.py"])?;
    // It looks for the package with the first Python of the path.
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", clean.0.join("bin").display());
    let words = ["--verifytypes", "blockqueue", "--ignoreexternal"];
    program_in(FOLDER, &tools.program("pyright"), &words, &[("PATH", &path)])
}

/// A virtual environment.
struct Environment(PathBuf);

impl Environment {
    fn make(name: &str) -> Result<Self> {
        let path = root().join("target").join(name);
        let shown = path.display().to_string();
        let words = ["-m", "venv", shown.as_str()];
        if !path.join("bin/pip").exists() && program("python3", &words).is_err() {
            // Debian keeps what it takes in a package of its own.
            if std::env::var_os("CI").is_none() {
                return Err(Failure::new("apt-get install python3-venv, and try again"));
            }
            program("apt-get", &["install", "--yes", "python3-venv"])?;
            program("python3", &words)?;
        }
        Ok(Self(path))
    }

    fn python(&self, words: &[&str]) -> Result {
        self.run("python", words)
    }

    /// Runs a program of the environment in the package's folder.
    fn run(&self, name: &str, words: &[&str]) -> Result {
        let home = self.0.display().to_string();
        program_in(FOLDER, &self.program(name), words, &[("VIRTUAL_ENV", &home)])
    }

    fn program(&self, name: &str) -> String {
        self.0.join("bin").join(name).display().to_string()
    }
}
