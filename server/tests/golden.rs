//! The document that describes the HTTP contract, for people and generators of clients.

use std::fs;
use std::path::Path;

/// `cargo xtask generate` makes this write the file instead.
#[test]
fn the_openapi_document_is_up_to_date() {
    let document = blockqueue_server::http::openapi();
    let expected = serde_json::to_string_pretty(&document).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("BLOCKQUEUE_GENERATE").is_some() {
        fs::write(path, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == expected, "openapi.json is not up to date. Run `cargo xtask generate`.");
}
