//! Topics and subscribers: create, change, pause, delete.
//!
//! Deleting only marks the row, which makes it invisible and frees the name at once; upkeep reclaims
//! what it leaves behind.

use std::sync::Arc;

use rusqlite::{params, params_from_iter};

use super::cache::{SubscriberId, TopicId};
use super::keys::{self, Rule};
use super::tx::{Step, Tx};
use super::{encode, position, schedule};
use crate::clock::to_millis;
use crate::error::Error;
use crate::op::{Outcome, Source};
use crate::options::{
    NewSubscriber, NewTopic, StartFrom, SubscriberChange, SubscriberOptions, TopicChange,
    TopicOptions,
};
use crate::store::EVERYTHING;

pub(super) fn create_topic(tx: &mut Tx<'_>, new: &NewTopic) -> Step<Outcome> {
    if tx.find_topic(&new.name)?.is_some() {
        return Err(Error::TopicExists { topic: new.name.clone() }.into());
    }
    let sql = include_str!("../../../sql/sqlite/topic_insert.sql");
    let id = tx.connection.prepare_cached(sql)?.insert(params![new.name, tx.now])?;
    write_options(tx, id, &new.options)?;
    tx.load_topic(id)?;
    for subscriber in &new.subscribers {
        create_subscriber(tx, id, subscriber)?;
    }
    Ok(Outcome::Topic(tx.topic(id)?.view()))
}

pub(super) fn update_topic(tx: &mut Tx<'_>, name: &str, change: &TopicChange) -> Step<Outcome> {
    let id = tx.topic_id(name)?;
    let options = change.apply(&tx.topic(id)?.options);
    write_options(tx, id, &options)?;
    let topic = tx.topic_mut(id)?;
    topic.options = options;
    topic.backlog = None;
    for log in topic.logs.clone() {
        tx.cache.may_trim(log);
    }
    Ok(Outcome::Topic(tx.topic(id)?.view()))
}

fn write_options(tx: &Tx<'_>, id: TopicId, options: &TopicOptions) -> Step<()> {
    let sql = include_str!("../../../sql/sqlite/topic_update.sql");
    let settings = encode::topic_params(options);
    tx.connection
        .prepare_cached(sql)?
        .execute(params_from_iter(std::iter::once(Some(id)).chain(settings)))?;
    Ok(())
}

pub(super) fn delete_topic(tx: &mut Tx<'_>, name: &str) -> Step<Outcome> {
    let id = tx.topic_id(name)?;
    tx.flush()?;
    for sql in [
        include_str!("../../../sql/sqlite/topic_delete.sql"),
        include_str!("../../../sql/sqlite/subscribers_delete.sql"),
    ] {
        tx.connection.prepare_cached(sql)?.execute(params![id, tx.now])?;
    }
    schedule::stop_all(tx, id)?;
    tx.cache.forget_topic(id);
    tx.effects.ended.push(EVERYTHING);
    tx.effects.changed.push((Arc::from(name), None));
    Ok(Outcome::Done)
}

pub(super) fn pause_topic(tx: &mut Tx<'_>, name: &str, paused: bool) -> Step<Outcome> {
    let id = tx.topic_id(name)?;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/topic_pause.sql"))?
        .execute(params![id, paused])?;
    tx.topic_mut(id)?.paused = paused;
    tx.effects.changed.push((Arc::from(name), None));
    Ok(Outcome::Done)
}

pub(super) fn create_subscribers(
    tx: &mut Tx<'_>,
    topic: &str,
    subscribers: &[NewSubscriber],
) -> Step<Outcome> {
    let id = tx.topic_id(topic)?;
    for new in subscribers {
        let exists = tx
            .connection
            .prepare_cached(include_str!("../../../sql/sqlite/subscriber_by_name.sql"))?
            .exists(params![id, new.name])?;
        if exists {
            let (topic, subscriber) = (topic.to_owned(), new.name.clone());
            return Err(Error::SubscriberExists { topic, subscriber }.into());
        }
    }
    let mut created = Vec::with_capacity(subscribers.len());
    for new in subscribers {
        let subscriber = create_subscriber(tx, id, new)?;
        created.push(tx.subscriber(subscriber)?.view());
    }
    Ok(Outcome::Subscribers(created))
}

