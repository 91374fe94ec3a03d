//! The Kotlin package: the native library where its jar carries it, its tests, and its benchmarks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ffi::{self, Build};
use crate::run::{Failure, Result, cargo, program, program_in, root};

const FOLDER: &str = "bindings/kotlin";

/// Builds the package with a native library for tests, and runs everything that looks at it.
pub(crate) fn test() -> Result {
    need_maven()?;
    maven(Build::Test, &["verify"])
}

/// Batches against those in Rust, and what single calls cost; with libraries as they are released.
pub(crate) fn bench() -> Result {
    need_maven()?;
    cargo(&["build", "--release", "--package", "blockqueue", "--example", "batches"])?;
    let rust = root().join("target/release/examples/batches").display().to_string();
    let run = ["test-compile", "exec:java", "-Dexec.mainClass=io.blockqueue.bench.BenchKt"];
    maven(Build::Release, &[&run[..], &[&format!("-Dexec.args={rust}")]].concat())
}

/// The jar as it is released, with the native library of this machine.
pub(crate) fn jar() -> Result {
    need_maven()?;
    maven(Build::Release, &["package", "-DskipTests"])
}

/// Compiles the node for programs of several languages on one file. What Maven prints as the class path is kept in a
/// file: Maven itself takes longer to start than the node does.
pub(crate) fn ring_node() -> Result<Vec<String>> {
    need_maven()?;
    let file = root().join("target/kotlin/class-path");
    let out = format!("-Dexec.outputFile={}", file.display());
    let print = ["exec:exec", "-Dexec.executable=echo", "-Dexec.args=%classpath", &out];
    maven(Build::Test, &[&["test-compile"][..], &print].concat())?;
    let class_path = fs::read_to_string(&file).map_err(Failure::because)?;
    // It lives too short for the best code.
    let java = ["java", "-XX:TieredStopAtLevel=1", "-cp", class_path.trim()];
    Ok([&java[..], &["io.blockqueue.ring.RingNodeKt"]]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect())
}

fn maven(build: Build, words: &[&str]) -> Result {
    ffi::build(build)?;
    let native = format!("-Dnative.directory={}", lay_out(build)?.display());
    // A library that is older than the one in the build folder replaces it as well.
    let options = ["--batch-mode", "--no-transfer-progress", "-Dmaven.resources.overwrite=true"];
    program_in(FOLDER, "mvn", &[&options[..], &[&native], words].concat(), &[])
}

/// The library in a folder named as JNA looks for it.
fn lay_out(build: Build) -> Result<PathBuf> {
    let folder = root().join(match build {
        Build::Release => "target/kotlin/native-release",
        Build::Test => "target/kotlin/native",
    });
    let to = folder.join(system()?);
    fs::create_dir_all(&to)
        .and_then(|()| copy(&build.prefix().join("lib"), &to))
        .map_err(|error| Failure::new(format!("{}: {error}", to.display())))?;
    Ok(folder)
}

/// What is loaded by its plain name.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let name = if cfg!(target_os = "macos") { "libblockqueue.dylib" } else { "libblockqueue.so" };
    fs::copy(from.join(name), to.join(name)).map(drop)
}

/// JNA's name of this system.
fn system() -> Result<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("linux-x86-64"),
        ("linux", "aarch64") => Ok("linux-aarch64"),
        ("macos", "x86_64") => Ok("darwin-x86-64"),
        ("macos", "aarch64") => Ok("darwin-aarch64"),
        (system, machine) => Err(Failure::new(format!("no native library for {system} {machine}"))),
    }
}

fn need_maven() -> Result {
    let is_there =
        || Command::new("mvn").arg("--version").output().is_ok_and(|it| it.status.success());
    if is_there() {
        return Ok(());
    }
    if Command::new("apt-get").arg("--version").output().is_err() {
        return Err(Failure::new("install Maven and a JDK, 17 or later, and try again"));
    }
    program("apt-get", &["update", "--quiet"])?;
    program("apt-get", &["install", "--yes", "--quiet", "maven", "openjdk-17-jdk-headless"])
}
