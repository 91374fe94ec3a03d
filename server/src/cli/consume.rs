//! `blockqueue consume`: claim messages and print them, or run a command for each.
//!
//! Invariant: a message is acked only after its line was written and flushed, or its command
//! succeeded. What is claimed and not handled goes back to the queue when the program stops.

mod exec;
mod keeper;
mod print;

use std::sync::Arc;
use std::time::Duration;

use blockqueue::{ClaimOptions, NackOptions, Reply, limits};
use clap::Args;

use super::backend::{Backend, Lease, Source};
use super::failure::{Ending, Failure, Outcome};
use super::output::{FormatArgs, complain};
use super::stop::Stop;
use super::target::TargetArgs;
use super::value;
use super::view::Delivery;
use exec::Exec;
use keeper::Keeper;
use print::Print;

/// Pauses between attempts to reach a queue that is away for a moment.
const AWAY_FIRST: Duration = Duration::from_secs(1);
const AWAY_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(crate) struct ConsumeArgs {
    #[command(flatten)]
    source: Source,
    /// Run this shell command for each message: the payload on its standard input, the rest in
    /// `BLOCKQUEUE_*` variables. Success acks the message, anything else is a failure
    #[arg(long, value_name = "COMMAND", conflicts_with = "json")]
    exec: Option<String>,
    /// End a command that takes longer than this
    #[arg(long, value_name = "DURATION", value_parser = value::duration, requires = "exec")]
    timeout: Option<Duration>,
    /// What the command writes to standard output is the reply to the message, up to 1 MiB
    #[arg(long, requires = "exec")]
    reply: bool,
    /// Go on when there is nothing, until told to stop
    #[arg(long, short = 'f')]
    follow: bool,
    /// Wait this long for a message before ending
    #[arg(long, value_name = "DURATION", value_parser = value::duration, conflicts_with = "follow")]
    wait: Option<Duration>,
    /// End after this many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max: Option<u64>,
    /// Claim at most this many at a time; one with --exec if not said
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// How long messages are leased; leases are extended while this program works on them
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    lease: Option<Duration>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    format: FormatArgs,
}

impl ConsumeArgs {
    fn claim_options(&self, handled: u64, claim_limit: usize) -> ClaimOptions {
        let batch = self.batch.unwrap_or(if self.exec.is_some() { 1 } else { claim_limit });
        let left = self.max.map_or(usize::MAX, |max| {
            usize::try_from(max.saturating_sub(handled)).unwrap_or(usize::MAX)
        });
        let mut options = ClaimOptions::default().with_limit(batch.min(left));
        options.wait = if self.follow { limits::WAIT_MAX } else { self.wait.unwrap_or_default() };
        options.lease = self.lease;
        options
    }
}

/// What is done with each message.
enum Handler {
    Print(Print),
    Exec(Exec),
}

/// How the work on one message went.
enum Handled {
    /// Done: it may be acked.
    Done,
    /// Done, and this is the reply.
    Replied(Vec<u8>),
    /// It failed, for this reason.
    Failed(String),
}

/// Runs the command.
pub(crate) fn run(mut args: ConsumeArgs) -> Outcome {
    let stop =
        Stop::install().map_err(|source| Failure::Input { what: "signals".to_owned(), source })?;
    let backend = args.target.open()?;
    // Where the settings cannot be known, each claim says the lease: it must be known to be extended.
    let options = backend.consumer_options(&args.source)?;
    args.lease = args.lease.or(options.is_none().then_some(limits::LEASE_DEFAULT));
    let options = options.unwrap_or_default();
    let lease = args.lease.unwrap_or(options.lease);
    let handler = match &args.exec {
        Some(command) => Handler::Exec(Exec::new(command, &args, Arc::clone(&stop))),
        None => Handler::Print(Print::new(args.format)),
    };
    let keeper = Keeper::start(Arc::clone(&backend), args.source.clone(), lease);
    let mut consumer =
        Consumer { backend, source: &args.source, stop, keeper, handler, tally: Tally::default() };
    consumer.run(&args, options.claim_limit)?;
    Ok(consumer.tally.ending())
}

/// What a run came to.
#[derive(Debug, Default)]
struct Tally {
    handled: u64,
    failed: u64,
}

impl Tally {
    fn ending(&self) -> Ending {
        match self {
            Self { handled: 0, .. } => Ending::Nothing,
            Self { failed: 0, .. } => Ending::Done,
            Self { handled, failed } => {
                complain(&format!("{failed} of {handled} messages failed"));
                Ending::Bad
            }
        }
    }
}

struct Consumer<'a> {
    backend: Arc<dyn Backend>,
    source: &'a Source,
    stop: Arc<Stop>,
    keeper: Keeper,
    handler: Handler,
    tally: Tally,
}

