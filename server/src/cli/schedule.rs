//! `blockqueue schedule`: messages that publish themselves again and again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use blockqueue::{Message, MisfirePolicy, NewSchedule, OverlapPolicy, ScheduleOptions};
use clap::{Args, Subcommand};

use super::backend::Named;
use super::failure::{Ending, Outcome};
use super::output::{FormatArgs, ListArgs};
use super::publish;
use super::target::TargetArgs;
use super::value::{self, Bound};

#[derive(Debug, Args)]
pub(crate) struct ScheduleArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(subcommand)]
    command: ScheduleCommand,
}

#[derive(Debug, Subcommand)]
enum ScheduleCommand {
    /// Create a schedule of a topic
    Create {
        #[command(flatten)]
        of: Named,
        /// When: five fields of cron, six with seconds in front, @hourly and the like, or @every 90s
        cron: String,
        /// The message
        #[arg(conflicts_with = "file", required_unless_present = "file")]
        message: Option<String>,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// List the schedules of a topic
    List {
        /// The topic
        topic: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show a schedule
    Show {
        #[command(flatten)]
        of: Named,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Change the settings of a schedule; what is not named stays
    Update {
        #[command(flatten)]
        of: Named,
        /// When
        #[arg(long)]
        cron: Option<String>,
        /// The message
        #[arg(long, conflicts_with = "file")]
        message: Option<String>,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Delete a schedule with its history
    Delete(Named),
    /// Stop a schedule
    Pause(Named),
    /// Let a schedule go on, with the first occurrence after now
    Resume(Named),
    /// Publish the message of a schedule now
    Run {
        #[command(flatten)]
        of: Named,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Show what became of its occurrences, newest first
    Runs {
        #[command(flatten)]
        of: Named,
        #[command(flatten)]
        list: ListArgs,
    },
}

/// What can be set of a schedule, beside its message and when it is published.
#[derive(Debug, Args)]
struct Settings {
    /// Publish this file as the message; - is standard input
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// The time zone that the fields are read in, for example Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Missed occurrences: skip, once, or all:N for the newest N
    #[arg(long, value_name = "POLICY", value_parser = value::misfire)]
    misfire: Option<MisfirePolicy>,
    /// While the message before is not settled: allow, skip or queue
    #[arg(long, value_name = "POLICY", value_parser = value::overlap)]
    overlap: Option<OverlapPolicy>,
    /// No occurrence before this time; none for no bound
    #[arg(long, value_name = "TIME", value_parser = value::bound)]
    start: Option<Bound>,
    /// No occurrence after this time; none for no bound
    #[arg(long, value_name = "TIME", value_parser = value::bound)]
    end: Option<Bound>,
    /// Fire each occurrence up to this much later
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    jitter: Option<Duration>,
    /// How late an occurrence may be before it counts as missed
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    grace: Option<Duration>,
    /// Add a header; may be repeated; all headers change together
    #[arg(long = "header", short = 'H', value_name = "NAME=VALUE", value_parser = value::header)]
    headers: Vec<(String, String)>,
    /// −1000 to 1000, higher first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    priority: Option<i16>,
    /// Messages of one key go to an ordered subscriber one at a time
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Do not deliver the message any more after this long
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    ttl: Option<Duration>,
    /// What the payload is, for example application/json
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Ties the message to others
    #[arg(long, value_name = "ID")]
    correlation_id: Option<String>,
}

impl Settings {
    fn apply(self, message: Option<String>, options: &mut ScheduleOptions) -> Outcome<()> {
        if let Some(path) = &self.file {
            options.message.payload = publish::read(path)?;
        } else if let Some(text) = message {
            options.message.payload = text.into_bytes();
        }
        set(&mut options.timezone, self.timezone);
        set(&mut options.misfire, self.misfire);
        set(&mut options.overlap, self.overlap);
        set(&mut options.start, self.start.map(Option::<SystemTime>::from));
        set(&mut options.end, self.end.map(Option::<SystemTime>::from));
        set(&mut options.jitter, self.jitter);
        set(&mut options.grace, self.grace);
        let message = &mut options.message;
        if !self.headers.is_empty() {
            message.headers = self.headers.into_iter().collect::<BTreeMap<_, _>>();
        }
        set(&mut message.priority, self.priority);
        set(&mut message.ordering_key, self.key.map(Some));
        set(&mut message.ttl, self.ttl.map(Some));
        set(&mut message.content_type, self.content_type.map(Some));
        set(&mut message.correlation_id, self.correlation_id.map(Some));
        Ok(())
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Runs the command.
pub(crate) fn run(args: ScheduleArgs) -> Outcome {
    let backend = args.target.open()?;
    match args.command {
        ScheduleCommand::Create { of, cron, message, settings, format } => {
            let mut options = ScheduleOptions::new(cron, Message::default());
            settings.apply(message, &mut options)?;
            let new = NewSchedule::new(of.schedule, options);
            let schedule = backend.create_schedule(&of.topic, new)?;
            format.printer().show(&schedule, "")?;
        }
        ScheduleCommand::List { topic, list } => {
            list.print(|page| backend.schedules(&topic, page))?;
        }
        ScheduleCommand::Show { of, format } => {
            let schedule = backend.schedule(&of)?;
            if format.is_json() {
                format.printer().document(&schedule)?;
            } else {
                format.printer().table([&schedule])?;
            }
        }
        ScheduleCommand::Update { of, cron, message, settings, format } => {
            let present = backend.schedule(&of)?;
            let mut options = present.settings.0;
            set(&mut options.cron, cron);
            settings.apply(message, &mut options)?;
            let schedule = backend.update_schedule(&of, present.version, options)?;
            format.printer().show(&schedule, "")?;
        }
        ScheduleCommand::Delete(of) => backend.delete_schedule(&of)?,
        ScheduleCommand::Pause(of) => backend.pause_schedule(&of, true)?,
        ScheduleCommand::Resume(of) => backend.pause_schedule(&of, false)?,
        ScheduleCommand::Run { of, format } => {
            let run = backend.run_schedule(&of)?;
            let id = run.message_id.clone().unwrap_or_default();
            format.printer().show(&run, &id)?;
        }
        ScheduleCommand::Runs { of, list } => {
            list.print(|page| backend.schedule_runs(&of, page))?;
        }
    }
    Ok(Ending::Done)
}
