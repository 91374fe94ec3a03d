//! Schedules.

use blockqueue::NewSchedule;

use super::Queue;
use crate::error::Result;
use crate::number::count;
use crate::page::Page;
use crate::schedule::{Schedule, ScheduleOptions, SchedulePage, ScheduleRun, ScheduleRunPage};

#[uniffi::export]
impl Queue {
    /// Creates a schedule of a topic: publishes a message to it again and again.
    pub async fn create_schedule(
        &self,
        topic: String,
        schedule: String,
        options: ScheduleOptions,
    ) -> Result<Schedule> {
        let new = NewSchedule::new(schedule, options.into_core()?);
        Ok(Schedule::from_core(self.0.create_schedule(&topic, new).await?)?)
    }

    /// A schedule by name.
    pub async fn schedule(&self, topic: String, schedule: String) -> Result<Schedule> {
        Ok(Schedule::from_core(self.0.schedule(&topic, &schedule).await?)?)
    }

    /// The schedules of a topic, by name; a page ends at 16 MiB.
    pub async fn schedules(&self, topic: String, page: Page) -> Result<SchedulePage> {
        Ok(self.0.schedules(&topic, page.into_core()?).await?.try_into()?)
    }

    /// Changes the settings of a schedule as a whole, if nobody has changed them since that version.
    pub async fn update_schedule(
        &self,
        topic: String,
        schedule: String,
        version: i64,
        options: ScheduleOptions,
    ) -> Result<Schedule> {
        let (version, options) = (count("version", version)?, options.into_core()?);
        let updated = self.0.update_schedule(&topic, &schedule, version, options).await?;
        Ok(Schedule::from_core(updated)?)
    }

    /// Deletes a schedule with its history. The messages that it published stay.
    pub async fn delete_schedule(&self, topic: String, schedule: String) -> Result<()> {
        Ok(self.0.delete_schedule(&topic, &schedule).await?)
    }

    /// Stops a schedule. Occurrences that come meanwhile are left out and not counted as missed.
    pub async fn pause_schedule(&self, topic: String, schedule: String) -> Result<()> {
        Ok(self.0.pause_schedule(&topic, &schedule).await?)
    }

    /// Lets a schedule go on, with the first occurrence after now.
    pub async fn resume_schedule(&self, topic: String, schedule: String) -> Result<()> {
        Ok(self.0.resume_schedule(&topic, &schedule).await?)
    }

    /// Publishes the message of a schedule now, also while it is paused.
    pub async fn run_schedule_now(&self, topic: String, schedule: String) -> Result<ScheduleRun> {
        Ok(ScheduleRun::from_core(self.0.run_schedule_now(&topic, &schedule).await?)?)
    }

    /// What became of the occurrences of a schedule, newest first.
    pub async fn schedule_runs(
        &self,
        topic: String,
        schedule: String,
        page: Page,
    ) -> Result<ScheduleRunPage> {
        Ok(self.0.schedule_runs(&topic, &schedule, page.into_core()?).await?.try_into()?)
    }
}