impl Consumer<'_> {
    fn run(&mut self, args: &ConsumeArgs, claim_limit: usize) -> Outcome<()> {
        let mut away = AWAY_FIRST;
        while !self.stop.is_requested() && args.max.is_none_or(|max| self.tally.handled < max) {
            let options = args.claim_options(self.tally.handled, claim_limit);
            match self.claim_and_handle(&options) {
                Ok(0) if !args.follow => break,
                Ok(_) => away = AWAY_FIRST,
                Err(failure) if args.follow && failure.is_passing() => {
                    complain(&format!("{failure} [{}]; trying again", failure.code()));
                    self.stop.pause(away);
                    away = AWAY_MAX.min(away * 2);
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// The answer is how many were claimed.
    fn claim_and_handle(&mut self, options: &ClaimOptions) -> Outcome<usize> {
        let deliveries = self.backend.claim(self.source, options, &self.stop)?;
        let leases: Vec<Lease> = deliveries.iter().map(Lease::from).collect();
        self.keeper.hold(&leases);
        let mut claimed = Claimed { leases, handled: 0, acked: 0 };
        let handled = self.handle(deliveries, &mut claimed);
        let settled = self.settle(&mut claimed);
        let unhandled = claimed.unhandled();
        if !unhandled.is_empty() {
            self.keeper.let_go(unhandled);
            self.backend.give_back(self.source, unhandled)?;
        }
        match handled {
            Err(Failure::Output(source)) => {
                Err(Failure::ConsumerOutput { given_back: unhandled.len(), source })
            }
            Err(failure) => Err(failure),
            Ok(()) => settled.map(|()| claimed.leases.len()),
        }
    }

    fn handle(&mut self, deliveries: Vec<Delivery>, claimed: &mut Claimed) -> Outcome<()> {
        for delivery in deliveries {
            if self.stop.is_requested() {
                break;
            }
            let lease = Lease::from(&delivery);
            match &mut self.handler {
                Handler::Print(print) => {
                    print.handle(&delivery)?;
                    claimed.handled += 1;
                    self.tally.handled += 1;
                }
                Handler::Exec(exec) => {
                    let handled = exec.handle(delivery);
                    claimed.handled += 1;
                    claimed.acked += 1;
                    self.tally.handled += 1;
                    self.settle_one(&lease, handled)?;
                }
            }
        }
        Ok(())
    }

    fn settle_one(&mut self, lease: &Lease, handled: Handled) -> Outcome<()> {
        self.keeper.let_go(std::slice::from_ref(lease));
        match handled {
            Handled::Done => self.ack(std::slice::from_ref(lease)),
            Handled::Replied(reply) => self
                .backend
                .reply(self.source, lease, Reply::new(reply))
                .or_else(|failure| unless_lost(lease, failure)),
            Handled::Failed(error) => {
                self.tally.failed += 1;
                let first = error.lines().next().unwrap_or_default();
                complain(&format!("message {}: {first}", lease.id));
                let nack = NackOptions::default().with_error(error);
                match self.backend.nack(self.source, lease, nack) {
                    Ok(true) => complain(&format!("message {} is a dead letter now", lease.id)),
                    Ok(false) => {}
                    Err(failure) => return unless_lost(lease, failure),
                }
                Ok(())
            }
        }
    }

    /// Acks what was handled and is not settled yet.
    fn settle(&mut self, claimed: &mut Claimed) -> Outcome<()> {
        let leases = claimed.leases.get(claimed.acked..claimed.handled).unwrap_or_default();
        if leases.is_empty() {
            return Ok(());
        }
        self.keeper.let_go(leases);
        self.ack(leases)?;
        claimed.acked = claimed.handled;
        Ok(())
    }

    fn ack(&self, leases: &[Lease]) -> Outcome<()> {
        for (lease, acked) in leases.iter().zip(self.backend.ack(self.source, leases)?) {
            acked.or_else(|failure| unless_lost(lease, failure))?;
        }
        Ok(())
    }
}

/// A lease that was lost concerns one message only: somebody else has it, the work goes on.
fn unless_lost(lease: &Lease, failure: Failure) -> Outcome<()> {
    if failure.code() != "lease_lost" {
        return Err(failure);
    }
    complain(&format!("message {}: the lease was lost, it may be delivered again", lease.id));
    Ok(())
}

/// What one claim got. The first `handled` are done, of which the first `acked` are settled.
struct Claimed {
    leases: Vec<Lease>,
    handled: usize,
    acked: usize,
}

impl Claimed {
    fn unhandled(&self) -> &[Lease] {
        self.leases.get(self.handled..).unwrap_or_default()
    }
}
