//! The folder of SQL: whole statements, one per file, each with a header and a use.
//!
//! Migrations are numbered from 0001 without gaps; they, and functions, are exempt from the rule of one statement.

use std::path::{Path, PathBuf};

use crate::run::{Failure, Result, relative, root};
use crate::source;

/// Checks `core/sql` against the sources of the core.
pub(crate) fn check() -> Result {
    let mut code = String::new();
    for path in source::files(&root().join("core/src"), "rs")? {
        code += &source::read(&path)?;
    }
    let mut problems = Vec::new();
    let mut migrations = Vec::new();
    for path in source::files(&root().join("core/sql"), "sql")? {
        let text = source::read(&path)?;
        let shown = relative(&path);
        let mut problem = |what: &str| problems.push(format!("{shown}: {what}"));
        if !text.starts_with("-- ") {
            problem("must open with a comment: parameters, and the index it expects");
        }
        if !is_included(&code, &path) {
            problem("is not used by any include_str!");
        }
        if is_migration(&path) {
            migrations.push(path);
        } else if !is_in(&path, "functions") && statements(&text) != 1 {
            problem("must hold exactly one statement, ended by a semicolon");
        }
    }
    problems.extend(misnumbered(&migrations));
    Failure::unless_none("SQL", &problems)
}

fn is_migration(path: &Path) -> bool {
    is_in(path, "migrations")
}

fn is_in(path: &Path, folder: &str) -> bool {
    path.parent().is_some_and(|parent| parent.ends_with(folder))
}

/// Whether the code includes the file by its place below the folder `sql`.
fn is_included(code: &str, path: &Path) -> bool {
    let below = path.strip_prefix(root().join("core")).unwrap_or(path);
    code.contains(&format!("/{}\"", below.display()))
}

/// Semicolons outside of comments and texts.
fn statements(text: &str) -> usize {
    let code: String =
        text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    code.split('\'').step_by(2).map(|part| part.matches(';').count()).sum()
}

/// Migrations of a dialect that do not count up from 1.
fn misnumbered(migrations: &[PathBuf]) -> Vec<String> {
    let mut problems = Vec::new();
    for dialect in migrations.chunk_by(|a, b| a.parent() == b.parent()) {
        for (position, path) in dialect.iter().enumerate() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let expected = format!("{:04}_", position + 1);
            if !name.starts_with(&expected) {
                problems.push(format!("{}: expected {expected}…", relative(path)));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_in_comments_and_texts_end_no_statement() {
        assert_eq!(statements("-- a; b\nSELECT ';' -- c;\n FROM t;\n"), 1);
        assert_eq!(statements("SELECT 1; SELECT 2;"), 2);
        assert_eq!(statements("SELECT 1"), 0);
    }

    #[test]
    fn a_statement_is_used_if_its_path_is_included() {
        let path = root().join("core/sql/sqlite/ack.sql");
        assert!(is_included("include_str!(\"../../../sql/sqlite/ack.sql\")", &path));
        assert!(!is_included("include_str!(\"../../../sql/sqlite/delivery_ack.sql\")", &path));
    }

    #[test]
    fn a_gap_in_the_numbers_of_migrations_is_found() {
        let paths = |names: &[&str]| -> Vec<PathBuf> {
            names.iter().map(|name| Path::new("sqlite/migrations").join(name)).collect()
        };
        assert!(misnumbered(&paths(&["0001_a.sql", "0002_b.sql"])).is_empty());
        assert_eq!(misnumbered(&paths(&["0001_a.sql", "0003_b.sql"])).len(), 1);
    }
}
