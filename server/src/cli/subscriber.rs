//! `blockqueue subscriber`: subscribers and their settings.

use std::time::Duration;

use blockqueue::{
    Filter, NewSubscriber, OnDead, OnExpiry, RateLimit, RetryPolicy, Seek, SeekTo, StartFrom,
    SubscriberChange, SubscriberOptions,
};
use clap::{Args, Subcommand, ValueEnum};

use super::backend::{Backend, Source};
use super::failure::{Ending, Outcome};
use super::output::{FormatArgs, ListArgs, complain};
use super::target::TargetArgs;
use super::untold;
use super::value::{self, OrNone};

#[derive(Debug, Args)]
pub(crate) struct SubscriberArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(subcommand)]
    command: SubscriberCommand,
}

#[derive(Debug, Subcommand)]
enum SubscriberCommand {
    /// Create a subscriber of a topic
    Create {
        #[command(flatten)]
        source: Source,
        /// Where it begins: now, earliest or a time
        #[arg(long, value_name = "PLACE", value_parser = value::start, default_value = "now")]
        from: StartFrom,
        #[command(flatten)]
        settings: Settings,
    },
    /// List the subscribers of a topic
    List {
        /// The topic
        topic: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Change the settings of a subscriber; what is not named stays
    Update {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        settings: Settings,
    },
    /// Delete a subscriber with its deliveries
    Delete(Source),
    /// Stop claims on a subscriber
    Pause(Source),
    /// Let claims on a subscriber go on
    Resume(Source),
    /// Move a subscriber: what follows that place is delivered, again if need be
    Seek {
        #[command(flatten)]
        source: Source,
        /// earliest, latest, a time, a message id, or sequence:N[@PRIORITY]
        #[arg(value_parser = value::place)]
        to: SeekTo,
        /// Move nothing, only tell what it would do
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        format: FormatArgs,
    },
}

/// What can be set of a subscriber.
#[derive(Debug, Clone, Args)]
struct Settings {
    /// Attempts before a message becomes a dead letter
    #[arg(long, value_name = "N")]
    max_attempts: Option<u32>,
    /// How long a claimed message is leased
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    lease: Option<Duration>,
    /// How many messages a claim gets that does not say
    #[arg(long, value_name = "N")]
    claim_limit: Option<usize>,
    /// Pause after the first failure
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    retry_initial: Option<Duration>,
    /// Longest pause after a failure
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    retry_max: Option<Duration>,
    /// Each pause is this many times the one before
    #[arg(long, value_name = "FACTOR")]
    retry_multiplier: Option<f64>,
    /// Share of each pause that is left to chance, from 0 to 1
    #[arg(long, value_name = "SHARE")]
    retry_jitter: Option<f64>,
    /// Deliver messages of one key one at a time, in order; false ends it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    ordered: Option<bool>,
    /// What becomes of a key when one of its messages is dead-lettered
    #[arg(long, value_enum)]
    on_dead: Option<DeadPolicy>,
    /// Deliver only messages whose headers match: a filter as JSON, or none
    #[arg(long, value_name = "JSON", value_parser = value::filter)]
    filter: Option<OrNone<Filter>>,
    /// What becomes of a message that expires before it is claimed
    #[arg(long, value_enum)]
    on_expiry: Option<ExpiryPolicy>,
    /// At most so many messages are leased at once, or none: no limit
    #[arg(long, value_name = "N", value_parser = value::count_or_none)]
    leased_max: Option<OrNone<u32>>,
    /// At most so many messages are claimed per interval, for example 100/1s, or none: no limit
    #[arg(long, value_name = "N/DURATION", value_parser = value::rate)]
    rate: Option<OrNone<RateLimit>>,
    /// At most so many messages of one key are leased at once, or none: no limit
    #[arg(long, value_name = "N", value_parser = value::count_or_none)]
    leased_per_key_max: Option<OrNone<u32>>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DeadPolicy {
    /// The next message is delivered
    Skip,
    /// Later messages wait until the dead letter is redriven or purged
    Block,
}

impl From<DeadPolicy> for OnDead {
    fn from(policy: DeadPolicy) -> Self {
        match policy {
            DeadPolicy::Skip => Self::Skip,
            DeadPolicy::Block => Self::Block,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ExpiryPolicy {
    /// It is skipped
    Skip,
    /// It becomes a dead letter
    DeadLetter,
}

impl From<ExpiryPolicy> for OnExpiry {
    fn from(policy: ExpiryPolicy) -> Self {
        match policy {
            ExpiryPolicy::Skip => Self::Skip,
            ExpiryPolicy::DeadLetter => Self::DeadLetter,
        }
    }
}

impl Settings {
    const fn touches_retry(&self) -> bool {
        self.retry_initial.is_some()
            || self.retry_max.is_some()
            || self.retry_multiplier.is_some()
            || self.retry_jitter.is_some()
    }

    fn retry(&self, mut retry: RetryPolicy) -> RetryPolicy {
        retry.initial = self.retry_initial.unwrap_or(retry.initial);
        retry.max = self.retry_max.unwrap_or(retry.max);
        retry.multiplier = self.retry_multiplier.unwrap_or(retry.multiplier);
        retry.jitter = self.retry_jitter.unwrap_or(retry.jitter);
        retry
    }

    fn options(&self) -> SubscriberOptions {
        let default = SubscriberOptions::default();
        let mut options = self.plain_change().apply(&default);
        options.retry = self.retry(default.retry);
        options
    }

    /// Without the retry policy.
    fn plain_change(&self) -> SubscriberChange {
        let mut change = SubscriberChange::default();
        change.max_attempts = self.max_attempts;
        change.lease = self.lease;
        change.claim_limit = self.claim_limit;
        change.ordered = self.ordered;
        change.on_dead = self.on_dead.map(OnDead::from);
        change.filter = self.filter.clone().map(|OrNone(filter)| filter);
        change.on_expiry = self.on_expiry.map(OnExpiry::from);
        change.leased_max = self.leased_max.map(|OrNone(leased)| leased);
        change.rate = self.rate.map(|OrNone(rate)| rate);
        change.leased_per_key_max = self.leased_per_key_max.map(|OrNone(leased)| leased);
        change
    }

    /// The retry policy changes as a whole, so parts that are not named are taken from the present one.
    fn change(&self, source: &Source, backend: &dyn Backend) -> Outcome<SubscriberChange> {
        let mut change = self.plain_change();
        if self.touches_retry() {
            let Some(present) = backend.subscriber(source)?.options else {
                return Err(untold("the subscriber's retry policy"));
            };
            change.retry = Some(self.retry(present.0.retry));
        }
        Ok(change)
    }
}

/// Runs the command.
pub(crate) fn run(args: SubscriberArgs) -> Outcome {
    let SubscriberArgs { target, command } = args;
    let backend = target.open()?;
    match command {
        SubscriberCommand::Create { source, from, settings } => {
            let subscriber = NewSubscriber::new(source.subscriber)
                .with_options(settings.options())
                .with_start(from);
            backend.create_subscriber(&source.topic, subscriber)?;
        }
        SubscriberCommand::List { topic, list } => {
            list.print(|page| backend.subscribers(&topic, page))?;
        }
        SubscriberCommand::Update { source, settings } => {
            let change = settings.change(&source, backend.as_ref())?;
            backend.update_subscriber(&source, change)?;
        }
        SubscriberCommand::Delete(source) => backend.delete_subscriber(&source)?,
        SubscriberCommand::Pause(source) => backend.pause_subscriber(&source, true)?,
        SubscriberCommand::Resume(source) => backend.pause_subscriber(&source, false)?,
        SubscriberCommand::Seek { source, to, dry_run, format } => {
            let sought = backend.seek(&source, Seek::to(to).with_dry_run(dry_run))?;
            if sought.clamped {
                complain(
                    "that place is not kept any more: it goes on with the oldest message kept",
                );
            }
            format.printer().show(&sought, &sought.to_string())?;
        }
    }
    Ok(Ending::Done)
}
