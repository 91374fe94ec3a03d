"""Schedules, and what they did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from .messages import Message
from .values import Seconds, to_timedelta


@dataclass(frozen=True, init=False)
class ScheduleOptions:
    """What a schedule publishes, and when."""

    cron: str
    """Five fields of cron, or six with seconds in front; ``@hourly``, ``@daily``, ``@weekly``, ``@monthly``,
    ``@yearly``; or ``@every 90s``."""
    message: Message
    """What is published. Not delayed, and without idempotency key."""
    timezone: str
    """The IANA time zone that the fields are read in."""
    misfire: Literal["skip", "once"] | int
    """Missed occurrences: none of them is fired, only the newest, or the newest so many."""
    overlap: Literal["allow", "skip", "queue"]
    """While the message before is not settled: fired all the same, left out, or fired after that."""
    start: datetime | None
    """No occurrence is earlier."""
    end: datetime | None
    """No occurrence is later."""
    jitter: timedelta
    """Each occurrence is fired up to this much later."""
    grace: timedelta
    """How late an occurrence may be fired before it counts as missed."""

    def __init__(
        self,
        cron: str,
        message: Any,
        *,
        timezone: str = "UTC",
        misfire: Literal["skip", "once"] | int = "once",
        overlap: Literal["allow", "skip", "queue"] = "skip",
        start: datetime | None = None,
        end: datetime | None = None,
        jitter: Seconds = 0.0,
        grace: Seconds = 60.0,
    ) -> None:
        """The message is a :class:`Message`, or the payload of one."""
        message = message if isinstance(message, Message) else Message(message)
        fields = {"cron": cron, "message": message, "timezone": timezone, "misfire": misfire}
        fields |= {"overlap": overlap, "start": start, "end": end}
        fields |= {"jitter": to_timedelta(jitter), "grace": to_timedelta(grace)}
        for name, value in fields.items():
            object.__setattr__(self, name, value)


RunStatus = Literal["fired", "manual", "queued", "skipped_misfire", "skipped_overlap", "refused", "stopped"]
"""What became of an occurrence of a schedule."""


@dataclass(frozen=True)
class Schedule:
    """A schedule: publishes a message to its topic again and again."""

    id: int
    topic: str
    name: str
    options: ScheduleOptions
    version: int
    """Counts the changes of its settings, from 1. An update names the version that it changes."""
    paused: bool
    next_at: datetime | None
    """The next occurrence; ``None`` while it is paused, and when there is none any more."""
    due_at: datetime | None
    """When the next occurrence is fired: ``next_at`` and its jitter."""
    last_at: datetime | None
    """The newest occurrence that was decided about, fired or not."""
    queued_at: datetime | None
    """An occurrence that waits until the message before is settled."""
    created_at: datetime


@dataclass(frozen=True)
class ScheduleRun:
    """An entry of a schedule's history. The newest 1,000 of each schedule are kept."""

    run: int
    """Its number within the schedule, from 1."""
    status: RunStatus
    occurrence_at: datetime | None
    """The occurrence, or the first of them; ``None`` for a manual run."""
    until_at: datetime | None
    """The last of several occurrences that were missed together."""
    at: datetime
    """When it was decided."""
    message_id: str | None
    error: str | None
