"""The queue in numbers, and what examines and copies it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


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
    """Leases that expired."""
    ttl_expired_count: int
    """Messages that expired before they were settled."""
    filtered_count: int
    """Messages skipped by the filter."""
    dropped_count: int
    """Messages skipped by the backlog limit."""


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
class BackupProgress:
    """How far a backup is."""

    bytes_done: int
    """Bytes of the copy that are written."""
    bytes_total: int
    """Bytes that the copy will have, at most; they are written when it is there and verified."""


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
