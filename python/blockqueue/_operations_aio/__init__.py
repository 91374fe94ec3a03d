# Generated from _operations/__init__.py by tools/generate_aio.py: edit that file.

"""Every operation of the queue, awaiting its answer."""

from __future__ import annotations

from .._models import Seconds
from .._transaction_aio import Transaction
from .consume import Consume
from .letters import Letters
from .look import Look
from .publish import Publish
from .schedule import Schedules
from .topology import Topology


class Operations(Topology, Publish, Consume, Letters, Schedules, Look):
    """What a queue can do."""

    __slots__ = ()

    def transaction(self, *, deadline: Seconds = 5.0) -> Transaction:
        """A transaction for statements of yours and verbs of the queue, as a context manager."""
        return Transaction(self, self._native, deadline)

    async def shutdown(self) -> None:
        """Finishes what was handed over, ends waiting claims with ``ShutdownError``, and closes the file.

        A second shutdown succeeds.
        """
        await self._wait(self._native.shutdown())
