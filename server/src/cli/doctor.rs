//! `blockqueue doctor`: is the file whole, and what could be better.
//!
//! A damaged file that cannot even be opened is a finding too, reported like the others.

use blockqueue::{Diagnosis, Error};
use blockqueue_server::address;
use bytesize::ByteSize;
use clap::Args;
use serde::Serialize;

use super::backend::FileBackend;
use super::failure::{Ending, Failure, Outcome};
use super::output::{FormatArgs, Printer};
use super::target::FileArgs;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// What was found, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    file: String,
    ok: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    diagnosis: Option<&'a Diagnosis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// Runs the command.
pub(crate) fn run(args: &DoctorArgs) -> Outcome {
    let examined =
        args.file.open().and_then(|file: FileBackend| Ok(file.queue().diagnose().wait()?));
    let (diagnosis, error) = match examined {
        Ok(diagnosis) => (Some(diagnosis), None),
        Err(Failure::Queue(error @ (Error::Corrupt { .. } | Error::NotADatabase))) => {
            (None, Some(error.to_string()))
        }
        Err(failure) => return Err(failure),
    };
    let ok = diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.problems.is_empty());
    let report = Report {
        file: address::shown(&args.file.path()),
        ok,
        diagnosis: diagnosis.as_ref(),
        error: error.as_deref(),
    };
    let mut printer = args.format.printer();
    if args.format.is_json() {
        printer.document(&report)?;
    } else {
        describe(&mut printer, &report)?;
    }
    Ok(if ok { Ending::Done } else { Ending::Bad })
}

fn describe(printer: &mut Printer, report: &Report<'_>) -> Outcome<()> {
    printer.line(&format!("file     {}", report.file))?;
    if let Some(diagnosis) = report.diagnosis {
        let size = |bytes| ByteSize::b(bytes).to_string();
        printer.line(&format!("schema   version {}", diagnosis.schema_version))?;
        printer.line(&format!("sqlite   {}", diagnosis.sqlite_version))?;
        printer.line(&format!(
            "size     {}, of which {} free",
            size(diagnosis.file_bytes),
            size(diagnosis.free_bytes)
        ))?;
        printer.line(&format!("wal      {}", size(diagnosis.wal_bytes)))?;
        for problem in &diagnosis.problems {
            printer.line(&format!("problem  {problem}"))?;
        }
        for advice in &diagnosis.advice {
            printer.line(&format!("advice   {advice}"))?;
        }
    }
    if let Some(error) = report.error {
        printer.line(&format!("problem  {error}"))?;
        printer.line("advice   restore a backup; the file was left as it is")?;
    }
    printer.line(if report.ok { "all is well" } else { "something is wrong" })
}
