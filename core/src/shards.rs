//! One queue in many databases: each topic lives in one of them, and topics are independent of one another.
//!
//! Owns where topics are. What is about one topic goes to its database as it is; what is about several is asked
//! of each and put together. Receipts and messages tell their database by its tag. Invariant: a topic that is
//! somewhere stays there, whatever the map says of it later.

mod map;
mod merge;
mod strays;
mod subject;

use std::collections::HashMap;
use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use crate::engine::{Answered, Handle, Work};
use crate::error::{Error, Result};
use crate::limits;
use crate::model::{EngineStats, Receipt, Topic};
use crate::op::{Answer, Claim, ClaimOutcome, Op, Outcome, Query, Settle, Source};
use crate::options::{NewTopic, OpenOptions, Redrive};
use crate::pending::Pending;
use map::Map;
pub(crate) use map::path_of;
use strays::Strays;

#[derive(Debug)]
pub(crate) struct Shards {
    map: Map,
    /// One for each database of the map.
    handles: Vec<Arc<Handle>>,
    strays: Strays,
}

impl Shards {
    pub(crate) fn open(map: &Path, options: &OpenOptions) -> Result<Self> {
        let map = Map::read(map)?;
        let mut options = options.clone();
        let mut handles: Vec<Arc<Handle>> = Vec::with_capacity(map.databases.len());
        for database in &map.databases {
            let handle = Handle::open(&database.address, &options)
                .map_err(|error| of_database(&database.name, error))?;
            if options.tags_taken.contains(&handle.tag()) {
                let detail = format!("{} has the ids of another database", database.name);
                return Err(Error::CannotOpen { detail });
            }
            options.tags_taken.push(handle.tag());
            handles.push(Arc::new(handle));
        }
        let mut shards = Self { map, handles, strays: Strays::default() };
        // It waits for answers, which whoever runs an executor on this thread must not.
        shards.strays = thread::scope(|scope| {
            let looking = thread::Builder::new()
                .name("blockqueue-open".into())
                .spawn_scoped(scope, || shards.find_strays())
                .map_err(|error| Error::Io { detail: error.to_string() })?;
            looking.join().unwrap_or_else(|_| Err(Error::internal("opening panicked")))
        })?;
        Ok(shards)
    }

    /// Looks where the topics are.
    fn find_strays(&self) -> Result<Strays> {
        let mut found: HashMap<String, usize> = HashMap::new();
        for (at, handle) in self.handles.iter().enumerate() {
            for topic in topics_of(handle)? {
                if let Some(other) = found.insert(topic.name.clone(), at) {
                    let name = |at: usize| self.map.databases.get(at).map(|one| one.name.as_str());
                    let (one, two) =
                        (name(other).unwrap_or_default(), name(at).unwrap_or_default());
                    let detail = format!("topic {:?} is in {one} and in {two}", topic.name);
                    return Err(Error::CannotOpen { detail });
                }
            }
        }
        found.retain(|topic, at| self.map.home(topic) != *at);
        Ok(Strays::from(found))
    }

    /// Where a topic is, or would be.
    fn place(&self, topic: &str) -> usize {
        self.strays.place(topic).unwrap_or_else(|| self.map.home(topic))
    }

    fn of(&self, topic: &str) -> Result<&Arc<Handle>> {
        self.handles
            .get(self.place(topic))
            .ok_or_else(|| Error::internal("a topic has no database"))
    }

    /// The database that gave a receipt out; of a receipt of somewhere else any will say so.
    fn place_of(&self, receipt: &Receipt) -> usize {
        let tag = receipt.message_id().parts().map(|parts| parts.tag);
        self.handles.iter().position(|handle| Some(handle.tag()) == tag).unwrap_or(0)
    }

    // --- as a handle ----------------------------------------------------------------------------------

    /// A stray that is not where it was has been deleted by another process, and is where the map says if it was
    /// made anew: it is a stray no longer, and the work is begun once more.
    pub(crate) fn start_work<T>(
        self: &Arc<Self>,
        work: Work,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let strays = self.strays.among(&work);
        let again = if strays.is_empty() { None } else { work.again() };
        let Some(again) = again else { return self.begin(work, map) };
        let (begun, shards) = (self.begin(work, Ok), Arc::downgrade(self));
        let answer = async move {
            let answer = begun.into_answered().await;
            let gone = unknown_topic(&answer).filter(|topic| strays.contains(*topic));
            let Some(gone) = gone else { return answer };
            // Whoever waits for it does not keep the queue open.
            let shards = shards.upgrade().ok_or(Error::Shutdown)?;
            shards.strays.forget(gone);
            let again = shards.start_work(again, Ok);
            drop(shards);
            again.into_answered().await
        };
        Pending::composed(answer, map)
    }

