//! The queue of a server, through the `/v1` contract.

mod answer;
mod client;
mod request;

use std::time::Duration;

use blockqueue::{
    ClaimOptions, Error, NackOptions, NewSchedule, NewSubscriber, NewTopic, Page, Purge, Redrive,
    Reply, ScheduleOptions, Seek, SubscriberChange, SubscriberOptions, TopicChange, limits,
};

use super::{Backend, Lease, Named, Source};
use crate::cli::failure::{Failure, Outcome};
use crate::cli::stop::Stop;
use crate::cli::view::{
    DeadLetter, Delivery, DeliveryStatus, FailedAttempt, Listed, MessageResult, MessageStatus,
    Peeked, Published, Schedule, ScheduleRun, Sought, Subscriber, Topic, TopicStats, millis,
};
pub(crate) use client::Token;
use client::{Call, Client, refusal};
use request::{
    MessageIn, OptionIn, ReasonIn, ReplayIn, ReplyIn, ScheduleIn, SeekIn, SettleIn, SubscriberIn,
    TopicIn, TopicOptionIn,
};

/// A waiting claim asks this long at a time: as long it may take to notice that it is to stop.
const CLAIM_WAIT: Duration = Duration::from_secs(2);
/// A wait for a result asks this long at a time: the most that a server allows.
const RESULT_WAIT: Duration = Duration::from_mins(1);
/// A batch of this many bytes stays below the body limit of a server, however it is escaped.
const BATCH_BYTES: usize = 512 << 10;

/// A queue behind a server.
#[derive(Debug)]
pub(crate) struct UrlBackend {
    client: Client,
}

impl UrlBackend {
    /// The queue of the server at this address.
    pub(crate) fn new(url: &str, token: Option<Token>) -> Outcome<Self> {
        Ok(Self { client: Client::new(url, token)? })
    }

    fn settle_one(
        &self,
        source: &Source,
        lease: &Lease,
        verb: &str,
        body: &SettleIn<'_>,
    ) -> Outcome<()> {
        let path = delivery_path(source, &lease.id, verb);
        match self.client.order(Call::post(&path).repeatable().body(body)) {
            Err(failure) if failure.code() == "lease_lost" => Ok(()),
            settled => settled,
        }
    }
}

type DeliveryPath<'a> = [&'a str; 7];

fn delivery_path<'a>(source: &'a Source, id: &'a str, verb: &'a str) -> DeliveryPath<'a> {
    ["topics", &source.topic, "subscribers", &source.subscriber, "messages", id, verb]
}

/// A path below a subscriber.
fn path<'a>(source: &'a Source, rest: &'a str) -> [&'a str; 5] {
    ["topics", &source.topic, "subscribers", &source.subscriber, rest]
}

fn schedule_path(of: &Named) -> [&str; 4] {
    ["topics", &of.topic, "schedules", &of.schedule]
}

fn page_of<'a>(path: &'a [&'a str], page: Page) -> Call<'a, ()> {
    Call::get(path).query("limit", page.limit).query("cursor", page.after)
}

fn listed<S, T>(
    items: Vec<S>,
    next: Option<String>,
    view: impl FnMut(S) -> Outcome<T>,
) -> Outcome<Listed<T>> {
    Ok(Listed { items: items.into_iter().map(view).collect::<Outcome<_>>()?, next })
}

fn pause_word(paused: bool) -> &'static str {
    if paused { "pause" } else { "resume" }
}

impl Backend for UrlBackend {
    fn create_topic(&self, topic: NewTopic) -> Outcome<Topic> {
        let body = TopicIn::from(&topic);
        let topic: answer::Topic = self.client.send(Call::post(&["topics"]).body(body))?;
        topic.into_view()
    }

    fn topic(&self, topic: &str) -> Outcome<Topic> {
        let topic: answer::Topic = self.client.send(Call::get(&["topics", topic]))?;
        topic.into_view()
    }

    fn topics(&self, page: Page) -> Outcome<Listed<Topic>> {
        let page: answer::Topics = self.client.send(page_of(&["topics"], page))?;
        listed(page.topics, page.next_cursor, answer::Topic::into_view)
    }

