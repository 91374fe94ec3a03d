//! What a reader would see: format, layers, SQL, lints, generated files. The quick ones come first.

use crate::run::{Failure, Result, cargo, has_cargo, program};
use crate::{crates, generate, layers, sql, stages};

/// All of it; ends at the first that fails.
pub(crate) fn check() -> Result {
    need("fmt", "rustfmt")?;
    need("clippy", "clippy")?;
    cargo(&["fmt", "--all", "--check"])?;
    layers::check()?;
    crates::check()?;
    sql::check()?;
    lint()?;
    generate::check()
}

/// Clippy, and no warnings.
pub(crate) fn lint() -> Result {
    let deny = ["--", "-D", "warnings"];
    let everything = ["clippy", "--workspace", "--all-targets", "--features", stages::ALL_FEATURES];
    cargo(&[&everything[..], &deny].concat())?;
    // What users build: the library by itself, without the clock that tests move.
    cargo(&[&["clippy", "--package", "blockqueue", "--lib"], &deny[..]].concat())
}

/// A component of the toolchain: CI installs it, people are told how.
fn need(subcommand: &str, component: &str) -> Result {
    let words = ["component", "add", component];
    if !has_cargo(subcommand) && std::env::var_os("CI").is_some() {
        program("rustup", &words)?;
    }
    if has_cargo(subcommand) {
        return Ok(());
    }
    Err(Failure::new(format!("{component} is missing: rustup {}", words.join(" "))))
}
