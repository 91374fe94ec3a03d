//! The stage of the Python package: environments of its own below `target/`, the build, types, tests, and the
//! wheel in an environment that has nothing else.

use std::path::{Path, PathBuf};

use crate::run::{Failure, Result, cargo, program, program_in, root};
use crate::wheel;

const FOLDER: &str = "python";

/// Builds the package, and runs everything that looks at it.
pub(crate) fn test() -> Result {
    let tools = with_package()?;
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
    installed(&wheel::for_tests(&tools)?, &["--with-command"])?;
    let clean = installed(&wheel::build_from_source(&tools)?, &[])?;
    // It looks for the package with the first Python of the path.
    let path = clean.path();
    let words = ["--verifytypes", "blockqueue", "--ignoreexternal"];
    program_in(FOLDER, &tools.program("pyright"), &words, &[("PATH", &path)])
}

/// The node for programs of several languages on one file.
pub(crate) fn ring_node() -> Result<Vec<String>> {
    let node = root().join(FOLDER).join("tests/ring_node.py").display().to_string();
    Ok(vec![with_package()?.program("python"), node])
}

/// The environment of the tools, with the package in it, which has the clock that tests move.
fn with_package() -> Result<Environment> {
    let tools = Environment::tools()?;
    tools.run("maturin", &["develop", "--quiet", "--features", "test-clock"])?;
    Ok(tools)
}

/// The package beside the library in Rust and beside other libraries, all of it as users get it.
pub(crate) fn bench() -> Result {
    let tools = Environment::tools()?;
    let wheels = root().join("target/python-bench-wheels").display().to_string();
    tools.run("maturin", &["build", "--quiet", "--release", "--out", &wheels])?;
    let bench = Environment::make("python-bench")?;
    let pip = ["-m", "pip", "install", "--quiet"];
    bench.python(&[&pip[..], &["-r", "../bench/python/requirements.txt"]].concat())?;
    let ours =
        ["--no-index", "--no-deps", "--force-reinstall", "--find-links", &wheels, "blockqueue"];
    bench.python(&[&pip[..], &ours].concat())?;
    cargo(&["build", "--release", "--package", "blockqueue-bench", "--bin", "blockqueue-bench"])?;
    let program = root().join("target/release/blockqueue-bench").display().to_string();
    bench.python(&["../bench/python", &program])
}

/// What users get, in an environment that has nothing else.
pub(crate) fn installed(wheels: &Path, with: &[&str]) -> Result<Environment> {
    let clean = Environment::make("python-clean")?;
    let wheels = wheels.display().to_string();
    let install = ["-m", "pip", "install", "--quiet", "--no-index", "--force-reinstall"];
    clean.python(&[&install[..], &["--find-links", &wheels, "blockqueue"]].concat())?;
    clean.python(&[&["tests/installed.py"], with].concat())?;
    Ok(clean)
}

/// A virtual environment.
pub(crate) struct Environment(PathBuf);

impl Environment {
    /// The one that has what builds and tests the package.
    pub(crate) fn tools() -> Result<Self> {
        let tools = Self::make("python-tools")?;
        tools.python(&["-m", "pip", "install", "--quiet", "-r", "tests/requirements.txt"])?;
        Ok(tools)
    }

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

    pub(crate) fn program(&self, name: &str) -> String {
        self.0.join("bin").join(name).display().to_string()
    }

    /// A path that finds the programs of the environment first.
    pub(crate) fn path(&self) -> String {
        let others = std::env::var("PATH").unwrap_or_default();
        format!("{}:{others}", self.0.join("bin").display())
    }
}
