"""Schedules."""

from __future__ import annotations

from .._models import Page, Schedule, ScheduleOptions, ScheduleRun
from .._waiting import Waiting


class Schedules(Waiting):
    """What a queue can do with schedules."""

    __slots__ = ()

    def create_schedule(self, topic: str, schedule: str, options: ScheduleOptions) -> Schedule:
        """Creates a schedule: publishes a message to the topic again and again.

        >>> from blockqueue import ScheduleOptions
        >>> nightly = ScheduleOptions("0 3 * * *", "sweep", timezone="Europe/Berlin")
        >>> created = queue.create_schedule("orders", "nightly", nightly)
        >>> created.version, created.options.cron
        (1, '0 3 * * *')
        """
        return self._wait(self._native.create_schedule(topic, schedule, options))

    def schedule(self, topic: str, schedule: str) -> Schedule:
        """A schedule by name."""
        return self._wait(self._native.schedule(topic, schedule))

    def schedules(self, topic: str, *, limit: int | None = None, after: str | None = None) -> Page[Schedule]:
        """The schedules of a topic, by name."""
        return self._wait(self._native.schedules(topic, limit, after))

    def update_schedule(self, topic: str, schedule: str, version: int, options: ScheduleOptions) -> Schedule:
        """Changes the settings of a schedule as a whole, if nobody has changed them since that version.

        It goes on with the first occurrence after now. Raises ``StaleVersionError``.
        """
        return self._wait(self._native.update_schedule(topic, schedule, version, options))

    def delete_schedule(self, topic: str, schedule: str) -> None:
        """Deletes a schedule with its history. The messages that it published stay."""
        self._wait(self._native.delete_schedule(topic, schedule))

    def pause_schedule(self, topic: str, schedule: str) -> None:
        """Stops a schedule. Occurrences that come meanwhile are left out and not counted as missed."""
        self._wait(self._native.pause_schedule(topic, schedule))

    def resume_schedule(self, topic: str, schedule: str) -> None:
        """Lets a schedule go on, with the first occurrence after now."""
        self._wait(self._native.resume_schedule(topic, schedule))

    def run_schedule_now(self, topic: str, schedule: str) -> ScheduleRun:
        """Publishes the message of a schedule now, also while it is paused."""
        return self._wait(self._native.run_schedule_now(topic, schedule))

    def schedule_runs(
        self, topic: str, schedule: str, *, limit: int | None = None, after: str | None = None
    ) -> Page[ScheduleRun]:
        """What became of the occurrences of a schedule, newest first."""
        return self._wait(self._native.schedule_runs(topic, schedule, limit, after))
