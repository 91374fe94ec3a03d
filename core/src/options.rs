//! What callers may choose, with the production value of each choice as its default.
//!
//! Every struct is checked once, by its `validate`, before anything is written.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::clock::Clock;
#[cfg(feature = "test-clock")]
use crate::clock::TestClock;
use crate::error::{Error, Result, positive};
use crate::limits;
use crate::model::MessageId;

/// Makes `with_*` setters, so that `#[non_exhaustive]` structs can be built outside of the crate.
macro_rules! setters {
    ($($(#[$doc:meta])* $setter:ident: $field:ident = $type:ty;)*) => {
        $($(#[$doc])* #[must_use] pub fn $setter(mut self, value: $type) -> Self {
            self.$field = value.into();
            self
        })*
    };
}

/// As `setters`, for optional texts.
macro_rules! text_setters {
    ($($(#[$doc:meta])* $setter:ident: $field:ident;)*) => {
        $($(#[$doc])* #[must_use] pub fn $setter(mut self, value: impl Into<String>) -> Self {
            self.$field = Some(value.into());
            self
        })*
    };
}

/// How safe an answered write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// On disk before the answer (`synchronous=FULL`). The default.
    #[default]
    Full,
    /// Survives a crash of the process; a power cut may take the newest commits (`synchronous=NORMAL`).
    Balanced,
}

/// How to open a queue.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct OpenOptions {
    /// How safe an answered write is. Default: [`Durability::Full`].
    pub durability: Durability,
    /// Largest payload of one message, in bytes. Default 1 MiB, at most 64 MiB.
    pub payload_bytes_max: Option<usize>,
    /// Refuse to create a file that does not exist. Default: create it.
    pub must_exist: bool,
    pub(crate) clock: Clock,
}

impl OpenOptions {
    setters! {
        /// Sets how safe an answered write is.
        with_durability: durability = Durability;
        /// Sets the largest payload of one message, in bytes.
        with_payload_bytes_max: payload_bytes_max = usize;
        /// Refuses to create a file that does not exist.
        with_must_exist: must_exist = bool;
    }

    /// Takes the time from a clock that the test moves.
    #[cfg(feature = "test-clock")]
    #[must_use]
    pub fn with_clock(mut self, clock: TestClock) -> Self {
        self.clock = Clock::Test(clock);
        self
    }

    pub(crate) fn payload_bytes_limit(&self) -> usize {
        self.payload_bytes_max.unwrap_or(limits::PAYLOAD_BYTES_DEFAULT)
    }

    pub(crate) fn validate(&self) -> Result<()> {
        at_most("payload_bytes_max", self.payload_bytes_limit(), limits::PAYLOAD_BYTES_MAX)
    }
}

/// What happens to messages that every subscriber has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Retention {
    /// Removed as soon as upkeep gets to it. The default.
    #[default]
    None,
    /// Kept for this long after they were published.
    Duration(Duration),
    /// The newest this many of the topic are kept.
    Count(u64),
    /// The newest are kept up to this many bytes of payload and headers.
    Bytes(u64),
}

/// What a publish does when the backlog limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BacklogPolicy {
    /// It fails with `backlog_full`. The default.
    #[default]
    Refuse,
    /// The oldest messages are skipped for the subscribers that lag, and counted as dropped.
    DropOldest,
}

/// How much of a topic may wait for its subscribers; delayed messages count too. No limit by default.
///
/// A message counts until every subscriber has claimed it or passed it. One that was cancelled counts
/// until the messages before it are claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BacklogLimit {
    /// Messages that some subscriber has yet to claim.
    pub messages: Option<u64>,
    /// Their bytes of payload and headers.
    pub bytes: Option<u64>,
    /// Age of the oldest of them.
    pub age: Option<Duration>,
    /// What a publish beyond the limit does.
    pub policy: BacklogPolicy,
}

impl BacklogLimit {
    setters! {
        /// Limits the number of messages.
        with_messages: messages = u64;
        /// Limits the bytes of payload and headers.
        with_bytes: bytes = u64;
        /// Limits the age of the oldest message.
        with_age: age = Duration;
        /// Chooses what a publish beyond the limit does.
        with_policy: policy = BacklogPolicy;
    }

    pub(crate) fn is_limited(&self) -> bool {
        self.messages.is_some() || self.bytes.is_some() || self.age.is_some()
    }
}

