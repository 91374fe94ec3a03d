//! Chores that are no part of the tests: benchmarks, and what dependencies bring with them.

use crate::c;
use crate::run::{Result, cargo, cargo_with, has_cargo};

/// Benchmarks, in a release build.
pub(crate) fn bench(arguments: &[&str]) -> Result {
    let run =
        ["run", "--release", "--package", "blockqueue-bench", "--bin", "blockqueue-bench", "--"];
    // A program of another language that a case asks what its calls cost.
    let in_c =
        if arguments.is_empty() || arguments.contains(&"c") { c::bench()? } else { String::new() };
    cargo_with(&[&run[..], arguments].concat(), &[("BLOCKQUEUE_BENCH_C", &in_c)])
}

/// Licences, advisories and sources of dependencies, as `deny.toml` allows them.
pub(crate) fn deny() -> Result {
    if !has_cargo("deny") {
        cargo(&["install", "--locked", "cargo-deny"])?;
    }
    cargo(&["deny", "--workspace", "check"])
}
