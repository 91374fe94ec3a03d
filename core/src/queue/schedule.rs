//! Schedules: messages that publish themselves again and again.

use super::{Queue, done, unexpected};
use crate::error::Result;
use crate::model::{Listed, Schedule, ScheduleRun};
use crate::op::{Answer, Named, Op, Outcome, Query};
use crate::options::{NewSchedule, Page, ScheduleOptions};
use crate::pending::Pending;

impl Queue {
    /// Creates a schedule of a topic. From then on some process that has the queue open publishes its
    /// message at each occurrence: one message per occurrence, however many processes there are.
    ///
    /// ```
    /// # fn main() -> blockqueue::Result<()> {
    /// use blockqueue::{NewSchedule, Queue, ScheduleOptions};
    ///
    /// let queue = Queue::open(":memory:")?;
    /// queue.create_topic("reports").wait()?;
    /// let options = ScheduleOptions::new("0 9 * * MON-FRI", "daily").with_timezone("Europe/Berlin");
    /// let schedule = queue.create_schedule("reports", NewSchedule::new("daily", options)).wait()?;
    /// assert!(schedule.next_at.is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `unknown_topic`, `schedule_exists`, `invalid_argument` (also for cron fields that never come),
    /// `limit_exceeded`.
    pub fn create_schedule(&self, topic: &str, schedule: NewSchedule) -> Pending<Schedule> {
        let valid = schedule.validate(self.payload_bytes_max);
        let (topic, new) = (topic.to_owned(), Box::new(schedule));
        self.checked(valid, |()| Op::CreateSchedule { topic, new }, into_schedule)
    }

    /// A schedule by name.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_schedule`.
    pub fn schedule(&self, topic: &str, schedule: &str) -> Pending<Schedule> {
        self.read(Query::Schedule { of: named(topic, schedule) }, |answer| match answer {
            Answer::Schedule(schedule) => Some(*schedule),
            _ => None,
        })
    }

    /// The schedules of a topic, by name; a page ends at 16 MiB.
    ///
    /// # Errors
    /// `unknown_topic`, `invalid_argument` for the page.
    pub fn schedules(&self, topic: &str, page: Page) -> Pending<Listed<Schedule>> {
        let topic = topic.to_owned();
        let query = page.limit().map(|limit| Query::Schedules { topic, limit, after: page.after });
        self.read_checked(query, |answer| match answer {
            Answer::Schedules(schedules) => Some(schedules),
            _ => None,
        })
    }

    /// Changes the settings of a schedule as a whole, if nobody has changed them since `version`. It goes
    /// on with the first occurrence after now.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_schedule`, `stale_version`, `invalid_argument`, `limit_exceeded`.
    pub fn update_schedule(
        &self,
        topic: &str,
        schedule: &str,
        version: u64,
        options: ScheduleOptions,
    ) -> Pending<Schedule> {
        let valid = options.validate(self.payload_bytes_max);
        let (of, options) = (named(topic, schedule), Box::new(options));
        self.checked(valid, |()| Op::UpdateSchedule { of, version, options }, into_schedule)
    }

    /// Deletes a schedule with its history. The messages that it published stay.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_schedule`.
    pub fn delete_schedule(&self, topic: &str, schedule: &str) -> Pending<()> {
        self.write(Op::DeleteSchedule { of: named(topic, schedule) }, done)
    }

    /// Stops a schedule. Occurrences that come meanwhile are left out and not counted as missed.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_schedule`.
    pub fn pause_schedule(&self, topic: &str, schedule: &str) -> Pending<()> {
        self.write(Op::PauseSchedule { of: named(topic, schedule), paused: true }, done)
    }

    /// Lets a schedule go on, with the first occurrence after now.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_schedule`.
    pub fn resume_schedule(&self, topic: &str, schedule: &str) -> Pending<()> {
        self.write(Op::PauseSchedule { of: named(topic, schedule), paused: false }, done)
    }

    /// Publishes the message of a schedule now, also while it is paused and whatever its overlap policy.
    /// Its occurrences stay as they are; the overlap policy of the next one sees this message.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_schedule`, `backlog_full`.
    pub fn run_schedule_now(&self, topic: &str, schedule: &str) -> Pending<ScheduleRun> {
        self.write(Op::RunSchedule { of: named(topic, schedule) }, |outcome| match outcome {
            Outcome::Run(run) => Ok(run),
            other => Err(unexpected(&other)),
        })
    }

    /// What became of the occurrences of a schedule, newest first.
    ///
    /// # Errors
    /// `unknown_topic`, `unknown_schedule`, `invalid_argument` for the page.
    pub fn schedule_runs(
        &self,
        topic: &str,
        schedule: &str,
        page: Page,
    ) -> Pending<Listed<ScheduleRun>> {
        let of = named(topic, schedule);
        let query = page.limit().map(|limit| Query::ScheduleRuns { of, limit, after: page.after });
        self.read_checked(query, |answer| match answer {
            Answer::ScheduleRuns(runs) => Some(runs),
            _ => None,
        })
    }
}

fn named(topic: &str, schedule: &str) -> Named {
    Named { topic: topic.into(), schedule: schedule.into() }
}

fn into_schedule(outcome: Outcome) -> Result<Schedule> {
    match outcome {
        Outcome::Schedule(schedule) => Ok(*schedule),
        other => Err(unexpected(&other)),
    }
}
