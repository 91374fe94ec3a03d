"""The queue, for threads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from os import PathLike
from types import TracebackType

from . import _native
from ._delivery import Delivery
from ._models import Durability, Seconds, to_timedelta
from ._operations import Operations


class Queue(Operations):
    """A handle to an open queue. Any number of threads may use it, and as a context manager it shuts down.

    >>> import blockqueue
    >>> with blockqueue.open(":memory:") as queue:
    ...     topic = queue.create_topic("orders", subscribers=["email"])
    ...     published = queue.publish("orders", {"order": 42})
    ...     for delivery in queue.claim("orders", "email"):
    ...         with delivery:
    ...             print(delivery.content["order"])
    42
    """

    __slots__ = ("__weakref__",)

    def consume(
        self,
        topic: str,
        subscriber: str,
        *,
        limit: int | None = None,
        lease: Seconds | None = None,
        timeout: Seconds | None = None,
    ) -> Iterator[Delivery]:
        """The deliveries of a subscriber one after another, for ever, or until none came for ``timeout``.

        They are claimed up to ``limit`` at a time. What is claimed and not handed out yet is extended when
        half its lease is over, and given back when the loop ends.

        >>> for delivery in queue.consume("orders", "email", timeout=0):
        ...     with delivery:
        ...         print(delivery.content)
        """
        longest = _native.WAIT_SECONDS_MAX
        patience = longest if timeout is None else to_timedelta(timeout).total_seconds()
        while True:
            batch = self.claim(topic, subscriber, limit=limit, wait=min(patience, longest), lease=lease)
            if batch:
                yield from self._one_by_one(batch)
            elif timeout is not None:
                return

    def _one_by_one(self, batch: list[Delivery]) -> Iterator[Delivery]:
        first = batch[0]
        lease = first.lease_expires_at.timestamp() - time.time()
        half = time.monotonic() + lease / 2
        batch.reverse()
        try:
            while batch:
                if lease > 0 and time.monotonic() > half:
                    self.extend_many(batch, lease)
                    half = time.monotonic() + lease / 2
                yield batch.pop()
        finally:
            if batch:
                self.defer_many(batch)

    def __enter__(self) -> Queue:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()


def open(
    path: str | PathLike[str],
    *,
    durability: Durability = "full",
    payload_bytes_max: int | None = None,
    must_exist: bool = False,
) -> Queue:
    """Opens the queue in this file, and creates the file if there is none.

    ``:memory:`` is a queue that lives and dies with its handle. Payloads are at most 1 MiB unless
    ``payload_bytes_max`` says more. Raises ``CannotOpenError``, ``NotADatabaseError``, ``CorruptError``,
    ``NewerSchemaError``, ``LockedError``.
    """
    return Queue(_native.Queue.open(path, durability, payload_bytes_max, must_exist))