/// The settings of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicOptions {
    /// What happens to messages that every subscriber has settled. Default: removed.
    pub retention: Retention,
    /// How much may wait for the subscribers. Default: no limit.
    pub backlog_limit: BacklogLimit,
    /// How long an idempotency key is remembered. Default 24 h, at most 31 days.
    pub idempotency_window: Duration,
}

impl Default for TopicOptions {
    fn default() -> Self {
        Self {
            retention: Retention::default(),
            backlog_limit: BacklogLimit::default(),
            idempotency_window: limits::IDEMPOTENCY_WINDOW_DEFAULT,
        }
    }
}

impl TopicOptions {
    setters! {
        /// Sets what happens to messages that every subscriber has settled.
        with_retention: retention = Retention;
        /// Sets how much may wait for the subscribers.
        with_backlog_limit: backlog_limit = BacklogLimit;
        /// Sets how long an idempotency key is remembered.
        with_idempotency_window: idempotency_window = Duration;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if let Retention::Duration(duration) = self.retention {
            positive("retention", duration)?;
            not_longer("retention", duration, limits::RETENTION_MAX)?;
        }
        if let Some(age) = self.backlog_limit.age {
            positive("backlog_limit.age", age)?;
            not_longer("backlog_limit.age", age, limits::RETENTION_MAX)?;
        }
        positive("idempotency_window", self.idempotency_window)?;
        not_longer("idempotency_window", self.idempotency_window, limits::IDEMPOTENCY_WINDOW_MAX)
    }
}

/// How long a failed delivery waits before its next attempt: exponential, with jitter.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The first pause. Default 1 s.
    pub initial: Duration,
    /// The longest pause. Default 1 h.
    pub max: Duration,
    /// Each pause is this many times the one before. Default 2; at least 1.
    pub multiplier: f64,
    /// Each pause is shortened or lengthened at random by up to this share. Default 0.2; 0 to 1.
    pub jitter: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            max: Duration::from_hours(1),
            multiplier: 2.0,
            jitter: 0.2,
        }
    }
}

impl RetryPolicy {
    setters! {
        /// Sets the first pause.
        with_initial: initial = Duration;
        /// Sets the longest pause.
        with_max: max = Duration;
        /// Sets how many times the pause before each pause is.
        with_multiplier: multiplier = f64;
        /// Sets the share of each pause that is left to chance.
        with_jitter: jitter = f64;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        not_longer("retry.initial", self.initial, limits::DELAY_MAX)?;
        not_longer("retry.max", self.max, limits::DELAY_MAX)?;
        if self.initial > self.max {
            return Err(Error::invalid("retry.initial must not be longer than retry.max"));
        }
        if !(1.0..=1_000.0).contains(&self.multiplier) {
            return Err(Error::invalid("retry.multiplier must be from 1 to 1000"));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(Error::invalid("retry.jitter must be from 0 to 1"));
        }
        Ok(())
    }
}

/// The settings of a subscriber.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SubscriberOptions {
    /// Attempts before a delivery becomes a dead letter. Default 5; at least 1.
    pub max_attempts: u32,
    /// The lease of a claim that does not say. Default 30 s; 1 ms to 12 h.
    pub lease: Duration,
    /// The limit of a claim that does not say. Default 10; 1 to 1,000.
    pub claim_limit: usize,
    /// How long a failed delivery waits before its next attempt.
    pub retry: RetryPolicy,
}

impl Default for SubscriberOptions {
    fn default() -> Self {
        Self {
            max_attempts: limits::ATTEMPTS_DEFAULT,
            lease: limits::LEASE_DEFAULT,
            claim_limit: 10,
            retry: RetryPolicy::default(),
        }
    }
}

impl SubscriberOptions {
    setters! {
        /// Sets the attempts before a delivery becomes a dead letter.
        with_max_attempts: max_attempts = u32;
        /// Sets the lease of a claim that does not say.
        with_lease: lease = Duration;
        /// Sets the limit of a claim that does not say.
        with_claim_limit: claim_limit = usize;
        /// Sets how long a failed delivery waits before its next attempt.
        with_retry: retry = RetryPolicy;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if self.max_attempts == 0 {
            return Err(Error::invalid("max_attempts must be at least 1"));
        }
        at_most("max_attempts", self.max_attempts as usize, limits::ATTEMPTS_MAX as usize)?;
        lease("lease", self.lease)?;
        count("claim_limit", self.claim_limit, limits::CLAIM_MAX)?;
        self.retry.validate()
    }
}

