"""Where messages stand with the subscribers of their topic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .messages import MessageView

DeliveryState = Literal["pending", "leased", "retrying", "parked", "dead_lettered", "settled"]
"""Where a delivery stands."""


@dataclass(frozen=True)
class DeliveryStatus:
    """Where a message stands with one subscriber."""

    subscriber_id: int
    """The subscriber's number."""
    subscriber: str
    state: DeliveryState
    attempts: int
    failures: int
    """Attempts that ended badly so far."""
    ready_at: datetime | None
    """When it can be claimed, or could; for a leased one when its lease expires."""


@dataclass(frozen=True)
class MessageStatus:
    """A message and where it stands with every subscriber of its topic."""

    message: MessageView
    delayed: bool
    """It waits for its time."""
    deliveries: list[DeliveryStatus]
    """By subscriber. Those that began after it are left out."""


@dataclass(frozen=True)
class Peeked:
    """A pending or leased delivery as people look at it: without a receipt."""

    message: MessageView
    status: DeliveryStatus


@dataclass(frozen=True)
class Nacked:
    """What a nack led to."""

    state: DeliveryState
    """``retrying`` or ``dead_lettered``."""
    ready_at: datetime | None
    """When it can be claimed again, if it can."""


@dataclass(frozen=True)
class DeadLetter:
    """A delivery that ran out of attempts."""

    message: MessageView
    attempts: int
    failures: int
    error: str | None
    """The last error, if one was given."""
    dead_at: datetime


@dataclass(frozen=True)
class Failure:
    """One attempt that ended badly."""

    failure: int
    """Which failure this was, from 1."""
    error: str | None
    failed_at: datetime
