//! The id of a message.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};

/// The id of a message: a UUID (version 8) that sorts by the time of publishing.
///
/// It carries 48 bits of time, 23 of log, 40 of sequence and 11 of a tag of the database, so that a
/// message is found without an index and an id of another database is recognised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(Uuid);

/// Bits of a message key that hold the sequence number.
pub(crate) const SEQ_BITS: u32 = 40;

/// What a message id is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdParts {
    /// When the message was accepted.
    pub at: i64,
    /// Log and sequence: the key of its row.
    pub key: i64,
    /// The database's tag.
    pub tag: u16,
}

impl MessageId {
    /// The id of no message.
    pub const NIL: Self = Self(Uuid::nil());

    // 48 bits of time | version | 12 bits of key | variant | 51 bits of key | 11 bits of tag.
    pub(crate) fn new(parts: IdParts) -> Self {
        let key = u128::from(parts.key.cast_unsigned());
        let high = u128::from(parts.at.cast_unsigned() & ((1 << 48) - 1)) << 80;
        let middle = (key >> 51) << 64;
        let low = ((key & ((1 << 51) - 1)) << 11) | u128::from(parts.tag & 0x7ff);
        Self(Uuid::from_u128(high | (8 << 76) | middle | (2 << 62) | low))
    }

    /// `None` if no queue can have made this id.
    pub(crate) fn parts(self) -> Option<IdParts> {
        let bits = self.0.as_u128();
        if (bits >> 76) & 0xf != 8 || (bits >> 62) & 3 != 2 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 51 bits wide")]
        let field = |shift: u32, width: u32| ((bits >> shift) & ((1 << width) - 1)) as i64;
        let tag = u16::try_from(field(0, 11)).ok()?;
        Some(IdParts { at: field(80, 48), key: (field(64, 12) << 51) | field(11, 51), tag })
    }

    /// The id with these bytes, those of a UUID.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The id as a UUID.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for MessageId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for MessageId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let uuid = Uuid::parse_str(text).map_err(|_| Error::invalid("a message id is a UUID"))?;
        Ok(Self(uuid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_what_it_was_made_of() {
        for parts in [
            IdParts { at: 0, key: 0, tag: 0 },
            IdParts { at: (1 << 48) - 1, key: i64::MAX, tag: 0x7ff },
            IdParts { at: 1_764_000_000_123, key: (77 << 40) | 0xabcd, tag: 0x2aa },
        ] {
            let id = MessageId::new(parts);
            assert_eq!(id.parts(), Some(parts));
            assert_eq!(id.as_uuid().get_version_num(), 8);
            assert_eq!(id.to_string().parse::<MessageId>().unwrap(), id);
        }
    }

    #[test]
    fn ids_sort_by_time_then_log_then_sequence() {
        let id = |at, key| MessageId::new(IdParts { at, key, tag: 9 });
        assert!(id(1, (1 << 40) | 5) < id(2, (1 << 40) | 1));
        assert!(id(2, (1 << 40) | 1) < id(2, (1 << 40) | 2));
        assert!(id(2, (1 << 40) | 9) < id(2, (2 << 40) | 1));
    }

    #[test]
    fn an_id_of_another_kind_has_no_parts() {
        assert_eq!(MessageId::NIL.parts(), None);
    }
}
