"""Workers: functions that handle the deliveries of subscribers, with heartbeats and an orderly end.

>>> import blockqueue
>>> from blockqueue.worker import App
>>> app = App(":memory:")
>>> @app.subscriber("orders", "email", concurrency=8)
... def send(order: dict) -> None:
...     print("order", order["id"])

``blockqueue worker module:app`` runs it until it is told to stop.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import threading
import time
import typing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, TypeVar

from ._delivery import Delivery
from ._lease import failure_text
from ._models import Seconds, to_timedelta
from ._queue import Queue, open
from .errors import BlockQueueError, LeaseLostError, ShutdownError

__all__ = ["App", "Report"]

_log = logging.getLogger("blockqueue.worker")

Handler = TypeVar("Handler", bound=Callable[..., Any])

_SLICE = 0.5
"""How long a claim waits, in seconds, before it looks whether to stop."""


@dataclass
class Report:
    """What a worker has done."""

    acked: int = 0
    failed: int = 0
    """Deliveries whose handler raised."""
    lost: int = 0
    """Deliveries whose lease was lost before they could be settled: somebody else has them."""
    unfinished: int = 0
    """Handlers that had not returned when the time to stop was up."""


@dataclass(frozen=True)
class _Subscription:
    topic: str
    subscriber: str
    handler: Callable[..., Any]
    concurrency: int
    lease: float | None
    arguments: Callable[[Delivery], list[Any]] = field(compare=False)


class App:
    """Handlers of one queue. Run it with ``blockqueue worker module:app``, or with :meth:`run`."""

    def __init__(self, queue: Queue | str | PathLike[str]) -> None:
        self._given = queue
        self._subscriptions: list[_Subscription] = []
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        # With the length of its lease, and when it is to be extended.
        self._held: dict[Delivery, tuple[float, float]] = {}
        self._report = Report()

    def subscriber(
        self, topic: str, subscriber: str, *, concurrency: int = 1, lease: Seconds | None = None
    ) -> Callable[[Handler], Handler]:
        """Makes a function, plain or ``async``, the handler of a subscriber's deliveries.

        A parameter annotated with :class:`Delivery` gets the delivery; the other one gets the payload: as
        its annotation says (a dataclass, a pydantic model, ``str``, ``bytes``, what JSON has), or else its
        content.
        The delivery is acked when the function returns and nacked when it raises; :class:`GiveUp` and
        :class:`RetryAfter` say more. Leases are extended while it runs.
        """
        if concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        seconds = None if lease is None else to_timedelta(lease).total_seconds()

        def register(handler: Handler) -> Handler:
            arguments = _arguments(handler)
            self._subscriptions.append(
                _Subscription(topic, subscriber, handler, concurrency, seconds, arguments)
            )
            return handler

        return register

    def stop(self) -> None:
        """Stops claiming. Handlers that run go on; :meth:`run` returns when they have returned."""
        self._stopping.set()

    def run(self, *, patience: Seconds = 30.0) -> Report:
        """Handles deliveries until :meth:`stop` is called, by a signal or another thread.

        Handlers that run then have ``patience`` to return; what they hold after that expires.
        """
        if not self._subscriptions:
            raise ValueError("the app has no handlers")
        given = self._given
        queue = given if isinstance(given, Queue) else open(given)
        loop = asyncio.new_event_loop()
        looping = threading.Thread(target=loop.run_forever, name="blockqueue-loop", daemon=True)
        looping.start()
        try:
            return self._run(queue, loop, to_timedelta(patience).total_seconds())
        finally:
            loop.call_soon_threadsafe(loop.stop)
            looping.join()
            loop.close()
            if queue is not given:
                queue.shutdown()

    def _run(self, queue: Queue, loop: asyncio.AbstractEventLoop, patience: float) -> Report:
        for each in self._subscriptions:
            queue.subscriber(each.topic, each.subscriber)  # Fails now if there is none.
        threads = sum(each.concurrency for each in self._subscriptions)
        pool = ThreadPoolExecutor(threads, thread_name_prefix="blockqueue-handler")
        heart = threading.Thread(target=self._beat, args=(queue,), name="blockqueue-heartbeat", daemon=True)
        heart.start()
        _log.info("worker started", extra={"handlers": len(self._subscriptions), "threads": threads})
        hands = [
            pool.submit(self._hand, queue, loop, each)
            for each in self._subscriptions
            for _ in range(each.concurrency)
        ]
        while not self._stopping.wait(_SLICE):
            if all(hand.done() for hand in hands):
                break
        self._stopping.set()
        deadline = time.monotonic() + patience
        while not all(hand.done() for hand in hands) and time.monotonic() < deadline:
            time.sleep(0.02)
        self._report.unfinished = len(self._held)
        pool.shutdown(wait=False, cancel_futures=True)
        _log.info("worker stopped", extra={"report": vars(self._report)})
        for hand in hands:
            if hand.done() and (error := hand.exception()) is not None:
                raise error
        return self._report

    # --- a hand: one delivery after another -----------------------------------------------------------

    def _hand(self, queue: Queue, loop: asyncio.AbstractEventLoop, on: _Subscription) -> None:
        while not self._stopping.is_set():
            try:
                claimed = queue.claim(on.topic, on.subscriber, limit=1, wait=_SLICE, lease=on.lease)
            except BlockQueueError as error:
                if error.retry != "later":
                    raise
                _log.warning("claim failed: %s", error, extra={"code": error.code})
                self._stopping.wait(_SLICE)
                continue
            for delivery in claimed:
                self._handle(loop, on, delivery)

    def _handle(self, loop: asyncio.AbstractEventLoop, on: _Subscription, delivery: Delivery) -> None:
        about = {"topic": on.topic, "subscriber": on.subscriber, "message_id": delivery.message_id}
        about["attempt"] = str(delivery.attempt)
        lease = max(delivery.lease_expires_at.timestamp() - time.time(), 0.003)
        with self._changed:
            self._held[delivery] = (lease, time.monotonic() + lease / 3)
            self._changed.notify()
        outcome = "failed"
        try:
            with delivery:
                answer = on.handler(*on.arguments(delivery))
                if inspect.isawaitable(answer):
                    asyncio.run_coroutine_threadsafe(_awaited(answer), loop).result()
            outcome = "acked"
        except LeaseLostError:
            outcome = "lost"
            _log.warning("lease lost", extra=about)
        except ShutdownError:
            raise
        except Exception as error:
            _log.warning("handler failed: %s", failure_text(error), exc_info=True, extra=about)
        finally:
            with self._changed:
                del self._held[delivery]
                setattr(self._report, outcome, getattr(self._report, outcome) + 1)

    # --- the heartbeat --------------------------------------------------------------------------------

    def _beat(self, queue: Queue) -> None:
        """Extends what is held at a third of its lease, everything of one lease in one operation."""
        while True:
            with self._changed:
                if self._stopping.is_set() and not self._held:
                    return
                now = time.monotonic()
                next_at = min((due for _, due in self._held.values()), default=now + _SLICE)
                self._changed.wait(min(max(next_at - now, 0.0), _SLICE))
                now = time.monotonic()
                due_now: dict[float, list[Delivery]] = {}
                for delivery, (lease, due) in self._held.items():
                    if due <= now:
                        due_now.setdefault(lease, []).append(delivery)
                        self._held[delivery] = (lease, now + lease / 3)
            for lease, held in due_now.items():
                for at in range(0, len(held), 1000):
                    try:
                        # A lease that is lost shows when its delivery is settled.
                        queue.extend_many(held[at : at + 1000], lease)
                    except ShutdownError:
                        return
                    except BlockQueueError as error:
                        _log.warning("heartbeat failed: %s", error, extra={"code": error.code})


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


def _arguments(handler: Callable[..., Any]) -> Callable[[Delivery], list[Any]]:
    """How to make the arguments of a handler from a delivery."""
    hints = typing.get_type_hints(handler)
    makers: list[Callable[[Delivery], Any]] = []
    for name in inspect.signature(handler).parameters:
        hint = hints.get(name, Any)
        if hint is Delivery:
            makers.append(lambda delivery: delivery)
        elif hint is Any or typing.get_origin(hint) is not None:
            makers.append(lambda delivery: delivery.content)
        else:
            makers.append(functools.partial(Delivery.parse, into=hint))
    if not 1 <= len(makers) <= 2:
        raise TypeError("a handler takes the payload, or the delivery, or both")
    return lambda delivery: [make(delivery) for make in makers]
