"""Looking at the queue, and its upkeep."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

from .._models import (
    BackupProgress,
    Diagnosis,
    EngineStats,
    MessageStatus,
    Page,
    Peeked,
    SubscriberStats,
    TopicStats,
)
from .._waiting import Waiting


class Look(Waiting):
    """What a queue can do for those who look at it."""

    __slots__ = ()

    def topic_stats(self, topic: str) -> TopicStats:
        """A topic and its subscribers in numbers."""
        return self._wait(self._native.topic_stats(topic))

    def subscriber_stats(self, topic: str, subscriber: str) -> SubscriberStats:
        """A subscriber in numbers."""
        return self._wait(self._native.subscriber_stats(topic, subscriber))

    def peek(
        self, topic: str, subscriber: str, *, limit: int | None = None, after: str | None = None
    ) -> Page[Peeked]:
        """Deliveries in flight, then pending ones, without leasing them; a page ends at 16 MiB."""
        return self._wait(self._native.peek(topic, subscriber, limit, after))

    def message(self, topic: str, message_id: str) -> MessageStatus:
        """A message by its id, with its state for every subscriber."""
        return self._wait(self._native.message(topic, message_id))

    def engine_stats(self) -> EngineStats:
        """What the engine of this process has done, and the size of the file."""
        return self._wait(self._native.engine_stats())

    def backup(
        self, to: str | PathLike[str], *, progress: Callable[[BackupProgress], object] | None = None
    ) -> None:
        """Writes a consistent, verified copy of the queue as of now to a new file. Work goes on.

        ``progress`` is called several times a second, and once when the copy is there. It must not use the
        queue.
        """
        self._wait(self._native.backup(to, self._told(progress)))

    def diagnose(self) -> Diagnosis:
        """Examines the file: integrity, counters, sizes. Reads all of it; changes nothing."""
        return self._wait(self._native.diagnose())
