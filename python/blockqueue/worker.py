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
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any, TypeVar

from . import aio, logs
from ._delivery import Delivery
from ._delivery_aio import Delivery as AioDelivery
from ._handlers import Pool, Subscription, arguments_of
from ._heartbeat import Heartbeat
from ._lease import GiveUp, Lease, RetryAfter, failure_text
from ._models import Seconds, to_timedelta
from ._processes import Child, Stopped
from ._queue import Queue, open
from .errors import BlockQueueError, LeaseLostError, ShutdownError

__all__ = ["App", "Pool", "Report"]

_log = logging.getLogger("blockqueue.worker")

Handler = TypeVar("Handler", bound=Callable[..., Any])

Around = Callable[[Lease], AbstractContextManager[Any]]
"""What a handler runs in: called with the delivery, for example ``blockqueue.opentelemetry.processing``."""

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


class App:
    """Handlers of one queue. Run it with ``blockqueue worker module:app``, or with :meth:`run`.

    Every handler runs in the context managers that ``around`` makes of its delivery, the first outermost.
    """

    def __init__(self, queue: Queue | str | PathLike[str], *, around: Iterable[Around] = ()) -> None:
        self._given = queue
        self._around = tuple(around)
        self._subscriptions: list[Subscription] = []
        # A plain flag: signal handlers set it, and must take no lock.
        self._stopping = False

    def subscriber(
        self,
        topic: str,
        subscriber: str,
        *,
        concurrency: int = 1,
        lease: Seconds | None = None,
        pool: Pool = "thread",
    ) -> Callable[[Handler], Handler]:
        """Makes a function, plain or ``async``, the handler of a subscriber's deliveries.

        A parameter annotated with :class:`blockqueue.Delivery`, or :class:`blockqueue.aio.Delivery` of an
        ``async`` function, gets the delivery; the other one gets the payload, as :meth:`Delivery.parse` makes
        it of the annotation, or else its content.

        The delivery is acked when the function returns and nacked when it raises; :class:`GiveUp` and
        :class:`RetryAfter` say more. Leases are extended while it runs.

        Up to ``concurrency`` deliveries are handled at once: by ``async`` functions in one event loop, by
        plain ones each in a thread, or with ``pool="process"`` each in a process, for work that keeps the
        interpreter busy. Such a function is one of a module, and gets the payload only.
        """
        if concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        if pool not in ("thread", "process"):
            raise ValueError("pool is thread or process")
        seconds = None if lease is None else to_timedelta(lease).total_seconds()

        def register(handler: Handler) -> Handler:
            arguments = arguments_of(handler, pool)
            new = Subscription(topic, subscriber, handler, concurrency, seconds, pool, arguments)
            if new.is_async and pool == "process":
                raise TypeError("an async handler runs in the event loop, not in a process")
            self._subscriptions.append(new)
            return handler

        return register

    def stop(self) -> None:
        """Stops claiming. Handlers that run go on; :meth:`run` returns when they have returned.

        Signal handlers may call it.
        """
        self._stopping = True

    def run(self, *, patience: Seconds = 30.0) -> Report:
        """Handles deliveries until :meth:`stop` is called, by a signal or another thread.

        Handlers that run then have ``patience`` to return. After that tasks are cancelled and processes
        killed; what a thread holds expires.
        """
        if not self._subscriptions:
            raise ValueError("the app has no handlers")
        given = self._given
        queue = given if isinstance(given, Queue) else open(given)
        try:
            for each in self._subscriptions:
                queue.subscriber(each.topic, each.subscriber)  # Fails now if there is none.
            return _Run(self, queue).until_stopped(to_timedelta(patience).total_seconds())
        finally:
            if queue is not given:
                queue.shutdown()


@dataclass
class _Handled:
    returned: bool = False
    """The handler has returned, and did not raise."""


