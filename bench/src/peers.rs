//! The same durable work on the queues that somebody would use instead, in one run on one machine.
//!
//! Each run of a case has an empty folder, a server of its own and a driver: a process that does the work
//! and prints its figures as JSON. Runs of the peers alternate, case by case; figures are medians of the
//! rounds, and ratios are medians of the ratios within a round.
//!
//! `--write` puts tables and charts into `docs/`, `--rounds N` and `--seconds N` (per case, at most) bound
//! the run, `--original PATH` names a server of the original project that was built by hand, and names
//! choose among peers or cases.

mod catalogue;
mod chart;
mod embedded;
mod install;
mod plan;
mod process;
mod report;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cases::Failure;
use crate::measure::median;
use catalogue::{PEERS, Peer, Program};
use install::Installed;
use plan::{CASES, Case, FILLED, Figure};

/// Runs what these words of the command line ask for, if it is about peers.
pub fn run(words: &[String]) -> Option<Result<(), Failure>> {
    if let Some(driven) = embedded::run(words) {
        return Some(driven);
    }
    let (first, rest) = words.split_first()?;
    (first == "--peers").then(|| Options::parse(rest).and_then(|options| compare(&options)))
}

/// What the command line says.
struct Options {
    write: bool,
    directory: PathBuf,
    rounds: usize,
    seconds_max: f64,
    original: Option<PathBuf>,
    peers: Vec<&'static Peer>,
    cases: Vec<&'static Case>,
}

impl Options {
    fn parse(words: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            write: false,
            directory: std::env::temp_dir(),
            rounds: 3,
            seconds_max: f64::INFINITY,
            original: None,
            peers: Vec::new(),
            cases: Vec::new(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} wants a value"));
            match word.as_str() {
                "--write" => options.write = true,
                "--dir" => options.directory = value()?.into(),
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.seconds_max = value()?.parse()?,
                "--original" => options.original = Some(value()?.into()),
                name => options.choose(name)?,
            }
        }
        if options.write && !(options.peers.is_empty() && options.cases.is_empty()) {
            return Err(
                "--write wants all peers and cases, so that one run stands in the page".into()
            );
        }
        if options.peers.is_empty() {
            options.peers.extend(PEERS);
        }
        if options.cases.is_empty() {
            options.cases.extend(CASES);
        }
        Ok(options)
    }

    /// Peers, or cases, whose names begin with this.
    fn choose(&mut self, name: &str) -> Result<(), Failure> {
        let before = self.peers.len() + self.cases.len();
        match PEERS.iter().find(|peer| peer.word == name) {
            Some(peer) => self.peers.push(peer),
            None => self.cases.extend(CASES.iter().filter(|case| case.word.starts_with(name))),
        }
        if self.peers.len() + self.cases.len() > before {
            return Ok(());
        }
        let peers: Vec<_> = PEERS.iter().map(|peer| peer.word).collect();
        let cases: Vec<_> = CASES.iter().map(|case| case.word).collect();
        Err(format!(
            "no peer or case {name:?}; there are {}; {}",
            peers.join(", "),
            cases.join(", ")
        )
        .into())
    }
}

/// All figures of a run.
struct Results {
    /// By peer, case and key: a figure for each round in which there was one.
    figures: BTreeMap<(&'static str, &'static str, &'static str), Vec<Option<f64>>>,
    /// By peer and case: why there is none.
    failures: BTreeMap<(&'static str, &'static str), String>,
    /// By peer: how many messages waited in the case that asks for many.
    waiting: BTreeMap<&'static str, f64>,
}

impl Results {
    /// The median of a figure.
    fn figure(&self, peer: &Peer, case: &Case, figure: &Figure) -> Option<f64> {
        let rounds = self.figures.get(&(peer.word, case.word, figure.key))?;
        let values: Vec<f64> = rounds.iter().copied().flatten().collect();
        (!values.is_empty()).then(|| median(values))
    }

    /// How far ahead ours is: above 1 if it is. Only rounds in which both have a figure count.
    fn ahead(&self, ours: &Peer, theirs: &Peer, case: &Case, figure: &Figure) -> Option<f64> {
        let rounds = |peer: &Peer| self.figures.get(&(peer.word, case.word, figure.key));
        let ratios: Vec<f64> = rounds(ours)?
            .iter()
            .zip(rounds(theirs)?)
            .filter_map(|(ours, theirs)| figure.unit.ahead((*ours)?, (*theirs)?))
            .collect();
        (!ratios.is_empty()).then(|| median(ratios))
    }
}

fn compare(options: &Options) -> Result<(), Failure> {
    let installed = Installed::new(&options.peers, options.original.clone())?;
    let mut results =
        Results { figures: BTreeMap::new(), failures: BTreeMap::new(), waiting: BTreeMap::new() };
    for round in 0..options.rounds {
        for case in options.cases.iter().filter(|case| round == 0 || case.every_round) {
            for peer in &options.peers {
                let can = peer.program != Program::None
                    && installed.missing(peer).is_none()
                    && peer.left_out(case.word).is_none();
                if can {
                    one(options, &installed, &mut results, peer, case)?;
                }
            }
        }
    }
    let report = report::Report { installed: &installed, results: &results, options };
    println!("{}", report.text());
    if options.write { report.write() } else { Ok(()) }
}

/// One run of a case on a peer. If it fails, the comparison goes on without it.
fn one(
    options: &Options,
    installed: &Installed,
    results: &mut Results,
    peer: &'static Peer,
    case: &'static Case,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir_in(&options.directory)?;
    let seconds = case.seconds.min(options.seconds_max);
    let outcome = process::run(installed, peer, case, seconds, folder.path());
    eprintln!("{}: {}: {outcome:?}", case.word, peer.word);
    let figures = match outcome {
        Ok((figures, waiting)) => {
            if let (FILLED, Some(waiting)) = (case.word, waiting) {
                results.waiting.insert(peer.word, waiting);
            }
            figures
        }
        Err(error) => {
            results.failures.insert((peer.word, case.word), error.to_string());
            process::Figures::new()
        }
    };
    for figure in case.figures {
        let rounds = results.figures.entry((peer.word, case.word, figure.key)).or_default();
        rounds.push(figures.get(figure.key).copied());
    }
    Ok(())
}
