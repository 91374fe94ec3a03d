//! How far a long input is, on standard error when people watch.

use std::fs::File;
use std::io::{self, IsTerminal as _, Stdin};
use std::os::fd::AsFd as _;

use indicatif::{ProgressBar, ProgressStyle};

/// An input of fewer messages is not long.
const LONG: u64 = 2_000;

/// A progress bar that appears when the input turns out to be long.
#[derive(Debug)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    /// Size of the input in bytes, where it is a file.
    size: Option<u64>,
    wanted: bool,
}

impl Progress {
    /// The progress of this input. Typing needs none, nor does anything without a terminal.
    pub(super) fn of(input: &Stdin) -> Self {
        let wanted = io::stderr().is_terminal() && !input.is_terminal();
        Self { bar: None, size: wanted.then(|| size(input)).flatten(), wanted }
    }

    /// Shows how far it is.
    pub(super) fn show(&mut self, messages: u64, bytes: u64) {
        if !self.wanted || messages < LONG {
            return;
        }
        let size = self.size;
        let bar = self.bar.get_or_insert_with(|| size.map_or_else(spinner, bar));
        bar.set_position(bytes);
        bar.set_message(format!("{messages} published"));
    }

    /// Takes it away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn size(input: &Stdin) -> Option<u64> {
    let file = File::from(input.as_fd().try_clone_to_owned().ok()?);
    let metadata = file.metadata().ok()?;
    metadata.is_file().then_some(metadata.len())
}

fn bar(size: u64) -> ProgressBar {
    styled(ProgressBar::new(size), "{wide_bar} {percent}% {msg}, {bytes_per_sec}, {eta} left")
}

fn spinner() -> ProgressBar {
    styled(ProgressBar::new_spinner(), "{spinner} {msg}, {bytes}, {bytes_per_sec}")
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
