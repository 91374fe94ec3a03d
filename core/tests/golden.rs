//! Files that the faces of every language read, generated from the one table in the core.

use std::fs;
use std::path::Path;

/// Compares a file with what it must hold; `cargo xtask generate` makes this write it instead.
fn check(path: &Path, expected: &str) {
    if std::env::var_os("BLOCKQUEUE_GENERATE").is_some() {
        fs::write(path, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not up to date. Run `cargo xtask generate`, and look at the difference: \
         a code or a number that was released must not change.",
        path.display(),
    );
}

#[test]
fn the_table_of_error_codes_is_up_to_date() {
    let codes = serde_json::to_string_pretty(&blockqueue::error_codes()).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/error_codes.json");
    check(&golden, &(codes + "\n"));
}