/// Where a new subscriber begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StartFrom {
    /// With what becomes deliverable from now on. The default.
    #[default]
    Now,
    /// With the oldest message that the topic's retention keeps.
    Earliest,
    /// With the first message that became deliverable at or after this time; a time to come means now.
    Time(SystemTime),
}

/// Where an existing subscriber goes on after a seek.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeekTo {
    /// The oldest message that the topic's retention keeps.
    Earliest,
    /// After the newest message.
    Latest,
    /// The first message that became deliverable at or after this time; a time to come means after
    /// the newest message.
    Time(SystemTime),
    /// This message; in the logs of other priorities the first that became deliverable no earlier.
    Message(MessageId),
    /// This sequence number of the log of one priority; other priorities stay where they are.
    Sequence {
        /// Which log.
        priority: i16,
        /// The number of the message to deliver next, from 1.
        sequence: u64,
    },
}

/// A topic to create, perhaps together with its first subscribers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NewTopic {
    /// 1 to 150 bytes, without `/` and control characters.
    pub name: String,
    /// Its settings.
    pub options: TopicOptions,
    /// Subscribers created in the same transaction.
    pub subscribers: Vec<NewSubscriber>,
}

impl NewTopic {
    /// A topic with default settings and no subscribers.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), options: TopicOptions::default(), subscribers: Vec::new() }
    }

    setters! {
        /// Sets the topic's settings.
        with_options: options = TopicOptions;
    }

    /// Adds a subscriber to create in the same transaction.
    #[must_use]
    pub fn with_subscriber(mut self, subscriber: impl Into<NewSubscriber>) -> Self {
        self.subscribers.push(subscriber.into());
        self
    }

    pub(crate) fn validate(&self) -> Result<()> {
        name("topic", &self.name)?;
        self.options.validate()?;
        if self.subscribers.is_empty() {
            return Ok(());
        }
        validate_subscribers(&self.subscribers)
    }
}

impl From<&str> for NewTopic {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// A subscriber to create.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NewSubscriber {
    /// 1 to 150 bytes, without `/` and control characters.
    pub name: String,
    /// Its settings.
    pub options: SubscriberOptions,
    /// Where it begins.
    pub start: StartFrom,
}

impl NewSubscriber {
    /// A subscriber with default settings that begins now.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            options: SubscriberOptions::default(),
            start: StartFrom::default(),
        }
    }

    setters! {
        /// Sets the subscriber's settings.
        with_options: options = SubscriberOptions;
        /// Sets where it begins.
        with_start: start = StartFrom;
    }
}

impl From<&str> for NewSubscriber {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

pub(crate) fn validate_subscribers(subscribers: &[NewSubscriber]) -> Result<()> {
    count("subscribers", subscribers.len(), limits::SUBSCRIBERS_PER_CALL_MAX)?;
    let mut names = std::collections::HashSet::new();
    for subscriber in subscribers {
        name("subscriber", &subscriber.name)?;
        subscriber.options.validate()?;
        if !names.insert(subscriber.name.as_str()) {
            return Err(Error::invalid(format!("subscriber {:?} is named twice", subscriber.name)));
        }
    }
    Ok(())
}

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Message {
    /// Any bytes, also none. At most 1 MiB unless the queue was opened with more.
    pub payload: Vec<u8>,
    /// What the payload is, for example `application/json`.
    pub content_type: Option<String>,
    /// Unique names and their values; order is not kept.
    pub headers: BTreeMap<String, String>,
    /// Ties the message to others, for example to a request.
    pub correlation_id: Option<String>,
    /// −1000 to 1000; higher is delivered first, and lower ones may starve. Default 0.
    pub priority: i16,
    /// Deliver it this long after now. Not together with `deliver_at`.
    pub delay: Option<Duration>,
    /// Deliver it at this time; a time in the past means now. Not together with `delay`.
    pub deliver_at: Option<SystemTime>,
    /// A repeat of the key within the topic's window publishes nothing and returns the first id.
    pub idempotency_key: Option<String>,
}

impl Message {
    /// A message with this payload and nothing else.
    pub fn new(payload: impl Into<Vec<u8>>) -> Self {
        Self { payload: payload.into(), ..Self::default() }
    }

    setters! {
        /// Sets the priority.
        with_priority: priority = i16;
        /// Delays the delivery.
        with_delay: delay = Duration;
        /// Sets the time of delivery.
        with_deliver_at: deliver_at = SystemTime;
        /// Replaces all headers.
        with_headers: headers = BTreeMap<String, String>;
    }