    fn begin<T>(
        &self,
        work: Work,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let to = match work {
            Work::Claim { claim, wait } => return self.start_claim(&claim, wait, map),
            Work::Op(Op::Settle(items)) => return self.start_settle(items, map),
            Work::Op(Op::Release(receipts)) => return self.start_release(&receipts, map),
            Work::Query(query) => return self.begin_query(query, map),
            Work::Watch { ref of, .. } => self.of(&of.source.topic),
            Work::Transaction(_) => {
                Err(Error::invalid("a transaction is of one database: open it"))
            }
            // Where it is no more it must not be made.
            Work::Op(Op::CreateTopic(NewTopic { name: topic, .. })) if self.strays.has(&topic) => {
                return self.refuse(topic.clone(), Error::TopicExists { topic }, map);
            }
            // Dead letters go to their new topic in the transaction that ends them.
            Work::Op(Op::Redrive { source, options: Redrive { to: Some(to), .. }, .. })
                if self.place(&to) != self.place(&source.topic) =>
            {
                let error = Error::invalid("to must be a topic of the same database");
                return self.refuse(to, error, map);
            }
            Work::Op(ref op) => match subject::of_op(op) {
                Some(topic) => self.of(topic),
                None => Err(Error::internal("an operation of no topic")),
            },
        };
        match to {
            Ok(handle) => handle.start_work(work, map),
            Err(error) => Pending::failed(error),
        }
    }

    /// The answer if the topic is there.
    fn refuse<T>(
        &self,
        topic: String,
        error: Error,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        match self.of(&topic) {
            Ok(handle) => {
                let asked = handle.start_query(Query::Topic { topic }, Ok);
                Pending::composed(async { asked.await.and(Err(error)) }, map)
            }
            Err(error) => Pending::failed(error),
        }
    }

    pub(crate) fn start_query<T>(
        self: &Arc<Self>,
        query: Query,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        self.start_work(Work::Query(query), map)
    }

    fn begin_query<T>(
        &self,
        query: Query,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let topic = match &query {
            Query::Topics { limit, after } => {
                return self.start_topics(*limit, after.as_deref(), map);
            }
            Query::Diagnose => return self.start_diagnosis(map),
            Query::Backup(_) => {
                let error = Error::invalid("a backup is of one database: open it");
                return Pending::failed(error);
            }
            Query::FileBytes => return Pending::failed(Error::internal("asked of one database")),
            query => subject::of_query(query),
        };
        match topic.map(|topic| self.of(topic)) {
            Some(Ok(handle)) => handle.start_query(query, map),
            Some(Err(error)) => Pending::failed(error),
            None => Pending::failed(Error::internal("a query about no topic")),
        }
    }

    pub(crate) fn stats(&self) -> Result<EngineStats> {
        let each = self.handles.iter().map(|handle| handle.stats());
        each.reduce(|sum, one| Ok(merge::engine_stats(sum?, &one?)))
            .unwrap_or_else(|| Ok(EngineStats::default()))
    }

    pub(crate) fn shutdown(&self) -> Pending<()> {
        let all: Vec<_> = self.handles.iter().map(|handle| handle.shutdown()).collect();
        Pending::composed(all_done(all), |_| Ok(()))
    }

    // --- of several databases ---------------------------------------------------------------------------

    fn start_topics<T>(
        &self,
        limit: usize,
        after: Option<&str>,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let asked = self.ask_all(|| Query::Topics { limit, after: after.map(str::to_owned) });
        let merged = async move {
            let mut pages = Vec::with_capacity(asked.len());
            for one in asked {
                match one.await? {
                    Answer::Topics(page) => pages.push(page),
                    _ => return Err(Error::internal("an answer to another query")),
                }
            }
            let page = merge::topics(pages, limit);
            Ok(Answered::new(Outcome::Answer(Answer::Topics(page))))
        };
        Pending::composed(merged, map)
    }

