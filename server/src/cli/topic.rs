//! `blockqueue topic`: topics and their settings.

use std::time::Duration;

use blockqueue::{
    BacklogLimit, BacklogPolicy, NewSubscriber, NewTopic, Retention, TopicChange, TopicOptions,
};
use clap::{Args, Subcommand, ValueEnum};

use super::backend::Backend;
use super::failure::{Ending, Outcome};
use super::output::{FormatArgs, ListArgs};
use super::target::TargetArgs;
use super::untold;
use super::value::{self, OrNone};

#[derive(Debug, Args)]
pub(crate) struct TopicArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(subcommand)]
    command: TopicCommand,
}

#[derive(Debug, Subcommand)]
enum TopicCommand {
    /// Create a topic; a file that does not exist is created
    Create {
        /// The topic's name
        name: String,
        /// Create this subscriber with it; may be repeated
        #[arg(long = "subscriber", short = 's', value_name = "NAME")]
        subscribers: Vec<String>,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// List the topics
    List(ListArgs),
    /// Show a topic
    Show {
        /// The topic's name
        name: String,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Change the settings of a topic; what is not named stays
    Update {
        /// The topic's name
        name: String,
        #[command(flatten)]
        settings: Settings,
        /// Drop the backlog limit
        #[arg(long, conflicts_with_all = ["backlog_messages", "backlog_bytes", "backlog_age"])]
        no_backlog_limit: bool,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Delete a topic with its subscribers and messages
    Delete {
        /// The topic's name
        name: String,
    },
    /// Stop claims on a topic; publishing goes on
    Pause {
        /// The topic's name
        name: String,
    },
    /// Let claims on a topic go on
    Resume {
        /// The topic's name
        name: String,
    },
}

/// What can be set of a topic.
#[derive(Debug, Clone, Args)]
struct Settings {
    /// Keep messages that every subscriber has settled: none, a duration, count:N or bytes:SIZE
    #[arg(long, value_parser = value::retention)]
    retention: Option<Retention>,
    /// Limit how many messages may wait for some subscriber
    #[arg(long, value_name = "N")]
    backlog_messages: Option<u64>,
    /// Limit how many bytes may wait for some subscriber
    #[arg(long, value_name = "SIZE", value_parser = value::bytes)]
    backlog_bytes: Option<u64>,
    /// Limit how old the oldest message that waits for some subscriber may be
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    backlog_age: Option<Duration>,
    /// What happens at the backlog limit
    #[arg(long, value_enum)]
    backlog_policy: Option<Policy>,
    /// How long an idempotency key is remembered
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    idempotency_window: Option<Duration>,
    /// How long messages live that do not say: a duration, or none
    #[arg(long, value_name = "DURATION", value_parser = value::duration_or_none)]
    ttl: Option<OrNone<Duration>>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Policy {
    /// Publishing fails
    Refuse,
    /// The oldest messages are dropped
    DropOldest,
}

impl From<Policy> for BacklogPolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Refuse => Self::Refuse,
            Policy::DropOldest => Self::DropOldest,
        }
    }
}

impl Settings {
    const fn touches_backlog(&self) -> bool {
        self.backlog_messages.is_some()
            || self.backlog_bytes.is_some()
            || self.backlog_age.is_some()
            || self.backlog_policy.is_some()
    }

    fn backlog(&self, mut limit: BacklogLimit) -> BacklogLimit {
        limit.messages = self.backlog_messages.or(limit.messages);
        limit.bytes = self.backlog_bytes.or(limit.bytes);
        limit.age = self.backlog_age.or(limit.age);
        limit.policy = self.backlog_policy.map_or(limit.policy, BacklogPolicy::from);
        limit
    }

    fn options(&self) -> TopicOptions {
        let mut options = TopicOptions::default();
        options.retention = self.retention.unwrap_or(options.retention);
        options.backlog_limit = self.backlog(options.backlog_limit);
        options.idempotency_window = self.idempotency_window.unwrap_or(options.idempotency_window);
        options.ttl = self.ttl.and_then(|OrNone(ttl)| ttl);
        options
    }

    /// The backlog limit changes as a whole, so parts that are not named are taken from the present one.
    fn change(&self, topic: &str, drop_limit: bool, backend: &dyn Backend) -> Outcome<TopicChange> {
        let mut change = TopicChange::default();
        change.retention = self.retention;
        change.idempotency_window = self.idempotency_window;
        change.ttl = self.ttl.map(|OrNone(ttl)| ttl);
        if drop_limit {
            change.backlog_limit = Some(BacklogLimit::default());
        } else if self.touches_backlog() {
            let Some(present) = backend.topic(topic)?.options else {
                return Err(untold("the topic's backlog limit"));
            };
            change.backlog_limit = Some(self.backlog(present.0.backlog_limit));
        }
        Ok(change)
    }
}

/// Runs the command.
pub(crate) fn run(args: TopicArgs) -> Outcome {
    let TopicArgs { target, command } = args;
    match command {
        TopicCommand::Create { name, subscribers, settings, format } => {
            let mut topic = NewTopic::new(name).with_options(settings.options());
            topic.subscribers = subscribers.into_iter().map(NewSubscriber::new).collect();
            let topic = target.open_or_create()?.create_topic(topic)?;
            format.printer().show(&topic, "")?;
        }
        TopicCommand::List(list) => {
            let backend = target.open()?;
            list.print(|page| backend.topics(page))?;
        }
        TopicCommand::Show { name, format } => {
            let topic = target.open()?.topic(&name)?;
            if format.is_json() {
                format.printer().document(&topic)?;
            } else {
                format.printer().table([&topic])?;
            }
        }
        TopicCommand::Update { name, settings, no_backlog_limit, format } => {
            let backend = target.open()?;
            let change = settings.change(&name, no_backlog_limit, backend.as_ref())?;
            let topic = backend.update_topic(&name, change)?;
            format.printer().show(&topic, "")?;
        }
        TopicCommand::Delete { name } => target.open()?.delete_topic(&name)?,
        TopicCommand::Pause { name } => target.open()?.pause_topic(&name, true)?,
        TopicCommand::Resume { name } => target.open()?.pause_topic(&name, false)?,
    }
    Ok(Ending::Done)
}
