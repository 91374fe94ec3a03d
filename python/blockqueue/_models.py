"""The nouns of the queue: what goes in, and what it tells. The native module builds the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar, Union

from . import _payload

T = TypeVar("T")

Seconds = Union[float, timedelta]
"""A duration: seconds, or a ``timedelta``."""

SqlValue = Union[None, int, float, str, bytes]
"""A value of a statement."""

Durability = Literal["full", "balanced"]
"""``full``: on disk before the answer. ``balanced``: survives a crash of the process; a power cut may take
the newest commits."""

DeliveryState = Literal["pending", "leased", "retrying", "parked", "dead_lettered", "settled"]
"""Where a delivery stands."""

BacklogPolicy = Literal["refuse", "drop_oldest"]
"""What a publish beyond the backlog limit does: it fails, or the oldest messages are skipped."""


def to_timedelta(value: Seconds) -> timedelta:
    return value if isinstance(value, timedelta) else timedelta(seconds=value)


# --- what goes in -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Message:
    """A message to publish, where the payload does not say it all."""

    payload: Any
    """Bytes, text, or what JSON can say."""
    content_type: str | None = None
    """What the payload is. Default: as the payload's type tells."""
    headers: Mapping[str, str] | None = None
    """Unique names and their values; order is not kept."""
    correlation_id: str | None = None
    """Ties the message to others, for example to a request."""
    priority: int = 0
    """-1000 to 1000; higher is delivered first, and lower ones may starve."""
    delay: Seconds | None = None
    """Deliver it this long after now."""
    deliver_at: datetime | None = None
    """Deliver it at this time."""
    idempotency_key: str | None = None
    """A repeat of the key within the topic's window publishes nothing and returns the first id."""
    ordering_key: str | None = None
    """Messages of one key go to a subscriber that asks for order one at a time."""
    unique_key: str | None = None
    """While some subscriber is not done with a message of this key, the topic takes no other of it."""
    ttl: Seconds | None = None
    """It is not delivered any more this long after it was published."""


@dataclass(frozen=True)
class Reply:
    """A reply to store together with an ack, where the payload does not say it all."""

    payload: Any
    """Bytes, text, or what JSON can say; at most 1 MiB."""
    content_type: str | None = None
    """What the payload is. Default: as the payload's type tells."""
    ttl: Seconds | None = None
    """How long it is kept. Default 1 h."""


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
    start: Literal["now", "earliest"] | datetime = field(default="now", kw_only=True)
    """Where it begins: with what comes, the oldest message kept, or the first at or after a time."""


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


@dataclass(frozen=True)
class AtMessage:
    """A place to seek to: this message."""

    message_id: str


@dataclass(frozen=True)
class AtSequence:
    """A place to seek to: this sequence number of the log of one priority, from 1."""

    sequence: int
    priority: int = 0


# --- what it tells ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page(Generic[T]):
    """Part of a list. ``next`` is ``after`` of the following page, and ``None`` at the end."""

    items: list[T]
    next: str | None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


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


@dataclass(frozen=True)
class SubscriberOptions:
    """The settings of a subscriber."""

    max_attempts: int
    lease: timedelta
    claim_limit: int
    retry: RetryPolicy


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


@dataclass(frozen=True)
class MessageView:
    """A message as people look at it: without a receipt."""

    id: str
    payload: bytes
    content_type: str | None
    headers: dict[str, str]
    correlation_id: str | None
    idempotency_key: str | None
    ordering_key: str | None
    priority: int
    accepted_at: datetime
    """When it was accepted."""
    deliver_at: datetime
    """When it became deliverable, or will."""
    expires_at: datetime | None
    """When it expires, if it does."""

    @property
    def content(self) -> Any:
        """The payload as it was published, as far as the content type tells."""
        return _payload.decode(self.payload, self.content_type)


@dataclass(frozen=True)
class DeliveryStatus:
    """Where a message stands with one subscriber."""

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


@dataclass(frozen=True)
class Nacked:
    """What a nack led to."""

    state: DeliveryState
    """``retrying`` or ``dead_lettered``."""
    ready_at: datetime | None
    """When it can be claimed again, if it can."""


@dataclass(frozen=True)
class DeliveryResult:
    """What came of a message for one subscriber."""

    state: Literal["replied", "settled", "dead_lettered", "unsettled"]
    """Acked with a reply; settled without one, or the reply has expired; out of attempts; nothing yet."""
    payload: bytes | None = None
    """The bytes of the reply."""
    content_type: str | None = None
    replied_at: datetime | None = None
    expires_at: datetime | None = None
    """Until when the reply is kept."""

    @property
    def content(self) -> Any:
        """The reply as it was given, as far as the content type tells; ``None`` without one."""
        return None if self.payload is None else _payload.decode(self.payload, self.content_type)


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


@dataclass(frozen=True)
class LogStats:
    """One log of a topic in numbers."""

    priority: int
    last_sequence: int
    trimmed_sequence: int


@dataclass(frozen=True)
class CursorStats:
    """Where a subscriber stands in one log."""

    priority: int
    sequence: int
    last_sequence: int


@dataclass(frozen=True)
class SubscriberStats:
    """A subscriber in numbers. Costs the same whatever the backlog."""

    topic: str
    subscriber: str
    paused: bool
    pending_count: int
    """Messages not claimed yet; an upper bound unless ``exact``."""
    pending_bytes: int
    ready_count: int
    """Deliveries that could be claimed now: pending and due retries."""
    leased_count: int
    retrying_count: int
    parked_count: int
    dead_count: int
    exact: bool
    oldest_age: timedelta | None
    """Age of the oldest pending message."""
    cursors: list[CursorStats]
    claimed_count: int
    acked_count: int
    nacked_count: int
    expired_count: int
    dropped_count: int


@dataclass(frozen=True)
class TopicStats:
    """A topic in numbers. Costs the same whatever the backlog."""

    topic: str
    paused: bool
    published_count: int
    delayed_count: int
    retained_count: int
    retained_bytes: int
    logs: list[LogStats]
    subscribers: list[SubscriberStats]


@dataclass(frozen=True)
class EngineStats:
    """What the engine of this process has done since it was opened."""

    commits: int
    operations: int
    failed_commits: int
    commits_by_size: list[int]
    """How many groups had at most 1, 4, 16, 64, 256, 1024, 4096 operations."""
    commits_by_duration: list[int]
    """How many groups took at most 1, 4, 16, 64, 256, 1024 ms, or longer."""
    commit_time: timedelta
    waiting_claims: int
    file_bytes: int
    wal_bytes: int


@dataclass(frozen=True)
class Diagnosis:
    """What an examination of the file found."""

    schema_version: int
    sqlite_version: str
    file_bytes: int
    wal_bytes: int
    free_bytes: int
    problems: list[str]
    """What is wrong, in words; empty if all is well."""
    advice: list[str]
    """What could be better, in words."""
