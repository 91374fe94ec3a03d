//! The wheel of the Python package, with the native command in it, and the source distribution.
//!
//! Zig links against an old C library, so that the wheel runs on every Linux of the last ten years.

use std::fs;
use std::path::{Path, PathBuf};

use crate::python::{self, Environment};
use crate::run::{Failure, Result, cargo, program_in, root};
use crate::stages;

/// The C library of manylinux2014.
const GLIBC: &str = "2.17";

const STRIP: (&str, &str) = ("CARGO_PROFILE_RELEASE_STRIP", "true");

/// Where the package keeps the command, from `python/`.
const COMMAND: &str = "blockqueue/bin/blockqueue";

/// The wheel that users get, in `target/python-wheels`.
pub(crate) fn release() -> Result {
    let tools = Environment::tools()?;
    let old = format!("{}.{GLIBC}", target());
    let package = ["--package", "blockqueue-server", "--target", &old, "--release"];
    let words = [&["zigbuild", "--quiet"][..], &package].concat();
    let path = tools.path();
    program_in(".", &tools.program("cargo-zigbuild"), &words, &[("PATH", &path), STRIP])?;
    bring(&format!("{}/release", target()))?;
    let wheels = build(&tools, "release")?;
    python::installed(&wheels, &["--with-command", "--for-old-linux"]).map(drop)
}

/// A wheel for tests, with the command as its own stage has built it; the answer is its folder.
pub(crate) fn for_tests(tools: &Environment) -> Result<PathBuf> {
    cargo(&[&["build", "--quiet", "--bin", "blockqueue"], stages::SERVER].concat())?;
    bring("debug")?;
    build(tools, "dev")
}

/// Puts the command into the package.
fn bring(below_target: &str) -> Result {
    let built = root().join("target").join(below_target).join("blockqueue");
    copy(&built, &root().join("python").join(COMMAND))
}

fn build(tools: &Environment, profile: &str) -> Result<PathBuf> {
    let out = empty("python-wheels")?;
    let shown = out.display().to_string();
    let compatibility = format!("manylinux_{}", GLIBC.replace('.', "_"));
    let words = ["build", "--quiet", "--zig", "--compatibility", &compatibility];
    let words = [&words[..], &["--profile", profile, "--out", &shown]].concat();
    // It looks for zig on the path.
    let path = tools.path();
    program_in("python", &tools.program("maturin"), &words, &[("PATH", &path), STRIP])?;
    Ok(out)
}

fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// Builds a source distribution, and from that, as `pip` does where there is no wheel, a wheel without the
/// command; the answer is the folder of the latter.
pub(crate) fn build_from_source(tools: &Environment) -> Result<PathBuf> {
    let sources = empty("python-sources")?;
    let shown = sources.display().to_string();
    let words = ["sdist", "--out", &shown];
    program_in("python", &tools.program("maturin"), &words, &[])?;
    let out = empty("python-source-wheels")?;
    let words =
        ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"];
    let (folder, archive) = (out.display().to_string(), only(&sources)?.display().to_string());
    let words = [&words[..], &[&folder, &archive]].concat();
    let target = root().join("target").display().to_string();
    let path = tools.path();
    // What was compiled for the tests is there already.
    let variables = [
        ("PATH", path.as_str()),
        ("CARGO_TARGET_DIR", target.as_str()),
        ("MATURIN_PEP517_ARGS", "--profile dev"),
    ];
    program_in("python", &tools.program("python"), &words, &variables)?;
    Ok(out)
}

fn empty(name: &str) -> Result<PathBuf> {
    let folder = root().join("target").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Failure::because)?;
    }
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> Result {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(Failure::because)?;
    }
    fs::copy(from, to).map(drop).map_err(Failure::because)
}

fn only(folder: &Path) -> Result<PathBuf> {
    let entry = fs::read_dir(folder).map_err(Failure::because)?.next();
    let entry = entry.ok_or_else(|| Failure::new(format!("{} is empty", folder.display())))?;
    entry.map(|entry| entry.path()).map_err(Failure::because)
}