    fn update_topic(&self, topic: &str, change: TopicChange) -> Outcome<Topic> {
        let body = TopicOptionIn::from(&change);
        let topic: answer::Topic =
            self.client.send(Call::patch(&["topics", topic]).repeatable().body(body))?;
        topic.into_view()
    }

    fn delete_topic(&self, topic: &str) -> Outcome<()> {
        self.client.order(Call::delete(&["topics", topic]))
    }

    fn pause_topic(&self, topic: &str, paused: bool) -> Outcome<()> {
        self.client.order(Call::post(&["topics", topic, pause_word(paused)]).repeatable())
    }

    fn create_subscriber(&self, topic: &str, subscriber: NewSubscriber) -> Outcome<()> {
        let body = [SubscriberIn::from(&subscriber)];
        self.client.order(Call::post(&["topics", topic, "subscribers"]).body(body))
    }

    fn subscriber(&self, source: &Source) -> Outcome<Subscriber> {
        let mut page = Page::default().with_limit(limits::PAGE_MAX);
        loop {
            let subscribers = self.subscribers(&source.topic, page.clone())?;
            let mut items = subscribers.items.into_iter();
            if let Some(found) = items.find(|item| item.name == source.subscriber) {
                return Ok(found);
            }
            let Some(next) = subscribers.next else { break };
            page = page.with_after(next);
        }
        let Source { topic, subscriber } = source.clone();
        Err(Error::UnknownSubscriber { topic, subscriber }.into())
    }

    fn subscribers(&self, topic: &str, page: Page) -> Outcome<Listed<Subscriber>> {
        let page: answer::Subscribers =
            self.client.send(page_of(&["topics", topic, "subscribers"], page))?;
        listed(page.subscribers, page.next_cursor, |subscriber| subscriber.into_view(topic))
    }

    fn update_subscriber(&self, source: &Source, change: SubscriberChange) -> Outcome<()> {
        let path = ["topics", &source.topic, "subscribers", &source.subscriber];
        self.client.order(Call::patch(&path).repeatable().body(OptionIn::from(&change)))
    }

    fn delete_subscriber(&self, source: &Source) -> Outcome<()> {
        let path = ["topics", &source.topic, "subscribers", &source.subscriber];
        self.client.order(Call::delete(&path))
    }

    fn pause_subscriber(&self, source: &Source, paused: bool) -> Outcome<()> {
        self.client.order(Call::post(&path(source, pause_word(paused))).repeatable())
    }

    fn seek(&self, source: &Source, seek: Seek) -> Outcome<Sought> {
        let body = SeekIn::try_from(seek)?;
        self.client.send(Call::post(&path(source, "seek")).body(body))
    }

    fn batch_bytes(&self) -> usize {
        BATCH_BYTES
    }

    fn publish(&self, topic: &str, messages: Vec<blockqueue::Message>) -> Outcome<Vec<Published>> {
        let body: Vec<_> = messages.iter().map(MessageIn::from).collect();
        let path = ["topics", topic, "messages", "batch"];
        let call = Call::post(&path).query("wait_for", Some("commit")).body(body);
        let published: Vec<answer::Published> = self.client.send(call)?;
        Ok(published.into_iter().map(Published::from).collect())
    }

    fn consumer_options(&self, _source: &Source) -> Outcome<Option<SubscriberOptions>> {
        // To look at subscribers takes more than the right to consume.
        Ok(None)
    }

    fn claim(
        &self,
        source: &Source,
        options: &ClaimOptions,
        stop: &Stop,
    ) -> Outcome<Vec<Delivery>> {
        let mut left = options.wait;
        while !stop.is_requested() {
            let wait = left.min(CLAIM_WAIT);
            let path = path(source, "claim");
            // What an unanswered claim got comes back when its lease expires.
            let call = Call::post(&path)
                .repeatable()
                .waits(wait)
                .query("timeout", Some(format!("{}ms", millis(wait))))
                .query("limit", options.limit)
                .query("lease", options.lease.map(|lease| format!("{}ms", millis(lease))));
            let claimed: Vec<answer::Claimed> = self.client.send(call)?;
            left = left.saturating_sub(wait);
            if !claimed.is_empty() || left.is_zero() {
                return claimed.into_iter().map(answer::Claimed::into_view).collect();
            }
        }
        Ok(Vec::new())
    }

