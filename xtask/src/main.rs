//! Chores of this repository. `cargo xtask` lists them; CI runs the same ones.

mod bindings;
mod c;
mod check;
mod clients;
mod crates;
mod ffi;
mod generate;
mod go;
mod interop;
mod kotlin;
mod layers;
mod php;
mod postgres;
mod python;
mod run;
mod source;
mod sql;
mod stages;
mod stores;
mod swift;
mod tools;
mod turso;
mod wheel;

use std::process::ExitCode;

use run::Failure;

const USAGE: &str = "\
cargo xtask check            format, layers, SQL, lints, generated files
cargo xtask lint             only the lints
cargo xtask test [STAGE…]    all stages there are, or those named: rust, server, crash, sql, python, c, go,
                             php, kotlin, swift, stores, interop
cargo xtask bench [ARG…]     benchmarks, in a release build; ARGs go to the benchmark program,
                             --peers compares with other queues, `python` the Python package,
                             `kotlin` and `swift` those packages; `c`, `go` and `php` may be among ARGs
cargo xtask ffi [--test-clock]
                             the native library with its headers, in target/ffi; with time that tests
                             move by hand, in target/ffi-test
cargo xtask wheel            the wheel of the Python package with the command in it, for Linux since 2014
cargo xtask jar              the jar of the Kotlin package with the native library of this machine
cargo xtask generate         writes the generated files anew; `generate bindings` only Kotlin's and Swift's
cargo xtask layers           who may use whom: modules of the core, and crates
cargo xtask deny             licences, advisories and sources of dependencies; wants the network";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["check"] => check::check(),
        ["lint"] => check::lint(),
        ["test", stages @ ..] => stages::test(stages),
        ["bench", "python"] => python::bench(),
        ["bench", "kotlin"] => kotlin::bench(),
        ["bench", "swift"] => swift::bench(),
        ["bench", arguments @ ..] => tools::bench(arguments),
        ["ffi"] => ffi::build(ffi::Build::Release),
        ["ffi", "--test-clock"] => ffi::build(ffi::Build::Test),
        ["wheel"] => wheel::release(),
        ["jar"] => kotlin::jar(),
        ["generate"] => generate::write(),
        ["generate", "bindings"] => bindings::write(),
        ["layers"] => layers::check().and_then(|()| crates::check()),
        ["deny"] => tools::deny(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(Failure::new(format!("no such chore\n\n{USAGE}"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
