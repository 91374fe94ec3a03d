//! Files that the faces of every language read, generated from the one table in the core.
//!
//! `cargo xtask generate` sets `BLOCKQUEUE_GENERATE`, which makes these tests write what they compare.

use std::fs;
use std::path::Path;

#[test]
fn the_table_of_error_codes_is_up_to_date() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/error_codes.json");
    let codes = serde_json::to_string_pretty(&blockqueue::error_codes()).unwrap() + "\n";
    if std::env::var_os("BLOCKQUEUE_GENERATE").is_some() {
        fs::write(&golden, &codes).unwrap();
    }
    assert!(
        fs::read_to_string(&golden).is_ok_and(|found| found == codes),
        "{} is not up to date. Run `cargo xtask generate`, and look at the difference: \
         a code or a number that was released must not change.",
        golden.display(),
    );
}
