//! Chores that are no part of the tests: benchmarks, and what dependencies bring with them.

use crate::run::{Result, cargo, has_cargo};

/// Benchmarks, in a release build.
pub(crate) fn bench(arguments: &[&str]) -> Result {
    let run =
        ["run", "--release", "--package", "blockqueue-bench", "--bin", "blockqueue-bench", "--"];
    cargo(&[&run[..], arguments].concat())
}

/// Licences, advisories and sources of dependencies, as `deny.toml` allows them.
pub(crate) fn deny() -> Result {
    if !has_cargo("deny") {
        cargo(&["install", "--locked", "cargo-deny"])?;
    }
    cargo(&["deny", "--workspace", "check"])
}
