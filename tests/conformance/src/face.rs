//! What a runner needs of the thing under test.

use serde_json::Value;

use crate::operation::Operation;

/// One way to reach a queue: the library itself, HTTP, a binding.
///
/// Each script gets a face of its own, with an empty queue whose clock shows [`crate::START_MS`].
/// Operations may come from several threads at once, as claims wait in the background.
pub trait Face: Send + Sync {
    /// Carries out an operation and blocks until its answer is there, as `README.md` spells it.
    ///
    /// # Errors
    /// What the queue refused, by its stable code.
    fn perform(&self, operation: &Operation) -> Result<Value, Refusal>;

    /// Makes the queue's clock show this instant, in milliseconds since 1970.
    fn set_clock(&self, at_ms: i64);

    /// Whether scripts that need this feature can run.
    fn has(&self, feature: Feature) -> bool;

    /// What this face cannot express. A script with such an operation does not run; such a field of an
    /// expectation is not compared.
    fn omissions(&self) -> &[Omission] {
        &[]
    }

    /// Ends the queue: called after the last step, whatever came of it.
    fn close(&self);
}

/// What some faces and stores cannot do by their nature; scripts name it in `needs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// The queue can be closed and opened again with its contents.
    Reopen,
    /// A caller can pass a negative duration at all.
    NegativeDurations,
    /// A caller can pass a text with a zero character in it.
    ZeroInText,
}

/// Something that a face cannot express, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Omission {
    /// A whole operation.
    Operation {
        /// Its word.
        name: &'static str,
        /// Why it cannot be expressed.
        reason: &'static str,
    },
    /// A field of the answer of one operation, wherever in the answer it is.
    Field {
        /// The operation's word.
        operation: &'static str,
        /// The field's name.
        name: &'static str,
        /// Why it cannot be expressed.
        reason: &'static str,
    },
    /// A script, for a reason of its own.
    Script {
        /// Its name.
        name: &'static str,
        /// Why it cannot run.
        reason: &'static str,
    },
}

/// What a queue answers when it does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: String,
    /// Which item of a batch is to blame, if the error says so and the face can tell.
    pub index: Option<usize>,
    /// The text for people.
    pub detail: String,
}

impl Refusal {
    /// A refusal with a code and a text.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), index: None, detail: detail.into() }
    }
}