    fn ack(&self, source: &Source, leases: &[Lease]) -> Outcome<Vec<Outcome<()>>> {
        let items: Vec<_> = leases
            .iter()
            .map(|lease| SettleIn { message_id: Some(&lease.id), ..SettleIn::of(&lease.receipt) })
            .collect();
        let path = delivery_path(source, "batch", "ack");
        let answers: Vec<answer::Item> =
            self.client.send(Call::post(&path).repeatable().body(items))?;
        let settled = |(answer, lease): (answer::Item, &Lease)| match answer.error {
            None => Ok(()),
            Some(code) => Err(refusal(code, format!("message {} was not acked", lease.id), false)),
        };
        Ok(answers.into_iter().zip(leases).map(settled).collect())
    }

    fn reply(&self, source: &Source, lease: &Lease, reply: Reply) -> Outcome<()> {
        let result = Some(ReplyIn::from(&reply));
        let body = SettleIn { result, ..SettleIn::of(&lease.receipt) };
        let path = delivery_path(source, &lease.id, "ack");
        self.client.order(Call::post(&path).repeatable().body(body))
    }

    fn nack(&self, source: &Source, lease: &Lease, options: NackOptions) -> Outcome<bool> {
        let body = SettleIn {
            retry_delay: options.delay.map(millis),
            error: options.error.as_deref(),
            ..SettleIn::of(&lease.receipt)
        };
        let path = delivery_path(source, &lease.id, "nack");
        let nacked: answer::Nacked = self.client.send(Call::post(&path).repeatable().body(body))?;
        Ok(nacked.is_dead())
    }

    fn extend(&self, source: &Source, leases: &[Lease], duration: Duration) -> Outcome<()> {
        leases.iter().try_for_each(|lease| {
            let extension = Some(millis(duration));
            let body = SettleIn { extension, ..SettleIn::of(&lease.receipt) };
            self.settle_one(source, lease, "lease", &body)
        })
    }

    fn give_back(&self, source: &Source, leases: &[Lease]) -> Outcome<()> {
        leases.iter().try_for_each(|lease| {
            let body = SettleIn { delay: Some(0), ..SettleIn::of(&lease.receipt) };
            self.settle_one(source, lease, "snooze", &body)
        })
    }

    fn dead_letters(&self, source: &Source, page: Page) -> Outcome<Listed<DeadLetter>> {
        let page: answer::Messages<answer::Letter> =
            self.client.send(page_of(&path(source, "dlq"), page))?;
        listed(page.messages, page.next_cursor, answer::Letter::into_view)
    }

    fn redrive(&self, source: &Source, options: Redrive) -> Outcome<u64> {
        let Source { topic, subscriber } = source;
        let path = ["topics", topic, "subscribers", subscriber, "dlq", "replay"];
        let redriven: answer::Count =
            self.client.send(Call::post(&path).body(ReplayIn::from(options)))?;
        Ok(redriven.count)
    }

    fn purge(&self, source: &Source, options: Purge) -> Outcome<u64> {
        let purged: answer::Count =
            self.client.send(Call::delete(&path(source, "dlq")).body(ReplayIn::from(options)))?;
        Ok(purged.count)
    }

    fn create_schedule(&self, topic: &str, schedule: NewSchedule) -> Outcome<Schedule> {
        let body = ScheduleIn::new(&schedule);
        let path = ["topics", topic, "schedules"];
        let created: answer::Schedule = self.client.send(Call::post(&path).body(body))?;
        created.into_view()
    }

    fn schedule(&self, of: &Named) -> Outcome<Schedule> {
        let schedule: answer::Schedule = self.client.send(Call::get(&schedule_path(of)))?;
        schedule.into_view()
    }

