//! Payloads in JSON: text as it is, anything else as base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The text of a payload, and `base64` if that is how it is written.
pub(crate) fn encode(payload: Vec<u8>) -> (String, Option<&'static str>) {
    match String::from_utf8(payload) {
        Ok(text) => (text, None),
        Err(error) => (STANDARD.encode(error.as_bytes()), Some("base64")),
    }
}
