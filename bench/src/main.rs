//! Runs the cases named on the command line, or all, and prints a table.
//!
//! `--dir PATH` chooses the file system; the default is the directory for temporary files. `--peers` runs
//! the comparison with other queues instead.

use std::path::PathBuf;
use std::process::ExitCode;

use blockqueue_bench::cases::CASES;
use blockqueue_bench::{once, peers, processes, servers};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let ended = servers::run(&words)
        .or_else(|| processes::run(&words))
        .or_else(|| peers::run(&words))
        .or_else(|| once::run(&words));
    if let Some(ended) = ended {
        return match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let mut arguments = words.into_iter();
    let mut directory = std::env::temp_dir();
    let mut wanted = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--dir" => directory = arguments.next().map(PathBuf::from).unwrap_or(directory),
            name => wanted.push(name.to_owned()),
        }
    }
    let unknown = wanted.iter().find(|name| !CASES.iter().any(|(case, _)| case == name));
    if let Some(name) = unknown {
        let names: Vec<_> = CASES.iter().map(|(case, _)| *case).collect();
        eprintln!("no case {name:?}; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    println!("| case | queue | baseline | ratio | must reach | |\n|---|---|---|---|---|---|");
    let mut failed = false;
    for (name, case) in CASES {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        let rows = tempfile::tempdir_in(&directory)
            .map_err(Into::into)
            .and_then(|files| case(files.path()));
        match rows {
            Ok(rows) => {
                for row in rows {
                    let mark = if row.reached { "✓" } else { "✗" };
                    println!(
                        "| {} | {} | {} | {} | {} | {mark} |",
                        row.case, row.ours, row.base, row.ratio, row.target
                    );
                }
            }
            Err(error) => {
                eprintln!("{name}: {error}");
                failed = true;
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
