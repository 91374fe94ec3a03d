//! The stages of the tests. Each does its own set-up and runs alone, too.
//!
//! Invariant: a stage that is listed tests something; another is an error by name.

use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use crate::run::{Failure, Result, cargo, cargo_with, root};
use crate::{c, check, clients, go, interop, kotlin, php, python, stores, swift};

struct Stage {
    name: &'static str,
    run: fn() -> Result,
}

/// In the order in which they run: what is quick to fail comes first.
const STAGES: &[Stage] = &[
    Stage { name: "rust", run: rust },
    Stage { name: "server", run: server },
    Stage { name: "crash", run: crash },
    Stage { name: "sql", run: sql },
    Stage { name: "python", run: python::test },
    Stage { name: "c", run: c::test },
    Stage { name: "go", run: go::test },
    Stage { name: "php", run: php::test },
    Stage { name: "kotlin", run: kotlin::test },
    Stage { name: "swift", run: swift::test },
    Stage { name: "stores", run: stores::test },
    // All that the languages build is there by now.
    Stage { name: "interop", run: interop::test },
];

/// The library and everything that has no stage of its own, in one build: cargo unites the features of
/// the packages it is given, and another choice of packages would build the same crates again.
pub(crate) const LIBRARY: &[&str] = &[
    "--workspace",
    "--exclude",
    "blockqueue-server",
    "--exclude",
    "blockqueue-tests",
    "--exclude",
    "blockqueue-python",
    "--features",
    "blockqueue/test-clock,blockqueue-ffi/test-clock",
];

/// The HTTP server and the command line.
pub(crate) const SERVER: &[&str] = &["--package", "blockqueue-server", "--features", "test-clock"];

/// What lints look at: time that tests move by hand, in every face that has it.
pub(crate) const ALL_FEATURES: &str = "blockqueue/test-clock,blockqueue/postgres,blockqueue/turso,blockqueue-server/test-clock,\
     blockqueue-python/test-clock,blockqueue-ffi/test-clock,blockqueue-tests/sql-clients,blockqueue-tests/interop";

/// Rounds of the crash tests, and the seed that they start from; callers may set others.
const CRASH: &[(&str, &str)] =
    &[("BLOCKQUEUE_CRASH_ROUNDS", "40"), ("BLOCKQUEUE_CRASH_SEED", "20260101")];

/// How much goes through the example: enough that it is killed while it works.
const PIPELINE_LINES: u64 = 200_000;

/// Runs the stages named, or all there are.
pub(crate) fn test(names: &[&str]) -> Result {
    let stages = choose(names)?;
    let mut summary = String::new();
    for stage in stages {
        println!("== {}", stage.name);
        #[expect(clippy::disallowed_methods, reason = "how long a stage takes is for people")]
        let start = Instant::now();
        let result = (stage.run)();
        let verdict = if result.is_ok() { "passed" } else { "FAILED" };
        let seconds = start.elapsed().as_secs();
        let _ = writeln!(summary, "{verdict}  {:8} {seconds:4} s", stage.name);
        if let Err(failure) = result {
            println!("\n{summary}");
            return Err(failure);
        }
    }
    println!("\n{summary}");
    Ok(())
}

fn choose(names: &[&str]) -> Result<Vec<&'static Stage>> {
    for name in names {
        if !STAGES.iter().any(|stage| stage.name == *name) {
            let known: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
            let known = known.join(", ");
            return Err(Failure::new(format!("there is no stage {name}, only: {known}")));
        }
    }
    let is_chosen = |stage: &&Stage| names.is_empty() || names.contains(&stage.name);
    Ok(STAGES.iter().filter(is_chosen).collect())
}

/// Checks, then the library: unit tests, integration tests, and examples in the documentation and the
/// README; also the chores themselves.
fn rust() -> Result {
    check::check()?;
    cargo(&[&["test"], LIBRARY].concat())
}

/// The HTTP server and the command line.
fn server() -> Result {
    cargo(&[&["test"], SERVER].concat())
}

/// Several processes on one file, some of them killed.
fn crash() -> Result {
    let unset = |(name, _): &&(&str, &str)| std::env::var_os(name).is_none();
    let settings: Vec<_> = CRASH.iter().filter(unset).copied().collect();
    cargo_with(&["test", "--package", "blockqueue-tests"], &settings)?;
    pipeline()
}

/// The example, on a file of its own: it fails unless every subscriber has processed every line.
fn pipeline() -> Result {
    let file = root().join("target/pipeline.txt");
    let spread = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let line = |number| match number % 1_000 {
        0 => "\n".to_owned(),
        _ => format!("{number} {:0>1$x}\n", spread(number), (spread(number) >> 57) as usize),
    };
    fs::write(&file, (0..PIPELINE_LINES).map(line).collect::<String>())
        .map_err(Failure::because)?;
    let example = ["run", "--example", "pipeline"];
    cargo(&[&example[..], SERVER, &["--", &file.display().to_string()]].concat())
}

/// Client libraries of other languages on the queue's file.
fn sql() -> Result {
    let clients = clients::install()?;
    let variables: Vec<_> = clients.iter().map(|(name, path)| (*name, path.as_str())).collect();
    let test =
        ["test", "--package", "blockqueue-tests", "--features", "sql-clients", "--test", "sql"];
    cargo_with(&test, &variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Vec<&'static str> {
        choose(names).unwrap().iter().map(|stage| stage.name).collect()
    }

    #[test]
    fn no_name_means_all_stages() {
        let all = [
            "rust", "server", "crash", "sql", "python", "c", "go", "php", "kotlin", "swift",
            "stores", "interop",
        ];
        assert_eq!(chosen(&[]), all);
    }

    #[test]
    fn named_stages_run_in_their_own_order() {
        assert_eq!(chosen(&["crash", "rust"]), ["rust", "crash"]);
    }

    #[test]
    fn what_is_not_there_is_an_error_and_not_a_pass() {
        assert!(choose(&["rust", "nonsense"]).is_err());
    }
}
