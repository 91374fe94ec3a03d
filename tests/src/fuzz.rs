//! What must hold for whatever bytes come in from outside. Called by the fuzzing targets in `fuzz/`, and by a
//! test with their corpus.

use std::collections::BTreeMap;

use blockqueue::{Filter, MessageId, Receipt};

/// A target: its name, which is that of its corpus, and what it checks.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 4] =
    [("receipt", receipt), ("id", id), ("filter", filter), ("script", script)];

/// One text for each receipt: what is taken is what would be written.
///
/// # Panics
/// If that does not hold.
pub fn receipt(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(receipt) = text.parse::<Receipt>() {
        assert_eq!(receipt.to_string(), text);
    }
}

/// An id that is read is the same one when it is written and read again.
///
/// # Panics
/// If that does not hold.
pub fn id(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(id) = text.parse::<MessageId>() {
        assert_eq!(id.to_string().parse::<MessageId>().ok(), Some(id));
    }
}

/// A filter up to the first line's end; the lines after it are headers. What it says stays the same when it
/// is written and read again.
///
/// # Panics
/// If that does not hold.
pub fn filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (condition, lines) = text.split_once('\n').unwrap_or((&text, ""));
    let Ok(filter) = condition.parse::<Filter>() else { return };
    let headers: BTreeMap<String, String> = lines
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let again = filter.to_string().parse::<Filter>();
    let says = filter.matches(&headers);
    assert_eq!(again.map(|again| again.matches(&headers)).ok(), Some(says), "{filter}");
}

/// The parser of the conformance scripts refuses, and never panics.
pub fn script(data: &[u8]) {
    // Nothing to hold it against: it answers at all.
    let _ = blockqueue_conformance::parse("fuzz", &String::from_utf8_lossy(data));
}
