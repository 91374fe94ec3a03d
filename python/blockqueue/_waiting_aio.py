"""How an event loop waits for the queue: a list of completions, and one descriptor that tells of news."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from . import _native
from ._native import Claimed, Completions, Pending

T = TypeVar("T")


class Waiting:
    """Waits in tasks, without a thread for any of them. A cancelled claim gives back what it got."""

    __slots__ = ("_arrivals", "_native", "_outstanding")

    def __init__(self, native: _native.Queue) -> None:
        self._native = native
        self._arrivals: Arrivals | None = None
        self._outstanding = 0

    def _arrivals_of_loop(self) -> Arrivals:
        loop = asyncio.get_running_loop()
        if self._arrivals is None:
            self._arrivals = Arrivals(loop)
        elif self._arrivals.loop is not loop:
            raise RuntimeError("this queue belongs to another event loop: open one in each")
        return self._arrivals

    async def _wait(self, pending: Pending[T]) -> T:
        arrivals = self._arrivals_of_loop()
        future: asyncio.Future[T] = arrivals.loop.create_future()
        submitted = arrivals.completions.submit(pending, future)
        self._outstanding += 1
        try:
            return await future
        except BaseException:
            submitted.cancel()
            raise
        finally:
            self._outstanding -= 1
            if not self._outstanding:
                arrivals.rest()

    async def _wait_for_claim(self, pending: Pending[list[Claimed]]) -> list[Claimed]:
        arrivals = self._arrivals_of_loop()
        future: asyncio.Future[list[Claimed]] = arrivals.loop.create_future()
        submitted = arrivals.completions.submit(pending, future)
        self._outstanding += 1
        try:
            return await future
        except BaseException:
            submitted.cancel()
            # The answer may be there although the task was cancelled before it could run on.
            if future.done() and not future.cancelled() and future.exception() is None:
                self._give_back(arrivals, future.result())
            raise
        finally:
            self._outstanding -= 1
            if not self._outstanding:
                arrivals.rest()

    def _told(self, listener: Callable[[T], object] | None) -> Callable[[T], object] | None:
        """The same, but called in the loop."""
        if listener is None:
            return None
        loop = self._arrivals_of_loop().loop
        return lambda told: loop.call_soon_threadsafe(partial(listener, told))

    def _give_back(self, arrivals: Arrivals, claimed: list[Claimed]) -> None:
        if claimed:
            future: asyncio.Future[Any] = arrivals.loop.create_future()
            # What cannot be given back comes back when its lease expires.
            future.add_done_callback(lambda done: done.exception())
            arrivals.completions.submit(self._native.defer_many(claimed, 0.0), future)


class Arrivals:
    """The completions of one queue on one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: bool = True) -> None:
        self.loop = loop
        self.completions = Completions(descriptor)
        self._closing = self._closed = False
        self._watched = self.completions.fileno()
        if self._watched is not None:
            try:
                loop.add_reader(self._watched, self.completions.drain)
                return
            except NotImplementedError:
                self.completions = Completions(False)
                self._watched = None
        threading.Thread(target=self._pump, name="blockqueue-pump", daemon=True).start()

    def _pump(self) -> None:
        """For loops that cannot watch a descriptor: a thread that waits for news and tells the loop."""
        drained = threading.Event()

        def drain() -> None:
            try:
                self.completions.drain()
            finally:
                drained.set()

        while not (self._closed or self.loop.is_closed()):
            if self.completions.wait(1.0):
                drained.clear()
                try:
                    self.loop.call_soon_threadsafe(drain)
                except RuntimeError:  # The loop is closed.
                    return
                while not drained.wait(1.0):
                    if self._closed or self.loop.is_closed():
                        return

    def close(self) -> None:
        """Nothing new will come; what is on its way still arrives."""
        self._closing = True

    def rest(self) -> None:
        """Nobody waits now."""
        if self._closing and not self._closed:
            self._closed = True
            if self._watched is not None:
                self.loop.remove_reader(self._watched)
