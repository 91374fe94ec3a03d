"""A delivery and its verbs. `_delivery_aio.py` is generated from this file."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING

from ._lease import GiveUp, Lease, RetryAfter, failure_text
from ._models import Nacked, Seconds
from ._native import Claimed
from .errors import LeaseLostError

if TYPE_CHECKING:
    from ._operations.consume import Consume


class Delivery(Lease):
    """A message leased to this consumer. Settle it before the lease expires.

    As a context manager it acks when the block succeeds and nacks when it raises. The exception goes on,
    except for :class:`GiveUp` and :class:`RetryAfter`, which say what to do. What is interrupted, by Ctrl-C
    or by a cancelled task, is given back and its attempt does not count.

    >>> published = queue.publish("orders", "42")
    >>> for delivery in queue.claim("orders", "email"):
    ...     with delivery:
    ...         print(delivery.content)
    42
    """

    __slots__ = ("_queue", "_settled")

    def __init__(self, queue: Consume, claimed: Claimed) -> None:
        self._queue = queue
        self._claimed = claimed
        self._settled = False

    def ack(self) -> None:
        """Settles the delivery: done. Raises ``LeaseLostError``."""
        self._settled = True
        self._queue.ack(self)

    def nack(
        self, *, delay: Seconds | None = None, error: str | None = None, give_up: bool = False
    ) -> Nacked:
        """Reports a failure: it waits for its next attempt, or becomes a dead letter."""
        self._settled = True
        return self._queue.nack(self, delay=delay, error=error, give_up=give_up)

    def extend(self, lease: Seconds) -> datetime:
        """Makes the lease last until this long after now; the answer is its new expiry."""
        return self._queue.extend(self, lease)

    def defer(self, delay: Seconds = 0.0) -> datetime:
        """Puts the delivery back for this long. The attempt does not count."""
        self._settled = True
        return self._queue.defer(self, delay)

    def cancel(self, *, reason: str | None = None) -> None:
        """Ends the delivery for good, as if it had been acked."""
        self._settled = True
        self._queue.cancel(self, reason=reason)

    def __enter__(self) -> Delivery:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None:
            if not self._settled:
                self.ack()
            return False
        if not self._settled:
            try:
                self._report(error)
            except LeaseLostError:
                pass  # Somebody else has it; what went wrong here is what matters.
        return isinstance(error, (GiveUp, RetryAfter))

    def _report(self, error: BaseException) -> None:
        if isinstance(error, GiveUp):
            self.nack(error=failure_text(error), give_up=True)
        elif isinstance(error, RetryAfter):
            self.nack(error=failure_text(error), delay=error.delay)
        elif isinstance(error, Exception):
            self.nack(error=failure_text(error))
        else:
            self.defer()
