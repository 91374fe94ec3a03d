//! Append: the rows of messages, at the end of their logs.
//!
//! Owns sequence numbers and positions. Plain messages, which are a payload and nothing else, are what most
//! are: they are written several at a time, and tell the state of their log, whose own row need not follow.
//! Invariant: within a log, sequence numbers are dense and `published_at` never goes back.

use std::time::Duration;

use rusqlite::{Connection, ToSql, params};

use super::cache::{LogId, TopicId, key};
use super::encode;
use super::tx::{Step, Tx};
use crate::clock::{Millis, duration_millis};
use crate::options::Message;

/// Where a message's id came from: all that an answer needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Accepted {
    pub key: i64,
    pub at: Millis,
    pub due_at: Option<Millis>,
}

/// Appends messages, and keeps at hand what the next one needs. It must be finished: plain messages are
/// written several at a time.
pub(super) struct Appender<'m> {
    /// Of messages that do not say.
    ttl: Option<Duration>,
    log: Option<(i16, LogId)>,
    /// Plain messages that are yet to be written, fewer than [`ROWS`].
    rows: Vec<PlainRow<'m>>,
}

/// What one statement writes of plain messages.
const ROWS: usize = 16;

struct PlainRow<'m> {
    key: i64,
    at: Millis,
    position: i64,
    payload: &'m [u8],
}

impl<'m> Appender<'m> {
    pub(super) const fn new(ttl: Option<Duration>) -> Self {
        Self { ttl, log: None, rows: Vec::new() }
    }

    pub(super) fn append(
        &mut self,
        tx: &mut Tx<'_>,
        topic: TopicId,
        message: &'m Message,
        room: usize,
    ) -> Step<Accepted> {
        let log = match self.log {
            Some((priority, log)) if priority == message.priority => log,
            _ => tx.log_for(topic, message.priority, i64::try_from(room).unwrap_or(i64::MAX))?,
        };
        if self.log.replace((message.priority, log)) != Some((message.priority, log)) {
            tx.cache.may_trim(log);
        }
        let now = tx.now;
        let connection = tx.connection;
        let expires_at = expires_at(message, self.ttl, now);
        let is_plain = expires_at.is_none() && is_plain(message);
        let state = if is_plain { tx.log_growing(log)? } else { tx.log_mut(log)? };
        let at = now.max(state.published_at);
        let seq = state.last_seq + 1;
        let key = key(log, seq);
        let position = state.position;
        state.last_seq = seq;
        state.position += message.size_bytes().cast_signed() as i64;
        state.published_at = at;
        if is_plain {
            self.rows.push(PlainRow { key, at, position, payload: &message.payload });
            if self.rows.len() == ROWS {
                write_together(connection, &self.rows)?;
                self.rows.clear();
            }
        } else {
            state.is_plain = false;
            state.expiring |= expires_at.is_some();
            self.write_rows(connection)?;
            let headers = encode::headers_to_json(&message.headers);
            connection
                .prepare_cached(include_str!("../../../sql/sqlite/message_insert.sql"))?
                .execute(params![
                    key,
                    at,
                    position,
                    None::<i64>,
                    None::<i64>,
                    message.content_type,
                    headers,
                    message.correlation_id,
                    message.idempotency_key,
                    message.ordering_key,
                    expires_at,
                    message.payload,
                ])?;
        }
        if expires_at.is_some() {
            tx.cache.may_expire(log);
        }
        Ok(Accepted { key, at, due_at: None })
    }

    pub(super) fn finish(mut self, tx: &Tx<'_>) -> Step<()> {
        self.write_rows(tx.connection)
    }

    /// Writes what is left of plain messages, one by one.
    fn write_rows(&mut self, connection: &Connection) -> Step<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let sql = include_str!("../../../sql/sqlite/message_insert_plain.sql");
        let mut insert = connection.prepare_cached(sql)?;
        for row in self.rows.drain(..) {
            insert.execute(params![row.key, row.at, row.position, row.payload])?;
        }
        Ok(())
    }
}