    text_setters! {
        /// Says what the payload is.
        with_content_type: content_type;
        /// Ties the message to others.
        with_correlation_id: correlation_id;
        /// Makes a repeat of this publish harmless.
        with_idempotency_key: idempotency_key;
    }

    /// Adds a header, or replaces it.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Bytes of payload, headers, content type and correlation id: what limits and statistics count.
    pub fn size_bytes(&self) -> usize {
        self.payload.len() + self.header_bytes()
    }

    fn header_bytes(&self) -> usize {
        let headers: usize =
            self.headers.iter().map(|(header, value)| header.len() + value.len()).sum();
        headers
            + self.content_type.as_ref().map_or(0, String::len)
            + self.correlation_id.as_ref().map_or(0, String::len)
    }

    pub(crate) fn validate(&self, payload_bytes_max: usize) -> Result<()> {
        at_most("payload", self.payload.len(), payload_bytes_max)?;
        if self.delay.is_some() && self.deliver_at.is_some() {
            return Err(Error::invalid("delay and deliver_at exclude each other"));
        }
        if let Some(delay) = self.delay {
            not_longer("delay", delay, limits::DELAY_MAX)?;
        }
        if !(limits::PRIORITY_MIN..=limits::PRIORITY_MAX).contains(&self.priority) {
            return Err(Error::invalid("priority must be from -1000 to 1000"));
        }
        if let Some(key) = &self.idempotency_key {
            if key.is_empty() {
                return Err(Error::invalid("idempotency_key must not be empty"));
            }
            at_most("idempotency_key", key.len(), limits::KEY_BYTES_MAX)?;
        }
        if self.headers.contains_key("") {
            return Err(Error::invalid("a header must have a name"));
        }
        at_most("headers", self.header_bytes(), limits::HEADER_BYTES_MAX)
    }
}

impl From<&str> for Message {
    fn from(payload: &str) -> Self {
        Self::new(payload)
    }
}

impl From<String> for Message {
    fn from(payload: String) -> Self {
        Self::new(payload)
    }
}

impl From<&[u8]> for Message {
    fn from(payload: &[u8]) -> Self {
        Self::new(payload)
    }
}

impl From<Vec<u8>> for Message {
    fn from(payload: Vec<u8>) -> Self {
        Self::new(payload)
    }
}

/// How to claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClaimOptions {
    /// At most this many deliveries; 1 to 1,000. Default: the subscriber's `claim_limit`.
    pub limit: Option<usize>,
    /// How long to wait when there is nothing to claim. Default: not at all; at most 1 h.
    pub wait: Duration,
    /// How long the deliveries are leased; 1 ms to 12 h. Default: the subscriber's `lease`.
    pub lease: Option<Duration>,
}

impl ClaimOptions {
    setters! {
        /// Sets how many deliveries to claim at most.
        with_limit: limit = usize;
        /// Sets how long to wait when there is nothing to claim.
        with_wait: wait = Duration;
        /// Sets how long the deliveries are leased.
        with_lease: lease = Duration;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if let Some(limit) = self.limit {
            count("limit", limit, limits::CLAIM_MAX)?;
        }
        if let Some(duration) = self.lease {
            lease("lease", duration)?;
        }
        not_longer("wait", self.wait, limits::WAIT_MAX)
    }
}

/// How to report a failure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NackOptions {
    /// Wait this long before the next attempt. Default: as the subscriber's retry policy says.
    pub delay: Option<Duration>,
    /// What went wrong, kept with the delivery; cut at 4 KiB.
    pub error: Option<String>,
    /// Make it a dead letter now, whatever attempts are left.
    pub give_up: bool,
}

impl NackOptions {
    setters! {
        /// Sets the pause before the next attempt.
        with_delay: delay = Duration;
        /// Makes it a dead letter now.
        with_give_up: give_up = bool;
    }

    text_setters! {
        /// Says what went wrong.
        with_error: error;
    }

    pub(crate) fn validate(&self) -> Result<()> {
        self.delay.map_or(Ok(()), |delay| not_longer("delay", delay, limits::DELAY_MAX))
    }
}

/// Which dead letters an operation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeadLetters {
    /// Those of these messages; at most 1,000.
    Ids(Vec<MessageId>),
    /// The oldest, at most this many.
    Oldest(u64),
    /// All of them.
    All,
}

impl DeadLetters {
    pub(crate) fn validate(&self) -> Result<()> {
        match self {
            Self::Ids(ids) => count("ids", ids.len(), limits::SETTLE_MAX),
            Self::Oldest(0) => Err(Error::invalid("limit must be at least 1")),
            Self::Oldest(_) | Self::All => Ok(()),
        }
    }
}

