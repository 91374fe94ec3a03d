//! A program of some language that hands messages on.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use blockqueue_tests::child::Talking;

/// The words of a command.
pub(crate) type Language = Vec<String>;

/// By their names, in order.
pub(crate) fn languages() -> BTreeMap<String, Language> {
    let told = std::env::var("BLOCKQUEUE_RING_NODES")
        .unwrap_or_else(|_| panic!("run `cargo xtask test interop`, which builds the programs"));
    let languages: BTreeMap<String, Language> = serde_json::from_str(&told).unwrap();
    assert!(languages.len() >= 2, "{told}");
    languages
}

/// Killed when it is dropped.
pub(crate) struct Node {
    name: String,
    process: Talking,
}

impl Node {
    pub(crate) fn start(
        name: &str,
        language: &Language,
        address: &str,
        from: &str,
        subscriber: &str,
        to: &str,
        count: usize,
    ) -> Self {
        let (program, words) = language.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(words).arg(address).args([from, subscriber, to, &count.to_string()]);
        let process =
            Talking::start(&mut command).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name: name.to_owned(), process }
    }

    /// Waits until it has the queue open. Some languages take their time to start.
    pub(crate) fn is_ready(&self) {
        let line = self.process.line().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        assert_eq!(line, "ready", "{}", self.name);
    }

    /// At this moment, whatever it does.
    pub(crate) fn kill(&mut self) {
        let child = self.process.child();
        assert!(child.try_wait().unwrap().is_none(), "{} has ended by itself", self.name);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn ends_well(mut self) {
        for _ in 0..3_000 {
            if let Some(status) = self.process.child().try_wait().unwrap() {
                assert!(status.success(), "{}: {status}", self.name);
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{} does not end", self.name);
    }
}
