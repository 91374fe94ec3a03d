//! The token of a lease, and its text.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::MessageId;
use crate::error::{Error, Result};

/// The token of one lease: whoever holds it may settle the delivery. Text of 70 URL-safe characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// Log and sequence of the message.
    pub(crate) key: i64,
    /// When the message was accepted: with the key and the tag this is the message's id.
    pub(crate) message: MessageId,
    pub(crate) subscriber: u32,
    /// The lease row that the claim made: a hint, the delivery may have moved to another.
    pub(crate) lease: i64,
    pub(crate) token: [u8; 16],
}

impl Receipt {
    /// The message that was leased.
    pub const fn message_id(&self) -> MessageId {
        self.message
    }

    /// The number of the subscriber that it was leased to: [`Subscriber::id`].
    pub fn subscriber_id(&self) -> u64 {
        u64::from(self.subscriber)
    }

    fn to_bytes(self) -> [u8; 52] {
        let mut bytes = [0; 52];
        let message = self.message.as_uuid();
        let parts: [&[u8]; 5] = [
            message.as_bytes(),
            &self.key.to_be_bytes(),
            &self.subscriber.to_be_bytes(),
            &self.lease.to_be_bytes(),
            &self.token,
        ];
        let mut rest = bytes.as_mut_slice();
        for part in parts {
            let (head, tail) = rest.split_at_mut(part.len());
            head.copy_from_slice(part);
            rest = tail;
        }
        bytes
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.to_bytes()))
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt({})", self.message)
    }
}

impl FromStr for Receipt {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::InvalidReceipt)?;
        let mut rest = bytes.as_slice();
        let receipt = Self {
            message: MessageId::from(Uuid::from_bytes(take(&mut rest)?)),
            key: i64::from_be_bytes(take(&mut rest)?),
            subscriber: u32::from_be_bytes(take(&mut rest)?),
            lease: i64::from_be_bytes(take(&mut rest)?),
            token: take(&mut rest)?,
        };
        if !rest.is_empty() {
            return Err(Error::InvalidReceipt);
        }
        Ok(receipt)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(Error::InvalidReceipt)?;
    *rest = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::super::IdParts;
    use super::*;

    #[test]
    fn a_receipt_survives_its_text() {
        let receipt = Receipt {
            key: (3 << 40) | 7,
            message: MessageId::new(IdParts { at: 5, key: (3 << 40) | 7, tag: 1 }),
            subscriber: 12,
            lease: 99,
            token: [7; 16],
        };
        let text = receipt.to_string();
        assert!(
            text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "{text}"
        );
        assert_eq!(text.parse::<Receipt>().unwrap(), receipt);
    }

    #[test]
    fn garbage_is_not_a_receipt() {
        for text in ["", "x", "💥", "AAAA", &"A".repeat(69), &"A".repeat(71), &"A".repeat(10_000)]
        {
            assert_eq!(text.parse::<Receipt>(), Err(Error::InvalidReceipt), "{text}");
        }
    }
}
