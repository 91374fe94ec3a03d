//! Who may use whom among the crates: faces stand on the core and never on each other.
//!
//! Reads the manifests of the workspace. Owns the list of what each face may use; crates that are not
//! faces (benchmarks, tests, chores) may use any face and are used by none.

use std::path::Path;

use crate::run::{Failure, Result, relative, root};
use crate::source;

const CORE: &str = "blockqueue";

/// The core and the faces, with what each may use in what it ships.
const SHIPPED: &[(&str, &[&str])] = &[
    (CORE, &[]),
    ("blockqueue-server", &[CORE]),
    ("blockqueue-python", &[CORE]),
    ("blockqueue-uniffi", &[CORE]),
    // One native library carries both: two of them do not link into one program.
    ("blockqueue-ffi", &[CORE, "blockqueue-uniffi"]),
];

/// What tests of the core and of any face may use besides: the scripts that all faces run.
const FOR_TESTS: &[&str] = &["blockqueue-conformance"];

/// Checks every manifest of the workspace.
pub(crate) fn check() -> Result {
    let mut manifests = Vec::new();
    for path in members(&source::read(&root().join("Cargo.toml"))?) {
        let path = root().join(path).join("Cargo.toml");
        manifests.push((relative(&path), Manifest::parse(&source::read(&path)?)));
    }
    Failure::unless_none("layers of the crates", &problems_of(&manifests))
}

fn problems_of(manifests: &[(String, Manifest)]) -> Vec<String> {
    let is_ours = |name: &str| manifests.iter().any(|(_, manifest)| manifest.name == name);
    let mut problems = Vec::new();
    for (path, Manifest { name, dependencies }) in manifests {
        let allowed =
            SHIPPED.iter().find(|(shipped, _)| shipped == name).map(|(_, allowed)| *allowed);
        for Dependency { line, on, for_tests } in dependencies.iter().filter(|d| is_ours(&d.on)) {
            let on = on.as_str();
            let is_allowed = match allowed {
                Some(allowed) => allowed.contains(&on) || (*for_tests && FOR_TESTS.contains(&on)),
                None => {
                    SHIPPED.iter().any(|(shipped, _)| *shipped == on) || FOR_TESTS.contains(&on)
                }
            };
            if !is_allowed {
                problems.push(format!("{path}:{line}: {name} must not depend on {on}"));
            }
        }
    }
    problems
}

/// The folders that the workspace lists.
fn members(workspace: &str) -> Vec<String> {
    let list = workspace.split("members = [").nth(1).and_then(|rest| rest.split(']').next());
    let quoted = list.unwrap_or_default().split('"').skip(1).step_by(2);
    quoted.filter(|member| Path::new(member).is_relative()).map(str::to_owned).collect()
}

#[derive(Debug, Default)]
struct Manifest {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, PartialEq)]
struct Dependency {
    line: usize,
    on: String,
    for_tests: bool,
}

impl Manifest {
    /// Knows the two forms in use: `name = …` below `[dependencies]`, and `[dependencies.name]`.
    fn parse(text: &str) -> Self {
        let mut manifest = Self::default();
        let mut section = String::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if let Some(header) = line.strip_prefix('[') {
                section = header.trim_matches(['[', ']']).into();
                let (table, name) = section.rsplit_once('.').unwrap_or(("", ""));
                manifest.add(table, name, number + 1);
            } else if let Some((key, value)) = line.split_once('=') {
                if section == "package" && key.trim() == "name" {
                    value.trim().trim_matches('"').clone_into(&mut manifest.name);
                }
                manifest.add(&section, renamed(key, value), number + 1);
            }
        }
        manifest
    }

    fn add(&mut self, section: &str, name: &str, line: usize) {
        if section.ends_with("dependencies") {
            let for_tests = section.ends_with("dev-dependencies");
            self.dependencies.push(Dependency { line, on: name.to_owned(), for_tests });
        }
    }
}

/// The package behind a dependency, which may go by another name here.
fn renamed<'a>(key: &'a str, value: &'a str) -> &'a str {
    let package = value.split("package = \"").nth(1).and_then(|rest| rest.split('"').next());
    package.unwrap_or_else(|| key.split('.').next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(crates: &[(&str, &str)]) -> Vec<String> {
        let manifest = |(name, rest): &(&str, &str)| {
            let text = format!("[package]\nname = \"{name}\"\n{rest}");
            ((*name).to_owned(), Manifest::parse(&text))
        };
        problems_of(&crates.iter().map(manifest).collect::<Vec<_>>())
    }

    #[test]
    fn a_face_on_a_face_is_found_with_its_line() {
        let found = problems(&[
            ("blockqueue-server", ""),
            ("blockqueue-python", "[dependencies]\nblockqueue-server = { path = \"../server\" }\n"),
        ]);
        let expected =
            "blockqueue-python:4: blockqueue-python must not depend on blockqueue-server";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn the_core_uses_no_face_and_no_face_uses_the_tests() {
        let core = ("blockqueue", "[dependencies.blockqueue-server]\nworkspace = true\n");
        assert_eq!(problems(&[core, ("blockqueue-server", "")]).len(), 1);
        let face = ("blockqueue-server", "[dev-dependencies]\nblockqueue-tests.workspace = true\n");
        assert_eq!(problems(&[face, ("blockqueue-tests", "")]).len(), 1);
    }

    #[test]
    fn scripts_are_for_tests_only() {
        let scripts = ("blockqueue-conformance", "");
        let test = ("blockqueue", "[dev-dependencies]\nblockqueue-conformance.workspace = true\n");
        assert_eq!(problems(&[scripts, test]), Vec::<String>::new());
        let ship = ("blockqueue", "[dependencies]\nblockqueue-conformance.workspace = true\n");
        assert_eq!(problems(&[scripts, ship]).len(), 1);
    }

    #[test]
    fn another_name_for_a_crate_is_no_way_around() {
        let server =
            "[dependencies]\nhttp = { package = \"blockqueue-python\", path = \"../p\" }\n";
        assert_eq!(problems(&[("blockqueue-server", server), ("blockqueue-python", "")]).len(), 1);
    }

    #[test]
    fn faces_use_the_core_and_crates_from_elsewhere() {
        let server = "[dependencies]\nblockqueue.workspace = true\naxum = \"0.8\"\n";
        assert_eq!(
            problems(&[("blockqueue", ""), ("blockqueue-server", server)]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn members_are_read_over_several_lines() {
        assert_eq!(
            members("[workspace]\nmembers = [\n  \"core\",\n  \"server\",\n]\n"),
            ["core", "server"]
        );
    }
}
