//! The token of a lease, and its text.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::MessageId;
use super::id::SEQ_BITS;
use crate::error::{Error, Result};

/// The token of one lease: whoever holds it may settle the delivery. Up to 130 URL-safe characters, to be
/// passed on as they are.
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
    /// How many bytes a receipt has.
    pub const BYTES: usize = 52;

    /// The message that was leased.
    pub const fn message_id(&self) -> MessageId {
        self.message
    }

    /// The receipt as bytes, for languages that pass it on without making a text of it.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (message, rest) = bytes.split_at_mut(16);
        message.copy_from_slice(self.message.as_uuid().as_bytes());
        let (token, rest) = rest.split_at_mut(16);
        token.copy_from_slice(&self.token);
        let (key, rest) = rest.split_at_mut(8);
        key.copy_from_slice(&self.key.to_be_bytes());
        let (lease, subscriber) = rest.split_at_mut(8);
        lease.copy_from_slice(&self.lease.to_be_bytes());
        subscriber.copy_from_slice(&self.subscriber.to_be_bytes());
        bytes
    }

    /// The receipt that these bytes were made of.
    ///
    /// # Errors
    /// `invalid_receipt`.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Result<Self> {
        read_receipt(bytes)
            .filter(|receipt| receipt.key >= 0 && receipt.lease >= 0)
            .ok_or(Error::InvalidReceipt)
    }

    /// The number of the subscriber that it was leased to: [`Subscriber::id`].
    pub fn subscriber_id(&self) -> u64 {
        u64::from(self.subscriber)
    }
}

/// The triggers of the SQL contract take this text apart as well: a change here is a migration there.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (log, seq) = (self.key >> SEQ_BITS, self.key & ((1 << SEQ_BITS) - 1));
        let token = u128::from_be_bytes(self.token);
        write!(f, "{}{token:032x}", self.message.as_uuid().as_simple())?;
        write!(f, "-{log}-{seq}-{}-{}", self.subscriber, self.lease)
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
        // One text for each receipt: what would be written otherwise is none.
        parse_receipt(text)
            .filter(|receipt| receipt.to_string() == text)
            .ok_or(Error::InvalidReceipt)
    }
}

fn read_receipt(bytes: &[u8; Receipt::BYTES]) -> Option<Receipt> {
    let (message, rest) = bytes.split_first_chunk::<16>()?;
    let (token, rest) = rest.split_first_chunk::<16>()?;
    let (key, rest) = rest.split_first_chunk::<8>()?;
    let (lease, subscriber) = rest.split_first_chunk::<8>()?;
    Some(Receipt {
        message: MessageId::from(Uuid::from_bytes(*message)),
        token: *token,
        key: i64::from_be_bytes(*key),
        lease: i64::from_be_bytes(*lease),
        subscriber: u32::from_be_bytes(*subscriber.first_chunk()?),
    })
}

fn parse_receipt(text: &str) -> Option<Receipt> {
    let (message, rest) = text.split_at_checked(32)?;
    let (token, rest) = rest.split_at_checked(32)?;
    let mut numbers = rest.strip_prefix('-')?.splitn(4, '-');
    let mut number = || numbers.next()?.parse::<i64>().ok().filter(|number| *number >= 0);
    let (log, seq, subscriber, lease) = (number()?, number()?, number()?, number()?);
    if log >> (63 - SEQ_BITS) != 0 || seq >> SEQ_BITS != 0 {
        return None;
    }
    Some(Receipt {
        message: MessageId::from(Uuid::from_u128(u128::from_str_radix(message, 16).ok()?)),
        token: u128::from_str_radix(token, 16).ok()?.to_be_bytes(),
        key: log << SEQ_BITS | seq,
        subscriber: u32::try_from(subscriber).ok()?,
        lease,
    })
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
        assert_eq!(Receipt::from_bytes(&receipt.to_bytes()).unwrap(), receipt);
    }

    #[test]
    fn bytes_with_a_negative_number_are_not_a_receipt() {
        assert_eq!(Receipt::from_bytes(&[0xff; Receipt::BYTES]), Err(Error::InvalidReceipt));
    }

    #[test]
    fn garbage_is_not_a_receipt() {
        let hex = "0a".repeat(32);
        let long = "a".repeat(10_000);
        for tail in
            ["", "-", "-1-2-3", "-1-2-3-4-5", "-1-2-3-", "-01-2-3-4", "-+1-2-3-4", "-1-2-3--4"]
        {
            let text = format!("{hex}{tail}");
            assert_eq!(text.parse::<Receipt>(), Err(Error::InvalidReceipt), "{text}");
        }
        for text in [
            "",
            "x",
            "💥",
            "AAAA",
            &long,
            &format!("{}-1-2-3-4", "0A".repeat(32)),
            &format!("{}-1-2-3-4", "+a".repeat(32)),
            &format!("{hex}-{}-2-3-4", 1 << 23),
            &format!("{hex}-1-{}-3-4", 1_i64 << SEQ_BITS),
            &format!("{hex}-1-2-{}-4", 1_i64 << 32),
            &format!("{hex}-1-2-3-{}", u64::MAX),
        ] {
            assert_eq!(text.parse::<Receipt>(), Err(Error::InvalidReceipt), "{text}");
        }
        format!("{hex}-1-2-3-4").parse::<Receipt>().unwrap();
    }
}
