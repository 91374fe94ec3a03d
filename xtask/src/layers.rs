//! Who may use whom, between crates and between the modules of the core: downwards only.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Failure, Result, root};

/// The modules of the core, from the top. Those of one level may use each other.
const LEVELS: &[&[&str]] = &[
    &["worker"],
    &["queue"],
    &["pending", "engine"],
    &["store"],
    &["op"],
    &["backoff"],
    &["model", "options", "error", "limits", "clock", "entropy", "failpoint"],
];

/// Crates that stand on the core and never on each other.
const LEAVES: &[&str] = &["server", "python", "ffi"];

pub(crate) fn check() -> Result {
    let mut problems = Vec::new();
    let source = root().join("core/src");
    for file in rust_files(&source)? {
        let module = module_of(&source, &file);
        let text = fs::read_to_string(&file)?;
        problems.extend(forbidden_uses(&module, &text).into_iter().map(|(line, used)| {
            format!("{}:{line}: {module} must not use {used}", file.display())
        }));
    }
    for leaf in LEAVES {
        let manifest = root().join(leaf).join("Cargo.toml");
        if let Ok(text) = fs::read_to_string(&manifest) {
            problems.extend(forbidden_dependencies(leaf, &text));
        }
    }
    let core = fs::read_to_string(root().join("core/Cargo.toml"))?;
    problems.extend(forbidden_dependencies("core", &core));
    if problems.is_empty() { Ok(()) } else { Err(Failure::new(problems.join("\n"))) }
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The module directly below the crate's root that a file belongs to.
fn module_of(source: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(source).unwrap_or(file);
    let first = relative.components().next().map(|part| part.as_os_str().to_string_lossy());
    first.unwrap_or_default().trim_end_matches(".rs").to_owned()
}

fn level(module: &str) -> Option<usize> {
    LEVELS.iter().position(|level| level.contains(&module))
}

/// Lines that reach upwards, with what they reach for.
fn forbidden_uses(module: &str, text: &str) -> Vec<(usize, String)> {
    let Some(own) = level(module) else { return Vec::new() };
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for part in code.split("crate::").skip(1) {
            let used: String =
                part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if level(&used).is_some_and(|other| other < own) {
                found.push((number + 1, used));
            }
        }
    }
    found
}

fn forbidden_dependencies(owner: &str, manifest: &str) -> Vec<String> {
    let forbidden =
        LEAVES.iter().filter(|leaf| **leaf != owner).map(|leaf| format!("blockqueue-{leaf}"));
    forbidden
        .filter(|name| manifest.lines().any(|line| line.trim_start().starts_with(name.as_str())))
        .map(|name| format!("{owner} must not depend on {name}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaching_upwards_is_found_and_downwards_is_not() {
        let text = "use crate::error::Error;\nuse crate::queue::Queue; // crate::worker\n";
        assert_eq!(forbidden_uses("store", text), [(2, "queue".to_owned())]);
        assert_eq!(forbidden_uses("worker", text), []);
    }

    #[test]
    fn modules_of_one_level_may_use_each_other() {
        assert_eq!(forbidden_uses("engine", "crate::pending::Pending"), []);
    }

    #[test]
    fn a_leaf_on_a_leaf_is_found() {
        let manifest = "[dependencies]\nblockqueue-server = { path = \"../server\" }\n";
        assert_eq!(forbidden_dependencies("python", manifest).len(), 1);
        assert_eq!(forbidden_dependencies("server", manifest), Vec::<String>::new());
    }

    #[test]
    fn a_file_belongs_to_the_module_below_the_root() {
        let source = Path::new("core/src");
        assert_eq!(module_of(source, Path::new("core/src/store/sqlite/tx.rs")), "store");
        assert_eq!(module_of(source, Path::new("core/src/queue.rs")), "queue");
    }
}
