//! The headers, generated from the sources.
//!
//! `cargo xtask generate` sets `BLOCKQUEUE_GENERATE`, which makes these tests write what they compare.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};

/// The sources with declarations, in the order of the header.
const SOURCES: &[&str] = &[
    "version",
    "status",
    "error",
    "slice",
    "text",
    "id",
    "queue",
    "token",
    "message",
    "publish",
    "delivery",
    "claim",
    "settle",
    "completions",
    "start",
    "result",
    "topic",
    "subscriber",
    "letters",
    "schedule",
    "look",
    "transaction",
    "limits",
];

const LITERAL: &str = "/**\n * Pointer and length of a text that stands in the source.\n */\n\
     #define BQ_LITERAL(text) (text), (sizeof(text) - 1)";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn source(name: &str) -> PathBuf {
    root().join("src").join(name).with_extension("rs")
}

fn config() -> Config {
    Config {
        language: Language::C,
        style: Style::Both,
        usize_is_size_t: true,
        documentation_style: DocumentationStyle::Doxy,
        line_length: 120,
        ..Config::default()
    }
}

/// For C and C++.
fn header() -> Builder {
    let config = Config {
        header: Some(fs::read_to_string(root().join("header.txt")).unwrap().trim_end().into()),
        include_guard: Some("BLOCKQUEUE_H".into()),
        no_includes: true,
        sys_includes: vec!["stdbool.h".into(), "stddef.h".into(), "stdint.h".into()],
        cpp_compat: true,
        trailer: Some(LITERAL.into()),
        ..config()
    };
    with_sources(config, SOURCES)
}

/// Declarations alone, for readers without a preprocessor.
fn plain(sources: &[&str]) -> Builder {
    let header =
        "/* Generated, as blockqueue.h, which explains it. There is no preprocessor in here. */";
    with_sources(
        Config { header: Some(header.into()), no_includes: true, documentation: false, ..config() },
        sources,
    )
}

fn with_sources(mut config: Config, sources: &[&str]) -> Builder {
    config.export.rename = [("Flag".into(), "bool".into())].into();
    // Fields and arguments are integers, so that nothing refers to them.
    config.export.include = sources.iter().flat_map(|name| enums(name)).collect();
    let builder = Builder::new().with_config(config);
    sources.iter().fold(builder, |builder, name| builder.with_src(source(name)))
}

fn enums(name: &str) -> Vec<String> {
    let text = fs::read_to_string(source(name)).unwrap();
    let names = text.lines().filter_map(|line| line.strip_prefix("pub enum ")?.split_once(' '));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Where packages have headers of their own, because theirs are all that comes with them.
const COPIES: &[(&str, &str)] = &[
    ("blockqueue.h", "../bindings/go"),
    ("blockqueue_test.h", "../bindings/go"),
    ("blockqueue_plain.h", "../bindings/php/include"),
];

fn compare(name: &str, builder: Builder) {
    let mut written = Vec::new();
    builder.generate().unwrap().write(&mut written);
    let written = String::from_utf8(written).unwrap();
    let copies = COPIES.iter().filter(|(copied, _)| *copied == name).map(|(_, folder)| *folder);
    for folder in copies.chain(["include"]) {
        compare_file(&root().join(folder).join(name), &written);
    }
}

fn compare_file(golden: &Path, written: &str) {
    if std::env::var_os("BLOCKQUEUE_GENERATE").is_some() {
        fs::write(golden, written).unwrap();
    }
    assert!(
        fs::read_to_string(golden).is_ok_and(|found| found == written),
        "{} is not up to date. Run `cargo xtask generate`, and look at the difference: what was released \
         must not change.",
        golden.display(),
    );
}

#[test]
fn the_header_is_up_to_date() {
    compare("blockqueue.h", header());
}

#[test]
fn the_plain_header_is_up_to_date() {
    compare("blockqueue_plain.h", plain(SOURCES));
}

#[test]
fn the_header_of_the_clock_for_tests_is_up_to_date() {
    compare("blockqueue_test.h", plain(&["clock"]));
}

#[test]
fn every_source_with_a_declaration_is_in_the_header() {
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap().to_owned();
        let declares = fs::read_to_string(&path).is_ok_and(|text| text.contains("no_mangle"));
        assert!(!declares || name == "clock" || SOURCES.contains(&name.as_str()), "{name}");
    }
}

/// The head of the table of errors in the README.
const ERRORS: &str = "| status | code | retry | meaning |\n|---|---|---|---|\n";

#[test]
fn the_table_of_errors_is_up_to_date() {
    let readme = root().join("README.md");
    let text = fs::read_to_string(&readme).unwrap();
    let (before, rest) = text.split_once(ERRORS).unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    compare_file(&readme, &format!("{before}{ERRORS}{}\n\n{after}", errors().join("\n")));
}

/// A row for each error: what the core's table says, and the documentation of its constant.
fn errors() -> Vec<String> {
    let codes = blockqueue::error_codes();
    let row = |code: &blockqueue::ErrorCode| {
        let (name, meaning) = constant(code.number);
        let retry = format!("{:?}", code.retry).to_lowercase();
        format!("| {} `{name}` | `{}` | {retry} | {meaning} |", code.number, code.code)
    };
    codes.iter().map(row).collect()
}

/// The constant of this number, and its documentation in one line.
fn constant(number: u16) -> (String, String) {
    let text = fs::read_to_string(source("status")).unwrap();
    let end = format!(" = {number},");
    let above: Vec<_> =
        text.lines().map(str::trim).take_while(|line| !line.ends_with(&end)).collect();
    let documented = above.iter().rev().map_while(|line| line.strip_prefix("/// "));
    let mut lines: Vec<_> = documented.collect();
    lines.reverse();
    let line = text.lines().nth(above.len()).unwrap();
    (line.trim().trim_end_matches(&end).to_owned(), lines.join(" "))
}
