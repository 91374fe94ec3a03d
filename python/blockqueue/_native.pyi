"""The private native module. Everything is positional here; `blockqueue` is what people use."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from os import PathLike
from typing import Any, Generic, TypeVar, final

from ._models import (
    BacklogLimit,
    BackupProgress,
    DeadLetter,
    DeliveryResult,
    DeliveryStatus,
    Diagnosis,
    EngineStats,
    Failure,
    Filter,
    MessageStatus,
    Nacked,
    NewSubscriber,
    Page,
    Peeked,
    Retention,
    Schedule,
    ScheduleOptions,
    ScheduleRun,
    Seconds,
    Sought,
    SqlValue,
    Subscriber,
    SubscriberChange,
    SubscriberStats,
    Topic,
    TopicStats,
)
from .errors import BlockQueueError

_T = TypeVar("_T")

PAYLOAD_BYTES_DEFAULT: int
PAYLOAD_BYTES_MAX: int
HEADER_BYTES_MAX: int
NAME_BYTES_MAX: int
KEY_BYTES_MAX: int
ORDERING_KEY_BYTES_MAX: int
ERROR_BYTES_MAX: int
BATCH_MAX: int
BATCH_BYTES_MAX: int
CLAIM_MAX: int
CLAIM_SOURCES_MAX: int
SETTLE_MAX: int
PAGE_MAX: int
SUBSCRIBERS_PER_CALL_MAX: int
PRIORITY_MIN: int
PRIORITY_MAX: int
LEASE_SECONDS_MIN: float
LEASE_SECONDS_MAX: float
DELAY_SECONDS_MAX: float
WAIT_SECONDS_MAX: float
ATTEMPTS_MAX: int
FILTER_BYTES_MAX: int
FILTER_DEPTH_MAX: int
LEASED_MAX: int
LEASED_PER_KEY_MAX: int
RATE_COUNT_MAX: int
RATE_INTERVAL_SECONDS_MAX: float
REPLY_BYTES_MAX: int
REPLY_TTL_SECONDS_MAX: float
TTL_SECONDS_MAX: float
IDEMPOTENCY_WINDOW_SECONDS_MAX: float
TRANSACTION_DEADLINE_SECONDS_MAX: float
QUERY_ROWS_MAX: int
SCHEDULES_PER_TOPIC_MAX: int

@final
class Pending(Generic[_T]):
    def wait(self) -> _T: ...

@final
class Submitted:
    def cancel(self) -> None: ...

@final
class Completions:
    def __new__(cls, descriptor: bool) -> Completions: ...
    def fileno(self) -> int | None: ...
    def submit(self, pending: Pending[Any], future: Any) -> Submitted: ...
    def drain(self) -> None: ...
    def wait(self, seconds: float) -> bool: ...

@final
class Published:
    """The answer to a publish."""

    @property
    def id(self) -> str:
        """The message's id, for all its life."""
    @property
    def duplicate(self) -> bool:
        """The idempotency key was used before: nothing was published, this is the first message's id."""
    @property
    def deliver_at(self) -> datetime | None:
        """When it will become deliverable, if that is not now."""
    @property
    def subscriber_count(self) -> int:
        """Subscribers that the topic has now, each of which will get it."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Claimed:
    @property
    def topic(self) -> str: ...
    @property
    def subscriber(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def receipt(self) -> str: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def content_type(self) -> str | None: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def correlation_id(self) -> str | None: ...
    @property
    def ordering_key(self) -> str | None: ...
    @property
    def priority(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def failures(self) -> int: ...
    @property
    def published_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def lease_expires_at(self) -> datetime: ...

@final
class Queue:
    @staticmethod
    def open(
        path: str | PathLike[str], durability: str, payload_bytes_max: int | None, must_exist: bool
    ) -> Queue: ...
    def transaction(self, deadline: Seconds) -> Pending[Transaction]: ...
    def shutdown(self) -> Pending[None]: ...

    # --- topics and subscribers ----------
    def create_topic(
        self,
        topic: str,
        subscribers: Sequence[str | NewSubscriber],
        retention: Retention | None,
        backlog_limit: BacklogLimit | None,
        idempotency_window: Seconds | None,
        ttl: Seconds | str | None,
    ) -> Pending[Topic]: ...
    def topic(self, topic: str) -> Pending[Topic]: ...
    def topics(self, limit: int | None, after: str | None) -> Pending[Page[Topic]]: ...
    def update_topic(
        self,
        topic: str,
        retention: Retention | None,
        backlog_limit: BacklogLimit | None,
        idempotency_window: Seconds | None,
        ttl: Seconds | str | None,
    ) -> Pending[Topic]: ...
    def delete_topic(self, topic: str) -> Pending[None]: ...
    def pause_topic(self, topic: str) -> Pending[None]: ...
    def resume_topic(self, topic: str) -> Pending[None]: ...
    def create_subscriber(self, topic: str, subscriber: NewSubscriber) -> Pending[Subscriber]: ...
    def create_subscribers(
        self, topic: str, subscribers: Sequence[str | NewSubscriber]
    ) -> Pending[list[Subscriber]]: ...
    def subscriber(self, topic: str, subscriber: str) -> Pending[Subscriber]: ...
    def subscribers(self, topic: str, limit: int | None, after: str | None) -> Pending[Page[Subscriber]]: ...
    def update_subscriber(
        self, topic: str, subscriber: str, change: SubscriberChange
    ) -> Pending[Subscriber]: ...
    def delete_subscriber(self, topic: str, subscriber: str) -> Pending[None]: ...
    def pause_subscriber(self, topic: str, subscriber: str) -> Pending[None]: ...
    def resume_subscriber(self, topic: str, subscriber: str) -> Pending[None]: ...
    def seek(self, topic: str, subscriber: str, to: object, dry_run: bool) -> Pending[Sought]: ...

    # --- publish ----------
    def publish(
        self,
        topic: str,
        payload: object,
        content_type: str | None,
        headers: Mapping[str, str] | None,
        correlation_id: str | None,
        priority: int,
        delay: Seconds | None,
        deliver_at: datetime | None,
        idempotency_key: str | None,
        ordering_key: str | None,
        unique_key: str | None,
        ttl: Seconds | None,
    ) -> Pending[Published]: ...
    def publish_many(self, topic: str, messages: object) -> Pending[list[Published]]: ...

    # --- claim and settle ----------
    def claim(
        self, topic: str, subscriber: str, limit: int | None, wait: Seconds, lease: Seconds | None
    ) -> Pending[list[Claimed]]: ...
    def claim_any(
        self,
        sources: Sequence[tuple[str, str]],
        limit: int | None,
        wait: Seconds,
        lease: Seconds | None,
    ) -> Pending[list[Claimed]]: ...
    def ack(self, receipt: object) -> Pending[None]: ...
    def ack_with_result(self, receipt: object, reply: object) -> Pending[None]: ...
    def result(
        self, topic: str, subscriber: str, message_id: str, wait: Seconds
    ) -> Pending[DeliveryResult]: ...
    def ack_many(self, deliveries: Sequence[object]) -> Pending[list[BlockQueueError | None]]: ...
    def nack(
        self, receipt: object, delay: Seconds | None, error: str | None, give_up: bool
    ) -> Pending[Nacked]: ...
    def nack_many(
        self, deliveries: Sequence[object], delay: Seconds | None, error: str | None, give_up: bool
    ) -> Pending[list[Nacked | BlockQueueError]]: ...
    def extend(self, receipt: object, lease: Seconds) -> Pending[datetime]: ...
    def extend_many(
        self, deliveries: Sequence[object], lease: Seconds
    ) -> Pending[list[datetime | BlockQueueError]]: ...
    def defer(self, receipt: object, delay: Seconds) -> Pending[datetime]: ...
    def defer_many(
        self, deliveries: Sequence[object], delay: Seconds
    ) -> Pending[list[datetime | BlockQueueError]]: ...
    def cancel(self, receipt: object, reason: str | None) -> Pending[None]: ...
    def cancel_many(
        self, deliveries: Sequence[object], reason: str | None
    ) -> Pending[list[BlockQueueError | None]]: ...
    def cancel_delivery(
        self, topic: str, subscriber: str, message_id: str, reason: str | None
    ) -> Pending[None]: ...
    def cancel_message(self, topic: str, message_id: str) -> Pending[list[DeliveryStatus]]: ...

    # --- dead letters ----------
    def dead_letters(
        self, topic: str, subscriber: str, limit: int | None, after: str | None
    ) -> Pending[Page[DeadLetter]]: ...
    def redrive(
        self,
        topic: str,
        subscriber: str,
        ids: Sequence[str] | None,
        limit: int | None,
        filter: Filter | None,
        to: str | None,
        rate: float | None,
        dry_run: bool,
    ) -> Pending[int]: ...
    def purge_dead_letters(
        self,
        topic: str,
        subscriber: str,
        ids: Sequence[str] | None,
        limit: int | None,
        filter: Filter | None,
        dry_run: bool,
    ) -> Pending[int]: ...
    def failures(
        self, topic: str, subscriber: str, message_id: str, limit: int | None, after: str | None
    ) -> Pending[Page[Failure]]: ...

    # --- schedules ----------
    def create_schedule(self, topic: str, schedule: str, options: ScheduleOptions) -> Pending[Schedule]: ...
    def schedule(self, topic: str, schedule: str) -> Pending[Schedule]: ...
    def schedules(self, topic: str, limit: int | None, after: str | None) -> Pending[Page[Schedule]]: ...
    def update_schedule(
        self, topic: str, schedule: str, version: int, options: ScheduleOptions
    ) -> Pending[Schedule]: ...
    def delete_schedule(self, topic: str, schedule: str) -> Pending[None]: ...
    def pause_schedule(self, topic: str, schedule: str) -> Pending[None]: ...
    def resume_schedule(self, topic: str, schedule: str) -> Pending[None]: ...
    def run_schedule_now(self, topic: str, schedule: str) -> Pending[ScheduleRun]: ...
    def schedule_runs(
        self, topic: str, schedule: str, limit: int | None, after: str | None
    ) -> Pending[Page[ScheduleRun]]: ...

    # --- looking ----------
    def topic_stats(self, topic: str) -> Pending[TopicStats]: ...
    def subscriber_stats(self, topic: str, subscriber: str) -> Pending[SubscriberStats]: ...
    def peek(
        self, topic: str, subscriber: str, limit: int | None, after: str | None
    ) -> Pending[Page[Peeked]]: ...
    def message(self, topic: str, message_id: str) -> Pending[MessageStatus]: ...
    def engine_stats(self) -> Pending[EngineStats]: ...
    def backup(
        self, to: str | PathLike[str], progress: Callable[[BackupProgress], object] | None
    ) -> Pending[None]: ...
    def diagnose(self) -> Pending[Diagnosis]: ...

@final
class Transaction:
    def execute(self, sql: str, values: Sequence[SqlValue]) -> Pending[int]: ...
    def query(self, sql: str, values: Sequence[SqlValue]) -> Pending[list[dict[str, SqlValue]]]: ...
    def publish(
        self,
        topic: str,
        payload: object,
        content_type: str | None,
        headers: Mapping[str, str] | None,
        correlation_id: str | None,
        priority: int,
        delay: Seconds | None,
        deliver_at: datetime | None,
        idempotency_key: str | None,
        ordering_key: str | None,
        unique_key: str | None,
        ttl: Seconds | None,
    ) -> Pending[Published]: ...
    def publish_many(self, topic: str, messages: object) -> Pending[list[Published]]: ...
    def ack(self, receipt: object) -> Pending[None]: ...
    def nack(
        self, receipt: object, delay: Seconds | None, error: str | None, give_up: bool
    ) -> Pending[Nacked]: ...
    def extend(self, receipt: object, lease: Seconds) -> Pending[datetime]: ...
    def defer(self, receipt: object, delay: Seconds) -> Pending[datetime]: ...
    def cancel(self, receipt: object, reason: str | None) -> Pending[None]: ...
    def cancel_message(self, topic: str, message_id: str) -> Pending[None]: ...
    def commit(self) -> Pending[None]: ...
    def rollback(self) -> Pending[None]: ...
