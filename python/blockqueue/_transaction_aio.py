# Generated from _transaction.py by tools/generate_aio.py: edit that file.

"""A transaction on the queue's own connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

from . import _native
from ._delivery_aio import Delivery
from ._models import Nacked, Seconds, SqlValue
from ._native import Published
from ._waiting_aio import Waiting
from .errors import TransactionEndedError


class Transaction:
    """Statements of yours and verbs of the queue: all of it happens, or nothing.

    As a context manager it commits when the block succeeds and rolls back when it raises. It is rolled back
    too when its deadline passes; then its methods raise ``TransactionEndedError``. Everybody else who writes
    to the file waits for it, so keep it short; the queue's own methods are not for its block.

    >>> async with queue.transaction() as tx:
    ...     rows = await tx.execute("CREATE TABLE IF NOT EXISTS item (name TEXT)")
    ...     rows = await tx.execute("INSERT INTO item VALUES (?1)", ["tea"])
    ...     published = await tx.publish("orders", {"item": "tea"})
    """

    __slots__ = ("_begin", "_deadline", "_open", "_queue")

    def __init__(self, queue: Waiting, native: _native.Queue, deadline: Seconds) -> None:
        self._queue = queue
        self._begin = native.transaction
        self._deadline = deadline
        self._open: _native.Transaction

    # --- statements -----------------------------------------------------------------------------------

    async def execute(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        """Runs one statement on your tables; the answer is how many rows it changed."""
        return await self._queue._wait(self._open.execute(sql, values))

    async def query(self, sql: str, values: Sequence[SqlValue] = ()) -> list[dict[str, SqlValue]]:
        """Runs one statement; the answer is its rows, by column, at most 100,000 and 64 MiB of them."""
        return await self._queue._wait(self._open.query(sql, values))

    # --- verbs ----------------------------------------------------------------------------------------

    async def publish(
        self,
        topic: str,
        payload: Any,
        *,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        correlation_id: str | None = None,
        priority: int = 0,
        delay: Seconds | None = None,
        deliver_at: datetime | None = None,
        idempotency_key: str | None = None,
        ordering_key: str | None = None,
        unique_key: str | None = None,
        ttl: Seconds | None = None,
    ) -> Published:
        """Publishes a message, with its id at once."""
        return await self._queue._wait(
            self._open.publish(
                topic,
                payload,
                content_type,
                headers,
                correlation_id,
                priority,
                delay,
                deliver_at,
                idempotency_key,
                ordering_key,
                unique_key,
                ttl,
            )
        )

    async def publish_many(self, topic: str, messages: Iterable[Any]) -> list[Published]:
        """Publishes 1 to 1,000 messages, all or none, in order."""
        return await self._queue._wait(self._open.publish_many(topic, messages))

    async def ack(self, delivery: Delivery | str) -> None:
        """Settles a delivery: done."""
        await self._queue._wait(self._open.ack(delivery))

    async def nack(
        self,
        delivery: Delivery | str,
        *,
        delay: Seconds | None = None,
        error: str | None = None,
        give_up: bool = False,
    ) -> Nacked:
        """Reports a failure."""
        return await self._queue._wait(self._open.nack(delivery, delay, error, give_up))

    async def extend(self, delivery: Delivery | str, lease: Seconds) -> datetime:
        """Makes the lease last until this long after the transaction began."""
        return await self._queue._wait(self._open.extend(delivery, lease))

    async def defer(self, delivery: Delivery | str, delay: Seconds = 0.0) -> datetime:
        """Puts a delivery back for this long. The attempt does not count."""
        return await self._queue._wait(self._open.defer(delivery, delay))

    async def cancel(self, delivery: Delivery | str, *, reason: str | None = None) -> None:
        """Ends a leased delivery for good."""
        await self._queue._wait(self._open.cancel(delivery, reason))

    async def cancel_message(self, topic: str, message_id: str) -> None:
        """Ends a message for every subscriber."""
        await self._queue._wait(self._open.cancel_message(topic, message_id))

    # --- the end --------------------------------------------------------------------------------------

    async def __aenter__(self) -> Transaction:
        self._open = await self._queue._wait(self._begin(self._deadline))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            await self._queue._wait(self._open.commit())
            return
        try:
            await self._queue._wait(self._open.rollback())
        except TransactionEndedError:
            pass  # It was rolled back already; what went wrong is what matters.
