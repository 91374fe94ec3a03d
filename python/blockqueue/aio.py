"""The queue for event loops: the same names as in :mod:`blockqueue`, with ``await``.

>>> import asyncio, blockqueue
>>> async def main():
...     async with blockqueue.aio.open(":memory:") as queue:
...         await queue.create_topic("orders", subscribers=["email"])
...         await queue.publish("orders", {"order": 42})
...         async for delivery in queue.consume("orders", "email", timeout=0):
...             async with delivery:
...                 print(delivery.content)
>>> asyncio.run(main())
{'order': 42}
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Generator
from os import PathLike
from types import TracebackType
from typing import Any

from . import _native
from ._delivery_aio import Delivery
from ._models import Durability, Seconds, to_timedelta
from ._operations_aio import Operations

__all__ = ["Delivery", "Opening", "Queue", "open"]


class Queue(Operations):
    """A handle to an open queue, for the event loop in which it is first used. Any number of its tasks may
    use it; none of them costs a thread. As a context manager it shuts down."""

    __slots__ = ("__weakref__",)

    async def consume(
        self,
        topic: str,
        subscriber: str,
        *,
        limit: int | None = None,
        lease: Seconds | None = None,
        timeout: Seconds | None = None,
    ) -> AsyncIterator[Delivery]:
        """The deliveries of a subscriber one after another, for ever, or until none came for ``timeout``.

        They are claimed up to ``limit`` at a time. What is claimed and not handed out yet is extended when
        half its lease is over, and given back when the loop ends.
        """
        longest = _native.WAIT_SECONDS_MAX
        patience = longest if timeout is None else to_timedelta(timeout).total_seconds()
        while True:
            batch = await self.claim(topic, subscriber, limit=limit, wait=min(patience, longest), lease=lease)
            if not batch and timeout is not None:
                return
            batch.reverse()
            length, half = _lease_of(batch)
            try:
                while batch:
                    if length > 0 and time.monotonic() > half:
                        await self.extend_many(batch, length)
                        half = time.monotonic() + length / 2
                    yield batch.pop()
            finally:
                if batch:
                    await self.defer_many(batch)

    async def shutdown(self) -> None:
        """Finishes what was handed over, ends waiting claims with ``ShutdownError``, and closes the file.

        A second shutdown succeeds.
        """
        self._arrivals_of_loop().close()
        await super().shutdown()

    async def __aenter__(self) -> Queue:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.shutdown()


def _lease_of(batch: list[Delivery]) -> tuple[float, float]:
    """How long the leases last, and when half of that is over."""
    length = batch[0].lease_expires_at.timestamp() - time.time() if batch else 0.0
    return length, time.monotonic() + length / 2


class Opening:
    """A queue that is being opened: ``await`` it, or enter it with ``async with``."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments
        self._queue: Queue | None = None

    async def _open(self) -> Queue:
        # Opening reads and writes the disk; it is the one call that takes a thread of the loop's pool.
        return Queue(await asyncio.to_thread(_native.Queue.open, *self._arguments))

    def __await__(self) -> Generator[Any, None, Queue]:
        return self._open().__await__()

    async def __aenter__(self) -> Queue:
        self._queue = await self
        return self._queue

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._queue is not None:
            await self._queue.shutdown()


def open(
    path: str | PathLike[str],
    *,
    durability: Durability = "full",
    payload_bytes_max: int | None = None,
    must_exist: bool = False,
) -> Opening:
    """Opens the queue in this file, as :func:`blockqueue.open`: ``async with`` it, or ``await`` it."""
    return Opening(path, durability, payload_bytes_max, must_exist)
