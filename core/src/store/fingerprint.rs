//! What makes a message a different one under the same idempotency key; the same in every store.

use sha2::{Digest as _, Sha256};

use crate::clock::{duration_millis, to_millis};
use crate::options::Message;

pub(super) type Fingerprint = [u8; 16];

/// A digest of everything that makes a message a different one. Stored: it must never change.
pub(super) fn fingerprint(message: &Message) -> Fingerprint {
    let mut hash = Sha256::new();
    let mut field = |tag: u8, bytes: &[u8]| {
        hash.update([tag]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    field(b'p', &message.payload);
    field(b'r', &message.priority.to_be_bytes());
    if let Some(content_type) = &message.content_type {
        field(b'c', content_type.as_bytes());
    }
    if let Some(ordering_key) = &message.ordering_key {
        field(b'k', ordering_key.as_bytes());
    }
    for (name, value) in &message.headers {
        field(b'n', name.as_bytes());
        field(b'v', value.as_bytes());
    }
    if let Some(delay) = message.delay {
        field(b'd', &duration_millis(delay).to_be_bytes());
    }
    if let Some(at) = message.deliver_at {
        field(b't', &to_millis(at).to_be_bytes());
    }
    let digest = hash.finalize();
    std::array::from_fn(|place| digest.get(place).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_fingerprint_tells_messages_apart() {
        let plain = fingerprint(&Message::new("a"));
        let same = Message::new("a").with_idempotency_key("k").with_correlation_id("x");
        assert_eq!(plain, fingerprint(&same));
        for other in [
            Message::new("b"),
            Message::new("a").with_priority(1),
            Message::new("a").with_content_type("x"),
            Message::new("a").with_header("x", "y"),
            Message::new("a").with_header("xy", ""),
            Message::new("a").with_ordering_key("x"),
            Message::new("a").with_delay(Duration::from_secs(1)),
        ] {
            assert_ne!(plain, fingerprint(&other), "{other:?}");
        }
    }
}
