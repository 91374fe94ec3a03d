//! Queries: each one statement, answered from one snapshot.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::decode::{self, MessageRow, Row, StatusRow, read};
use super::encode::{parts, put};
use super::error::from_statement;
use super::link::{Link, Lost};
use super::migrate::NEWEST;
use crate::clock::{Clock, Millis, from_millis};
use crate::error::{Error, Result};
use crate::limits;
use crate::model::{
    CursorStats, DeadLetter, DeliveryResult, Diagnosis, Failure, Listed, LogStats, MessageId,
    MessageStatus, Peeked, ReplyView, SubscriberStats, TopicStats,
};
use crate::op::{Answer, Looked, Named, Query, ResultOf, Source};

/// Answers queries over one connection.
pub(super) struct Asker<'a> {
    pub link: &'a Link,
    pub clock: &'a Clock,
    pub tag: u16,
    /// If it is prepared on this connection.
    pub statement: Option<&'a tokio_postgres::Statement>,
}

/// The time that a transaction goes by: a test's, or the server's.
pub(super) fn test_time(clock: &Clock) -> Option<Millis> {
    match clock {
        #[cfg(feature = "test-clock")]
        Clock::Test(_) => Some(clock.now()),
        _ => None,
    }
}

impl Asker<'_> {
    pub(super) fn answer(&self, query: &Query) -> Result<Answer> {
        match query {
            Query::Topic { topic } => {
                decode::topic(self.ask(&of_topic(topic, "topic"))?.answer).map(Answer::Topic)
            }
            Query::Topics { limit, after } => {
                let asked = json!({ "query": "topics", "limit": limit + 1, "after": after });
                let topics = self.list(&asked, decode::topic)?;
                Ok(Answer::Topics(by_name(topics, *limit, |topic| &topic.name)))
            }
            Query::Subscriber { source } => {
                let row = self.ask(&of(source, "subscriber"))?;
                decode::subscriber(row.answer).map(Answer::Subscriber)
            }
            Query::Subscribers { topic, limit, after } => {
                let asked = page(of_topic(topic, "subscribers"), *limit, after.as_deref());
                let all = self.list(&asked, decode::subscriber)?;
                Ok(Answer::Subscribers(by_name(all, *limit, |subscriber| &subscriber.name)))
            }
            Query::TopicStats { topic } => {
                topic_stats(self.ask(&of_topic(topic, "topic_stats"))?.answer)
                    .map(Answer::TopicStats)
            }
            Query::SubscriberStats { source } => {
                subscriber_stats(self.ask(&of(source, "subscriber_stats"))?.answer)
                    .map(Answer::SubscriberStats)
            }
            Query::Peek { source, limit, after } => self.peek(source, *limit, after.as_deref()),
            Query::Message { topic, id } => self.message(topic, *id),
            Query::DeadLetters { source, limit, after } => {
                self.dead_letters(source, *limit, after.as_deref())
            }
            Query::Failures { source, id, limit, after } => {
                self.failures(source, *id, *limit, after.as_deref())
            }
            Query::Schedule { of } => {
                decode::schedule(self.ask(&of_schedule(of, "schedule"))?.answer)
                    .map(|schedule| Answer::Schedule(Box::new(schedule)))
            }
            Query::Schedules { topic, limit, after } => {
                let asked = page(of_topic(topic, "schedules"), *limit, after.as_deref());
                let all = self.list(&asked, decode::schedule)?;
                Ok(Answer::Schedules(by_name(all, *limit, |schedule| &schedule.name)))
            }
            Query::ScheduleRuns { of, limit, after } => {
                let after = after.as_deref().map(|after| place(after, 1)).transpose()?;
                let mut asked = of_schedule(of, "schedule_runs");
                put(&mut asked, "limit", limit + 1);
                put(&mut asked, "after", after);
                let runs = self.list(&asked, |row| decode::run(row, self.tag))?;
                Ok(Answer::ScheduleRuns(cut(runs, *limit, |run| run.run.to_string())))
            }
            Query::Results(all) => {
                let mut looked = Vec::with_capacity(all.len());
                for of in all {
                    looked.push(self.result(of));
                }
                Ok(Answer::Results(looked))
            }
            Query::Backup(_) => {
                Err(Error::invalid("a backup is one of a file: use the tools of PostgreSQL"))
            }
            Query::Diagnose => self.diagnose(),
            Query::FileBytes => {
                let file = read(self.ask(&json!({ "query": "bytes" }))?.answer)?;
                Ok(Answer::FileBytes { file, wal: 0 })
            }
        }
    }

    pub(super) fn ask(&self, query: &Value) -> Result<Row> {
        self.ask_about(query, None)
    }

    /// `id`: the message that the question is about.
    fn ask_about(&self, query: &Value, id: Option<MessageId>) -> Result<Row> {
        let sql = include_str!("../../../sql/postgres/ask.sql");
        let (query, now) = (query.to_string(), test_time(self.clock));
        let answer = match self.statement {
            Some(statement) => {
                self.link.wait(self.link.client.query_one(statement, &[&query, &now]))
            }
            None => self.link.wait(self.link.client.query_one(sql, &[&query, &now])),
        };
        match answer {
            Ok(row) => {
                let answer: Option<String> = row.get(0);
                let bodies: Option<Vec<Vec<u8>>> = row.get(1);
                let answer = serde_json::from_str(answer.as_deref().unwrap_or("null"));
                let answer = answer.map_err(|error| Error::internal(error.to_string()))?;
                Ok(Row { answer, bodies: bodies.unwrap_or_default() })
            }
            Err(Lost::Answered(error)) => Err(self.refused(&error, id)),
            Err(Lost::Unanswered(detail)) => Err(Error::Io { detail }),
        }
    }

    fn refused(&self, error: &tokio_postgres::Error, id: Option<MessageId>) -> Error {
        let fields = error
            .as_db_error()
            .filter(|error| error.code().code() == "BQ000")
            .and_then(tokio_postgres::error::DbError::detail)
            .and_then(|detail| serde_json::from_str(detail).ok());
        match fields {
            Some(fields) => decode::refusal(fields, id, self.tag),
            None => from_statement(error),
        }
    }

    fn list<T>(&self, query: &Value, item: impl Fn(Value) -> Result<T>) -> Result<Vec<T>> {
        let rows: Vec<Value> = read(self.ask(query)?.answer)?;
        rows.into_iter().map(item).collect()
    }

    fn message(&self, topic: &str, id: MessageId) -> Result<Answer> {
        #[derive(Deserialize)]
        struct Found {
            message: MessageRow,
            delayed: bool,
            deliveries: Vec<StatusRow>,
        }
        let mut asked = of_topic(topic, "message");
        self.name(&mut asked, id);
        let row = self.ask_about(&asked, Some(id))?;
        let Found { message, delayed, deliveries } = read(row.answer)?;
        let payload = row.bodies.into_iter().next().unwrap_or_default();
        Ok(Answer::Message(MessageStatus {
            message: message.into_view(payload, self.tag),
            delayed,
            deliveries: deliveries.into_iter().map(StatusRow::into_status).collect(),
        }))
    }

    /// Says which message a question is about.
    fn name(&self, asked: &mut Value, id: MessageId) {
        let (key, at) = parts(id, self.tag);
        put(asked, "key", key);
        put(asked, "at", at);
    }

    fn peek(&self, source: &Source, limit: usize, after: Option<&str>) -> Result<Answer> {
        #[derive(Deserialize)]
        struct Item {
            message: MessageRow,
            status: StatusRow,
        }
        #[derive(Deserialize)]
        struct Found {
            items: Vec<Item>,
            next: Option<(i64, i64)>,
        }
        let mut asked = of(source, "peek");
        put(&mut asked, "limit", limit);
        put(&mut asked, "after", after.map(|after| place(after, 2)).transpose()?);
        let row = self.ask(&asked)?;
        let Found { items, next } = read(row.answer)?;
        let items = items.into_iter().zip(row.bodies).map(|(item, payload)| Peeked {
            message: item.message.into_view(payload, self.tag),
            status: item.status.into_status(),
        });
        let next = next.map(|(part, key)| format!("{part}.{key}"));
        Ok(Answer::Peeked(Listed { items: items.collect(), next }))
    }

    fn dead_letters(&self, source: &Source, limit: usize, after: Option<&str>) -> Result<Answer> {
        #[derive(Deserialize)]
        struct Letter {
            #[serde(flatten)]
            message: MessageRow,
            attempts: u32,
            failures: u32,
            error: Option<String>,
            dead_at: Millis,
        }
        let mut asked = of(source, "dead_letters");
        put(&mut asked, "limit", limit + 1);
        put(&mut asked, "after", after.map(|after| place(after, 2)).transpose()?);
        let row = self.ask(&asked)?;
        let letters: Vec<Letter> = read(row.answer)?;
        let bytes: usize = row.bodies.iter().map(Vec::len).sum();
        let more = letters.len() > limit || bytes >= limits::BATCH_BYTES_MAX;
        let last = letters.iter().take(limit).next_back();
        let next =
            last.filter(|_| more).map(|last| format!("{}.{}", last.dead_at, last.message.key));
        let items =
            letters.into_iter().zip(row.bodies).take(limit).map(|(letter, payload)| DeadLetter {
                message: letter.message.into_view(payload, self.tag),
                attempts: letter.attempts,
                failures: letter.failures,
                error: letter.error,
                dead_at: from_millis(letter.dead_at),
            });
        Ok(Answer::DeadLetters(Listed { items: items.collect(), next }))
    }

    fn failures(
        &self,
        source: &Source,
        id: MessageId,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Answer> {
        let mut asked = of(source, "failures");
        self.name(&mut asked, id);
        put(&mut asked, "limit", limit + 1);
        put(&mut asked, "after", after.map(|after| place(after, 1)).transpose()?);
        let rows: Vec<(u32, Option<String>, Millis)> =
            read(self.ask_about(&asked, Some(id))?.answer)?;
        let failures = rows.into_iter().map(|(failure, error, failed_at)| Failure {
            failure,
            error,
            failed_at: from_millis(failed_at),
        });
        let failures = cut(failures.collect(), limit, |failure| failure.failure.to_string());
        Ok(Answer::Failures(failures))
    }

    fn result(&self, of_message: &ResultOf) -> Result<Looked> {
        #[derive(Deserialize)]
        struct Found {
            state: String,
            #[serde(default)]
            key: i64,
            #[serde(default)]
            due_at: Millis,
            content_type: Option<String>,
            #[serde(default)]
            replied_at: Millis,
            #[serde(default)]
            expires_at: Millis,
        }
        let mut asked = of(&of_message.source, "result");
        self.name(&mut asked, of_message.id);
        let row = self.ask_about(&asked, Some(of_message.id))?;
        let found: Found = read(row.answer)?;
        Ok(match found.state.as_str() {
            "replied" => Looked::Ended(DeliveryResult::Replied(ReplyView {
                payload: row.bodies.into_iter().next().unwrap_or_default(),
                content_type: found.content_type,
                replied_at: from_millis(found.replied_at),
                expires_at: from_millis(found.expires_at),
            })),
            "delayed" => Looked::Delayed { due_at: found.due_at },
            "open" => Looked::Open { key: found.key },
            "dead" => Looked::Ended(DeliveryResult::DeadLettered),
            _ => Looked::Ended(DeliveryResult::Settled),
        })
    }

    fn diagnose(&self) -> Result<Answer> {
        #[derive(Deserialize)]
        struct Found {
            problems: Vec<String>,
            advice: Vec<String>,
            version: String,
        }
        let Found { problems, advice, version } =
            read(self.ask(&json!({ "query": "diagnose" }))?.answer)?;
        let file_bytes = read(self.ask(&json!({ "query": "bytes" }))?.answer)?;
        Ok(Answer::Diagnosis(Diagnosis {
            schema_version: NEWEST,
            sqlite_version: format!("PostgreSQL {version}"),
            file_bytes,
            wal_bytes: 0,
            free_bytes: 0,
            problems,
            advice,
        }))
    }
}

