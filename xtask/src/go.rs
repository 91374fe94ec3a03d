//! The stage of the Go package, over the native library that it builds.

use std::process::Command;

use crate::ffi;
use crate::run::{Failure, Result, program, program_in, root};

const FOLDER: &str = "bindings/go";
/// What `go.mod` wants.
const OLDEST: (u32, u32) = (1, 24);
/// Tests that move time, and every conformance script.
const CLOCK: &str = "-tags=blockqueue_testclock";

/// Builds the library and the package, and runs everything that looks at it.
pub(crate) fn test() -> Result {
    check_toolchain()?;
    ffi::build(ffi::Build::Test)?;
    check_format()?;
    let flags = linking(ffi::Build::Test);
    let go = |words: &[&str]| {
        program_in(FOLDER, "go", words, &[("CGO_LDFLAGS", &flags), ("BLOCKQUEUE_TEST_STATIC", "1")])
    };
    go(&["vet", "./..."])?;
    go(&["vet", CLOCK, "./..."])?;
    // As users build it: one that needs the clock for tests would not link.
    go(&["test", "-count=1", "./..."])?;
    go(&["test", "-count=1", "-race", CLOCK, "-run=TestConformance", "."])?;
    go(&["test", "-count=1", "-race", "-short", "-skip=QuickStart|OneBinary", "./..."])
}

/// Builds the program that the benchmarks ask; the answer is where it is.
pub(crate) fn bench() -> Result<String> {
    ffi::build(ffi::Build::Release)?;
    build("./bench", "bench-go", ffi::Build::Release)
}

/// Builds the node of Go among the programs of several languages that share a file; the answer is its command.
pub(crate) fn ring_node() -> Result<Vec<String>> {
    Ok(vec![build("./ringnode", "ring-node-go", ffi::Build::Test)?])
}

fn build(package: &str, name: &str, library: ffi::Build) -> Result<String> {
    check_toolchain()?;
    let program = library.prefix().join(name).display().to_string();
    let flags = linking(library);
    program_in(FOLDER, "go", &["build", "-o", &program, package], &[("CGO_LDFLAGS", &flags)])?;
    Ok(program)
}

/// Where cgo finds the library, when it links and when programs run.
pub(crate) fn linking(build: ffi::Build) -> String {
    let lib = build.prefix().join("lib").display().to_string();
    format!("-L{lib} -Wl,-rpath,{lib}")
}

/// Go, and the compiler that cgo asks. Debian's packages are installed where they are missing; an older Go is an
/// error, since Debian 12 has nothing newer than 1.19.
pub(crate) fn check_toolchain() -> Result {
    let is_missing = |name: &str| Command::new(name).arg("version").output().is_err();
    let missing: Vec<_> = [("go", "golang-go"), ("gcc", "gcc")]
        .into_iter()
        .filter_map(|(tool, package)| is_missing(tool).then_some(package))
        .collect();
    if !missing.is_empty() && Command::new("apt-get").arg("--version").output().is_ok() {
        program("apt-get", &["update", "--quiet"])?;
        program("apt-get", &[&["install", "--yes", "--quiet"], &missing[..]].concat())?;
    }
    let output = Command::new("go").args(["env", "GOVERSION"]).output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match version {
        Ok(version) if parse(&version).is_some_and(|version| version >= OLDEST) => Ok(()),
        Ok(version) => Err(Failure::new(format!(
            "Go 1.24 or later is needed, this is {version:?}: https://go.dev/dl"
        ))),
        Err(_) => Err(Failure::new("Go is missing: https://go.dev/dl, 1.24 or later")),
    }
}

/// The first two numbers of `go1.26.8`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix("go")?.split(['.', 'r', 'b', '-']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Names the files that gofmt would change.
fn check_format() -> Result {
    println!("$ cd {FOLDER} && gofmt -l .");
    let output = Command::new("gofmt").args(["-l", "."]).current_dir(root().join(FOLDER)).output();
    let output = output.map_err(|error| Failure::new(format!("gofmt: {error}")))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && said.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("gofmt -l: {said}{}", String::from_utf8_lossy(&output.stderr))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse("go1.26.8"), Some((1, 26)));
        assert_eq!(parse("go1.24rc1"), Some((1, 24)));
        assert!(parse("go1.9.7").is_some_and(|old| old < OLDEST));
        assert_eq!(parse("devel"), None);
    }
}