class _Run:
    """One run of an app: its hands, each of which handles one delivery after another."""

    def __init__(self, app: App, queue: Queue) -> None:
        self._app = app
        self._queue = queue
        self._heartbeat = Heartbeat(queue)
        self._report = Report()
        self._counting = threading.Lock()
        self._children: list[Child] = []
        self._hands: list[Future[None]] = []

    def until_stopped(self, patience: float) -> Report:
        loop = asyncio.new_event_loop()
        looping = threading.Thread(target=loop.run_forever, name="blockqueue-loop", daemon=True)
        looping.start()
        try:
            self._start(loop)
            _log.info("worker started", extra={"hands": len(self._hands)})
            while not self._app._stopping and not self._some_hand_failed():
                pass
            self._app._stopping = True
            wait(self._hands, patience)
            self._report.unfinished = len(self._heartbeat)
        finally:
            self._app._stopping = True
            self._heartbeat.end()
            for child in self._children:
                child.end()
            wait(self._hands, 1.0 if self._children else 0.0)
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            looping.join()
            loop.close()
        _log.info("worker stopped", extra={"report": vars(self._report)})
        for hand in self._hands:
            if hand.done() and not hand.cancelled() and (error := hand.exception()) is not None:
                raise error
        return self._report

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        awaiting = aio.Queue(self._queue._native)
        for each in self._app._subscriptions:
            for _ in range(each.concurrency):
                if each.is_async:
                    hand = asyncio.run_coroutine_threadsafe(self._hand_aio(awaiting, each), loop)
                else:
                    work = self._hand_in_process if each.pool == "process" else self._hand
                    hand = _in_thread(work, each)
                self._hands.append(hand)

    def _some_hand_failed(self) -> bool:
        """Looks for a fifth of a second; hands end by themselves only when they fail."""
        return bool(wait(self._hands, 0.2, FIRST_EXCEPTION).done)

    # --- hands ----------------------------------------------------------------------------------------

    def _hand_in_process(self, on: Subscription) -> None:
        child = Child(on.handler)
        self._children.append(child)
        try:
            self._handle_each(on, child.call)
        except Stopped:
            pass

    def _hand(self, on: Subscription) -> None:
        self._handle_each(on, lambda delivery: on.handler(*on.arguments(delivery)))

    def _handle_each(self, on: Subscription, handle: Callable[[Delivery], Any]) -> None:
        while not self._app._stopping:
            try:
                claimed = self._queue.claim(on.topic, on.subscriber, limit=1, wait=_SLICE, lease=on.lease)
            except BlockQueueError as error:
                _wait_for_better(error)
                time.sleep(_SLICE)
                continue
            for delivery in claimed:
                with self._handling(delivery) as handled, delivery, self._working(delivery, handled):
                    handle(delivery)

    async def _hand_aio(self, queue: aio.Queue, on: Subscription) -> None:
        while not self._app._stopping:
            try:
                claimed = await queue.claim(on.topic, on.subscriber, limit=1, wait=_SLICE, lease=on.lease)
            except BlockQueueError as error:
                _wait_for_better(error)
                await asyncio.sleep(_SLICE)
                continue
            for delivery in claimed:
                with self._handling(delivery) as handled:
                    async with delivery:
                        with self._working(delivery, handled):
                            await on.handler(*on.arguments(delivery))

    @contextmanager
    def _handling(self, delivery: Delivery | AioDelivery) -> Generator[_Handled]:
        """Around the block of a delivery: holds the lease, and counts what came of it."""
        handled = _Handled()
        with self._heartbeat.of(delivery), logs.about(delivery):
            try:
                yield handled
                self._count("acked" if handled.returned else "failed")
            except LeaseLostError:
                self._count("lost")
                _log.warning("lease lost", extra=logs.fields(delivery))
            except ShutdownError:
                raise
            except Exception as error:
                self._count("failed")
                if handled.returned:
                    _log.error("it could not be settled: %s", error, extra=logs.fields(delivery))

    @contextmanager
    def _working(self, delivery: Lease, handled: _Handled) -> Generator[None]:
        """Within the block of a delivery: what the app wants around its handlers, and a log of failures."""
        try:
            with ExitStack() as surroundings:
                for around in self._app._around:
                    surroundings.enter_context(around(delivery))
                yield
            handled.returned = True
        except (GiveUp, RetryAfter) as error:
            _log.info("handler: %s", failure_text(error), extra=logs.fields(delivery))
            raise
        except Exception as error:
            text = failure_text(error)
            _log.warning("handler failed: %s", text, exc_info=True, extra=logs.fields(delivery))
            raise

    def _count(self, outcome: str) -> None:
        with self._counting:
            setattr(self._report, outcome, getattr(self._report, outcome) + 1)


def _wait_for_better(error: BlockQueueError) -> None:
    """Raises what will not get better by itself."""
    if error.retry != "later":
        raise error
    _log.warning("claim failed: %s", error, extra={"code": error.code})


def _in_thread(work: Callable[[Subscription], None], on: Subscription) -> Future[None]:
    """Runs in a thread of its own that does not keep the program from ending."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            work(on)
            future.set_result(None)
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="blockqueue-handler", daemon=True).start()
    return future


async def _cancel_all() -> None:
    """Cancels the tasks that are left, and lets them give back what they hold."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=1.0)
