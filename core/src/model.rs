//! What the queue hands out: the nouns of the field, without behaviour.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::options::{SubscriberOptions, TopicOptions};

/// The id of a message: a UUID (version 8) that sorts by the time of publishing.
///
/// It carries 48 bits of time, 23 of log, 40 of sequence and 11 of a tag of the database, so that a
/// message is found without an index and an id of another database is recognised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(Uuid);

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
        let parts: [&[u8]; 5] = [
            self.message.0.as_bytes(),
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
            message: MessageId(Uuid::from_bytes(take(&mut rest)?)),
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

/// The answer to a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// The message's id, for all its life.
    pub id: MessageId,
    /// The idempotency key was used before: nothing was published, this is the first message's id.
    pub duplicate: bool,
    /// When it will become deliverable, if that is not now.
    pub deliver_at: Option<SystemTime>,
    /// Subscribers that the topic has now, each of which will get it.
    pub subscriber_count: usize,
}

/// A message leased to this consumer. Settle it with its receipt before the lease expires.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The subscriber's name.
    pub subscriber: Arc<str>,
    /// The message's id.
    pub message_id: MessageId,
    /// The right to settle this delivery.
    pub receipt: Receipt,
    /// The bytes that were published.
    pub payload: Vec<u8>,
    /// What the payload is.
    pub content_type: Option<String>,
    /// The headers that were published.
    pub headers: BTreeMap<String, String>,
    /// What the publisher tied the message to.
    pub correlation_id: Option<String>,
    /// The message's priority.
    pub priority: i16,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Attempts that ended badly so far.
    pub failures: u32,
    /// When the message became deliverable.
    pub published_at: SystemTime,
    /// When the lease expires.
    pub lease_expires_at: SystemTime,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("topic", &self.topic)
            .field("subscriber", &self.subscriber)
            .field("message_id", &self.message_id)
            .field("attempt", &self.attempt)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeliveryState {
    /// Not claimed yet.
    Pending,
    /// Leased to a consumer.
    Leased,
    /// Waiting for its next attempt, or ready for it.
    Retrying,
    /// Waiting behind another delivery of its ordering key.
    Parked,
    /// Out of attempts, kept for people.
    DeadLettered,
    /// Done: acked, cancelled or skipped.
    Settled,
}

/// What a nack led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nacked {
    /// [`DeliveryState::Retrying`] or [`DeliveryState::DeadLettered`].
    pub state: DeliveryState,
    /// When it can be claimed again, if it can.
    pub ready_at: Option<SystemTime>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Topic {
    /// Its number in this database; a topic of the same name created later has another.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its settings.
    pub options: TopicOptions,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// When it was created.
    pub created_at: SystemTime,
}

/// A subscriber.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Subscriber {
    /// Its number in this database; a subscriber of the same name created later has another.
    pub id: u64,
    /// The topic's name.
    pub topic: String,
    /// Its name.
    pub name: String,
    /// Its settings.
    pub options: SubscriberOptions,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// When it was created.
    pub created_at: SystemTime,
}

/// Part of a list, and where the next part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// A topic in numbers. Costs the same whatever the backlog.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicStats {
    /// The topic's name.
    pub topic: String,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// Messages ever accepted.
    pub published_count: u64,
    /// Messages that wait for their time.
    pub delayed_count: u64,
    /// Messages between the trim frontier and the end: what the topic holds, give or take a few.
    pub retained_count: u64,
    /// Their bytes of payload and headers.
    pub retained_bytes: u64,
    /// The logs, highest priority first.
    pub logs: Vec<LogStats>,
    /// The subscribers, by name.
    pub subscribers: Vec<SubscriberStats>,
}

/// One log of a topic in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogStats {
    /// The priority of its messages.
    pub priority: i16,
    /// The sequence number of its newest message.
    pub last_sequence: u64,
    /// Messages at or below this sequence number were trimmed, or are held back by a delivery.
    pub trimmed_sequence: u64,
}

