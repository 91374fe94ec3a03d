"""A queue of its own for each script, whose clock the script moves."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, Protocol

import blockqueue
from blockqueue import _native

from .answers import START
from .operations import answer, call

START_MS = int(START.timestamp()) * 1000


class Face(Protocol):
    """One way to reach a queue."""

    clock: Any
    has: frozenset[str]

    def perform(self, word: str, given: dict[str, Any]) -> Any:
        """Carries out an operation and waits for its answer."""

    def close(self) -> None:
        """Ends the queue, whatever came before."""


def _native_queue(path: str, clock: Any) -> _native.Queue:
    # Only builds for tests have it, so the stub does not.
    opened: _native.Queue = _native.Queue.open_with_clock(path, clock)  # type: ignore[attr-defined]
    return opened


def _clock() -> Any:
    return _native.TestClock(START_MS)  # type: ignore[attr-defined]


class Sync:
    """The queue for threads, in memory or in a file."""

    def __init__(self, directory: Path | None) -> None:
        self.clock = _clock()
        self.has = frozenset({"negative_durations", "zero_in_text"} | ({"reopen"} if directory else set()))
        self._path = str(directory / "queue.db") if directory else ":memory:"
        self._open()

    def _open(self) -> None:
        self._queue = blockqueue.Queue(_native_queue(self._path, self.clock))

    def perform(self, word: str, given: dict[str, Any]) -> Any:
        if word == "reopen":
            self._queue.shutdown()
            self._open()
            return {}
        return answer(word, call(self._queue, word, given))

    def close(self) -> None:
        self._queue.shutdown()


class Aio:
    """The queue for event loops, in a file, on a loop of its own."""

    has = frozenset({"negative_durations", "zero_in_text", "reopen"})

    def __init__(self, directory: Path) -> None:
        self.clock = _clock()
        self._path = str(directory / "queue.db")
        self._queue = blockqueue.aio.Queue(_native_queue(self._path, self.clock))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def perform(self, word: str, given: dict[str, Any]) -> Any:
        async def awaited() -> Any:
            if word == "reopen":
                await self._queue.shutdown()
                self._queue = blockqueue.aio.Queue(_native_queue(self._path, self.clock))
                return {}
            return answer(word, await call(self._queue, word, given))

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._queue.shutdown(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
