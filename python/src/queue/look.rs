//! Looking at the queue, and its upkeep.

use std::path::PathBuf;

use blockqueue::{Backup, BackupProgress};
use pyo3::prelude::*;

use super::Queue;
use crate::answers::Answer as _;
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

    fn backup(&self, to: PathBuf, progress: Option<Py<PyAny>>) -> Pending {
        let mut backup = Backup::new(to);
        if let Some(listener) = progress {
            backup = backup.with_progress(move |progress| tell(&listener, progress));
        }
        Pending::new(self.0.backup(backup))
    }

    fn diagnose(&self) -> Pending {
        Pending::new(self.0.diagnose())
    }
}

/// Calls a listener, on the thread of the backup. What it raises stops nothing, and is shown.
fn tell(listener: &Py<PyAny>, progress: BackupProgress) {
    Python::attach(|py| {
        let told = progress.to_python(py).and_then(|progress| listener.call1(py, (progress,)));
        if let Err(raised) = told {
            raised.write_unraisable(py, Some(listener.bind(py)));
        }
    });
}