/// Which part of a list to return. `next` of one page is `after` of the following one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Page {
    /// At most this many entries; 1 to 1,000. Default 100.
    pub limit: Option<usize>,
    /// Begin after this place. Default: at the start.
    pub after: Option<String>,
}

impl Page {
    setters! {
        /// Sets how many entries to return at most.
        with_limit: limit = usize;
    }

    text_setters! {
        /// Begins after the place where another page ended.
        with_after: after;
    }

    pub(crate) fn limit(&self) -> Result<usize> {
        let limit = self.limit.unwrap_or(limits::PAGE_DEFAULT);
        count("limit", limit, limits::PAGE_MAX)?;
        Ok(limit)
    }
}

/// Changes to a topic's settings; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TopicChange {
    /// The new retention.
    pub retention: Option<Retention>,
    /// The new backlog limit.
    pub backlog_limit: Option<BacklogLimit>,
    /// The new window of idempotency keys, for keys used from now on.
    pub idempotency_window: Option<Duration>,
}

impl TopicChange {
    setters! {
        /// Changes the retention.
        with_retention: retention = Retention;
        /// Changes the backlog limit.
        with_backlog_limit: backlog_limit = BacklogLimit;
        /// Changes the window of idempotency keys.
        with_idempotency_window: idempotency_window = Duration;
    }

    pub(crate) fn apply(&self, options: &TopicOptions) -> TopicOptions {
        TopicOptions {
            retention: self.retention.unwrap_or(options.retention),
            backlog_limit: self.backlog_limit.unwrap_or(options.backlog_limit),
            idempotency_window: self.idempotency_window.unwrap_or(options.idempotency_window),
        }
    }
}

/// Changes to a subscriber's settings; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct SubscriberChange {
    /// The new number of attempts, for failures from now on.
    pub max_attempts: Option<u32>,
    /// The new lease, for claims from now on.
    pub lease: Option<Duration>,
    /// The new limit of a claim that does not say.
    pub claim_limit: Option<usize>,
    /// The new retry policy, for failures from now on.
    pub retry: Option<RetryPolicy>,
}

impl SubscriberChange {
    setters! {
        /// Changes the number of attempts.
        with_max_attempts: max_attempts = u32;
        /// Changes the lease.
        with_lease: lease = Duration;
        /// Changes the limit of a claim that does not say.
        with_claim_limit: claim_limit = usize;
        /// Changes the retry policy.
        with_retry: retry = RetryPolicy;
    }

    pub(crate) fn apply(&self, options: &SubscriberOptions) -> SubscriberOptions {
        SubscriberOptions {
            max_attempts: self.max_attempts.unwrap_or(options.max_attempts),
            lease: self.lease.unwrap_or(options.lease),
            claim_limit: self.claim_limit.unwrap_or(options.claim_limit),
            retry: self.retry.unwrap_or(options.retry),
        }
    }
}

pub(crate) fn name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid(format!("{what} must have a name")));
    }
    if name.len() > limits::NAME_BYTES_MAX {
        return Err(Error::LimitExceeded {
            what: "name",
            actual: name.len() as u64,
            limit: limits::NAME_BYTES_MAX as u64,
        });
    }
    if name.chars().any(|character| character == '/' || character.is_control()) {
        return Err(Error::invalid(format!(
            "the name of a {what} has no / and no control character"
        )));
    }
    Ok(())
}

pub(crate) fn lease(what: &str, duration: Duration) -> Result<()> {
    if duration < limits::LEASE_MIN {
        return Err(Error::invalid(format!("{what} must be at least 1 ms")));
    }
    not_longer(what, duration, limits::LEASE_MAX)
}

pub(crate) fn not_longer(what: &str, duration: Duration, limit: Duration) -> Result<()> {
    if duration > limit {
        return Err(Error::invalid(format!("{what} must be at most {} s", limit.as_secs())));
    }
    Ok(())
}

pub(crate) fn at_most(what: &'static str, actual: usize, limit: usize) -> Result<()> {
    if actual > limit {
        return Err(Error::LimitExceeded { what, actual: actual as u64, limit: limit as u64 });
    }
    Ok(())
}

/// Refuses none and too many.
pub(crate) fn count(what: &'static str, actual: usize, limit: usize) -> Result<()> {
    if actual == 0 {
        return Err(Error::invalid(format!("{what} must be at least 1")));
    }
    at_most(what, actual, limit)
}
