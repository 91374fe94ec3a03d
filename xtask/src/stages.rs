//! The stages of the tests, each of which does its own set-up and runs alone, too.

use std::time::Instant;

use crate::run::{Failure, Result, cargo, cargo_with, has_cargo};
use crate::{generate, layers};

type Stage = (&'static str, fn() -> Result);

const STAGES: &[Stage] = &[("rust", rust), ("server", server), ("crash", crash)];

/// Stages that are planned and not there yet: asking for one is an error, not a pass.
const PLANNED: &[&str] = &["python", "go", "php", "kotlin", "swift", "c", "stores"];

/// Runs the stages named, or all.
pub(crate) fn test(names: &[&str]) -> Result {
    for name in names {
        if PLANNED.contains(name) {
            return Err(Failure::new(format!("stage {name} is not there yet")));
        }
        if !STAGES.iter().any(|(stage, _)| stage == name) {
            return Err(Failure::new(format!("no stage {name}")));
        }
    }
    let mut times = Vec::new();
    for (name, stage) in STAGES {
        if names.is_empty() || names.contains(name) {
            println!("== {name}");
            #[expect(clippy::disallowed_methods, reason = "how long a stage takes is for people")]
            let start = Instant::now();
            stage()?;
            times.push(format!("{name} {} s", start.elapsed().as_secs()));
        }
    }
    println!("== passed: {}", times.join(", "));
    Ok(())
}

/// Format, lint, layers, generated files.
pub(crate) fn check() -> Result {
    for component in ["fmt", "clippy"] {
        if !has_cargo(component) {
            let name = if component == "fmt" { "rustfmt" } else { component };
            return Err(Failure::new(format!("install it: rustup component add {name}")));
        }
    }
    cargo(&["fmt", "--all", "--check"])?;
    layers::check()?;
    generate::check()?;
    let lints = ["clippy", "--workspace", "--all-targets", "--features", TEST_FEATURES];
    cargo(&[&lints[..], &["--", "-D", "warnings"]].concat())
}

/// Time that tests move by hand, and places where tests kill the process.
const TEST_FEATURES: &str = "blockqueue/test-clock,blockqueue-server/test-clock";

fn rust() -> Result {
    check()?;
    // What users build: no test clock in it.
    cargo_with(&["check", "--package", "blockqueue"], &[("RUSTFLAGS", "-D warnings")])?;
    cargo(&["test", "--package", "blockqueue", "--features", "test-clock"])?;
    cargo(&["test", "--package", "xtask", "--package", "blockqueue-conformance"])
}

fn server() -> Result {
    cargo(&["test", "--package", "blockqueue-server", "--features", "test-clock"])
}

fn crash() -> Result {
    cargo(&["test", "--package", "blockqueue-tests"])
}

/// Benchmarks, in a release build.
pub(crate) fn bench(cases: &[&str]) -> Result {
    cargo(&[&["run", "--release", "--package", "blockqueue-bench", "--"], cases].concat())
}

/// Licences, advisories and sources of dependencies.
pub(crate) fn deny() -> Result {
    if !has_cargo("deny") {
        cargo(&["install", "--locked", "cargo-deny"])?;
    }
    cargo(&["deny", "check"])
}