fn create_subscriber(tx: &mut Tx<'_>, topic: TopicId, new: &NewSubscriber) -> Step<SubscriberId> {
    tx.flush()?;
    let mut cursors = Vec::new();
    for log in tx.topic(topic)?.logs.clone() {
        let floor = position::floor(tx, topic, log)?;
        let seq = match new.start {
            StartFrom::Now => tx.log(log)?.last_seq,
            StartFrom::Earliest => floor,
            StartFrom::Time(at) => position::before_time(tx, log, to_millis(at))?.max(floor),
        };
        cursors.push((log, seq));
    }
    let id = tx
        .connection
        .prepare_cached(include_str!("../../../sql/sqlite/subscriber_insert.sql"))?
        .insert(params![topic, new.name, tx.now])?;
    let id =
        SubscriberId::try_from(id).map_err(|_| Error::internal("out of subscriber numbers"))?;
    encode::write_subscriber_options(tx.connection, id, &new.options)?;
    tx.load_subscriber(id)?;
    for (log, seq) in cursors {
        tx.subscriber_mut(id)?.move_cursor(log, seq);
    }
    let state = tx.topic_mut(topic)?;
    state.subscriber_count += 1;
    state.backlog = None;
    // Somebody may be waiting for a subscriber of this name that was deleted and is there again.
    let source = tx.source(id)?;
    tx.effects.changed.push((source.topic, Some(source.subscriber)));
    Ok(id)
}

pub(super) fn update_subscriber(
    tx: &mut Tx<'_>,
    source: &Source,
    change: &SubscriberChange,
) -> Step<Outcome> {
    let id = tx.subscriber_id(source)?;
    let old = tx.subscriber(id)?.options.clone();
    let options: SubscriberOptions = change.apply(&old);
    // Each change is right by itself; together with what stays it need not be.
    options.validate()?;
    encode::write_subscriber_options(tx.connection, id, &options)?;
    let rule = Rule::of(&options);
    tx.subscriber_mut(id)?.options = options;
    let was_keyed = Rule::of(&old).is_some() || tx.subscriber(id)?.sifted_key.is_some();
    if was_keyed && Rule::of(&old) != rule {
        keys::begin_sift(tx, id)?;
    }
    // What waits may be let through now.
    let subscriber = Some(Arc::clone(&source.subscriber));
    tx.effects.changed.push((Arc::clone(&source.topic), subscriber));
    Ok(Outcome::Subscribers(vec![tx.subscriber(id)?.view()]))
}

pub(super) fn delete_subscriber(tx: &mut Tx<'_>, source: &Source) -> Step<Outcome> {
    let id = tx.subscriber_id(source)?;
    let topic = tx.subscriber(id)?.topic;
    tx.flush()?;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/subscriber_delete.sql"))?
        .execute(params![id, tx.now])?;
    tx.cache.forget_subscriber(id);
    tx.effects.ended.push(EVERYTHING);
    let state = tx.topic_mut(topic)?;
    state.subscriber_count = state.subscriber_count.saturating_sub(1);
    state.backlog = None;
    for log in state.logs.clone() {
        tx.cache.may_trim(log);
    }
    let subscriber = Some(Arc::clone(&source.subscriber));
    tx.effects.changed.push((Arc::clone(&source.topic), subscriber));
    Ok(Outcome::Done)
}

pub(super) fn pause_subscriber(tx: &mut Tx<'_>, source: &Source, paused: bool) -> Step<Outcome> {
    let id = tx.subscriber_id(source)?;
    tx.connection
        .prepare_cached(include_str!("../../../sql/sqlite/subscriber_pause.sql"))?
        .execute(params![id, paused])?;
    tx.subscriber_mut(id)?.paused = paused;
    let subscriber = Some(Arc::clone(&source.subscriber));
    tx.effects.changed.push((Arc::clone(&source.topic), subscriber));
    Ok(Outcome::Done)
}
