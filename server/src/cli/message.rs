//! `blockqueue message` and `blockqueue peek`: looking at messages without claiming them.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::backend::Source;
use super::failure::{Ending, Outcome};
use super::output::{FormatArgs, ListArgs, Printer, complain};
use super::target::TargetArgs;
use super::value;
use super::view::{Message, MessageResult, MessageStatus, or_dash};

#[derive(Debug, Args)]
pub(crate) struct MessageArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(subcommand)]
    command: MessageCommand,
}

#[derive(Debug, Subcommand)]
enum MessageCommand {
    /// Show a message and where it stands with every subscriber
    Show {
        /// The topic
        topic: String,
        /// The message's id
        id: String,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// End a message for every subscriber, or for one
    Cancel {
        /// The topic
        topic: String,
        /// The message's id
        id: String,
        /// Only for this subscriber
        #[arg(long, value_name = "NAME")]
        subscriber: Option<String>,
        /// Why
        #[arg(long, value_name = "TEXT", requires = "subscriber")]
        reason: Option<String>,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Show the reply of one subscriber, perhaps after waiting for it
    Result {
        #[command(flatten)]
        source: Source,
        /// The message's id
        id: String,
        /// Wait this long while the message is not settled
        #[arg(long, value_name = "DURATION", value_parser = value::duration, default_value = "0s")]
        wait: Duration,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Show what went wrong with a message for one subscriber
    Failures {
        #[command(flatten)]
        source: Source,
        /// The message's id
        id: String,
        #[command(flatten)]
        list: ListArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PeekArgs {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    list: ListArgs,
}

/// Runs `blockqueue message`.
pub(crate) fn run(args: MessageArgs) -> Outcome {
    let backend = args.target.open()?;
    match args.command {
        MessageCommand::Show { topic, id, format } => {
            let status = backend.message(&topic, &id)?;
            let mut printer = format.printer();
            if format.is_json() {
                printer.document(&status)?;
            } else {
                describe(&mut printer, &status)?;
            }
        }
        MessageCommand::Cancel { topic, id, subscriber: None, format, .. } => {
            let stood = backend.cancel_message(&topic, &id)?;
            if format.is_json() {
                format.printer().document(&stood)?;
            }
        }
        MessageCommand::Cancel { topic, id, subscriber: Some(subscriber), reason, .. } => {
            let source = Source { topic, subscriber };
            backend.cancel_delivery(&source, &id, reason.as_deref())?;
        }
        MessageCommand::Result { source, id, wait, format } => {
            return show_result(&backend.result(&source, &id, wait)?, format);
        }
        MessageCommand::Failures { source, id, list } => {
            list.print(|page| backend.failures(&source, &id, page))?;
        }
    }
    Ok(Ending::Done)
}

/// The payload of a reply as it is, or everything as JSON. No reply is told by the exit status.
fn show_result(result: &MessageResult, format: FormatArgs) -> Outcome {
    let mut printer = format.printer();
    if format.is_json() {
        printer.document(result)?;
    } else if let Some(reply) = &result.reply {
        printer.bytes(&reply.payload.0)?;
    } else {
        complain(&format!("no reply: {}", result.state));
    }
    Ok(match result.state {
        "replied" => Ending::Done,
        "dead_lettered" => Ending::Bad,
        _ => Ending::Nothing,
    })
}

/// Runs `blockqueue peek`.
pub(crate) fn peek(args: &PeekArgs) -> Outcome {
    let backend = args.target.open()?;
    args.list.print(|page| backend.peek(&args.source, page))?;
    Ok(Ending::Done)
}

fn describe(printer: &mut Printer, status: &MessageStatus) -> Outcome<()> {
    let Message { id, payload, content_type, headers, correlation_id, .. } = &status.message;
    let Message { ordering_key, priority, expires_at, .. } = &status.message;
    printer.line(&format!("id              {id}"))?;
    printer.line(&format!("accepted        {}", or_dash(status.message.accepted_at)))?;
    printer.line(&format!("deliverable     {}", or_dash(status.message.deliver_at)))?;
    printer.line(&format!("expires         {}", or_dash(*expires_at)))?;
    printer.line(&format!("priority        {priority}"))?;
    printer.line(&format!("ordering key    {}", or_dash(ordering_key.as_ref())))?;
    printer.line(&format!("content type    {}", or_dash(content_type.as_ref())))?;
    printer.line(&format!("correlation id  {}", or_dash(correlation_id.as_ref())))?;
    for (name, value) in headers {
        printer.line(&format!("header          {name}={value}"))?;
    }
    printer.line(&format!("payload         {} bytes: {}", payload.0.len(), payload.excerpt()))?;
    printer.blank()?;
    printer.table(&status.deliveries)
}