/// Writes as many plain messages as the statement takes.
fn write_together(connection: &Connection, rows: &[PlainRow<'_>]) -> Step<()> {
    let sql = include_str!("../../../sql/sqlite/message_insert_plain_16.sql");
    let mut insert = connection.prepare_cached(sql)?;
    let mut place = 0;
    let mut bind = |value: &dyn ToSql| {
        place += 1;
        insert.raw_bind_parameter(place, value)
    };
    for row in rows {
        bind(&row.key)?;
        bind(&row.at)?;
        bind(&row.position)?;
        bind(&row.payload)?;
    }
    insert.raw_execute()?;
    Ok(())
}

/// It is a payload, and nothing else has to be written.
pub(super) fn is_plain(message: &Message) -> bool {
    message.content_type.is_none()
        && message.headers.is_empty()
        && message.correlation_id.is_none()
        && message.idempotency_key.is_none()
        && message.ordering_key.is_none()
        && message.unique_key.is_none()
}

/// When a message is not delivered any more: its life begins now, whatever its delay.
pub(super) fn expires_at(
    message: &Message,
    default: Option<Duration>,
    now: Millis,
) -> Option<Millis> {
    message.ttl.or(default).map(|ttl| now + duration_millis(ttl))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::SqliteStore;
    use super::super::cache::Cache;
    use super::super::testing::{apply, number, open, upkeep};
    use super::*;
    use crate::model::MessageId;
    use crate::op::{Op, Outcome, Source};

    const NEWEST: &str = "SELECT max(id) & 1099511627775 FROM blockqueue_message";
    const STATE: &str = "SELECT last_seq FROM blockqueue_log_state";
    const ROW: &str = "SELECT last_seq FROM blockqueue_log";

    /// The id of the last one. What the writer remembered is gone before and behind it, as when another
    /// process has committed.
    fn publish(store: &mut SqliteStore, count: usize) -> MessageId {
        store.cache = Cache::default();
        let messages = vec![Message::new("four"); count];
        let outcome = apply(store, Op::Publish { topic: Arc::from("t"), messages });
        store.cache = Cache::default();
        match outcome {
            Outcome::Published(published) => published.last().unwrap().id,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_log_is_told_from_its_newest_message() {
        let mut store = open();
        publish(&mut store, ROWS + 4);
        assert_eq!(
            (number(&store, ROW), number(&store, STATE), number(&store, NEWEST)),
            (0, 20, 20)
        );
        let position = "SELECT position FROM blockqueue_log_state";
        assert_eq!(number(&store, position), 80);
        publish(&mut store, 1);
        assert_eq!((number(&store, ROW), number(&store, NEWEST)), (0, 21));
        assert_eq!(number(&store, position), 84);
        let distinct = "SELECT count(DISTINCT position) FROM blockqueue_message";
        assert_eq!(number(&store, distinct), 21);
    }

    #[test]
    fn what_is_more_than_a_payload_takes_the_row_of_its_log_along() {
        let mut store = open();
        publish(&mut store, 3);
        let messages = vec![Message::new("x"), Message::new("y").with_header("a", "b")];
        apply(&mut store, Op::Publish { topic: Arc::from("t"), messages });
        assert_eq!((number(&store, ROW), number(&store, NEWEST)), (5, 5));
        assert_eq!(number(&store, "SELECT is_plain FROM blockqueue_log"), 0);
        assert_eq!(number(&store, "SELECT position FROM blockqueue_log"), 3 * 4 + 1 + 3);
    }

    #[test]
    fn numbers_of_messages_that_are_gone_are_not_used_again() {
        let mut store = open();
        let id = publish(&mut store, 20);
        apply(&mut store, Op::CancelMessage { topic: "t".into(), id });
        assert_eq!((number(&store, STATE), number(&store, NEWEST)), (20, 19));
        publish(&mut store, 1);
        assert_eq!(number(&store, NEWEST), 21);

        let source = Source { topic: Arc::from("t"), subscriber: Arc::from("s") };
        apply(&mut store, Op::DeleteSubscriber { source });
        store.cache = Cache::default();
        while upkeep(&mut store) {}
        assert_eq!(number(&store, "SELECT count(*) FROM blockqueue_message"), 0);
        publish(&mut store, 1);
        assert_eq!(number(&store, NEWEST), 22);
    }
}
