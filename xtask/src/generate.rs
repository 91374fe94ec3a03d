//! Generated files: written by `cargo xtask generate`, compared by `cargo xtask check`.

use std::fs;
use std::path::PathBuf;

use crate::run::{Failure, Result, root};

/// Every generated file and what it must hold.
fn files() -> Result<Vec<(PathBuf, String)>> {
    let codes = serde_json::to_string_pretty(&blockqueue::error_codes())
        .map_err(|error| Failure::new(error.to_string()))?;
    Ok(vec![(root().join("tests/golden/error_codes.json"), codes + "\n")])
}

pub(crate) fn write() -> Result {
    for (path, text) in files()? {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text)?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

pub(crate) fn check() -> Result {
    for (path, text) in files()? {
        if fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            let path = path.display();
            return Err(Failure::new(format!("{path} is not up to date: cargo xtask generate")));
        }
    }
    Ok(())
}
