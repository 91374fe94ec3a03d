"""How a thread waits for the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from . import _native
from ._native import Claimed, Pending

T = TypeVar("T")


class Waiting:
    """Waits with the interpreter released; Ctrl-C ends any wait."""

    __slots__ = ("_native",)

    def __init__(self, native: _native.Queue) -> None:
        self._native = native

    @staticmethod
    def _wait(pending: Pending[T]) -> T:
        return pending.wait()

    @staticmethod
    def _wait_for_claim(pending: Pending[list[Claimed]]) -> list[Claimed]:
        # A wait that is interrupted drops the claim, and what it would get is given back.
        return pending.wait()

    @staticmethod
    def _told(listener: Callable[[T], object] | None) -> Callable[[T], object] | None:
        # It is called on a thread of its own.
        return listener
