//! Generated files. Each belongs to a test that compares it, and that writes it when told to; the code for Kotlin
//! and Swift comes from a generator instead.
//!
//! So whatever a file is generated from is compiled once, for the tests, and the chores stay small.

use crate::bindings;
use crate::run::{Result, cargo_with};
use crate::stages;

/// Tests that own generated files, by the packages they are built with.
const OWNERS: &[(&[&str], &str)] = &[(stages::LIBRARY, "golden"), (stages::SERVER, "golden")];

/// The variable that makes the tests write.
const WRITE: (&str, &str) = ("BLOCKQUEUE_GENERATE", "1");

/// Writes all generated files.
pub(crate) fn write() -> Result {
    run(&[WRITE])?;
    bindings::write()
}

/// Fails if a generated file is not what it would be written as.
pub(crate) fn check() -> Result {
    run(&[])?;
    bindings::check()
}

fn run(variables: &[(&str, &str)]) -> Result {
    for (packages, test) in OWNERS {
        cargo_with(&[&["test"], *packages, &["--test", test]].concat(), variables)?;
    }
    Ok(())
}
