//! The stage of the C ABI: the library, programs in C that use it as people do, and tools that look over their
//! shoulders. Installs, on a Debian machine, what it needs.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::ffi::{self, Build};
use crate::run::{Failure, Result, program, program_in, root};
use crate::source;

const FOLDER: &str = "ffi/ctest";

/// The compiler and its warnings.
const C: &[&str] = &["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-O1"];

/// Errors and leaks of memory end the program. A thread that is about to end is no leak.
const VALGRIND: &[&str] = &[
    "--quiet",
    "--error-exitcode=9",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite,indirect",
    "--show-leak-kinds=definite,indirect",
];

/// The scripts that run below valgrind, where all of them would take minutes: one in eight, unless the variable is set.
const UNDER_VALGRIND: (&str, &str) = ("CONFORMANCE_EVERY", "8");

/// A program: its name, its sources, and libraries besides ours.
struct Program(&'static str, &'static [&'static str], &'static [&'static str]);

const CONFORMANCE: Program =
    Program("conformance", &["conformance.c", "face.c", "values.c"], &["-ljansson", "-lpthread"]);
const MISUSE: Program = Program("misuse", &["misuse.c"], &[]);
const WAITS: Program = Program("waits", &["waits.c"], &["-lpthread"]);
const FORK: Program = Program("fork", &["fork.c"], &["-lpthread"]);

/// One of the programs of several languages that share a file.
const RING_NODE: Program = Program("ring-node", &["ring_node.c"], &[]);

/// What the calls cost; asked by the benchmarks, with the library that is released.
const BENCH: Program = Program("bench", &["bench.c"], &[]);

/// All of it.
pub(crate) fn test() -> Result {
    install()?;
    ffi::build(Build::Test)?;
    headers()?;
    symbols()?;
    for program in [CONFORMANCE, MISUSE, WAITS, FORK] {
        program.compile(Build::Test, "", &[])?;
        program.run("", &[], &[])?;
    }
    for program in [MISUSE, WAITS] {
        program.run("", VALGRIND, &[])?;
    }
    let (name, default) = UNDER_VALGRIND;
    let every = std::env::var(name).unwrap_or_else(|_| default.to_owned());
    CONFORMANCE.run("", VALGRIND, &[(name, &every)])?;
    for program in [CONFORMANCE, MISUSE, WAITS] {
        program.compile(
            Build::Test,
            "-asan",
            &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
        )?;
        program.run("-asan", &[], &[])?;
    }
    quick_start()
}

fn install() -> Result {
    let has = |name: &str, words: &[&str]| {
        Command::new(name).args(words).output().is_ok_and(|output| output.status.success())
    };
    let needed = [
        ("gcc", has("gcc", &["--version"])),
        ("g++", has("g++", &["--version"])),
        ("binutils", has("nm", &["--version"])),
        ("pkg-config", has("pkg-config", &["--version"])),
        ("valgrind", has("valgrind", &["--version"])),
        ("libjansson-dev", has("pkg-config", &["--exists", "jansson"])),
    ];
    let missing: Vec<_> =
        needed.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    program("apt-get", &["update", "--quiet"])?;
    program("apt-get", &[&["install", "--yes", "--quiet"], &missing[..]].concat())
}

/// Builds the program that the benchmarks ask; the answer is where it is.
pub(crate) fn bench() -> Result<String> {
    ffi::build(Build::Release)?;
    BENCH.compile(Build::Release, "", &["-O2"])?;
    Ok(BENCH.path(Build::Release, ""))
}

/// Builds the node of C; the answer is its command.
pub(crate) fn ring_node() -> Result<Vec<String>> {
    install()?;
    RING_NODE.compile(Build::Test, "", &[])?;
    Ok(vec![RING_NODE.path(Build::Test, "")])
}

impl Program {
    fn path(&self, build: Build, kind: &str) -> String {
        build.prefix().join(format!("{}{kind}", self.0)).display().to_string()
    }

    fn compile(&self, build: Build, kind: &str, options: &[&str]) -> Result {
        let Self(_, sources, libraries) = self;
        let out = self.path(build, kind);
        let posix = ["-D_POSIX_C_SOURCE=200809L", "-o", &out];
        let ours = paths(build);
        let ours: Vec<_> = ours.iter().map(String::as_str).collect();
        let words = [C, options, &posix, sources, &ours, &["-lblockqueue"], libraries].concat();
        program_in(FOLDER, "gcc", &words, &[])
    }

    /// Runs it, perhaps below a tool.
    fn run(&self, kind: &str, tool: &[&str], variables: &[(&str, &str)]) -> Result {
        let scripts = root().join("tests/conformance").display().to_string();
        let path = self.path(Build::Test, kind);
        let own: &[&str] = if self.0 == CONFORMANCE.0 { &[&scripts] } else { &[] };
        if tool.is_empty() {
            return program_in(FOLDER, &path, own, variables);
        }
        program_in(FOLDER, "valgrind", &[tool, &[path.as_str()], own].concat(), variables)
    }
}

/// What a compiler needs to find the library, also when the program runs.
fn paths(build: Build) -> Vec<String> {
    let prefix = build.prefix().display().to_string();
    vec![
        format!("-I{prefix}/include"),
        format!("-L{prefix}/lib"),
        format!("-Wl,-rpath,{prefix}/lib"),
    ]
}

/// They compile by themselves, as C and as C++; the plain one as soon as the types are there.
fn headers() -> Result {
    let folder = "ffi/include";
    let check = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"];
    program_in(folder, "gcc", &[&check[..], &["-std=c99", "blockqueue.h"]].concat(), &[])?;
    program_in(folder, "g++", &[&check[..], &["-x", "c++", "blockqueue.h"]].concat(), &[])?;
    let types = ["-include", "stdbool.h", "-include", "stddef.h", "-include", "stdint.h"];
    program_in(folder, "gcc", &[&check[..], &types, &["blockqueue_plain.h"]].concat(), &[])
}

/// What the headers declare is what the library has, and the other way round.
fn symbols() -> Result {
    let library = Build::Test.prefix().join("lib/libblockqueue.so").display().to_string();
    let output = Command::new("nm")
        .args(["--dynamic", "--defined-only", "--format=posix", &library])
        .output()
        .map_err(|error| Failure::new(format!("nm: {error}")))?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = listed.lines().filter_map(|line| line.split(' ').next());
    // With the version of the ABI, which makes another symbol of the same name another one.
    let exported: BTreeSet<_> = names
        .filter(|name| name.starts_with("bq_"))
        .map(|name| name.strip_suffix("@@BLOCKQUEUE_1").unwrap_or("a symbol without version"))
        .map(str::to_owned)
        .collect();
    let mut declared = BTreeSet::new();
    for header in ["blockqueue.h", "blockqueue_test.h"] {
        declared.extend(functions(&source::read(&root().join("ffi/include").join(header))?));
    }
    let missing = declared.difference(&exported).map(|name| format!("{name} is not exported"));
    let hidden = exported.difference(&declared).map(|name| format!("{name} is in no header"));
    Failure::unless_none("symbols of the library", &missing.chain(hidden).collect::<Vec<_>>())
}

/// The functions that a header declares: a name behind a type, and a parenthesis.
fn functions(header: &str) -> BTreeSet<String> {
    let code = header.lines().filter(|line| !line.trim_start().starts_with(['*', '/', '#']));
    let names = code.filter_map(|line| {
        let (before, _) = line.split_once('(')?;
        let name = before.rsplit([' ', '*']).next()?;
        (name.starts_with("bq_") && !line.starts_with("typedef")).then(|| name.to_owned())
    });
    names.collect()
}

/// The first example of the README, compiled as it says, with the shared library and with the static one.
fn quick_start() -> Result {
    let readme = source::read(&root().join("ffi/README.md"))?;
    let block = |language: &str| {
        let start = readme.split_once(&format!("```{language}\n"));
        start.and_then(|(_, rest)| rest.split_once("```")).map(|(block, _)| block.to_owned())
    };
    let (Some(code), Some(expected)) = (block("c"), block("text")) else {
        return Err(Failure::new(
            "ffi/README.md has no example in C, or does not say what it prints",
        ));
    };
    if code.lines().count() >= 20 {
        return Err(Failure::new("the quick start of ffi/README.md has 20 lines or more"));
    }
    let folder = root().join("target/ffi-test/quick-start");
    let fail = |error: std::io::Error| Failure::new(format!("{}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(fail)?;
    fs::write(folder.join("quick.c"), code).map_err(fail)?;
    let prefix = Build::Test.prefix().display().to_string();
    let shared =
        "cc -Wall -Wextra -Werror quick.c -o shared $(pkg-config --cflags --libs blockqueue) \
                  && ./shared > shared.txt"
            .to_owned();
    let fixed = format!(
        "cc -Wall -Wextra -Werror quick.c -o fixed -I{prefix}/include {prefix}/lib/libblockqueue.a -lpthread -ldl \
         -lm && ./fixed > fixed.txt"
    );
    for (command, answer) in [(shared, "shared.txt"), (fixed, "fixed.txt")] {
        let pkg_config = format!("{prefix}/lib/pkgconfig");
        let library_path = format!("{prefix}/lib");
        let variables =
            [("PKG_CONFIG_PATH", pkg_config.as_str()), ("LD_LIBRARY_PATH", library_path.as_str())];
        program_in("target/ffi-test/quick-start", "sh", &["-c", &command], &variables)?;
        if fs::read_to_string(folder.join(answer)).map_err(fail)? != expected {
            return Err(Failure::new("the quick start does not print what ffi/README.md says"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_told_from_types_and_comments() {
        let header = "/**\n * Not bq_this(one).\n */\ntypedef void (*bq_progress)(int n);\n\
                      const char *bq_version(void);\n\nbq_status bq_queue_open(const char *path,\n    int n);\n";
        let expected = ["bq_queue_open", "bq_version"].map(str::to_owned);
        assert_eq!(functions(header), BTreeSet::from(expected));
    }
}
