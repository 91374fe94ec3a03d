//! Who may use whom among the modules of the core: downwards, or sideways within a level.
//!
//! Owns the table of levels. Reads `crate::…` and `super::…` paths, in any form of `use` and in code.
//! Invariant: every module of the core has its place in the table, so a new one cannot slip past it.

use std::path::{Component, Path};

use crate::run::{Failure, Result, relative, root};
use crate::source;

/// The modules of the core from the top; those on one line may use each other. `lib` is above all.
const LEVELS: &[&[&str]] = &[
    &["worker"],
    &["queue", "copy"],
    &["shards"],
    // The answer to come carries the work that the engine takes, and the engine makes such answers.
    &["pending", "engine"],
    &["store"],
    &["op"],
    &["backoff", "firing", "process"],
    // The words that everything is said in. Options name messages, errors name messages, messages carry
    // options: one vocabulary in several files.
    &["model", "options", "error", "clock", "limits", "entropy", "failpoint", "recurrence"],
];

/// Checks the sources of the core.
pub(crate) fn check() -> Result {
    let sources = root().join("core/src");
    let mut problems = Vec::new();
    for path in source::files(&sources, "rs")? {
        let place = Place::of(path.strip_prefix(&sources).unwrap_or(&path));
        if place.module == "lib" {
            continue;
        }
        let text = source::read(&path)?;
        for (line, problem) in problems_of(&place, &text) {
            problems.push(format!("{}:{line}: {problem}", relative(&path)));
        }
    }
    Failure::unless_none("layers of the core", &problems)
}

/// Where in the tree of modules a file is.
#[derive(Debug, PartialEq)]
struct Place {
    /// The module directly below the root of the crate.
    module: String,
    /// Steps up to the root.
    depth: usize,
}

impl Place {
    fn of(relative: &Path) -> Self {
        let parts: Vec<_> = relative
            .components()
            .filter_map(|part| match part {
                Component::Normal(name) => name.to_str(),
                _ => None,
            })
            .map(|name| name.trim_end_matches(".rs"))
            .filter(|name| *name != "mod")
            .collect();
        Self {
            module: parts.first().map_or_else(String::new, ToString::to_string),
            depth: parts.len(),
        }
    }
}

fn level(module: &str) -> Option<usize> {
    LEVELS.iter().position(|level| level.contains(&module))
}

/// Lines that reach where they must not, and what is wrong with them.
fn problems_of(place: &Place, text: &str) -> Vec<(usize, String)> {
    let module = &place.module;
    let Some(own) = level(module) else {
        return vec![(
            1,
            format!("module {module} has no place in the table of xtask/src/layers.rs"),
        )];
    };
    let code = source::without_comments(text);
    let judge = |(line, used): (usize, String)| match level(&used) {
        Some(other) if other < own => Some((line, format!("{module} must not use {used}"))),
        Some(_) => None,
        None if used == *module => None,
        None if used.starts_with(char::is_uppercase) => Some((
            line,
            format!("{module} must name {used} by its module, not by the crate's root"),
        )),
        None => Some((line, format!("{module} uses {used}, which has no place in the table"))),
    };
    used_from_root(&code, place.depth).into_iter().filter_map(judge).collect()
}

/// The names directly below the crate's root that a text uses, each with its line.
fn used_from_root(code: &str, depth: usize) -> Vec<(usize, String)> {
    let to_root = "super::".repeat(depth);
    let mut found = Vec::new();
    for prefix in ["crate::", to_root.as_str()] {
        for (offset, _) in code.match_indices(prefix) {
            let before = code.get(..offset).unwrap_or_default();
            // `my_crate::`, and a chain of `super::` seen from its middle.
            if before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
                || before.ends_with("super::")
            {
                continue;
            }
            let rest = code.get(offset + prefix.len()..).unwrap_or_default();
            let line = source::line_of(code, offset);
            let names = names(rest).into_iter();
            // In a module within the file the same chain ends at the file's own names.
            let names = names.filter(|name| prefix == "crate::" || level(name).is_some());
            found.extend(names.map(|name| (line, name)));
        }
    }
    found
}

/// The first names of what follows a prefix: one, or those of a group in braces.
fn names(rest: &str) -> Vec<String> {
    let Some(group) = rest.trim_start().strip_prefix('{') else {
        return Vec::from_iter(identifier(rest));
    };
    let mut names = Vec::new();
    let mut nested = 0_usize;
    let mut start = 0;
    for (offset, character) in group.char_indices() {
        match character {
            '{' => nested += 1,
            '}' if nested > 0 => nested -= 1,
            ',' | '}' if nested == 0 => {
                names.extend(group.get(start..offset).and_then(identifier));
                start = offset + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> Option<String> {
    let word = |c: &char| c.is_alphanumeric() || *c == '_';
    let name: String = text.trim_start().chars().take_while(word).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> Vec<(usize, String)> {
        problems_of(&Place::of(Path::new(file)), text)
    }

    #[test]
    fn reaching_upwards_is_found_with_its_line() {
        let text = "use crate::error::Error;\nuse crate::queue::Queue;\n";
        assert_eq!(found("store.rs", text), [(2, "store must not use queue".to_owned())]);
    }

    #[test]
    fn reaching_downwards_and_sideways_is_allowed() {
        assert_eq!(found("worker.rs", "use crate::queue::Queue;\n"), []);
        assert_eq!(found("engine/writer.rs", "crate::pending::Pending\n"), []);
        assert_eq!(found("model.rs", "use crate::options::TopicOptions;\n"), []);
    }

    #[test]
    fn groups_are_looked_into_over_several_lines() {
        let text = "use crate::{\n    error::{Error, Result},\n    engine::Engine,\n};\n";
        assert_eq!(found("op.rs", text), [(1, "op must not use engine".to_owned())]);
    }

    #[test]
    fn the_way_over_super_is_no_way_around() {
        let text = "fn f() { super::super::super::queue::g() }\n";
        assert_eq!(found("store/sqlite/tx.rs", text), [(1, "store must not use queue".to_owned())]);
        assert_eq!(found("error.rs", "use super::store;\n").len(), 1);
        assert_eq!(found("error.rs", "mod tests {\n    use super::*;\n}\n"), []);
    }

    #[test]
    fn what_is_exported_is_named_by_its_module() {
        assert_eq!(found("store.rs", "use crate::Error;\n").len(), 1);
    }

    #[test]
    fn comments_are_not_uses() {
        let text = "//! As [`crate::Queue`] says.\n/// See [`crate::queue`].\nfn f() {} // crate::worker\n";
        assert_eq!(found("limits.rs", text), []);
    }

    #[test]
    fn a_module_without_a_place_is_found_on_both_ends() {
        assert_eq!(found("novelty.rs", "").len(), 1);
        assert_eq!(found("queue.rs", "use crate::novelty::New;\n").len(), 1);
    }

    #[test]
    fn a_file_belongs_to_the_module_below_the_root() {
        let place = Place::of(Path::new("store/sqlite/tx.rs"));
        assert_eq!(place, Place { module: "store".to_owned(), depth: 3 });
        assert_eq!(Place::of(Path::new("store/mod.rs")).depth, 1);
    }
}