// --- questions ------------------------------------------------------------------------------------------

fn of_topic(topic: &str, query: &str) -> Value {
    json!({ "query": query, "topic": topic })
}

fn of(source: &Source, query: &str) -> Value {
    json!({ "query": query, "topic": &*source.topic, "subscriber": &*source.subscriber })
}

pub(super) fn of_schedule(of: &Named, query: &str) -> Value {
    json!({ "query": query, "topic": of.topic, "schedule": of.schedule })
}

/// One row more than asked for is read, to see whether there is a next page.
fn page(mut query: Value, limit: usize, after: Option<&str>) -> Value {
    put(&mut query, "limit", limit + 1);
    put(&mut query, "after", after);
    query
}

fn by_name<T>(items: Vec<T>, limit: usize, name: fn(&T) -> &String) -> Listed<T> {
    cut(items, limit, |item| name(item).clone())
}

fn cut<T>(mut items: Vec<T>, limit: usize, place: impl Fn(&T) -> String) -> Listed<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(place);
    Listed { items, next }
}

/// Numbers that say where the next page begins, as opaque text.
fn place(text: &str, count: usize) -> Result<Vec<i64>> {
    let numbers: Option<Vec<i64>> = text.split('.').map(|part| part.parse().ok()).collect();
    numbers
        .filter(|numbers| numbers.len() == count)
        .ok_or_else(|| Error::invalid("after is not where a page ended"))
}

