//! A payload, shown as text where it is text.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

/// Characters of a payload that a table shows.
const EXCERPT_CHARS: usize = 48;

/// The bytes of a message. Serialised as a map of one entry, `payload` or `payload_base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payload(pub(crate) Vec<u8>);

impl Payload {
    /// The beginning of it on one line.
    pub(crate) fn excerpt(&self) -> String {
        let head = self.0.get(..EXCERPT_CHARS * 4).unwrap_or(&self.0);
        let text: Cow<'_, str> = String::from_utf8_lossy(head);
        let shown = |character: char| if character.is_control() { ' ' } else { character };
        let mut excerpt: String = text.chars().take(EXCERPT_CHARS).map(shown).collect();
        if text.chars().count() > EXCERPT_CHARS || head.len() < self.0.len() {
            excerpt.push('…');
        }
        excerpt
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match std::str::from_utf8(&self.0) {
            Ok(text) => map.serialize_entry("payload", text)?,
            Err(_) => map.serialize_entry("payload_base64", &STANDARD.encode(&self.0))?,
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_as_text_and_bytes_as_base64() {
        let json = |bytes: &[u8]| serde_json::to_string(&Payload(bytes.to_vec())).unwrap();
        assert_eq!(json("né".as_bytes()), r#"{"payload":"né"}"#);
        assert_eq!(json(&[0xff, 0]), r#"{"payload_base64":"/wA="}"#);
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(Payload(b"a\nb".to_vec()).excerpt(), "a b");
        let long = Payload("é".repeat(1_000).into_bytes()).excerpt();
        assert_eq!(long.chars().count(), EXCERPT_CHARS + 1);
        assert!(long.ends_with('…'));
    }
}
