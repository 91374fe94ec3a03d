//! The wheel of the Python package, with the native command in it, and the source distribution.
//!
//! Both are linked by zig against an old C library, so that they run on every Linux of the last ten years.

use std::fs;
use std::path::{Path, PathBuf};

use crate::python::Environment;
use crate::run::{Failure, Result, program_in, root};

/// The C library of manylinux2014.
const GLIBC: &str = "2.17";

/// Where the package keeps the command, from `python/`.
const COMMAND: &str = "blockqueue/bin/blockqueue";

/// The wheel that users get, in `target/python-wheels`.
pub(crate) fn release() -> Result {
    build(&Environment::tools()?, "release").map(drop)
}

/// Builds a wheel; the answer is the folder that has nothing else.
pub(crate) fn build(tools: &Environment, profile: &str) -> Result<PathBuf> {
    let out = empty("python-wheels")?;
    // Both programs of the environment look for zig on the path.
    let path = tools.path();
    let variables = [("PATH", path.as_str()), ("CARGO_PROFILE_RELEASE_STRIP", "true")];

    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let old = format!("{target}.{GLIBC}");
    let package = ["--package", "blockqueue-server", "--target", &old, "--profile", profile];
    let words = [&["zigbuild", "--quiet"][..], &package].concat();
    program_in(".", &tools.program("cargo-zigbuild"), &words, &variables)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    let built = root().join("target").join(target).join(folder).join("blockqueue");
    copy(&built, &root().join("python").join(COMMAND))?;

    let compatibility = format!("manylinux_{}", GLIBC.replace('.', "_"));
    let words = ["build", "--quiet", "--zig", "--compatibility", &compatibility];
    let out_shown = out.display().to_string();
    let words = [&words[..], &["--profile", profile, "--out", &out_shown]].concat();
    program_in("python", &tools.program("maturin"), &words, &variables)?;
    Ok(out)
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