// --- numbers --------------------------------------------------------------------------------------------

fn topic_stats(answer: Value) -> Result<TopicStats> {
    #[derive(Deserialize)]
    struct Found {
        topic: String,
        paused: bool,
        published_count: u64,
        delayed_count: u64,
        retained_count: u64,
        retained_bytes: u64,
        logs: Vec<(i16, u64, u64)>,
        subscribers: Vec<Value>,
    }
    let found: Found = read(answer)?;
    let log = |(priority, last_sequence, trimmed_sequence)| LogStats {
        priority,
        last_sequence,
        trimmed_sequence,
    };
    Ok(TopicStats {
        topic: found.topic,
        paused: found.paused,
        published_count: found.published_count,
        delayed_count: found.delayed_count,
        retained_count: found.retained_count,
        retained_bytes: found.retained_bytes,
        logs: found.logs.into_iter().map(log).collect(),
        subscribers: found.subscribers.into_iter().map(subscriber_stats).collect::<Result<_>>()?,
    })
}

fn subscriber_stats(answer: Value) -> Result<SubscriberStats> {
    #[derive(Deserialize)]
    struct Found {
        topic: String,
        name: String,
        paused: bool,
        pending_count: u64,
        pending_bytes: u64,
        ready_count: u64,
        leased_count: u64,
        retrying_count: u64,
        parked_count: u64,
        dead_count: u64,
        exact: bool,
        oldest_age_ms: Option<u64>,
        cursors: Vec<(i16, u64, u64)>,
        claimed_count: u64,
        acked_count: u64,
        nacked_count: u64,
        expired_count: u64,
        ttl_expired_count: u64,
        filtered_count: u64,
        dropped_count: u64,
    }
    let found: Found = read(answer)?;
    let cursor =
        |(priority, sequence, last_sequence)| CursorStats { priority, sequence, last_sequence };
    Ok(SubscriberStats {
        topic: found.topic,
        subscriber: found.name,
        paused: found.paused,
        pending_count: found.pending_count,
        pending_bytes: found.pending_bytes,
        ready_count: found.ready_count,
        leased_count: found.leased_count,
        retrying_count: found.retrying_count,
        parked_count: found.parked_count,
        dead_count: found.dead_count,
        exact: found.exact,
        oldest_age: found.oldest_age_ms.map(Duration::from_millis),
        cursors: found.cursors.into_iter().map(cursor).collect(),
        claimed_count: found.claimed_count,
        acked_count: found.acked_count,
        nacked_count: found.nacked_count,
        expired_count: found.expired_count,
        ttl_expired_count: found.ttl_expired_count,
        filtered_count: found.filtered_count,
        dropped_count: found.dropped_count,
    })
}