    fn start_diagnosis<T>(
        &self,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let asked = self.ask_all(|| Query::Diagnose);
        let names: Vec<_> = self.map.databases.iter().map(|one| one.name.clone()).collect();
        let merged = async move {
            let mut found = Vec::with_capacity(asked.len());
            for (name, one) in names.into_iter().zip(asked) {
                match one.await.map_err(|error| of_database(&name, error))? {
                    Answer::Diagnosis(diagnosis) => found.push((name, diagnosis)),
                    _ => return Err(Error::internal("an answer to another query")),
                }
            }
            let all = merge::diagnoses(found);
            Ok(Answered::new(Outcome::Answer(Answer::Diagnosis(all))))
        };
        Pending::composed(merged, map)
    }

    /// Every database is asked at once.
    fn ask_all(&self, query: impl Fn() -> Query) -> Vec<Pending<Answer>> {
        let ask = |handle: &Arc<Handle>| handle.start_query(query(), into_answer);
        self.handles.iter().map(ask).collect()
    }

    /// Each settlement goes where its receipt is from; all of them at once.
    fn start_settle<T>(
        &self,
        items: Vec<Settle>,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let places: Vec<_> = items.iter().map(|item| self.place_of(&item.receipt)).collect();
        let first = places.first().copied().unwrap_or(0);
        if places.iter().all(|place| *place == first) {
            return match self.handles.get(first) {
                Some(handle) => handle.start_work(Work::Op(Op::Settle(items)), map),
                None => Pending::failed(Error::internal("a receipt has no database")),
            };
        }
        let mut parts: Vec<Vec<Settle>> = self.handles.iter().map(|_| Vec::new()).collect();
        for (place, item) in places.iter().zip(items) {
            parts.get_mut(*place).into_iter().for_each(|part| part.push(item.clone()));
        }
        let started: Vec<_> = self
            .handles
            .iter()
            .zip(parts)
            .map(|(handle, part)| {
                (!part.is_empty()).then(|| handle.start_work(Work::Op(Op::Settle(part)), Ok))
            })
            .collect();
        let merged = async move {
            let mut settled = Vec::with_capacity(started.len());
            for one in started {
                // One that cannot be asked answers for its receipts, not for those of the others.
                settled.push(match one {
                    Some(one) => one.await,
                    None => Ok(Outcome::Settled(Vec::new())),
                });
            }
            Ok(Answered::new(Outcome::Settled(merge::settled(&places, settled))))
        };
        Pending::composed(merged, map)
    }

    /// What is given back goes where it is from.
    fn start_release<T>(
        &self,
        receipts: &[Receipt],
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let mut parts: Vec<Vec<Receipt>> = vec![Vec::new(); self.handles.len()];
        for receipt in receipts {
            parts.get_mut(self.place_of(receipt)).into_iter().for_each(|part| part.push(*receipt));
        }
        let parts = self.handles.iter().zip(parts).filter(|(_, part)| !part.is_empty());
        let started =
            parts.map(|(handle, part)| handle.start_work(Work::Op(Op::Release(part)), Ok));
        Pending::composed(all_done(started.collect()), map)
    }

    /// A claim on subscribers in several databases takes what is there in the order asked for. If nothing is, it
    /// waits in all of them; what others than the first get then is given back.
    fn start_claim<T>(
        &self,
        claim: &Claim,
        wait: Duration,
        map: impl FnOnce(Outcome) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let runs: Vec<(usize, Vec<Source>)> = self.runs(&claim.sources);
        let start = |place: usize, sources: Vec<Source>, wait| {
            let claim = Claim { sources: sources.into(), ..claim.clone() };
            (self.handles.get(place), Work::Claim { claim, wait })
        };
        if let [(place, sources)] = runs.as_slice() {
            return match start(*place, sources.clone(), wait) {
                (Some(handle), work) => handle.start_work(work, map),
                (None, _) => Pending::failed(Error::internal("a topic has no database")),
            };
        }
        let mut waiting: Vec<(usize, Vec<Source>)> = Vec::new();
        for (place, sources) in &runs {
            match waiting.iter_mut().find(|(other, _)| other == place) {
                Some((_, all)) => all.extend(sources.iter().cloned()),
                None => waiting.push((*place, sources.clone())),
            }
        }
        let steps = |runs: Vec<(usize, Vec<Source>)>, wait| -> Vec<(Arc<Handle>, Work)> {
            let steps = runs.into_iter().map(|(place, sources)| start(place, sources, wait));
            steps.filter_map(|(handle, work)| Some((Arc::clone(handle?), work))).collect()
        };
        let (looks, waits) = (steps(runs, Duration::ZERO), steps(waiting, wait));
        let known: Vec<_> =
            claim.sources.iter().map(|source| self.ask_subscriber(source)).collect();
        let claimed = async move {
            // Nothing is claimed if there is one that cannot be claimed from.
            for one in known {
                one.await?;
            }
            for (handle, work) in looks {
                let answered = handle.start_work(work, |_| Ok(())).into_answered().await?;
                if has_something(&answered) {
                    return Ok(answered);
                }
            }
            let waits = if wait.is_zero() { Vec::new() } else { waits };
            first(
                waits
                    .into_iter()
                    .map(|(handle, work)| handle.start_work(work, |_| Ok(())))
                    .collect(),
            )
            .await
        };
        Pending::composed(claimed, map)
    }

