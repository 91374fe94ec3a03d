"""The heartbeat of a worker: leases last as long as handlers run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from . import _native
from ._lease import Lease
from ._queue import Queue
from .errors import BlockQueueError, ShutdownError

_log = logging.getLogger("blockqueue.worker")

_LONGEST_REST = 60.0


class Heartbeat:
    """Extends what is held at a third of its lease, everything of one lease in one operation."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._changed = threading.Condition()
        # With the length of its lease, and when it is to be extended.
        self._held: dict[Lease, tuple[float, float]] = {}
        self._ended = False
        threading.Thread(target=self._beat, name="blockqueue-heartbeat", daemon=True).start()

    @contextmanager
    def of(self, delivery: Lease) -> Generator[None]:
        """As long as the block runs, the lease lasts."""
        lease = max(delivery.lease_expires_at.timestamp() - time.time(), _native.LEASE_SECONDS_MIN)
        with self._changed:
            self._held[delivery] = (lease, time.monotonic() + lease / 3)
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                del self._held[delivery]

    def __len__(self) -> int:
        return len(self._held)

    def end(self) -> None:
        """Extends nothing any more: what is held expires."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _beat(self) -> None:
        while True:
            with self._changed:
                if self._ended:
                    return
                due_at = min((due for _, due in self._held.values()), default=float("inf"))
                self._changed.wait(min(max(due_at - time.monotonic(), 0.0), _LONGEST_REST))
                due = self._take_due()
            for lease, held in due.items():
                for at in range(0, len(held), _native.SETTLE_MAX):
                    self._extend(held[at : at + _native.SETTLE_MAX], lease)

    def _take_due(self) -> dict[float, list[Lease]]:
        now = time.monotonic()
        due: dict[float, list[Lease]] = {}
        for delivery, (lease, due_at) in self._held.items():
            if due_at <= now:
                due.setdefault(lease, []).append(delivery)
                self._held[delivery] = (lease, now + lease / 3)
        return due

    def _extend(self, held: list[Lease], lease: float) -> None:
        try:
            # A lease that is lost shows when its delivery is settled.
            self._queue.extend_many([delivery.receipt for delivery in held], lease)
        except ShutdownError:
            pass
        except BlockQueueError as error:
            _log.warning("heartbeat failed: %s", error, extra={"code": error.code})