/// A subscriber in numbers. Costs the same whatever the backlog.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriberStats {
    /// The topic's name.
    pub topic: String,
    /// The subscriber's name.
    pub subscriber: String,
    /// Claims wait as on an empty topic.
    pub paused: bool,
    /// Messages not claimed yet; an upper bound unless `exact`.
    pub pending_count: u64,
    /// Their bytes of payload and headers; an upper bound unless `exact`.
    pub pending_bytes: u64,
    /// Deliveries that could be claimed now: pending and due retries.
    pub ready_count: u64,
    /// Leased deliveries, expired ones included until somebody takes them over.
    pub leased_count: u64,
    /// Deliveries that wait for their next attempt, or are ready for it.
    pub retrying_count: u64,
    /// Deliveries that wait behind another of their ordering key.
    pub parked_count: u64,
    /// Dead letters.
    pub dead_count: u64,
    /// Whether `pending_count` and `pending_bytes` are exact.
    pub exact: bool,
    /// Age of the oldest pending message.
    pub oldest_age: Option<Duration>,
    /// The cursor in each log: the newest sequence number claimed, highest priority first.
    pub cursors: Vec<CursorStats>,
    /// Deliveries ever claimed, counted once per attempt.
    pub claimed_count: u64,
    /// Deliveries ever acked.
    pub acked_count: u64,
    /// Attempts ever nacked.
    pub nacked_count: u64,
    /// Leases ever expired.
    pub expired_count: u64,
    /// Messages ever skipped by the backlog limit.
    pub dropped_count: u64,
}

/// Where a subscriber stands in one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CursorStats {
    /// The priority of the log.
    pub priority: i16,
    /// The newest sequence number that was claimed or skipped.
    pub sequence: u64,
    /// The sequence number of the log's newest message.
    pub last_sequence: u64,
}

/// A message as people look at it: without a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageView {
    /// The message's id.
    pub id: MessageId,
    /// The bytes that were published.
    pub payload: Vec<u8>,
    /// What the payload is.
    pub content_type: Option<String>,
    /// The headers that were published.
    pub headers: BTreeMap<String, String>,
    /// What the publisher tied the message to.
    pub correlation_id: Option<String>,
    /// The key that makes a repeat harmless, while it is remembered.
    pub idempotency_key: Option<String>,
    /// The message's priority.
    pub priority: i16,
    /// When it was accepted.
    pub accepted_at: SystemTime,
    /// When it became deliverable, or will.
    pub deliver_at: SystemTime,
}

/// A message and where it stands with every subscriber of its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageStatus {
    /// The message.
    pub message: MessageView,
    /// It waits for its time.
    pub delayed: bool,
    /// Where it stands, by subscriber. Subscribers that began after it are left out.
    pub deliveries: Vec<DeliveryStatus>,
}

/// Where a message stands with one subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryStatus {
    /// The subscriber's number.
    pub subscriber_id: u64,
    /// The subscriber's name.
    pub subscriber: String,
    /// The state.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// Attempts that ended badly so far.
    pub failures: u32,
    /// When it can be claimed, or could; for a leased one when its lease expires.
    pub ready_at: Option<SystemTime>,
}

/// A pending or leased delivery as people look at it: without a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peeked {
    /// The message.
    pub message: MessageView,
    /// Where it stands.
    pub status: DeliveryStatus,
}

/// A delivery that ran out of attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The message.
    pub message: MessageView,
    /// Attempts made.
    pub attempts: u32,
    /// Attempts that ended badly.
    pub failures: u32,
    /// The last error, if one was given.
    pub error: Option<String>,
    /// When it was given up.
    pub dead_at: SystemTime,
}

/// One attempt that ended badly.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Which failure this was, from 1.
    pub failure: u32,
    /// What went wrong, if it was said.
    pub error: Option<String>,
    /// When.
    pub failed_at: SystemTime,
}

/// What a seek did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sought {
    /// The place asked for is below what retention keeps: it begins at the oldest message kept.
    pub clamped: bool,
}

/// What the engine of this process has done since it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct EngineStats {
    /// Write groups committed.
    pub commits: u64,
    /// Operations in them.
    pub operations: u64,
    /// Groups that failed as a whole.
    pub failed_commits: u64,
    /// Commits by size: how many groups had at most 1, 4, 16, 64, 256, 1,024, 4,096 operations.
    pub commits_by_size: [u64; 7],
    /// Commits by duration: how many took at most 1, 4, 16, 64, 256, 1,024 ms, or longer.
    pub commits_by_duration: [u64; 7],
    /// Time spent in write groups, altogether.
    pub commit_time: Duration,
    /// Claims that wait for something to claim.
    pub waiting_claims: u64,
    /// Size of the database file, in bytes.
    pub file_bytes: u64,
    /// Size of the write-ahead log, in bytes.
    pub wal_bytes: u64,
}

/// What an examination of the file found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The schema version of the file.
    pub schema_version: u32,
    /// The bundled SQLite.
    pub sqlite_version: String,
    /// Size of the database file, in bytes.
    pub file_bytes: u64,
    /// Size of the write-ahead log, in bytes.
    pub wal_bytes: u64,
    /// Bytes in the file that are free for new messages.
    pub free_bytes: u64,
    /// What is wrong, in words; empty if all is well.
    pub problems: Vec<String>,
    /// What could be better, in words.
    pub advice: Vec<String>,
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