    fn schedules(&self, topic: &str, page: Page) -> Outcome<Listed<Schedule>> {
        let page: answer::Schedules =
            self.client.send(page_of(&["topics", topic, "schedules"], page))?;
        listed(page.schedules, page.next_cursor, answer::Schedule::into_view)
    }

    fn update_schedule(
        &self,
        of: &Named,
        version: u64,
        options: ScheduleOptions,
    ) -> Outcome<Schedule> {
        let body = ScheduleIn::update(version, &options);
        let updated: answer::Schedule =
            self.client.send(Call::put(&schedule_path(of)).body(body))?;
        updated.into_view()
    }

    fn delete_schedule(&self, of: &Named) -> Outcome<()> {
        self.client.order(Call::delete(&schedule_path(of)))
    }

    fn pause_schedule(&self, of: &Named, paused: bool) -> Outcome<()> {
        let path = ["topics", &of.topic, "schedules", &of.schedule, pause_word(paused)];
        self.client.order(Call::post(&path).repeatable())
    }

    fn run_schedule(&self, of: &Named) -> Outcome<ScheduleRun> {
        let path = ["topics", &of.topic, "schedules", &of.schedule, "run-now"];
        let run: answer::Run = self.client.send(Call::post(&path))?;
        run.into_view()
    }

    fn schedule_runs(&self, of: &Named, page: Page) -> Outcome<Listed<ScheduleRun>> {
        let path = ["topics", &of.topic, "schedules", &of.schedule, "runs"];
        let page: answer::Runs = self.client.send(page_of(&path, page))?;
        listed(page.runs, page.next_cursor, answer::Run::into_view)
    }

    fn topic_stats(&self, topic: &str) -> Outcome<TopicStats> {
        let stats: answer::TopicStats = self.client.send(Call::get(&["topics", topic, "stats"]))?;
        Ok(stats.into())
    }

    fn peek(&self, source: &Source, page: Page) -> Outcome<Listed<Peeked>> {
        let page: answer::Messages<answer::Peeked> =
            self.client.send(page_of(&path(source, "messages"), page))?;
        listed(page.messages, page.next_cursor, answer::Peeked::into_view)
    }

    fn message(&self, topic: &str, id: &str) -> Outcome<MessageStatus> {
        let status: answer::MessageStatus =
            self.client.send(Call::get(&["topics", topic, "messages", id]))?;
        status.into_view()
    }

    fn result(&self, source: &Source, id: &str, wait: Duration) -> Outcome<MessageResult> {
        let path = ["topics", &source.topic, "messages", id, "results", &source.subscriber];
        let mut left = wait;
        loop {
            let wait = left.min(RESULT_WAIT);
            let timeout = Some(format!("{}ms", millis(wait)));
            let call = Call::get(&path).waits(wait).query("timeout", timeout);
            let result: answer::MessageResult = self.client.send(call)?;
            left = left.saturating_sub(wait);
            if left.is_zero() || !matches!(result, answer::MessageResult::Pending) {
                return result.into_view();
            }
        }
    }

    fn cancel_message(&self, topic: &str, id: &str) -> Outcome<Vec<DeliveryStatus>> {
        let path = ["topics", topic, "messages", id, "cancel"];
        let stood: Vec<answer::DeliveryStatus> =
            self.client.send(Call::post(&path).body(ReasonIn { reason: None }))?;
        Ok(stood.into_iter().map(DeliveryStatus::from).collect())
    }

    fn cancel_delivery(&self, source: &Source, id: &str, reason: Option<&str>) -> Outcome<()> {
        let path = delivery_path(source, id, "cancel");
        self.client.order(Call::post(&path).body(ReasonIn { reason }))
    }

    fn failures(&self, source: &Source, id: &str, page: Page) -> Outcome<Listed<FailedAttempt>> {
        let path = delivery_path(source, id, "errors");
        let page: answer::Failures = self.client.send(page_of(&path, page))?;
        listed(page.errors, page.next_cursor, |failed| Ok::<_, Failure>(failed.into()))
    }
}
