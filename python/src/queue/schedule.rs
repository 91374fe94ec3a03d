//! Schedules.

use blockqueue::NewSchedule;
use pyo3::prelude::*;

use super::Queue;
use crate::arguments::{Fields, ScheduleArgument, page};
use crate::pending::Pending;

#[pymethods]
impl Queue {
    fn create_schedule(
        &self,
        topic: &str,
        schedule: &str,
        options: Fields<ScheduleArgument>,
    ) -> Pending {
        let new = NewSchedule::new(schedule, options.0.into_core());
        Pending::new(self.0.create_schedule(topic, new))
    }

    fn schedule(&self, topic: &str, schedule: &str) -> Pending {
        Pending::new(self.0.schedule(topic, schedule))
    }

    fn schedules(&self, topic: &str, limit: Option<usize>, after: Option<String>) -> Pending {
        Pending::new(self.0.schedules(topic, page(limit, after)))
    }

    fn update_schedule(
        &self,
        topic: &str,
        schedule: &str,
        version: u64,
        options: Fields<ScheduleArgument>,
    ) -> Pending {
        Pending::new(self.0.update_schedule(topic, schedule, version, options.0.into_core()))
    }

    fn delete_schedule(&self, topic: &str, schedule: &str) -> Pending {
        Pending::new(self.0.delete_schedule(topic, schedule))
    }

    fn pause_schedule(&self, topic: &str, schedule: &str) -> Pending {
        Pending::new(self.0.pause_schedule(topic, schedule))
    }

    fn resume_schedule(&self, topic: &str, schedule: &str) -> Pending {
        Pending::new(self.0.resume_schedule(topic, schedule))
    }

    fn run_schedule_now(&self, topic: &str, schedule: &str) -> Pending {
        Pending::new(self.0.run_schedule_now(topic, schedule))
    }

    fn schedule_runs(
        &self,
        topic: &str,
        schedule: &str,
        limit: Option<usize>,
        after: Option<String>,
    ) -> Pending {
        Pending::new(self.0.schedule_runs(topic, schedule, page(limit, after)))
    }
}
