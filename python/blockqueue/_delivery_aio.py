# Generated from _delivery.py by tools/generate_aio.py: edit that file.

"""A delivery and its verbs."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING

from ._lease import GiveUp, Lease, RetryAfter, failure_text
from ._models import Nacked, Seconds
from ._native import Claimed
from .errors import LeaseLostError

if TYPE_CHECKING:
    from ._operations_aio.consume import Consume


class Delivery(Lease):
    """A message leased to this consumer. Settle it before the lease expires.

    As a context manager it acks when the block succeeds and nacks when it raises. The exception goes on,
    except for :class:`GiveUp` and :class:`RetryAfter`, which say what to do. What is interrupted, by Ctrl-C
    or by a cancelled task, is given back and its attempt does not count.

    >>> published = await queue.publish("orders", "42")
    >>> for delivery in await queue.claim("orders", "email"):
    ...     async with delivery:
    ...         print(delivery.content)
    42
    """

    __slots__ = ("_queue", "_settled")

    def __init__(self, queue: Consume, claimed: Claimed) -> None:
        self._queue = queue
        self._claimed = claimed
        self._settled = False

    async def ack(self) -> None:
        """Settles the delivery: done. Raises ``LeaseLostError``."""
        self._settled = True
        await self._queue.ack(self)

    async def nack(
        self, *, delay: Seconds | None = None, error: str | None = None, give_up: bool = False
    ) -> Nacked:
        """Reports a failure: it waits for its next attempt, or becomes a dead letter."""
        self._settled = True
        return await self._queue.nack(self, delay=delay, error=error, give_up=give_up)

    async def extend(self, lease: Seconds) -> datetime:
        """Makes the lease last until this long after now; the answer is its new expiry."""
        return await self._queue.extend(self, lease)

    async def defer(self, delay: Seconds = 0.0) -> datetime:
        """Puts the delivery back for this long. The attempt does not count."""
        self._settled = True
        return await self._queue.defer(self, delay)

    async def cancel(self, *, reason: str | None = None) -> None:
        """Ends the delivery for good, as if it had been acked."""
        self._settled = True
        await self._queue.cancel(self, reason=reason)

    async def __aenter__(self) -> Delivery:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None:
            if not self._settled:
                await self.ack()
            return False
        if not self._settled:
            try:
                await self._report(error)
            except LeaseLostError:
                pass  # Somebody else has it; what went wrong here is what matters.
        return isinstance(error, (GiveUp, RetryAfter))

    async def _report(self, error: BaseException) -> None:
        if isinstance(error, GiveUp):
            await self.nack(error=failure_text(error), give_up=True)
        elif isinstance(error, RetryAfter):
            await self.nack(error=failure_text(error), delay=error.delay)
        elif isinstance(error, Exception):
            await self.nack(error=failure_text(error))
        else:
            await self.defer()
