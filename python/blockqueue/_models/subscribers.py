"""Subscribers, and where they go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from .values import Seconds, to_timedelta


@dataclass(frozen=True, init=False)
class RetryPolicy:
    """How long a failed delivery waits before its next attempt: exponential, with jitter."""

    initial: timedelta
    """The first pause."""
    max: timedelta
    """The longest pause."""
    multiplier: float
    """Each pause is this many times the one before."""
    jitter: float
    """Each pause is shortened or lengthened at random by up to this share."""

    def __init__(
        self, *, initial: Seconds = 1.0, max: Seconds = 3600.0, multiplier: float = 2.0, jitter: float = 0.2
    ) -> None:
        object.__setattr__(self, "initial", to_timedelta(initial))
        object.__setattr__(self, "max", to_timedelta(max))
        object.__setattr__(self, "multiplier", multiplier)
        object.__setattr__(self, "jitter", jitter)


OnDead = Literal["skip", "block"]
"""What becomes of an ordering key when one of its messages is dead-lettered: it goes on, or later messages of
the key wait until the dead letter is redriven, purged or cancelled."""

OnExpiry = Literal["skip", "dead_letter"]
"""What becomes of a message that expires before it is claimed: it is skipped, or a dead letter."""

Filter = Mapping[str, Any]
"""A condition on the headers of a message, as JSON has it: ``{"header": "type", "equals": "order"}``, or in
place of ``equals`` one of ``any_of``, ``prefix`` and ``exists``; ``{"not": condition}``,
``{"all": [condition, ...]}``, ``{"any": [condition, ...]}``."""


@dataclass(frozen=True, init=False)
class RateLimit:
    """At most so many claims per interval: as many at once, and each comes back after its share of it."""

    count: int
    """1 to 1,000,000."""
    interval: timedelta
    """1 ms to 24 h."""

    def __init__(self, count: int, interval: Seconds = 1.0) -> None:
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "interval", to_timedelta(interval))


@dataclass(frozen=True)
class NewSubscriber:
    """A subscriber to create, where a name does not say it all. What is ``None`` is the default."""

    name: str
    max_attempts: int | None = field(default=None, kw_only=True)
    """Attempts before a delivery becomes a dead letter. Default 5."""
    lease: Seconds | None = field(default=None, kw_only=True)
    """The lease of a claim that does not say. Default 30 s."""
    claim_limit: int | None = field(default=None, kw_only=True)
    """The limit of a claim that does not say. Default 10."""
    retry: RetryPolicy | None = field(default=None, kw_only=True)
    """How long a failed delivery waits before its next attempt."""
    ordered: bool = field(default=False, kw_only=True)
    """Messages of one ordering key are delivered one at a time, in the order in which they were published."""
    on_dead: OnDead = field(default="skip", kw_only=True)
    """What becomes of a key when one of its messages is dead-lettered, if ``ordered``."""
    filter: Filter | None = field(default=None, kw_only=True)
    """Only messages whose headers match are delivered; others are skipped, and counted."""
    on_expiry: OnExpiry = field(default="skip", kw_only=True)
    """What becomes of a message that expires before it is claimed."""
    leased_max: int | None = field(default=None, kw_only=True)
    """At most so many deliveries are leased at once, over all processes."""
    rate: RateLimit | None = field(default=None, kw_only=True)
    """At most so many deliveries are claimed per interval, over all processes."""
    leased_per_key_max: int | None = field(default=None, kw_only=True)
    """At most so many deliveries of one ordering key are leased at once."""
    start: Literal["now", "earliest"] | datetime = field(default="now", kw_only=True)
    """Where it begins: with what comes, the oldest message kept, or the first at or after a time."""


@dataclass(frozen=True, kw_only=True)
class SubscriberChange:
    """What the keywords of an update say."""

    max_attempts: int | None
    lease: Seconds | None
    claim_limit: int | None
    retry: RetryPolicy | None
    ordered: bool | None
    on_dead: OnDead | None
    filter: Filter | Literal["none"] | None
    on_expiry: OnExpiry | None
    leased_max: int | Literal["none"] | None
    rate: RateLimit | Literal["none"] | None
    leased_per_key_max: int | Literal["none"] | None


@dataclass(frozen=True)
class SubscriberOptions:
    """The settings of a subscriber."""

    max_attempts: int
    lease: timedelta
    claim_limit: int
    retry: RetryPolicy
    ordered: bool
    on_dead: OnDead
    filter: dict[str, Any] | None
    on_expiry: OnExpiry
    leased_max: int | None
    rate: RateLimit | None
    leased_per_key_max: int | None


@dataclass(frozen=True)
class Subscriber:
    """A subscriber."""

    id: int
    """Its number in this database; a subscriber of the same name created later has another."""
    topic: str
    name: str
    options: SubscriberOptions
    paused: bool
    """Claims wait as on an empty topic."""
    created_at: datetime


@dataclass(frozen=True)
class AtMessage:
    """A place to seek to: this message."""

    message_id: str


@dataclass(frozen=True)
class AtSequence:
    """A place to seek to: this sequence number of the log of one priority, from 1."""

    sequence: int
    priority: int = 0


@dataclass(frozen=True)
class Sought:
    """What a seek did, or would do."""

    clamped: bool
    """The place is below what retention keeps: it begins at the oldest message kept."""
    replayed_count: int
    """Messages that are delivered again; an upper bound unless ``exact``."""
    skipped_count: int
    """Messages that are passed over; an upper bound unless ``exact``."""
    exact: bool
