"""Handlers: which deliveries a function gets, and what it is called with."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from . import _payload
from ._delivery import Delivery
from ._delivery_aio import Delivery as AioDelivery
from ._lease import Lease

Pool = Literal["thread", "process"]
"""Where a handler that is not ``async`` runs."""

Arguments = Callable[[Lease], list[Any]]


@dataclass(frozen=True)
class Subscription:
    """A handler, and whose deliveries it gets."""

    topic: str
    subscriber: str
    handler: Callable[..., Any]
    concurrency: int
    lease: float | None
    pool: Pool
    arguments: Arguments = field(compare=False)

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.handler)


def arguments_of(handler: Callable[..., Any], pool: Pool) -> Arguments:
    """How to make the arguments of a handler from a delivery."""
    wanted = AioDelivery if inspect.iscoroutinefunction(handler) else Delivery
    makers: list[Callable[[Lease], Any]] = []
    for hint in _hints(handler):
        if isinstance(hint, type) and issubclass(hint, Lease):
            if pool == "process":
                raise TypeError("a handler in a process of its own takes the payload and no delivery")
            if not issubclass(wanted, hint):
                name = "blockqueue.aio.Delivery" if wanted is AioDelivery else "blockqueue.Delivery"
                raise TypeError(f"{handler} gets a {name}")
            makers.append(lambda delivery: delivery)
        else:
            makers.append(functools.partial(_payload_of, into=hint))
    if not 1 <= len(makers) <= 2:
        raise TypeError("a handler takes the payload, or the delivery, or both")
    return lambda delivery: [make(delivery) for make in makers]


def payload_type(handler: Callable[..., Any]) -> Any:
    """What the only parameter of a handler is to be."""
    [hint] = _hints(handler)
    return hint


def _hints(handler: Callable[..., Any]) -> list[Any]:
    hints = typing.get_type_hints(handler)
    return [hints.get(name, Any) for name in inspect.signature(handler).parameters]


def _payload_of(delivery: Lease, into: Any) -> Any:
    return _payload.parse(delivery.payload, delivery.content_type, into)
