//! Dead letters, and what went wrong with a delivery.

use blockqueue::{Purge, Redrive};
use pyo3::prelude::*;

use super::Queue;
use crate::arguments::{FilterArgument, Id, Which, page};
use crate::pending::Pending;

#[pymethods]
impl Queue {
    fn dead_letters(
        &self,
        topic: &str,
        subscriber: &str,
        limit: Option<usize>,
        after: Option<String>,
    ) -> Pending {
        Pending::new(self.0.dead_letters(topic, subscriber, page(limit, after)))
    }

    #[expect(clippy::too_many_arguments, reason = "all of a redrive")]
    fn redrive(
        &self,
        py: Python<'_>,
        topic: &str,
        subscriber: &str,
        ids: Option<Vec<Id>>,
        limit: Option<u64>,
        filter: Option<FilterArgument>,
        to: Option<String>,
        rate: Option<f64>,
        dry_run: bool,
    ) -> PyResult<Pending> {
        let mut options = Redrive::from(Which::new(py, ids, limit)?.0).with_dry_run(dry_run);
        options.filter = filter.map(|filter| filter.0);
        options.to = to;
        options.rate = rate;
        Ok(Pending::new(self.0.redrive(topic, subscriber, options)))
    }

    #[expect(clippy::too_many_arguments, reason = "all of a purge")]
    fn purge_dead_letters(
        &self,
        py: Python<'_>,
        topic: &str,
        subscriber: &str,
        ids: Option<Vec<Id>>,
        limit: Option<u64>,
        filter: Option<FilterArgument>,
        dry_run: bool,
    ) -> PyResult<Pending> {
        let mut options = Purge::from(Which::new(py, ids, limit)?.0).with_dry_run(dry_run);
        options.filter = filter.map(|filter| filter.0);
        Ok(Pending::new(self.0.purge_dead_letters(topic, subscriber, options)))
    }

    #[expect(clippy::needless_pass_by_value, reason = "made of the argument")]
    fn failures(
        &self,
        topic: &str,
        subscriber: &str,
        message_id: Id,
        limit: Option<usize>,
        after: Option<String>,
    ) -> Pending {
        Pending::new(self.0.failures(topic, subscriber, message_id.0, page(limit, after)))
    }
}
