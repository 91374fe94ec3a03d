"""Topics, and what they keep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from .values import Seconds, to_timedelta

BacklogPolicy = Literal["refuse", "drop_oldest"]
"""What a publish beyond the backlog limit does: it fails, or the oldest messages are skipped."""


@dataclass(frozen=True, init=False)
class Retention:
    """What happens to messages that every subscriber has settled: by default they are removed.

    One of the three at most: kept for a duration after they were published, the newest so many, or the newest
    up to so many bytes.
    """

    duration: timedelta | None
    count: int | None
    bytes: int | None

    def __init__(
        self, *, duration: Seconds | None = None, count: int | None = None, bytes: int | None = None
    ) -> None:
        if sum(each is not None for each in (duration, count, bytes)) > 1:
            raise ValueError("a retention is a duration, a count or bytes, not several of them")
        object.__setattr__(self, "duration", None if duration is None else to_timedelta(duration))
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "bytes", bytes)


@dataclass(frozen=True, init=False)
class BacklogLimit:
    """How much of a topic may wait for its subscribers; delayed messages count too. No limit by default."""

    messages: int | None
    """Messages that some subscriber has yet to claim."""
    bytes: int | None
    """Their bytes of payload and headers."""
    age: timedelta | None
    """Age of the oldest of them."""
    policy: BacklogPolicy
    """What a publish beyond the limit does."""

    def __init__(
        self,
        *,
        messages: int | None = None,
        bytes: int | None = None,
        age: Seconds | None = None,
        policy: BacklogPolicy = "refuse",
    ) -> None:
        object.__setattr__(self, "messages", messages)
        object.__setattr__(self, "bytes", bytes)
        object.__setattr__(self, "age", None if age is None else to_timedelta(age))
        object.__setattr__(self, "policy", policy)


@dataclass(frozen=True)
class TopicOptions:
    """The settings of a topic."""

    retention: Retention
    backlog_limit: BacklogLimit
    idempotency_window: timedelta
    ttl: timedelta | None


@dataclass(frozen=True)
class Topic:
    """A topic."""

    id: int
    """Its number in this database; a topic of the same name created later has another."""
    name: str
    options: TopicOptions
    paused: bool
    """Claims wait as on an empty topic."""
    created_at: datetime
