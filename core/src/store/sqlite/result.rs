//! Results: replies of subscribers to messages.
//!
//! A reply is stored by the transaction that acks, under the id that the message was accepted with, so
//! that it may outlive the message. Expiry is checked when it is read; upkeep removes the row.

use rusqlite::{OptionalExtension as _, params};

use super::cache::{SubscriberId, seq_of};
use super::expiry;
use super::ids::{self, Found};
use super::standing::{self, Standing};
use super::tx::{Step, Tx};
use crate::clock::{duration_millis, from_millis};
use crate::error::Error;
use crate::limits;
use crate::model::{DeliveryResult, IdParts, Receipt, ReplyView};
use crate::op::{Looked, ResultOf};
use crate::options::Reply;

/// Stores a reply to a message that was just acked.
pub(super) fn set(tx: &Tx<'_>, receipt: &Receipt, reply: &Reply) -> Step<()> {
    let Some(IdParts { at, key, .. }) = receipt.message.parts() else {
        return Err(Error::internal("a receipt of no message").into());
    };
    let expires_at = tx.now + duration_millis(reply.ttl.unwrap_or(limits::REPLY_TTL_DEFAULT));
    let Reply { payload, content_type, .. } = reply;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/result_set.sql"))?
        .execute(params![key, at, receipt.subscriber, tx.now, expires_at, content_type, payload])?;
    Ok(())
}

/// What came of a message for one subscriber.
pub(super) fn look(tx: &mut Tx<'_>, of: &ResultOf) -> Step<Looked> {
    let id = tx.subscriber_id(&of.source)?;
    let topic = tx.subscriber(id)?.topic;
    let unknown = || Error::UnknownMessage { id: of.id };
    let parts = of.id.parts().filter(|parts| parts.tag == tx.tag).ok_or_else(unknown)?;
    let log = tx.load_log_of(parts.key)?.ok_or_else(unknown)?;
    let log = tx.log(log)?;
    if log.topic != topic || seq_of(parts.key) > log.last_seq {
        return Err(unknown().into());
    }
    if let Some(reply) = get(tx, id, parts)? {
        return Ok(Looked::Ended(DeliveryResult::Replied(reply)));
    }
    let key = match ids::find_row(tx.connection, topic, parts.key, parts.at)? {
        Some(Found::Logged { key }) => key,
        Some(Found::Delayed { key }) => {
            let due_at = tx
                .connection
                .prepare_cached(include_str!("../../../sql/sqlite/delayed_due_at.sql"))?
                .query_row([key], |row| row.get(0))?;
            return Ok(Looked::Delayed { due_at });
        }
        // Settled by everybody, and trimmed.
        None => return Ok(Looked::Ended(DeliveryResult::Settled)),
    };
    let expires_at = expiry::of(tx, key)?;
    Ok(match standing::standing(tx, id, key, expires_at)? {
        Standing::Open => Looked::Open { key },
        Standing::Dead => Looked::Ended(DeliveryResult::DeadLettered),
        Standing::Settled => Looked::Ended(DeliveryResult::Settled),
    })
}

fn get(tx: &Tx<'_>, id: SubscriberId, parts: IdParts) -> Step<Option<ReplyView>> {
    Ok(tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/result_get.sql"))?
        .query_row(params![parts.key, parts.at, id, tx.now], |row| {
            Ok(ReplyView {
                payload: row.get(0)?,
                content_type: row.get(1)?,
                replied_at: from_millis(row.get(2)?),
                expires_at: from_millis(row.get(3)?),
            })
        })
        .optional()?)
}

/// Removes replies that have expired; the answer is whether there are more.
pub(super) fn forget(tx: &Tx<'_>) -> Step<bool> {
    let forgotten = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/result_forget.sql"))?
        .execute(params![tx.now, limits::REPLY_ROWS])?;
    Ok(forgotten == limits::REPLY_ROWS)
}
