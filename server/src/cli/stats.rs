//! `blockqueue stats`: topics and subscribers in numbers.

use blockqueue::Page;
use clap::Args;

use super::backend::Backend;
use super::failure::{Ending, Outcome};
use super::output::FormatArgs;
use super::target::TargetArgs;
use super::view::{SubscriberStats, TopicStats};

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// Only this topic
    topic: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// Runs the command.
pub(crate) fn run(args: &StatsArgs) -> Outcome {
    let backend = args.target.open()?;
    let topics = match &args.topic {
        Some(topic) => vec![backend.topic_stats(topic)?],
        None => all(backend.as_ref())?,
    };
    let mut printer = args.format.printer();
    if args.format.is_json() {
        for topic in &topics {
            printer.document(topic)?;
        }
        return Ok(Ending::Done);
    }
    printer.table(&topics)?;
    let subscribers: Vec<&SubscriberStats> =
        topics.iter().flat_map(|topic| &topic.subscribers).collect();
    if !subscribers.is_empty() {
        printer.blank()?;
        printer.table(subscribers)?;
    }
    Ok(Ending::Done)
}

fn all(backend: &dyn Backend) -> Outcome<Vec<TopicStats>> {
    let mut stats = Vec::new();
    let mut page = Page::default();
    loop {
        let topics = backend.topics(page.clone())?;
        for topic in &topics.items {
            stats.push(backend.topic_stats(&topic.name)?);
        }
        match topics.next {
            Some(next) => page = page.with_after(next),
            None => return Ok(stats),
        }
    }
}
