//! The page: tables, what is behind, what was compared, and charts.
//!
//! Everything between the two marks in `docs/benchmarks-peers.md` is written by a run; the rest of the page
//! is by hand.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::catalogue::{Form, PEERS, Peer, Program};
use super::chart::{Bar, Panel, chart};
use super::install::Installed;
use super::plan::{BACKLOG, CASES, CHARTS, Case, FILLED, Figure};
use super::{Options, Results};
use crate::cases::Failure;

const BEGIN: &str = "<!-- written by `cargo xtask bench --peers --write` from here -->";
const END: &str = "<!-- to here -->";

const FORMS: &[(Form, &str, &str)] =
    &[(Form::Server, "Servers", "servers"), (Form::Library, "Libraries", "libraries")];

/// A run and what it found.
pub(super) struct Report<'a> {
    pub(super) installed: &'a Installed,
    pub(super) results: &'a Results,
    pub(super) options: &'a Options,
}

impl Report<'_> {
    /// Everything that a run has to say, as Markdown.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n", self.machine());
        for (form, title, _) in FORMS {
            let _ = write!(text, "\n## {title}\n\n{}", self.table(*form));
        }
        let _ = write!(text, "\n## Where ours is behind\n\n{}", self.behind());
        let _ = write!(text, "\n## What was compared\n\n{}", self.compared());
        text
    }

    fn machine(&self) -> String {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        format!(
            "One run on {cores} cores of {}, Linux {}; medians of {} rounds.",
            model.map_or("an unnamed processor", |(_, model)| model),
            read("/proc/sys/kernel/osrelease").trim().split('-').next().unwrap_or_default(),
            self.options.rounds,
        )
    }

    /// Those of a form that were asked for, ours first.
    fn peers(&self, form: Form) -> impl Iterator<Item = &'static Peer> {
        let asked = |peer: &&Peer| self.options.peers.iter().any(|other| other.word == peer.word);
        PEERS.iter().filter(move |peer| peer.form == form).filter(asked)
    }

    fn cases(&self) -> impl Iterator<Item = (&'static Case, &'static Figure)> {
        let asked = |case: &&Case| self.options.cases.iter().any(|other| other.word == case.word);
        CASES.iter().filter(asked).flat_map(|case| case.figures.iter().map(move |f| (case, f)))
    }

    /// Peers that have a column: not those that are only named.
    fn columns(&self, form: Form) -> Vec<&'static Peer> {
        self.peers(form).filter(|peer| peer.program != Program::None).collect()
    }

    fn table(&self, form: Form) -> String {
        let columns = self.columns(form);
        let mut text = "| case |".to_owned();
        for peer in &columns {
            let _ = write!(text, " {} |", peer.name);
        }
        let _ = writeln!(text, "\n|---|{}", "---|".repeat(columns.len()));
        let mut notes = Vec::new();
        for (case, figure) in self.cases() {
            let _ = write!(text, "| {} |", figure.title);
            for peer in &columns {
                let _ = write!(text, " {} |", self.cell(peer, case, figure, &mut notes));
            }
            text.push('\n');
        }
        text.push('\n');
        for (number, note) in notes.iter().enumerate() {
            let _ = writeln!(text, "{}. {note}", number + 1);
        }
        text
    }

    /// A figure, and in brackets how far ahead of it ours is; bold where ours is behind.
    fn cell(&self, peer: &Peer, case: &Case, figure: &Figure, notes: &mut Vec<String>) -> String {
        let mut note = |text: String| {
            let place = notes.iter().position(|other| *other == text).unwrap_or_else(|| {
                notes.push(text);
                notes.len() - 1
            });
            format!("<sup>{}</sup>", place + 1)
        };
        if let Some(reason) = self.installed.missing(peer) {
            return format!("–{}", note(format!("{} could not be had: {reason}", peer.name)));
        }
        if let Some(reason) = peer.left_out(case.word) {
            return format!("–{}", note(format!("{}: {reason}", peer.name)));
        }
        let Some(value) = self.results.figure(peer, case, figure) else {
            let reason = self.results.failures.get(&(peer.word, case.word));
            let reason = reason.map_or("gave no figure", String::as_str);
            return format!("–{}", note(format!("{}, {}: {reason}", peer.name, figure.title)));
        };
        let mut cell = figure.unit.show(value);
        if let Some(reason) = peer.unranked(case.word) {
            cell = format!("*{cell}*{}", note(format!("{}, not ranked: {reason}", peer.name)));
        } else if let Some(ahead) = self.ahead(peer, case, figure) {
            let bold = if ahead < 1.0 { "**" } else { "" };
            let _ = write!(cell, " {bold}({}){bold}", show_ratio(ahead));
        }
        let waiting = self.results.waiting.get(peer.word).filter(|_| case.word == FILLED);
        if let Some(waiting) = waiting.filter(|waiting| **waiting < BACKLOG) {
            let text = format!(
                "{}: {waiting:.0} waiting, as many as it took in the time for filling",
                peer.name
            );
            cell += &note(text);
        }
        cell
    }

    /// How far ahead of a peer ours of the same form is.
    fn ahead(&self, peer: &Peer, case: &Case, figure: &Figure) -> Option<f64> {
        let ours = self.peers(peer.form).find(|other| other.is_ours() && !peer.is_ours())?;
        self.results.ahead(ours, peer, case, figure)
    }

    fn behind(&self) -> String {
        let mut text = String::new();
        for (form, _, _) in FORMS {
            for peer in self.columns(*form) {
                for (case, figure) in self.cases() {
                    let ahead = self.ahead(peer, case, figure).filter(|ahead| *ahead < 1.0);
                    let ranked = peer.unranked(case.word).is_none();
                    if let (Some(ahead), true) = (ahead, ranked) {
                        let ratio = show_ratio(ahead);
                        let _ = writeln!(text, "- {}, {}: {ratio}", peer.name, figure.title);
                    }
                }
            }
        }
        if text.is_empty() { "Nowhere in this run.\n".to_owned() } else { text }
    }

    fn compared(&self) -> String {
        let mut text = "| queue | version | from | configuration |\n|---|---|---|---|\n".to_owned();
        for (form, _, _) in FORMS {
            for peer in self.peers(*form) {
                let missing = self.installed.missing(peer);
                let had = missing.map(|reason| format!("could not be had ({reason}); "));
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {}{} |",
                    peer.name,
                    self.installed.version(peer),
                    peer.source,
                    had.unwrap_or_default(),
                    peer.configuration,
                );
            }
        }
        text
    }

    /// Puts text and charts into `docs/`.
    pub(super) fn write(&self) -> Result<(), Failure> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
        let docs = root.join("docs");
        fs::create_dir_all(docs.join("img"))?;
        let mut text = self.text();
        for (form, title, word) in FORMS {
            let mut links = String::new();
            for (name, what) in CHARTS {
                let file = format!("img/peers-{word}-{name}.svg");
                let heading = format!("{title}: {what}");
                fs::write(docs.join(&file), chart(&heading, &self.panels(*form, name)))?;
                let _ = writeln!(links, "![{heading}]({file})\n");
            }
            let heading = format!("## {title}\n\n");
            text = text.replacen(&heading, &format!("{heading}{links}"), 1);
        }
        let page = docs.join("benchmarks-peers.md");
        fs::write(&page, replace(&fs::read_to_string(&page)?, &text)?)?;
        Ok(())
    }

    /// A panel for each figure of a chart, a bar for each queue.
    fn panels(&self, form: Form, name: &str) -> Vec<Panel> {
        let bar = |peer: &'static Peer, case: &Case, figure: &Figure| {
            let value = self.results.figure(peer, case, figure);
            Bar {
                name: peer.name,
                value,
                shown: value.map_or_else(|| "no figure".to_owned(), |v| figure.unit.show(v)),
                is_ours: peer.is_ours(),
                is_ranked: peer.unranked(case.word).is_none(),
            }
        };
        let columns = self.columns(form);
        let had: Vec<_> =
            columns.into_iter().filter(|peer| self.installed.missing(peer).is_none()).collect();
        self.cases()
            .filter(|(_, figure)| figure.chart == name)
            .map(|(case, figure)| Panel {
                title: figure.title,
                bars: had.iter().map(|peer| bar(peer, case, figure)).collect(),
            })
            .collect()
    }
}

fn show_ratio(ahead: f64) -> String {
    if ahead >= 10.0 { format!("{ahead:.0} ×") } else { format!("{ahead:.2} ×") }
}

/// The page with another text between its marks.
fn replace(page: &str, text: &str) -> Result<String, Failure> {
    let parts = page
        .split_once(BEGIN)
        .and_then(|(before, rest)| rest.split_once(END).map(|(_, after)| (before, after)));
    let (before, after) = parts.ok_or("docs/benchmarks-peers.md has lost its marks")?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let page = format!("by hand\n{BEGIN}\nold\n{END}\nalso by hand\n");
        let once = replace(&page, "new\n").unwrap();
        assert_eq!(once, format!("by hand\n{BEGIN}\n\nnew\n\n{END}\nalso by hand\n"));
        assert_eq!(replace(&once, "new\n").unwrap(), once);
        assert!(replace("no marks", "new").is_err());
    }

    #[test]
    fn the_page_has_its_marks() {
        let page = include_str!("../../../docs/benchmarks-peers.md");
        assert!(replace(page, "").is_ok());
    }
}
