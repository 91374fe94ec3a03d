"""What is said with plain values: durations, words, values of statements, pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Literal, TypeVar, Union

T = TypeVar("T")

Seconds = Union[float, timedelta]
"""A duration: seconds, or a ``timedelta``."""

SqlValue = Union[None, int, float, str, bytes]
"""A value of a statement."""

Durability = Literal["full", "balanced"]
"""``full``: on disk before the answer. ``balanced``: survives a crash of the process; a power cut may take
the newest commits."""


def to_timedelta(value: Seconds) -> timedelta:
    return value if isinstance(value, timedelta) else timedelta(seconds=value)


@dataclass(frozen=True)
class Page(Generic[T]):
    """Part of a list. ``next`` is ``after`` of the following page, and ``None`` at the end."""

    items: list[T]
    next: str | None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
