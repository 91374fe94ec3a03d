//! Chores that are no part of the tests: benchmarks, and what dependencies bring with them.

use crate::ffi::Build;
use crate::postgres::{self, Sync};
use crate::run::{Result, cargo, cargo_with, has_cargo};
use crate::{c, go, php, turso};

/// Benchmarks, in a release build.
pub(crate) fn bench(arguments: &[&str]) -> Result {
    let run =
        ["run", "--release", "--package", "blockqueue-bench", "--bin", "blockqueue-bench", "--"];
    // A program of another language that a case asks what its calls cost.
    let build = |name: &str, build: fn() -> Result<String>| {
        let wanted = arguments.is_empty() || arguments.contains(&name);
        if wanted { build() } else { Ok(String::new()) }
    };
    let (in_c, in_go) = (build("c", c::bench)?, build("go", go::bench)?);
    let in_php = build("php", php::bench)?;
    let wants = |server: &str| {
        arguments.is_empty() || arguments.iter().any(|name| name.starts_with(server))
    };
    let server = wants("postgres-").then(|| postgres::Server::start(Sync::On)).transpose()?;
    let postgres = server.as_ref().map(postgres::Server::address).unwrap_or_default();
    let server = match wants("turso-").then(turso::Server::start).transpose() {
        // Whoever asks for everything gets the rest where npm has no such program.
        Err(failure) if arguments.is_empty() => {
            println!("{failure}");
            None
        }
        server => server?,
    };
    let turso = server.as_ref().map(|server| server.place.clone()).unwrap_or_default();
    let library = php::library(Build::Release);
    let programs = [
        ("BLOCKQUEUE_BENCH_C", in_c.as_str()),
        ("BLOCKQUEUE_BENCH_GO", &in_go),
        ("BLOCKQUEUE_BENCH_PHP", &in_php),
        ("BLOCKQUEUE_BENCH_POSTGRES", &postgres),
        ("BLOCKQUEUE_BENCH_TURSO", &turso),
        ("BLOCKQUEUE_LIBRARY", &library),
    ];
    cargo_with(&[&run[..], arguments].concat(), &programs)
}

/// Licences, advisories and sources of dependencies, as `deny.toml` allows them.
pub(crate) fn deny() -> Result {
    if !has_cargo("deny") {
        cargo(&["install", "--locked", "cargo-deny"])?;
    }
    cargo(&["deny", "--workspace", "check"])
}
