# Generated from _operations/look.py by tools/generate_aio.py: edit that file.

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
from .._waiting_aio import Waiting


class Look(Waiting):
    """What a queue can do for those who look at it."""

    __slots__ = ()

    async def topic_stats(self, topic: str) -> TopicStats:
        """A topic and its subscribers in numbers."""
        return await self._wait(self._native.topic_stats(topic))

    async def subscriber_stats(self, topic: str, subscriber: str) -> SubscriberStats:
        """A subscriber in numbers."""
        return await self._wait(self._native.subscriber_stats(topic, subscriber))

    async def peek(
        self, topic: str, subscriber: str, *, limit: int | None = None, after: str | None = None
    ) -> Page[Peeked]:
        """Deliveries in flight, then pending ones, without leasing them; a page ends at 16 MiB."""
        return await self._wait(self._native.peek(topic, subscriber, limit, after))

    async def message(self, topic: str, message_id: str) -> MessageStatus:
        """A message by its id, with its state for every subscriber."""
        return await self._wait(self._native.message(topic, message_id))

    async def engine_stats(self) -> EngineStats:
        """What the engine of this process has done, and the size of the file."""
        return await self._wait(self._native.engine_stats())

    async def backup(
        self, to: str | PathLike[str], *, progress: Callable[[BackupProgress], object] | None = None
    ) -> None:
        """Writes a consistent, verified copy of the queue as of now to a new file. Work goes on.

        ``progress`` is called several times a second, and once when the copy is there. It must not use the
        queue.
        """
        await self._wait(self._native.backup(to, self._told(progress)))

    async def diagnose(self) -> Diagnosis:
        """Examines the file: integrity, counters, sizes. Reads all of it; changes nothing."""
        return await self._wait(self._native.diagnose())
