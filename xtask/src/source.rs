//! Reading the repository: files of a folder, and Rust text without what is not code.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Failure, Result, relative};

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Failure::new(format!("{}: {error}", relative(path))))
}

/// The files below a folder whose names end in this, in the order of their paths.
pub(crate) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let fail = |error: std::io::Error| Failure::new(format!("{}: {error}", relative(folder)));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_dir() {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Rust text with line comments blanked out; lines stay where they are. Good enough to look for paths:
/// a `//` within a string hides the rest of that line only.
pub(crate) fn without_comments(text: &str) -> String {
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned() + "\n";
    text.lines().map(code).collect()
}

/// The number of the line, from 1, that a byte of the text is on.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
