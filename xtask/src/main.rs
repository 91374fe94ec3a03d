//! Chores of this repository. `cargo xtask` lists them; CI runs the same ones.

mod generate;
mod layers;
mod run;
mod stages;

use std::process::ExitCode;

use run::Failure;

const USAGE: &str = "\
cargo xtask check            format, lint, layers, generated files
cargo xtask test [STAGE…]    all stages, or those named: rust, server, crash
cargo xtask bench [CASE…]    benchmarks, each beside the bare database
cargo xtask generate         writes the generated files anew
cargo xtask layers           who may use whom
cargo xtask deny             licences, advisories and sources of dependencies";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["check"] => stages::check(),
        ["test", stages @ ..] => stages::test(stages),
        ["bench", cases @ ..] => stages::bench(cases),
        ["generate"] => generate::write(),
        ["layers"] => layers::check(),
        ["deny"] => stages::deny(),
        _ => Err(Failure::new(USAGE)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