    fn ask_subscriber(&self, source: &Source) -> Pending<Answer> {
        match self.of(&source.topic) {
            Ok(handle) => {
                handle.start_query(Query::Subscriber { source: source.clone() }, into_answer)
            }
            Err(error) => Pending::failed(error),
        }
    }

    /// Sources side by side that are in one database.
    fn runs(&self, sources: &[Source]) -> Vec<(usize, Vec<Source>)> {
        let mut runs: Vec<(usize, Vec<Source>)> = Vec::new();
        for source in sources {
            let place = self.place(&source.topic);
            match runs.last_mut() {
                Some((last, run)) if *last == place => run.push(source.clone()),
                _ => runs.push((place, vec![source.clone()])),
            }
        }
        runs
    }
}

async fn all_done<T>(all: Vec<Pending<T>>) -> Result<Answered> {
    for one in all {
        one.await?;
    }
    Ok(Answered::new(Outcome::Done))
}

/// The first answer with something in it, or that none has.
async fn first(mut claims: Vec<Pending<()>>) -> Result<Answered> {
    poll_fn(|context| {
        let mut at = 0;
        while let Some(claim) = claims.get_mut(at) {
            if claim.poll_ready(context).is_pending() {
                at += 1;
                continue;
            }
            match claims.swap_remove(at).take_answered() {
                Ok(answered) if !has_something(&answered) => {}
                answer => return Poll::Ready(answer),
            }
        }
        if claims.is_empty() {
            return Poll::Ready(Ok(Answered::new(Outcome::Claimed(ClaimOutcome::default()))));
        }
        Poll::Pending
    })
    .await
}

fn has_something(answered: &Answered) -> bool {
    matches!(answered.outcome(), Some(Outcome::Claimed(claimed)) if !claimed.deliveries.is_empty())
}

/// The topic that was said not to be there.
fn unknown_topic(answer: &Result<Answered>) -> Option<&str> {
    let error = match answer {
        Err(error) => error,
        Ok(answered) => match answered.outcome() {
            Some(Outcome::Answer(Answer::Results(looked))) => {
                looked.iter().find_map(|one| one.as_ref().err())?
            }
            _ => return None,
        },
    };
    match error {
        Error::UnknownTopic { topic } => Some(topic),
        _ => None,
    }
}

fn into_answer(outcome: Outcome) -> Result<Answer> {
    match outcome {
        Outcome::Answer(answer) => Ok(answer),
        _ => Err(Error::internal("a query without an answer")),
    }
}

/// All topics of a database.
fn topics_of(handle: &Handle) -> Result<Vec<Topic>> {
    let mut topics = Vec::new();
    let mut after = None;
    loop {
        let query = Query::Topics { limit: limits::PAGE_MAX, after };
        let Answer::Topics(page) = handle.start_query(query, into_answer).wait()? else {
            return Err(Error::internal("an answer to another query"));
        };
        topics.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(topics);
        }
    }
}

/// Says which database it is that cannot be used.
fn of_database(name: &str, error: Error) -> Error {
    match error {
        Error::CannotOpen { detail } => Error::CannotOpen { detail: format!("{name}: {detail}") },
        Error::ReadOnly { detail } => Error::ReadOnly { detail: format!("{name}: {detail}") },
        Error::Corrupt { detail } => Error::Corrupt { detail: format!("{name}: {detail}") },
        Error::Io { detail } => Error::Io { detail: format!("{name}: {detail}") },
        other => other,
    }
}
