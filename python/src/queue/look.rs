//! Looking at the queue, and its upkeep.

use std::path::PathBuf;

use pyo3::prelude::*;

use super::Queue;
use crate::arguments::{Id, page};
use crate::pending::Pending;

#[pymethods]
impl Queue {
    fn topic_stats(&self, topic: &str) -> Pending {
        Pending::new(self.0.topic_stats(topic))
    }

    fn subscriber_stats(&self, topic: &str, subscriber: &str) -> Pending {
        Pending::new(self.0.subscriber_stats(topic, subscriber))
    }

    fn peek(
        &self,
        topic: &str,
        subscriber: &str,
        limit: Option<usize>,
        after: Option<String>,
    ) -> Pending {
        Pending::new(self.0.peek(topic, subscriber, page(limit, after)))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn message(&self, topic: &str, message_id: Id) -> Pending {
        Pending::new(self.0.message(topic, message_id.0))
    }

    fn engine_stats(&self, py: Python<'_>) -> Pending {
        Pending::ready(py.detach(|| self.0.engine_stats()))
    }

    fn backup(&self, to: PathBuf) -> Pending {
        Pending::new(self.0.backup(to))
    }

    fn diagnose(&self) -> Pending {
        Pending::new(self.0.diagnose())
    }
}
