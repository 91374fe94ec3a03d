//! `blockqueue publish`: one message, one file, or one message per line.

mod lines;
mod progress;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use blockqueue::{Message, limits};
use clap::Args;
use serde::Serialize;

use super::backend::Backend;
use super::failure::{Ending, Failure, Outcome};
use super::output::{FormatArgs, Printer};
use super::target::TargetArgs;
use super::value;
use lines::Lines;
use progress::Progress;

#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// The topic
    topic: String,
    /// The message; without it and without --file, each line of standard input is one
    #[arg(conflicts_with = "file")]
    message: Option<String>,
    /// Publish this file as one message; - is standard input
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Add a header; may be repeated
    #[arg(long = "header", short = 'H', value_name = "NAME=VALUE", value_parser = value::header)]
    headers: Vec<(String, String)>,
    /// −1000 to 1000, higher first
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 0)]
    priority: i16,
    /// Deliver it this long after now
    #[arg(long, value_name = "DURATION", value_parser = value::duration, conflicts_with = "at")]
    delay: Option<Duration>,
    /// Deliver it at this time
    #[arg(long, value_name = "TIME", value_parser = value::time)]
    at: Option<SystemTime>,
    /// Makes a repeat harmless; lines get KEY:1, KEY:2 and so on
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Messages of one key go to an ordered subscriber one at a time
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Do not deliver it any more after this long
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    ttl: Option<Duration>,
    /// Refused while an earlier message of this key is not settled; one message only
    #[arg(long, value_name = "KEY")]
    unique_key: Option<String>,
    /// What the payload is, for example application/json
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Ties the message to others
    #[arg(long, value_name = "ID")]
    correlation_id: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    format: FormatArgs,
}

impl PublishArgs {
    /// What all messages of this command have in common.
    fn pattern(&self) -> Message {
        let mut message = Message::default();
        message.headers = self.headers.iter().cloned().collect::<BTreeMap<_, _>>();
        message.priority = self.priority;
        message.delay = self.delay;
        message.deliver_at = self.at;
        message.idempotency_key.clone_from(&self.idempotency_key);
        message.ordering_key.clone_from(&self.key);
        message.ttl = self.ttl;
        message.unique_key.clone_from(&self.unique_key);
        message.content_type.clone_from(&self.content_type);
        message.correlation_id.clone_from(&self.correlation_id);
        message
    }
}

/// Runs the command.
pub(crate) fn run(args: PublishArgs) -> Outcome {
    let mut message = args.pattern();
    let backend = args.target.open()?;
    let mut printer = args.format.printer();
    if let Some(text) = args.message {
        message.payload = text.into_bytes();
    } else if let Some(path) = &args.file {
        message.payload = read(path)?;
    } else if message.unique_key.is_some() {
        let detail = "--unique-key is for one message: give it as an argument or with --file";
        return Err(Failure::Usage(detail.to_owned()));
    } else {
        return publish_lines(backend.as_ref(), &args.topic, &message, &mut printer);
    }
    for published in backend.publish(&args.topic, vec![message])? {
        printer.show(&published, &published.id)?;
    }
    Ok(Ending::Done)
}

/// Reads a file whole, but not much more of it than a message can have.
pub(super) fn read(path: &Path) -> Outcome<Vec<u8>> {
    let read = || {
        let source: Box<dyn io::Read> = if path == Path::new("-") {
            Box::new(io::stdin().lock())
        } else {
            Box::new(fs::File::open(path)?)
        };
        let mut payload = Vec::new();
        source.take(limits::PAYLOAD_BYTES_MAX as u64 + 1).read_to_end(&mut payload)?;
        Ok(payload)
    };
    read().map_err(|source| Failure::Input { what: path.display().to_string(), source })
}

/// What a whole input came to.
#[derive(Debug, Default, Serialize)]
struct Summary {
    published_count: u64,
    duplicate_count: u64,
}

fn publish_lines(
    backend: &dyn Backend,
    topic: &str,
    pattern: &Message,
    printer: &mut Printer,
) -> Outcome {
    let stdin = io::stdin();
    let mut progress = Progress::of(&stdin);
    if stdin.is_terminal() {
        super::output::complain("each line is a message; end with Ctrl-D");
    }
    let mut lines = Lines::of(stdin.lock(), backend.batch_bytes(), pattern.size_bytes());
    let mut summary = Summary::default();
    let failed = loop {
        let (batch, bytes) = match lines.batch() {
            Ok(batch) if batch.is_empty() => break None,
            Ok(batch) => (messages(batch, pattern, &summary), lines.taken_bytes()),
            Err(failure) => break Some(failure),
        };
        match backend.publish(topic, batch) {
            Ok(published) => summary.add(&published),
            Err(failure) => break Some(failure),
        }
        progress.show(summary.published_count, bytes);
    };
    progress.end();
    match failed {
        Some(failure) if summary.published_count == 0 => Err(failure),
        Some(failure) => {
            Err(Failure::Partly { published: summary.published_count, source: Box::new(failure) })
        }
        None => {
            printer.show(&summary, &summary.to_string())?;
            Ok(Ending::Done)
        }
    }
}

fn messages(batch: Vec<Vec<u8>>, pattern: &Message, so_far: &Summary) -> Vec<Message> {
    let with_payload = |(payload, line): (Vec<u8>, u64)| {
        let mut message = pattern.clone();
        message.payload = payload;
        if let Some(key) = &mut message.idempotency_key {
            *key = format!("{key}:{line}");
        }
        message
    };
    batch.into_iter().zip(so_far.published_count + 1..).map(with_payload).collect()
}

impl Summary {
    fn add(&mut self, published: &[super::view::Published]) {
        self.published_count += published.len() as u64;
        self.duplicate_count +=
            published.iter().filter(|published| published.duplicate).count() as u64;
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} published", self.published_count)?;
        if self.duplicate_count > 0 {
            write!(f, ", {} of them before", self.duplicate_count)?;
        }
        Ok(())
    }
}
