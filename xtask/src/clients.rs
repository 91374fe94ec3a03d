//! The client libraries that the tests of the SQL contract need, installed below `target` or, for PHP, on a
//! Debian machine by its package manager.

use std::process::Command;

use crate::go;
use crate::run::{Failure, Result, cargo, program, program_in, root};

/// Exact versions, so that a test fails for our reasons only.
const PYTHON_PACKAGES: &[&str] = &["sqlalchemy==2.0.44", "django==5.2.8"];

/// Where they are, as variables for the tests.
pub(crate) fn install() -> Result<Vec<(&'static str, String)>> {
    let target = root().join("target/sql");
    let place = |below: &str| target.join(below).display().to_string();
    install_php()?;
    let python = place("venv/bin/python");
    if !root().join(&python).exists() {
        program("python3", &["-m", "venv", &place("venv")])?;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    program(&python, &[&pip[..], PYTHON_PACKAGES].concat())?;
    let old = place("old-sqlite");
    let manifest = "tests/sql/old-sqlite/Cargo.toml";
    cargo(&["build", "--locked", "--manifest-path", manifest, "--target-dir", &old])?;
    let go = root().join(place("go")).display().to_string();
    install_go(&go)?;
    Ok(vec![
        ("BLOCKQUEUE_SQL_PYTHON", python),
        ("BLOCKQUEUE_SQL_GO", go),
        ("BLOCKQUEUE_SQL_OLD_SQLITE", format!("{old}/debug/old-sqlite")),
    ])
}

/// A program of Go with the SQLite that its driver compiles: in seconds, if nobody asks for a fast one.
fn install_go(program: &str) -> Result {
    go::check_toolchain()?;
    let quickly = [("CGO_ENABLED", "1"), ("CGO_CFLAGS", "-O0")];
    program_in("tests/sql/go", "go", &["vet", "."], &quickly)?;
    program_in("tests/sql/go", "go", &["build", "-o", program, "."], &quickly)
}

/// PHP with its driver for SQLite.
fn install_php() -> Result {
    let has_driver = || {
        let drivers =
            Command::new("php").args(["-r", "print_r(PDO::getAvailableDrivers());"]).output();
        drivers.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("sqlite"))
    };
    if !has_driver() {
        program("apt-get", &["update", "--quiet"])?;
        program("apt-get", &["install", "--yes", "--quiet", "php8.2-cli", "php8.2-sqlite3"])?;
    }
    if has_driver() { Ok(()) } else { Err(Failure::new("php has no driver for SQLite")) }
}
