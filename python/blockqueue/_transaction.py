"""A transaction on the queue's own connection. `_transaction_aio.py` is generated from this file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

from . import _native
from ._delivery import Delivery
from ._models import Nacked, Seconds, SqlValue
from ._native import Published
from ._waiting import Waiting
from .errors import TransactionEndedError


class Transaction:
    """Statements of yours and verbs of the queue: all of it happens, or nothing.

    As a context manager it commits when the block succeeds and rolls back when it raises. It is rolled back
    too when its deadline passes; then its methods raise ``TransactionEndedError``. Everybody else who writes
    to the file waits for it, so keep it short; the queue's own methods are not for its block.

    >>> with queue.transaction() as tx:
    ...     rows = tx.execute("CREATE TABLE IF NOT EXISTS item (name TEXT)")
    ...     rows = tx.execute("INSERT INTO item VALUES (?1)", ["tea"])
    ...     published = tx.publish("orders", {"item": "tea"})
    """

    __slots__ = ("_begin", "_deadline", "_open", "_queue")

    def __init__(self, queue: Waiting, native: _native.Queue, deadline: Seconds) -> None:
        self._queue = queue
        self._begin = native.transaction
        self._deadline = deadline
        self._open: _native.Transaction

    # --- statements -----------------------------------------------------------------------------------

    def execute(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        """Runs one statement on your tables; the answer is how many rows it changed."""
        return self._queue._wait(self._open.execute(sql, values))

    def query(self, sql: str, values: Sequence[SqlValue] = ()) -> list[dict[str, SqlValue]]:
        """Runs one statement; the answer is its rows, by column, at most 100,000 and 64 MiB of them."""
        return self._queue._wait(self._open.query(sql, values))

    # --- verbs ----------------------------------------------------------------------------------------

    def publish(
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
        return self._queue._wait(
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

    def publish_many(self, topic: str, messages: Iterable[Any]) -> list[Published]:
        """Publishes 1 to 1,000 messages, all or none, in order."""
        return self._queue._wait(self._open.publish_many(topic, messages))

    def ack(self, delivery: Delivery | str) -> None:
        """Settles a delivery: done."""
        self._queue._wait(self._open.ack(delivery))

    def nack(
        self,
        delivery: Delivery | str,
        *,
        delay: Seconds | None = None,
        error: str | None = None,
        give_up: bool = False,
    ) -> Nacked:
        """Reports a failure."""
        return self._queue._wait(self._open.nack(delivery, delay, error, give_up))

    def extend(self, delivery: Delivery | str, lease: Seconds) -> datetime:
        """Makes the lease last until this long after the transaction began."""
        return self._queue._wait(self._open.extend(delivery, lease))

    def defer(self, delivery: Delivery | str, delay: Seconds = 0.0) -> datetime:
        """Puts a delivery back for this long. The attempt does not count."""
        return self._queue._wait(self._open.defer(delivery, delay))

    def cancel(self, delivery: Delivery | str, *, reason: str | None = None) -> None:
        """Ends a leased delivery for good."""
        self._queue._wait(self._open.cancel(delivery, reason))

    def cancel_message(self, topic: str, message_id: str) -> None:
        """Ends a message for every subscriber."""
        self._queue._wait(self._open.cancel_message(topic, message_id))

    # --- the end --------------------------------------------------------------------------------------

    def __enter__(self) -> Transaction:
        self._open = self._queue._wait(self._begin(self._deadline))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._queue._wait(self._open.commit())
            return
        try:
            self._queue._wait(self._open.rollback())
        except TransactionEndedError:
            pass  # It was rolled back already; what went wrong is what matters.
