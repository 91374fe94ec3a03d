<?php

declare(strict_types=1);

namespace BlockQueue\Queue;

use BlockQueue\Native\Json;
use BlockQueue\Page;
use BlockQueue\Schedule;
use BlockQueue\ScheduleOptions;
use BlockQueue\ScheduleRun;

/**
 * Schedules: messages that are published again and again.
 *
 * @internal
 */
trait Scheduling
{
    public function createSchedule(string $topic, string $schedule, ScheduleOptions $options): Schedule
    {
        $settings = Json::encode($options->toArray());
        return Schedule::from($this->ask('bq_schedule_create', $topic, $schedule, $settings));
    }

    public function schedule(string $topic, string $schedule): Schedule
    {
        return Schedule::from($this->ask('bq_schedule_get', $topic, $schedule));
    }

    /**
     * A page of the schedules of a topic by name.
     *
     * @return Page<Schedule>
     */
    public function schedules(string $topic, int $limit = 100, ?string $after = null): Page
    {
        return Page::of(Schedule::from(...), $this->ask('bq_schedule_list', $topic, self::size($limit), $after));
    }

    /** Replaces the settings as a whole, if the schedule still has this version: else StaleVersionException. */
    public function updateSchedule(string $topic, string $schedule, int $version, ScheduleOptions $options): Schedule
    {
        $settings = Json::encode($options->toArray());
        return Schedule::from($this->ask('bq_schedule_update', $topic, $schedule, $version, $settings));
    }

    /** Deletes a schedule. What it published stays. */
    public function deleteSchedule(string $topic, string $schedule): void
    {
        $this->tell('bq_schedule_delete', $topic, $schedule);
    }

    public function pauseSchedule(string $topic, string $schedule): void
    {
        $this->tell('bq_schedule_pause', $topic, $schedule);
    }

    /** Lets it go on, with the next occurrence from now. */
    public function resumeSchedule(string $topic, string $schedule): void
    {
        $this->tell('bq_schedule_resume', $topic, $schedule);
    }

    /** Publishes the schedule's message now, whatever its times. */
    public function runScheduleNow(string $topic, string $schedule): ScheduleRun
    {
        return ScheduleRun::from($this->ask('bq_schedule_run', $topic, $schedule));
    }

    /**
     * A page of a schedule's history, newest first.
     *
     * @return Page<ScheduleRun>
     */
    public function scheduleRuns(string $topic, string $schedule, int $limit = 100, ?string $after = null): Page
    {
        return Page::of(ScheduleRun::from(...), $this->ask('bq_schedule_runs', $topic, $schedule, self::size($limit), $after));
    }
}
